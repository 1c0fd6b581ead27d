#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""79-scale.py - many addresses, VLANs and ports: their listings come in parts
between which frames are forwarded and everything may change, clients of the
console may read slowly, not at all or leave, and nobody else waits."""
from vdeclient import *

ADDRESSES = 100000
ENTRY = re.compile(rb"Hash: \d{4,} Addr: 02:[0-9a-f:]{14} VLAN 0000 "
                   rb"to port: \d{3}  age \d+ secs\n")
BLOCK = b"0000 DATA END WITH '.'\n"
OK = b".\n1000 Success\n" + PROMPT
CANCELED = b"1125 " + os.strerror(errno.ECANCELED).encode() + b"\n" + PROMPT


def memory_kb(sw, field="RssAnon"):
    with open("/proc/%d/status" % sw.pid) as f:
        return int(re.search(r"^%s:\s+(\d+)" % field, f.read(), re.M)[1])


def learn(client, n, first=1):
    """A frame for its own port is learned from and goes nowhere."""
    for i in range(first, first + n):
        client.data.send(frame(mac(first), mac(i)))


def learned(sw):
    return sw.console.json("hash/showinfo")["entries"]


def ask(sw, line, read=0):
    """A console that has asked and reads no further, or @read bytes."""
    con = Console(sw.mgmt)
    con.write(line.encode() + b"\n")
    while len(con.buf) < read:
        con.fill()
    return con


sw = Switch("-n", "60")
many = sw.plug(60)
learn(many, ADDRESSES, 0x1000000)
ok("%d addresses are learned" % ADDRESSES,
   until(lambda: learned(sw) == ADDRESSES), learned(sw))
pair = Pair(sw, (1, 2))

# --- all of it ------------------------------------------------------------

before = memory_kb(sw)
con = ask(sw, "hash/print")
text = con.upto(OK)
ok("hash/print has a line for each",
   text.startswith(BLOCK) and text.endswith(OK) and
   len(ENTRY.findall(text)) >= ADDRESSES and
   not ENTRY.sub(b"", text[len(BLOCK):-len(OK)]), lambda: text[:500])
doc = sw.console.json("hash/print")
is_("as one JSON document, too", len(
    {e["mac"] for e in doc["entries"] if e["port"] == 60}), ADDRESSES)
ok("neither waits in the switch's memory", memory_kb(sw) - before < 1000,
   memory_kb(sw) - before)

# --- what changes between two parts ---------------------------------------

slow = ask(sw, "hash/print", 1)
json_ = ask(sw, "-j hash/print", 1)
sized = ask(sw, "hash/print", 1)
late = ask(sw, "debug/add hash/+", 1)
late.upto(PROMPT)
late.write(b"hash/print\nshowinfo\n")
late.fill()
sw.sync()
learn(many, 3, 0x2000000)
ok("a command waits for the end of the reply before it, others do not",
   until(lambda: learned(sw) >= ADDRESSES + 3))
sw.do("hash/setsize 1")
many.close()
ok("the port's addresses are forgotten", until(lambda: learned(sw) < 10))
text = slow.upto(PROMPT)
ok("a listing that had begun ends early, in good form",
   text.endswith(OK) and 0 < len(ENTRY.findall(text)) < ADDRESSES and
   not ENTRY.sub(b"", text[len(BLOCK):-len(OK)]),
   lambda: text[:200] + b" ... " + text[-300:])
text = json_.upto(PROMPT)
doc = json.loads(text[len(BLOCK):-len(OK)])
ok("so does a JSON document", 0 < len(doc["entries"]) < ADDRESSES)
ok("and one whose table got another size", sized.upto(PROMPT).endswith(OK))
text = late.upto(OK)
ok("events of that time are not in it", b"\n3" not in text)
text = late.upto(PROMPT)
ok("but come after it, before the next reply", re.match(
    rb"(3\d\d\d hash/\+ .*\n)+0000 DATA", text), lambda: text[:500])
for c in (slow, json_, sized, late, con):
    c.close()

# --- who does not read, who leaves ----------------------------------------

many = sw.plug(60)
learn(many, 30000, 0x1000000)
until(lambda: learned(sw) >= 30000)
before = memory_kb(sw)
deaf = [ask(sw, "-j hash/print" if i % 2 else "hash/print")
        for i in range(20)]
ok("20 that ask and do not read hold nobody up", pair.goes_on(200), pair)
ok("nor take much memory", memory_kb(sw) - before < 2000,
   memory_kb(sw) - before)
busy = cpu_seconds(sw.pid)
pair.goes_on(100)
ok("nor time", cpu_seconds(sw.pid) - busy < 0.2, cpu_seconds(sw.pid) - busy)
for c in deaf[:14]:
    c.close()
ok("most leave in the middle", pair.goes_on(), pair)
ok("the others get all of it when they read", all(
    c.upto(OK) and not c.buf for c in deaf[14:]))
for c in deaf[14:]:
    c.close()

r, w = os.pipe()
cmd = start("unixcmd", "-s", sw.mgmt, "hash/print", stdout=w)
os.close(w)
os.read(r, 4096)
cmd.send_signal(signal.SIGINT)
is_("^C ends unixcmd", cmd.wait(DEADLINE), -signal.SIGINT)
os.close(r)
ok("and nothing else", pair.goes_on(), pair)
note(pair)

# --- a shutdown -----------------------------------------------------------

text_, json_ = ask(sw, "hash/print", 1), ask(sw, "-j hash/print", 1)
gone_ = ask(sw, "hash/print")
sw.console.write(b"shutdown\n")
is_("a shutdown need not wait for it", sw.proc.wait(DEADLINE), 0)
pair.stop()
for c in (text_, json_):
    c.rest()
gone_.close()

# --- VLANs ----------------------------------------------------------------

PORTS, VLANS = 1000, 4093
rc = unique("rc")
with open(rc, "w") as f:
    for i in range(1, PORTS + 1):
        f.write("port/create %d\nport/allocatable %d 1\n" % (i, i))
    for i in range(1, VLANS + 1):
        f.write("vlan/create %d\n" % i)
sw = Switch("-n", str(PORTS), rc=rc)
con = Console(sw.mgmt)
lines = ["vlan/addport %d %d" % (v, p) for v in range(1, VLANS + 1)
         for p in range(1, 41)]
lines += ["vlan/addport %d %d" % (v, p) for v in (1, VLANS)
          for p in range(41, PORTS + 1)]


def feed():
    con.write("\n".join(lines).encode() + b"\nshowinfo\n")


feeder = threading.Thread(target=feed)
feeder.start()
text = con.upto(b"\nVDE switch")
feeder.join()
con.upto(OK)
is_("40 ports join 4093 VLANs, 1000 ports two of them", text.count(
    b"1000 Success\n"), len(lines))
ok("in little memory", memory_kb(sw) < 16000, memory_kb(sw))
clients = [sw.plug(i) for i in range(1, 101)]
for c in clients:
    c.data.setblocking(False)
for vid in (1, 2, VLANS):
    clients[0].send(frame(BROADCAST, mac(1), tci=vid))
    sw.sync()
    got = [len(c.pending()) for c in clients]
    here = 100 if vid != 2 else 40
    is_("a flood in VLAN %d reaches its members" % vid, got,
        [0] + [1] * (here - 1) + [0] * (100 - here))
clients[1].close()
until(lambda: not sw.console.json("port/allprint 2")["ports"][0]["active"])
clients[1] = sw.plug(2)
clients[0].send(frame(BROADCAST, mac(1), tci=VLANS))
ok("one that left and returned is in them again", clients[1].recv())

begun = ask(sw, "-j vlan/allprint", 200000)
sw.do("vlan/delport 1 5", "port/setvlan 5 7", "port/setvlan 5 0")
for v in (2, 3, 2000, VLANS - 1):
    sw.do(*["vlan/delport %d %d" % (v, p) for p in range(1, 41)],
          "vlan/remove %d" % v)
text = begun.upto(PROMPT)
doc = json.loads(text[len(BLOCK):-len(OK)])
ids = [v["vlan"] for v in doc["vlans"]]
ok("VLANs may go while they are listed", ids == sorted(set(ids)) and
   2000 not in ids and ids[-1] == VLANS, lambda: ids)
text = ask(sw, "vlan/print").upto(OK)
is_("vlan/print has every VLAN", text.count(b"VLAN "), VLANS + 1 - 4)
doc = sw.console.json("port/allprint")
is_("port/allprint has every port", len(doc["ports"]), PORTS + 1 - 1)
is_("so has port/drops", len(sw.console.json("port/drops")["ports"]), PORTS)
is_("and it ends well", sw.stop(), 0)
done()
