#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
"""70-stp.py - switches that are joined in rings and by several cables

Two switches with parallel cables, rings of three and five, cables that are
pulled, go silent, switches that are killed: broadcasts arrive once, never
more, and soon again. Trees of several VLANs on the same cables. tshark reads
all BPDUs that were seen.
"""
from cables import *

seen = []  # BPDUs, for tshark


def ring(n, *options):
    """Switches, and the cables from each to the next."""
    sws = [Switch("-F", "--macaddr", "00:ff:00:00:00:%02x" % (i + 1),
                  *options) for i in range(n)]
    return sws, [Cable(s, sws[(i + 1) % n]) for i, s in enumerate(sws)]


def end(sws, cables):
    for x in cables:
        seen.extend(x.bpdus)
        x.cut()
    return not any([s.stop() for s in sws if s.alive()])


# --- two cables -----------------------------------------------------------

a = Switch("-F", "--macaddr", "00:ff:00:00:00:01", "--priority", "0x1000")
b = Switch("-F", "--macaddr", "00:ff:00:00:00:02")
watch = Console(b.mgmt)
watch.do("debug/add fstp")
x = [Cable(a, b, n, n) for n in (1, 2)]
ok("two switches with two cables agree", converge(a, b))
is_("the nearer to the root forwards on both", roles(a),
    {1: "designated", 2: "designated"})
is_("the other one uses one", (roles(b), states(b)),
    ({1: "root", 2: "alternate"}, {1: "forwarding", 2: "discarding"}))
h, k = edge(a), edge(b)
is_("broadcasts arrive once", (copies(h, k), copies(k, h)), ([1], [1]))
age = re.compile(r" age \d+ ")
is_("fstp/print", [age.sub(" age N ", s) for s in b.do("fstp/print")], [
    "FST DATA VLAN 0000  ",
    " ++ root 10:00:00:ff:00:00:00:01",
    " ++ designated 10:00:00:ff:00:00:00:01",
    " ++ rootport 0001 cost 20000000 age N bonusport 0000 bonuscost 0",
    " -- Port 0001 tagged=0 portcost=20000000 role=Root",
    " -- Port 0002 tagged=0 portcost=20000000 role=Alternate/Backup",
    " -- Port 0003 tagged=0 portcost=20000000 role=Edge"])
is_("vlan/print", b.do("vlan/print"), [
    "VLAN 0000",
    " -- Port 0001 tagged=0 active=1 status=Forwarding",
    " -- Port 0002 tagged=0 active=1 status=Discarding",
    " -- Port 0003 tagged=0 active=1 status=Forwarding"])
watch.write(b"\n")
events = watch.upto(PROMPT).decode().split("\n")
ok("events: a BPDU was heard on both ports", all(
    "3041 fstp/+ Port %04d VLAN 00:00" % n in events for n in (1, 2)), events)
ok("the root, and the way there",
   "3045 fstp/root Port 0001 VLAN 00:00 -> 10:00:00:ff:00:00:00:01" in events,
   events)
ok("the port learns and forwards",
   "3044 fstp/status Port 0001 VLAN 00:00 learning+forwarding" in events,
   events)
with Probe(h, k) as p:
    seen.extend(x[0].bpdus)
    x[0].cut()
    ok("a cable is pulled: the other one takes over", p.recovers())
    note(p)
ok("within a second", max(p.gap) < 1 and not p.twice, str(p))
watch.write(b"\n")
events = watch.upto(PROMPT).decode().split("\n")
ok("events: the neighbour went", "3042 fstp/- Port 0001 VLAN 00:00" in events,
   events)
is_("what was on the cable is forgotten", copies(k, h), [1])
is_("vlan/allprint", b.do("vlan/allprint")[1],
    " -- Port 0001 tagged=0 active=0 status=Learning")
ok("both end well", end([a, b], x))

# --- both ends in one switch ----------------------------------------------

a = Switch("-F")
x = [Cable(a, a, 1, 2)]
h, k = edge(a, 3), edge(a, 4)
is_("a cable from a switch to itself: one end is a backup",
    (converge(a), roles(a)[1], roles(a)[2]), (True, "designated", "backup"))
