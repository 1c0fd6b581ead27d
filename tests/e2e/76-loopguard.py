#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""76-loopguard.py - the loop guard: its commands, what its probes look like
and what they prove, then real loops with a storm in them: a cable between two
ports of one switch, a ring of three, the same with Debian's switch in it, and
a loop in one VLAN of a trunk. How long until there is silence is measured;
without a guard the storms would go on for ever."""
from vdeclient import *

PLAYERS = 20, 21
GROUP = b"\x03VDELP"
DEBIAN = "/usr/bin/vde_switch"


def loops(sw):
    return sw.console.json("loopguard/print")


def held(*switches):
    """(switch number, port) of each port that is held."""
    return [(i, p["port"]) for i, sw in enumerate(switches)
            for p in loops(sw)["ports"] if p["held"]]


def cable(a, b):
    """A cable between two switches, as a process."""
    want = {a: 1, b: 1}
    if a is b:
        want = {a: 2}
    before = {s: ports(s) for s in want}
    p = start("vde_plug", a.dir, b.dir, stderr=subprocess.DEVNULL)
    for s, n in want.items():
        until(lambda: ports(s) >= before[s] + n)
    return p


def ports(sw):
    if not sw.mgmt:
        return 0
    return sum(s.startswith("Port") for s in sw.do("port/print"))


def cut(p):
    p.kill()
    p.wait()


def passed(sw):
    """Frames that came in so far, but for those of the ping-pong, and when
    that was asked."""
    return sum(p["in"]["packets"] for p in
               sw.console.json("port/print")["ports"]
               if p["port"] not in PLAYERS), time.monotonic()


def storms(sw):
    """Do frames go round? Much more than probes and tests send."""
    (a, then), (b, now) = passed(sw), (
        select.select([], [], [], 0.02), passed(sw))[1]
    return (b - a) / (now - then) > 1000


def silence(sentence, since, *switches):
    """A point: nothing goes round any more; says after how long."""
    quiet = until(lambda: not any([storms(s) for s in switches]))
    ok(sentence, quiet and held(*switches), lambda: [loops(s)
                                                     for s in switches])
    note("silence after %.0f ms" % ((time.monotonic() - since) * 1000))


# --- commands -------------------------------------------------------------

sw = Switch("-n", "8")
is_("off by default", sw.do("loopguard/print"), [
    "Loop guard OFF interval 500 ms hold 10 s",
    " probes of others 0 stale 0 forged 0"])
a, b = sw.plug(), sw.plug()
ok("while it is off, nothing is sent", sw.quiet(a, b))
sw.do("loopguard/interval 100", "loopguard/hold 1", "loopguard/set 1",
      "loopguard/set 1")
is_("its settings", (lambda d: (d["on"], d["interval_ms"], d["hold_s"],
                                d["foreign"], d["stale"], d["forged"]))(
    loops(sw)), (True, 100, 1, 0, 0, 0))
is_("numbers out of range are refused",
    [sw.console.cmd("loopguard/" + s)[0] for s in (
        "interval 9", "interval 60001", "hold 0", "hold 86401", "port 9 1",
        "port 7 1", "port 1", "set")],
    [errno.EINVAL] * 5 + [errno.ENXIO] + [errno.EINVAL] * 2)

# --- probes ---------------------------------------------------------------


def probe(c):
    """The next probe that this client gets."""
    for _ in range(1000):
        f = c.recv()
        if f is None or f[:6] == GROUP:
            return f


def fresh(c):
    """One that was sent from now on."""
    c.pending()
    return probe(c)


p = probe(a)
is_("the format of a probe", (len(p), p[6:7], p[10:20], p[20:24], p[52:]),
    (60, b"\x02", b"\0\1\x88\xb5VDEL\1\0", b"\0\1\0\0", bytes(8)))
q = probe(a)
ok("the next one: the same switch, another number, later",
   q[24:32] == p[24:32] and q[32:36] > p[32:36] and q[36:44] > p[36:44] and
   q[44:52] != p[44:52], (p, q))
ok("each port has its own source address", p[6:12] != probe(b)[6:12])
con2 = Console(sw.mgmt)
con2.do("debug/add loop")
b.send(fresh(a))
ok("who sends a probe of port 1 to port 2 is a loop",
   until(lambda: held(sw)) == [(0, 2)], lambda: loops(sw))
like("it is logged", sw.log(), r"warning: port 2 is held down: there is a "
     r"loop to port 1 in VLAN 0$")
is_("and an event", con2.upto(b"\n"),
    b"3061 loop/+ Port 0002 VLAN 00:00 -> Port 0001\n")
d = loops(sw)["ports"][1]
is_("the listing says which", (d["peer"], d["vlan"], d["loops"], d["holds"]),
    (1, 0, 1, 1))
like("as text", "\n".join(sw.do("loopguard/print")),
     r"^Port 0002 guarded=1 HELD: loop to port 0001 VLAN 0000 seen \d+ ms ago"
     r"\n probes +\d+ came back +1 times held +1$")
a.pending(), b.pending()
a.send(frame(BROADCAST, mac(1)))
b.send(frame(BROADCAST, mac(2)))
sw.sync()
is_("port/print says so too", [sw.port(n)["blocked"] for n in (1, 2)],
    [False, True])
is_("a held port neither gets nor gives", [
    [f for f in c.pending() if f[:6] != GROUP] for c in (a, b)], [[], []])
ok("that is counted", sw.drops(2).get("blocked"), lambda: sw.drops(2))
ok("its probes go on", probe(b))
ok("released when nothing came back for the hold time",
   until(lambda: not held(sw)) == True, lambda: loops(sw))
ok("also in the log", sw.logged("port 2 is released"), sw.log)
is_("and as an event", con2.upto(b"\n"),
    b"3062 loop/- Port 0002 VLAN 00:00 -> Port 0001\n")
con2.close()
f = frame(BROADCAST, mac(1), b"again")
a.send(f)
ok("and works again", until(lambda: f in b.pending()))
p = fresh(a)
for i in range(20, 52):
    b.send(p[:i] + bytes([p[i] ^ 1]) + p[i + 1:])
sw.sync(6)
d = loops(sw)
is_("bytes that were changed: other switches', or forged",
    (d["foreign"], d["forged"], held(sw)), (8, 24, []))
f = p[:31] + bytes([p[31] ^ 1]) + p[32:]
a.pending()
b.send(f)
ok("probes of others are forwarded", until(lambda: f in a.pending()))
a.close()
until(lambda: not sw.port(1)["active"])
a = sw.plug(1)
b.send(p)
ok("one from before the cable was changed is no proof",
   until(lambda: loops(sw)["stale"]) and not held(sw), lambda: loops(sw))
sw.do("loopguard/port 2 0")
# The changed ones above came from switches that may act first: for a moment
# one probe is not enough.
ok("a port that is left out is not held, the other one is", until(
    lambda: (b.send(fresh(a)), held(sw))[1]) == [(0, 1)], lambda: loops(sw))
sw.do("loopguard/set 0")
is_("turned off: all are released", held(sw), [])
sw.do("loopguard/set 1", "loopguard/port 2 1")
ok("a port that gets its own probe is held", until(
    lambda: (a.send(fresh(a)), held(sw))[1]) == [(0, 1)], lambda: loops(sw))
a.close()
ok("unplugged: released", until(lambda: not held(sw)) == True)
b.close()
sw.stop()

# --- a cable between two ports --------------------------------------------

sw = Switch()
pair = Pair(sw, PLAYERS)
x = sw.plug()
sw.do("loopguard/set 1")
t = time.monotonic()
loop = cable(sw, sw)
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
silence("two ports of one switch", t, sw)
is_("one of them is held", len(held(sw)), 1)
ok("others go on", pair.goes_on(), lambda: str(pair))
h = held(sw)
sw.do("loopguard/interval 20", "loopguard/hold 1")
ok("and stays so", not until(lambda: held(sw) != h, 1.5))
cut(loop)
ok("without the cable: released", until(lambda: not held(sw)) == True)
pair.stop()
sw.do("loopguard/set 0")
loop = cable(sw, sw)
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
ok("without a guard there is a storm", until(lambda: storms(sw)))
t = time.monotonic()
sw.do("loopguard/set 1")
silence("which a guard ends", t, sw)
cut(loop)
sw.stop()

# --- a slow wire ----------------------------------------------------------

sw = Switch()
ends = [sw.plug(1), sw.plug(2)]
x = sw.plug(3)
over = threading.Event()


def slow_wire():
    """Two hundred frames a second, each way."""
    while not over.wait(0.005):
        for src, dst in ends, ends[::-1]:
            f = src.recv(0)
            if f:
                try:
                    dst.data.send(f, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    pass


def flood():
    while not over.wait(0.001):
        for i in range(10):
            x.send(frame(BROADCAST, mac(i)))


threads = [threading.Thread(target=fn, daemon=True)
           for fn in (slow_wire, flood)]
for th in threads:
    th.start()
ok("a slow wire and a flood: frames are lost on it", until(
    lambda: sw.drops(2).get("queue_full", 0) > 1000))
t = time.monotonic()
sw.do("loopguard/set 1")
ok("the probes are not", until(lambda: held(sw)) == [(0, 2)],
   lambda: (loops(sw), sw.drops(2)))
note("found after %.0f ms" % ((time.monotonic() - t) * 1000))
over.set()
for th in threads:
    th.join()
sw.stop()

# --- a ring ---------------------------------------------------------------


def ring(switches):
    return [cable(s, switches[(i + 1) % len(switches)])
            for i, s in enumerate(switches)]


sws = [Switch() for _ in range(3)]
for s in sws:
    s.do("loopguard/set 1")
x, y = sws[0].plug(), sws[1].plug()
cables = [cable(sws[0], sws[1]), cable(sws[1], sws[2])]
ok("a line is no loop", not until(lambda: held(*sws), 0.7))
t = time.monotonic()
cables.append(cable(sws[2], sws[0]))
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
silence("a ring of three", t, *sws)
is_("is cut in one place", len(held(*sws)), 1)
until(lambda: (x.pending(), y.pending(), not any(
    [s.port(c.port)["endpoints"][0]["queued"]
     for s, c in zip(sws, (x, y))]))[2])
x.send(f := frame(BROADCAST, mac(77), b"once"))
got = []  # among what is left of the storm
until(lambda: got.extend(y.pending()) or f in got)
for s in sws:
    s.sync()
got += y.pending()
is_("everybody is reached, once", got.count(f), 1)
for c in cables:
    cut(c)
ok("without cables: released", until(lambda: not held(*sws)) == True)

for s in sws:
    s.do("loopguard/set 0")
cables = ring(sws)
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
ok("without a guard there is a storm", until(lambda: storms(sws[1])))
t = time.monotonic()
sws[1].do("loopguard/set 1")
silence("one guard in a ring is enough", t, *sws)
is_("and cuts it once", len(held(*sws)), 1)
sws[1].do("loopguard/set 0")
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
ok("without it the storm is back", until(lambda: storms(sws[1])))
t = time.monotonic()
for s in sws:
    s.do("loopguard/set 1")
silence("three guards in a storm", t, *sws)
note("held: %s" % held(*sws))
for c in cables:
    cut(c)
for s in sws:
    s.do("loopguard/set 0")

# --- with Debian's switch -------------------------------------------------

if os.access(DEBIAN, os.X_OK):

    class Debian:
        dir, mgmt = unique("d") + ".ctl", None
    Debian.proc = start(DEBIAN, "-s", Debian.dir, "-f", "/dev/null",
                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    until(lambda: os.path.exists(Debian.dir + "/ctl"))
    cables = [cable(sws[0], sws[1])]
    for s in sws[:2]:
        n = ports(s)
        cables.append(start("vde_plug", s.dir, Debian.dir))
        until(lambda: ports(s) > n)
    for i in range(50):
        x.send(frame(BROADCAST, mac(i)))
    ok("Debian's switch in the ring: there is a storm",
       until(lambda: storms(sws[0])))
    t = time.monotonic()
    sws[0].do("loopguard/set 1")
    sws[1].do("loopguard/set 1")
    silence("which the guards of the others end", t, *sws[:2])
    for c in cables:
        cut(c)
    for s in sws:
        s.do("loopguard/set 0")
else:
    skip_point("Debian's switch in the ring", "it is not installed")
for s in sws:
    s.stop()

# --- VLANs ----------------------------------------------------------------

sws = [Switch() for _ in range(2)]
for s in sws:
    s.do("vlan/create 5", "vlan/create 6", "port/create 1", "port/create 2",
         "port/setvlan 1 4095", "port/setvlan 2 4095",
         "vlan/addport 5 1", "vlan/addport 5 2", "vlan/addport 6 1",
         "loopguard/set 1")
x = sws[0].plug(3)
sws[0].do("port/setvlan 3 5")
t = time.monotonic()
cables = [start("vde_plug", s0, s1) for s0, s1 in (
    (sws[0].dir + "[%d]" % i, sws[1].dir + "[%d]" % i) for i in (1, 2))]
until(lambda: ports(sws[0]) == 3 and ports(sws[1]) == 2)
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
silence("a loop in a VLAN that is tagged on both cables", t, *sws)
is_("is cut in one place", [n for _, n in held(*sws)], [2])
d = [p for s in sws for p in loops(s)["ports"] if p["held"]][0]
is_("by a probe of that VLAN", d["vlan"], 5)
for c in cables:
    cut(c)
for s in sws:
    s.stop()

# --- beside a spanning tree -----------------------------------------------

sws = [Switch("--fstp") for _ in range(3)]
for s in sws:
    s.do("loopguard/interval 10", "loopguard/set 1")


def blocked():
    """Ports that the spanning tree keeps shut."""
    return [(i, p["port"]) for i, s in enumerate(sws)
            for t in s.console.json("fstp/print")["vlans"]
            for p in t["ports"] if p["rstp_role"] == "alternate"]


def agreed():
    return len(blocked()) == 1 and not any([storms(s) for s in sws])


sws[0].do("fstp/setedge 0 20 1")
x = sws[0].plug(20)
cables = ring(sws)
ok("a ring with spanning tree: one port of it is shut", until(agreed),
   lambda: blocked())
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
n = [sum(p["probes"] for p in loops(s)["ports"]) for s in sws]
ok("probes go on", until(lambda: all([
    sum(p["probes"] for p in loops(s)["ports"]) > n[i] + 200
    for i, s in enumerate(sws)])))
is_("and hold nothing", (held(*sws), blocked() != []), ([], True))
for i in range(3):
    cut(cables[i])
    until(lambda: not blocked())
    cables[i] = cable(sws[i], sws[(i + 1) % 3])
    until(agreed)
is_("nor when cables come and go",
    [sum(p["holds"] for p in loops(s)["ports"]) for s in sws], [0, 0, 0])
for s in sws:
    s.do("fstp/setfstp 0")
t = time.monotonic()
for i in range(50):
    x.send(frame(BROADCAST, mac(i)))
silence("spanning tree is turned off: the guard takes over", t, *sws)
for c in cables:
    cut(c)
done()
