#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""74-guard.py - guards of ports: their commands, right and wrong, what they
say in text and JSON, and addresses, sources and isolation with clients on
datagrams and on rings."""
import errno
import random

from ringclient import *

rnd = random.Random(11)
sw = Switch("-n", "100")
con = sw.console


def guard(n):
    return sw.port(n)["guard"]


def entries(n):
    """(address, VLAN, sticky) of what is known on that port."""
    return sorted((e["mac"], e["vlan"], e["sticky"]) for e in
                  con.json("guard/print %d" % n)["ports"][0]["entries"])


def heard(sender, *frames, by):
    for c in by:
        c.pending()
    sender.send(*frames)
    sw.sync()
    return [c.pending() for c in by]


def code(line):
    return con.cmd(line)[0]


# --- commands -------------------------------------------------------------

OFF = {"addresses": 0, "max_addresses": 0, "sticky": False, "isolated": False,
       "rate": None, "sources": None,
       "storm": {"broadcast": None, "multicast": None, "unknown": None}}
sw.do("port/create 9")
is_("a port has no guard at first", guard(9), OFF)
is_("and is not listed", sw.do("guard/print"), [])
is_("unless it is asked for", sw.do("guard/print 9"),
    ["Port 0009 addresses 0000 max 0000"])
sw.do("guard/maxaddr 9 7", "guard/sticky 9 1", "guard/isolate 9 1",
      "guard/rate 9 1000 125000", "guard/storm 9 broadcast 100 0",
      "guard/storm 9 multicast 0 0x10000", "guard/storm 9 unknown 5000 900000",
      "guard/source 9 add 02:00:00:00:00:0b",
      "guard/source 9 add 2:0:0:0:0:a", "guard/stick 9 2:0:0:0:0:a",
      "guard/stick 9 2:0:0:0:0:a 5")
is_("everything set, in JSON", guard(9), {
    "addresses": 2, "max_addresses": 7, "sticky": True, "isolated": True,
    "rate": {"frames": 1000, "bytes": 125000, "burst_frames": 250,
             "burst_bytes": 65536},
    "storm": {"broadcast": {"frames": 100, "bytes": 0, "burst_frames": 16,
                            "burst_bytes": 0},
              "multicast": {"frames": 0, "bytes": 65536, "burst_frames": 0,
                            "burst_bytes": 16384},
              "unknown": {"frames": 5000, "bytes": 900000,
                          "burst_frames": 500, "burst_bytes": 90000}},
    "sources": ["02:00:00:00:00:0a", "02:00:00:00:00:0b"]})
TEXT = ["Port 0009 addresses 0002 max 0007 STICKY ISOLATED",
        " rate      frames/s 1000 bytes/s 125000 burst frames 250 "
        "burst bytes 65536",
        " broadcast frames/s 100 burst frames 16",
        " multicast bytes/s 65536 burst bytes 16384",
        " unknown   frames/s 5000 bytes/s 900000 burst frames 500 "
        "burst bytes 90000",
        " source    02:00:00:00:00:0a", " source    02:00:00:00:00:0b"]
is_("and in text", sw.do("guard/print"), TEXT)
got = sw.do("guard/print 9")
is_("one port with its addresses", (got[:len(TEXT)], sorted(got[len(TEXT):])),
    (TEXT, [" address   02:00:00:00:00:0a VLAN 000%d STICKY BY HAND" % v
            for v in (0, 5)]))
is_("hash/print tells what is sticky in JSON", sorted(
    (e["mac"], e["vlan"], e["port"], e["sticky"]) for e in
    con.json("hash/print")["entries"]),
    [("02:00:00:00:00:0a", v, 9, True) for v in (0, 5)])
ok("and not in text", all(re.match(r"Hash: \d{4} Addr: [0-9a-f:]{17} VLAN "
                                   r"\d{4} to port: 009  age \d+ secs$", x)
                          for x in sw.do("hash/print")))
sw.do("guard/rate 9 0 4000000000 1")
is_("a burst of one's own", guard(9)["rate"],
    {"frames": 0, "bytes": 4000000000, "burst_frames": 0, "burst_bytes": 1})
sw.do("guard/source 9 del 2:0:0:0:0:a", "guard/source 9 del 2:0:0:0:0:b")
is_("an empty list is a list", (guard(9)["sources"], sw.do("guard/print 9")[5]),
    ([], " source    none"))
sw.do("guard/source 9 off", "guard/maxaddr 9 0", "guard/sticky 9 0",
      "guard/isolate 9 0", "guard/rate 9 0 0", "guard/storm 9 broadcast 0 0",
      "guard/storm 9 multicast 0 0", "guard/storm 9 unknown 0 0",
      "guard/forget 9")
is_("all off again", guard(9), OFF)
sw.do("guard/maxaddr 9 3", "port/remove 9", "port/create 9")
is_("removing the port removes its guard", guard(9), OFF)

wrong = [(x, c) for x in (
    "guard/maxaddr", "guard/maxaddr 9", "guard/maxaddr 9 -1",
    "guard/maxaddr 9 65536", "guard/maxaddr 9 x", "guard/maxaddr 9 1 1",
    "guard/maxaddr x 1", "guard/maxaddr 101 1", "guard/sticky 9",
    "guard/sticky 9 yes", "guard/sticky 101 1", "guard/stick 9",
    "guard/stick 9 x", "guard/stick 9 1:0:0:0:0:1", "guard/stick 9 2:0:0:0:0",
    "guard/stick 9 2:0:0:0:0:1 4095", "guard/stick 9 2:0:0:0:0:1 x",
    "guard/stick 101 2:0:0:0:0:1", "guard/forget", "guard/forget x",
    "guard/forget 101", "guard/source 9", "guard/source 9 add",
    "guard/source 9 add x", "guard/source 9 add ff:ff:ff:ff:ff:ff",
    "guard/source 9 del", "guard/source 9 off 2:0:0:0:0:1",
    "guard/source 9 zap 2:0:0:0:0:1", "guard/source 9 2:0:0:0:0:1",
    "guard/source 101 off", "guard/storm 9 broadcast 1", "guard/storm 9 all 1 1",
    "guard/storm 9 broadcast -1 0", "guard/storm 9 broadcast 0 1000000000001",
    "guard/storm 9 broadcast 1000000001 0", "guard/storm 9 1 1",
    "guard/storm 9 broadcas 1 1", "guard/storm 101 unknown 1 1",
    "guard/rate 9", "guard/rate 9 1", "guard/rate 9 x 1", "guard/rate 9 1 -1",
    "guard/rate 9 1 1 0", "guard/rate 9 1 1 4000000001",
    "guard/rate 9 99999999999999999999 1", "guard/rate 101 1 1",
    "guard/isolate 9", "guard/isolate 9 x", "guard/isolate 101 1",
    "guard/print x", "guard/print 101", "guard/print 9 9")
    for c in [code(x)] if c != errno.EINVAL]
is_("wrong arguments", wrong, [])
is_("a port that does not exist", [x for x in (
    "guard/maxaddr 8 1", "guard/sticky 8 1", "guard/stick 8 2:0:0:0:0:1",
    "guard/forget 8", "guard/source 8 off", "guard/storm 8 unknown 1 1",
    "guard/rate 8 1 1", "guard/isolate 8 1", "guard/print 8")
    if code(x) != errno.ENXIO], [])
is_("a source that is not listed, or is",
    [code(x) for x in ("guard/source 9 del 2:0:0:0:0:1",
                       "guard/source 9 add 2:0:0:0:0:1",
                       "guard/source 9 add 2:0:0:0:0:1",
                       "guard/source 9 off")],
    [errno.ENOENT, 0, errno.EEXIST, 0])
sw.do(*["guard/source 9 add 2:0:0:0:%x:%x" % (i >> 8, i & 255)
        for i in range(1024)])
is_("1024 sources and no more",
    (code("guard/source 9 add 2:0:0:1:0:0"), len(guard(9)["sources"])),
    (errno.ENOSPC, 1024))
sw.do("guard/source 9 off")
junk = [b"", b"-1", b"1e9", b"%n", b"0x", b"\xff\xfe", b"a" * 500, b"off",
        b"add", b"18446744073709551616", b"ff:ff:ff:ff:ff:ff", b"broadcast"]
names = [x.split()[0].encode() for x in sw.do("help guard/")[2:]]
c = Console(sw.mgmt)
answers = 0
for _ in range(100):
    c.write(b"".join(rnd.choice(names) + b" " + b" ".join(
        rnd.choices([b"9", b"8", *junk], k=rnd.randrange(5))) + b"\n"
        for _ in range(50)))
    for _ in range(50):
        answers += bool(re.search(rb"^1\d\d\d ", c.upto(PROMPT), re.M))
is_("5000 lines of garbage to them: an answer to each", answers, 5000)
c.close()
sw.do("port/remove 9")

# --- how many addresses ---------------------------------------------------

a, b, c = sw.plug(1), Ring(sw.dir, 2), sw.plug(3)
sw.do("guard/maxaddr 2 2")
f = [frame(BROADCAST, mac(0x20 + i)) for i in range(5)]
is_("of five stations on a port of two, two are heard",
    heard(b, *f, *f, by=[c]), [f[:2] * 2])
is_("the others are counted", (sw.drops(2), guard(2)["addresses"]),
    ({"address_limit": 6}, 2))
ok("and logged", sw.logged(
    r"warning: MAC 02:00:00:00:00:22 refused on port 2: it has as many as it"))
is_("none of them is known", [code("hash/find " + mac_str(mac(0x20 + i)))
                              for i in range(5)],
    [0, 0] + [errno.ENODEV] * 3)
is_("nor in another VLAN", heard(b, frame(BROADCAST, mac(0x20), tci=7),
                                 by=[c]), [[]])
sw.do("guard/maxaddr 2 3")
is_("more are let in when there may be more", heard(b, *f, by=[c]), [f[:3]])
sw.do("guard/maxaddr 2 1")
is_("fewer are known when there may be fewer",
    (len(entries(2)), guard(2)["addresses"]), (1, 1))
sw.do("guard/maxaddr 2 0")
is_("and all without a limit", heard(b, *f, by=[c]), [f])

# --- sticky ---------------------------------------------------------------

def mine(n):
    return mac(0x100 * n)


for x, n in (a, 1), (b, 2), (c, 3):
    heard(x, frame(BROADCAST, mine(n)), by=[])
sw.do("hash/setminper 0", "guard/sticky 1 1")
steal = frame(BROADCAST, mine(1))
is_("nobody else sends from a sticky address",
    heard(b, steal, frame(mine(3), mine(1)), by=[a, c]), [[], []])
is_("that is counted where it was tried", sw.drops(2)["address_violation"], 2)
ok("and logged", sw.logged(r"warning: MAC 02:00:00:00:01:00 refused on port 2:"
                           r" it is sticky on port 1$"))
f = frame(mine(1), mine(3))
is_("its traffic stays where it was", heard(c, f, by=[a, b]), [[f], []])
f = frame(BROADCAST, mine(1), tci=5, size=64)
is_("in another VLAN it is another address", heard(b, f, by=[c]), [[f]])
ok("others move, when they have been silent for a second", until(
    lambda: heard(c, frame(BROADCAST, mine(2)), by=[]) == [] and
    (mac_str(mine(2)), 0, False) in entries(3)))
new = frame(BROADCAST, mac(0x111))
heard(a, new, by=[])
is_("what comes later is sticky too", heard(b, new, by=[a, c]), [[], []])
a.close()
until(lambda: not sw.port(1)["active"])
is_("they stay when nobody is there",
    ([e for e in entries(1) if e[2]], heard(b, steal, by=[c])),
    ([("02:00:00:00:01:00", 0, True), ("02:00:00:00:01:11", 0, True)], [[]]))
is_("and what is for them goes nowhere",
    (heard(c, frame(mine(1), mine(3)), by=[b]),
     sw.drops(3)["destination_gone"]), ([[]], 1))
a = Ring(sw.dir, 1)
is_("who comes back has them", heard(a, steal, by=[c]), [[steal]])
sw.do("hash/setexpire 1", "hash/setgcint 1")
ok("they do not expire", until(lambda: not entries(3)) and
   [e[2] for e in entries(1)] == [True] * 2)
sw.do("hash/setexpire 100", "guard/forget 1")
is_("guard/forget forgets them", (entries(1), heard(b, steal, by=[c])),
    ([], [[steal]]))
sw.do("guard/sticky 1 0", "hash/setminper 3")

is_("an address by hand, though it is elsewhere",
    (code("guard/stick 1 " + mac_str(mine(1))), entries(1),
     heard(b, steal, by=[c])), (0, [(mac_str(mine(1)), 0, True)], [[]]))
is_("not if it is sticky there",
    code("guard/stick 2 " + mac_str(mine(1))), errno.EEXIST)
sw.do("guard/maxaddr 1 1")
is_("nor above the limit", code("guard/stick 1 2:0:0:0:7:7"), errno.ENOSPC)
sw.do("guard/maxaddr 1 0", "vlan/create 5")
is_("nor in a VLAN that the port is not in",
    code("guard/stick 1 2:0:0:0:7:7 5"), errno.ENXIO)
sw.do("port/setvlan 1 5", "guard/stick 1 2:0:0:0:7:7")
is_("the port's own VLAN is the usual one; leaving one forgets", entries(1),
    [("02:00:00:00:07:07", 5, True)])
sw.do("port/setvlan 1 0", "vlan/remove 5", "guard/forget 1")

ev = Console(sw.mgmt)
ev.do("debug/add guard")
sw.do("guard/stick 1 " + mac_str(mine(1)), "guard/maxaddr 3 1")
b.send(steal)
got = [ev.upto(b"\n")]
c.send(frame(BROADCAST, mac(0x301)), frame(BROADCAST, mac(0x302)))
got.append(ev.upto(b"\n"))
is_("events", got, [
    b"3071 guard/address 02:00:00:00:01:00 VLAN 0000 Port 0002 "
    b"sticky on Port 0001\n",
    b"3071 guard/address 02:00:00:00:03:02 VLAN 0000 Port 0003\n"])
ev.close()
sw.do("guard/forget 1", "guard/maxaddr 3 0")

# --- sources --------------------------------------------------------------

sw.do("port/resetcounter", "guard/source 2 add " + mac_str(mine(2)),
      "guard/source 2 add " + mac_str(mac(0x222)))
good = [frame(BROADCAST, mine(2)), frame(BROADCAST, mac(0x222), tci=9, size=64)]
bad = [frame(BROADCAST, mac(0x223)), frame(mine(3), mine(1)),
       frame(BROADCAST, b"\x01\0\0\0\0\1"), frame(BROADCAST, bytes(6))]
is_("only listed sources are heard", heard(b, *bad, *good, *bad, by=[c]),
    [good])
is_("the others are counted", (sw.drops(2), sw.drops(3)),
    ({"source_guard": 8}, {}))
f = frame(mine(2), mine(3))
is_("anybody may send to them", heard(c, f, by=[b]), [[f]])
sw.do("guard/source 2 off")
is_("all are heard again", heard(b, bad[0], by=[c]), [[bad[0]]])

# --- isolation ------------------------------------------------------------

for x in a, b, c:
    x.close()
until(lambda: not any(p["active"] for p in con.json("port/print")["ports"]))
ends = {n: Ring(sw.dir, n) if n % 3 == 0 else sw.plug(n)
        for n in range(1, 81)}
uplinks = {1, 40, 70}
sw.do(*["guard/isolate %d 1" % n for n in ends if n not in uplinks])


def who_hears(sender, f, expected=()):
    for e in ends.values():
        e.pending()
    ends[sender].send(f)
    for n in expected:
        ends[n].recv()
    sw.sync()
    return {n for n, e in ends.items() if e.pending()} | set(expected)


bad = []
for kind, dst in ("broadcast", BROADCAST), ("multicast", b"\1\0\x5e\0\0\5"), \
        ("unknown", mac(0x999999)):
    for n in (2, 63, 64, 65, 80, 1, 40, 70):
        for tci in None, 6:
            hear = who_hears(n, frame(dst, mine(n), tci=tci))
            want = (set(ends) if n in uplinks else uplinks) - {n}
            if hear != want:
                bad.append((kind, n, tci, sorted(hear ^ want)))
is_("80 ports: floods of isolated ones reach uplinks, those of uplinks all",
    bad, [])
sw.do("port/resetcounter")
is_("unicast between isolated ones goes nowhere, and is counted",
    (who_hears(2, frame(mine(65), mine(2))), sw.drops(2)),
    (set(), {"isolated": 1}))
is_("to and from an uplink it arrives",
    [who_hears(2, frame(mine(40), mine(2))),
     who_hears(40, frame(mine(2), mine(40))),
     who_hears(70, frame(mine(40), mine(70)))], [{40}, {2}, {40}])
sw.do("port/setnumports 200")
ends[150] = Ring(sw.dir, 150)
sw.do("guard/isolate 150 1")
is_("more ports are made: those that were isolated are",
    [who_hears(150, frame(BROADCAST, mine(150))),
     who_hears(64, frame(BROADCAST, mine(64)))], [uplinks, uplinks])
sw.do("vlan/create 5", *["vlan/addport 5 %d" % n for n in (1, 2, 3, 150)])
is_("in a VLAN, with tags",
    [who_hears(2, frame(BROADCAST, mine(2), tci=5)),
     who_hears(1, frame(BROADCAST, mine(1), tci=5)),
     who_hears(3, frame(mine(2), mine(3), tci=5))], [{1}, {2, 3, 150}, set()])
sw.do("port/sethub 1")
is_("in a hub", [who_hears(2, frame(BROADCAST, mine(2))),
                 who_hears(40, frame(BROADCAST, mine(40)))],
    [uplinks, set(ends) - {40}])
sw.do("port/sethub 0", "vlan/delport 5 1", "vlan/delport 5 2",
      "vlan/delport 5 3", "vlan/delport 5 150", "vlan/remove 5")
sw.do("guard/isolate 2 0")
is_("no longer isolated", who_hears(2, frame(BROADCAST, mine(2))),
    set(ends) - {2})
if any(x.startswith("mirror/add") for x in sw.do("help mirror/add")):
    sw.do("guard/isolate 2 1", "mirror/add 2 64 in")
    is_("a mirror shows what an isolated port sends, also on an isolated one",
        who_hears(2, frame(BROADCAST, mine(2))), uplinks | {64})
else:
    skip_point("a mirror shows what an isolated port sends", "no mirrors")
for e in ends.values():
    e.close()
is_("it ends as it should", sw.stop(), 0)
done()
