#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""76-mirror.py - port mirrors from the console: what is copied, in which form,
who is in whose way, and what is refused."""
from vdeclient import *

sw = Switch("-n", "9")
con = sw.console
is_("none at first", (con.cmd("mirror/list"), con.json("mirror/list")),
    ((0, []), {"mirrors": []}))
a, b, w, other = [sw.plug(i) for i in (1, 2, 3, 4)]
A, B = mac(1), mac(2)


def get(*clients):
    """What each of them has got by now."""
    sw.sync()
    return [c.pending() for c in clients]


a.send(frame(BROADCAST, A)), b.send(frame(BROADCAST, B))
get(a, b, w, other)
sw.do("mirror/add 1 3 in")
f, g = frame(B, A, b"there"), frame(A, B, b"back")
a.send(f), b.send(g)
is_("in: what the port receives", get(a, b, w, other), [[g], [f], [f], []])
sw.do("mirror/del 1 3", "mirror/add 1 3 out")
a.send(f), b.send(g)
is_("out: what it is sent", get(a, b, w, other), [[g], [f], [g], []])
sw.do("mirror/del 1 3", "mirror/add 1 3 both")
a.send(f)
sw.sync()
b.send(g)
is_("both", get(a, b, w, other), [[g], [f], [f, g], []])
other.send(x := frame(B, mac(4)))
w.send(y := frame(A, mac(3)))
is_("traffic of others is not, and the destination may send",
    get(a, b, w), [[y], [x], [y]])
f = frame(BROADCAST, A, b"all")
a.send(f)
is_("a broadcast arrives there twice: its own, and the copy",
    get(w, other), [[f, f], [f]])
is_("the listing", con.do("mirror/list"),
    ["Port 0001 -> Port 0003 both pkts          4"
     " bytes                  240 missed          0"])
is_("in JSON", con.json("mirror/list"),
    {"mirrors": [{"src": 1, "dst": 3, "what": "both", "frames": 4,
                  "bytes": 240, "missed": 0}]})

# --- VLANs ----------------------------------------------------------------

sw.do("vlan/create 5", "port/setvlan 1 5", "vlan/addport 5 2",
      "mirror/add 2 4 both")
get(a, b, w, other)
a.send(f)
t = f[:12] + b"\x81\0\0\5" + f[12:]
is_("as on the wire of the source, whatever the destination's VLAN",
    get(b, w, other), [[t], [f], [t]])
sw.do("port/setvlan 1 0", "mirror/del 2 4")

# --- who is slow ----------------------------------------------------------

pair = Pair(sw, (5, 6))
sw.do("mirror/add 5 4 both", "mirror/add 6 4 both")
n = pair.rounds
ok("nobody reads the copies: those who are watched go on",
   until(lambda: pair.rounds > n + 1500) and not pair.lost,
   lambda: str(pair))
ok("the copies are lost and counted there",
   until(lambda: sw.drops(4).get("queue_full", 0) > 100),
   lambda: sw.drops(4))
is_("nothing is at others", (sw.drops(5), sw.drops(6)), ({}, {}))
n = pair.rounds
start_ = time.monotonic()
ok("at the same pace", until(lambda: pair.rounds > n + 500) and
   time.monotonic() - start_ < 5, lambda: str(pair))
pair.stop()
ok("the destination is unplugged: missed",
   (other.close(), until(lambda: not sw.port(4)["active"]))[1])
c, d = sw.plug(5), sw.plug(6)
c.send(frame(BROADCAST, mac(9)))
sw.sync()
is_("the mirror stays and counts", [
    (m["src"], m["missed"] > 0) for m in con.json("mirror/list")["mirrors"]
    if m["dst"] == 4], [(5, True), (6, True)])
other = sw.plug(4)
c.send(f := frame(BROADCAST, mac(9), b"here again"))
is_("and works for who comes next", sorted(get(other)[0]),
    [f, f, f])

# --- mistakes -------------------------------------------------------------

sw.do("port/create 8")
is_("what is refused", [con.cmd("mirror/" + s)[0] for s in (
    "add 1 1 in", "add 1 7 in", "add 7 1 in", "add 1 99 in", "add 1 3 in",
    "add 1 8 sideways", "add 1 8", "del 8 1", "del 1 99", "add x 1 in")],
    [errno.EINVAL, errno.ENXIO, errno.ENXIO, errno.EINVAL, errno.EEXIST,
     errno.EINVAL, errno.EINVAL, errno.ENOENT, errno.ENOENT, errno.EINVAL])
is_("and why", [con.cmd("mirror/add " + s)[1] for s in (
    "1 1 in", "7 1 in", "1 7 in", "1 99 in", "1 3 in", "1 8 sideways")], [
    ["unable to mirror: " + s] for s in (
        "SRC and DST are one port", "SRC is no port, see port/create",
        "DST is no port, see port/create",
        "there cannot be such a port, see port/setnumports",
        "there is such a mirror", "DIR is none of in, out, both")])
is_("in JSON too", con.json("mirror/add 1 1 in"),
    {"reason": "SRC and DST are one port"})
sw.do("mirror/add 8 1 in", "mirror/add 1 8 out", "port/remove 8")
is_("a port takes its mirrors with it",
    [(m["src"], m["dst"]) for m in con.json("mirror/list")["mirrors"]],
    [(1, 3), (5, 4), (6, 4)])
sw.do("mirror/add 3 1 both")
get(a, b, w, other)
a.send(f := frame(mac(3), A, b"round"))
is_("in a circle: each frame is copied once for each mirror",
    get(a, w), [[f], [f, f]])
sw.do("port/sethub 1")
get(a, b, w, other)
a.send(t)
is_("in a hub too, tags and all", get(w)[0], [t, t])

# --- spanning tree --------------------------------------------------------

sw.stop()
sw = Switch("-F")
con = sw.console
a, b, w = sw.plug(), sw.plug(), sw.plug()
state = lambda n: [p["state"] for p in con.json("fstp/print 0")["vlans"][0][
    "ports"] if p["port"] == n][0]
sw.do("fstp/setedge 0 1 1", "fstp/autoedge 3 0", "mirror/add 1 3 in")
ok("a port that is still shut", until(lambda: state(1) == "forwarding") and
   state(3) == "discarding")
a.send(g)
sw.sync()
is_("gets no copies: the cable there may lead back",
    ([f for f in w.pending() if f == g],
     [(m["frames"], m["missed"]) for m in con.json("mirror/list")["mirrors"]]),
    ([], [(0, 1)]))
sw.do("fstp/setedge 0 3 1")
ok("one that forwards", until(lambda: state(3) == "forwarding"))
a.send(g)
sw.sync()
ok("gets them", g in w.pending() and
   con.json("mirror/list")["mirrors"][0]["frames"] == 1)
sw.stop()
done()