is_("fstp/print", a.do("fstp/print")[5],
    " -- Port 0002 tagged=0 portcost=20000000 role=Alternate/Backup")
is_("broadcasts arrive once", copies(h, k), [1])
ok("it ends well", end([a], x))

# --- a ring of three ------------------------------------------------------

sws, x = ring(3)
ok("a ring of three agrees", converge(*sws))
is_("one end of one cable is blocked", sorted(
    v for s in sws for v in states(s).values()),
    ["discarding"] + 5 * ["forwarding"])
hosts = [edge(s) for s in sws]
is_("broadcasts arrive once", [copies(c, *[d for d in hosts if d is not c])
                               for c in hosts], 3 * [[1, 1]])
for i in range(3):
    with Probe(hosts[i], hosts[(i + 1) % 3], dst=BROADCAST) as p:
        x[i].cut()
        good = p.recovers()
    ok("cable %d is pulled: they still reach each other, nothing twice" % i,
       good and not p.twice and max(p.gap) < 1, str(p))
    note(p)
    x[i] = Cable(sws[i], sws[(i + 1) % 3])
    ok("and when it is back", converge(*sws) and
       copies(hosts[0], *hosts[1:]) == [1, 1])
ok("all end well", end(sws, x))

# --- a ring of five -------------------------------------------------------

sws, x = ring(5)
for s in sws:
    s.do("fstp/hello 1")
ok("a ring of five agrees", converge(*sws))
hosts = [edge(s) for s in sws]
is_("broadcasts arrive once", copies(hosts[0], *hosts[1:]), [1] * 4)
# The root is the first, the cable from 2 to 3 is the one that nobody uses.
with Probe(hosts[4], hosts[2], dst=BROADCAST) as p:
    sws[0].proc.kill()
    good = p.recovers()
ok("the root is killed: the others go on", good and not p.twice and
   max(p.gap) < 1, str(p))
note(p)
rest = sws[1:]
is_("under a new one", (converge(*rest), tree(rest[0])["root"]),
    (True, "80:00:00:ff:00:00:00:02"))
sws[0] = Switch("-F", "--macaddr", "00:ff:00:00:00:01")
sws[0].do("fstp/hello 1")
for i in 0, 4:
    seen.extend(x[i].bpdus)
    x[i].cut()
    x[i] = Cable(sws[i], sws[(i + 1) % 5])
hosts[0] = edge(sws[0])
is_("it comes back", (converge(*sws), tree(sws[2])["root"],
                      copies(hosts[2], *hosts[3:], *hosts[:2])),
    (True, "80:00:00:ff:00:00:00:01", [1] * 4))
# hosts[1] reaches the root by this cable.
with Probe(hosts[1], hosts[0], dst=BROADCAST) as p:
    x[0].silent = True
    good = p.recovers()
ok("a cable goes silent: three hellos later another is used",
   good and max(p.gap) < 4.5 and not p.twice, str(p))
note(p)
is_("and nobody hears anything twice", copies(hosts[0], *hosts[1:]), [1] * 4)
x[0].silent = False
ok("it speaks again", until(lambda: roles(sws[1])[1] == "root") and
   converge(*sws))
is_("once again", copies(hosts[0], *hosts[1:]), [1] * 4)
ok("all end well", end(sws, x))

# --- VLANs on two trunks --------------------------------------------------

a = Switch("-F", "--macaddr", "00:ff:00:00:00:01")
b = Switch("-F", "--macaddr", "00:ff:00:00:00:02")
for s in a, b:
    s.do("vlan/create 10", "vlan/create 20", "vlan/create 30")
    for n in 1, 2:
        s.do("port/create %d" % n,
             *["vlan/addport %d %d" % (v, n) for v in (10, 20, 30)])
b.do("fstp/bonus 20 2 1000")
b.do("fstp/setpriority 4096 30")
x = [Cable(a, b, n, n) for n in (1, 2)]
ok("each VLAN has its tree", all([converge(a, b, vlan=v)
                                 for v in (0, 10, 20, 30)]))
is_("VLAN 10 uses the first cable", roles(b, 10), {1: "root", 2: "alternate"})
is_("VLAN 20 the second, for its bonus", roles(b, 20),
    {1: "alternate", 2: "root"})
is_("in VLAN 30 the other switch is the root",
    (tree(a, 30)["root"], roles(a, 30)),
    ("10:00:00:ff:00:00:00:02", {1: "root", 2: "alternate"}))
is_("the text says so", [age.sub(" age N ", s) for s in b.do("fstp/print 20")],
    ["FST DATA VLAN 0020  ",
     " ++ root 80:00:00:ff:00:00:00:01",
     " ++ designated 80:00:00:ff:00:00:00:01",
     " ++ rootport 0002 cost 19999000 age N bonusport 0002 bonuscost 1000",
     " -- Port 0001 tagged=1 portcost=20000000 role=Alternate/Backup",
     " -- Port 0002 tagged=1 portcost=20000000 role=Root"])
hosts = {v: (edge(a, vlan=v), edge(b, vlan=v)) for v in (10, 20, 30)}
for v, way in (10, 0), (20, 1), (30, 0):
    h, k = hosts[v]
    is_("VLAN %d: broadcasts arrive once" % v, copies(h, k) + copies(k, h),
        [1, 1])
    before = [c.frames.get(v, 0) for c in x]
    for s, d in (h, k), (k, h):
        d.pending()
        s.send(frame(d.mac, s.mac))
        d.recv()
    is_("between its hosts frames take that cable and no other",
        [c.frames.get(v, 0) - n for c, n in zip(x, before)],
        [2 - 2 * way, 2 * way])
x[0].cut()
ok("without the first cable all use the second", all(
    [converge(a, b, vlan=v) for v in (0, 10, 20, 30)]))
is_("all of them", [copies(*hosts[v]) for v in hosts], 3 * [[1]])
tags = {vid_of(f) for _, f in x[1].bpdus}
is_("BPDUs have tags but for the untagged VLAN", tags, {None, 10, 20, 30})
is_("of priority 0, and are not padded",
    {(len(f), f[14:16] if vid_of(f) else b"") for _, f in x[1].bpdus},
    {(53, b"")} | {(57, struct.pack(">H", v)) for v in (10, 20, 30)})
ok("both end well", end([a, b], x))

# --- VLANs that are not defined -------------------------------------------

a, b = Switch("-F"), Switch("-F")
x = [Cable(a, b) for _ in range(2)]
h, k = edge(a), edge(b)
converge(a, b)
for c in h, k:
    c.pending()
h.send(frame(BROADCAST, h.mac, b"tagged", tci=77))
got = until(lambda: k.pending())
a.sync()
b.sync()
is_("tagged frames that pass a switch without VLANs follow VLAN 0's tree",
    len(got or []) + len(k.pending()), 1)
f = BPDU_ADDR + h.mac + b"\x81\x00\x00\x4d\x00\x07\x42\x42\x03" + bytes(4)
h.send(f)
got = k.recv()
is_("BPDUs of such a VLAN are frames like others", got and got[:len(f)], f)
ok("both end well", end([a, b], x))

# --- tshark ---------------------------------------------------------------

ok("BPDUs were seen", len(seen) > 100, len(seen))
if shutil.which("tshark"):
    pcap = TMP + "/bpdus.pcap"
    seen = [(t, f) for t, f in seen if vid_of(f) != 77]  # not ours
    write_pcap(pcap, seen)
    status, out, err = run(
        "tshark", "-r", pcap, "-T", "fields", "-e", "stp.type", "-e",
        "stp.version", "-e", "_ws.expert.message", "-e", "_ws.malformed")
    kinds = {s for s in out.split("\n") if s}
    is_("tshark takes all for RST BPDUs, and complains of nothing",
        (status, kinds, len(out.splitlines())),
        (0, {"0x02\t2\t\t"}, len(seen)))
else:
    skip_point("tshark reads all BPDUs", "no tshark")
done()
