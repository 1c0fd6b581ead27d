#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""72-stp-bridge.py - a ring of two of our switches and the bridge of Linux,
which speaks the spanning tree of 1998 only: ours fall back to that on their
ports to it, and only there. Either's is the root, links go down and come back,
a switch is killed, and when the bridge has no spanning tree any more `mcheck'
finds the neighbour behind it.

Each wait is for twice the forward delay, the least that it may be: 2 s while
the bridge is the root, 4 s while ours is."""
from stppeers import *

need_taps()
net = Net()
a, b = net.ours(0x1000), net.ours(0x2000)
for s in a, b:
    s.do("fstp/maxage 6", "fstp/hello 1", "fstp/fdelay 4")
br = LinuxBridge("br0", 0, forward_delay=2)
net.cable(a, b)
la, lb = Link(net, a, br), Link(net, b, br)
everybody = a, b, br
net.stations(a, b)
net.station(br, via=br.host())

# --- the bridge is the root -----------------------------------------------------

net.tree("the bridge is the root: every station hears every other one", 8)
same_root(br, everybody)
is_("ours see that it speaks STP, and that they speak RSTP",
    [a.port(p)["neighbour"] for p in (1, la.port)] +
    [b.port(lb.port)["neighbour"]], ["rstp", "stp", "stp"])
is_("both have their root ports there",
    [a.port(la.port)["rstp_role"], b.port(lb.port)["rstp_role"]],
    ["root", "root"])
is_("and one end of their own cable is spare",
    (a.port(1)["rstp_role"], b.port(1)["rstp_role"], b.state(1)),
    ("designated", "alternate", "discarding"))
ok("configuration BPDUs came and went", until(
    lambda: a.port(la.port)["rx"]["config"] > 2), a.port(la.port))
la.down()
took = net.tree("its link to one goes down: that one goes the other way", 8)
ok("which ours agree on without the bridge, in less than a second",
   0 < took < 1, took)
is_("the root port is the other one", a.port(1)["rstp_role"], "root")
la.up()

# --- ours is the root -----------------------------------------------------------

br.set("priority", "65535")
same_root(a, everybody)
net.tree("ours is the root: every station hears every other one", 15)
is_("the bridge's way is the direct one", until(
    lambda: (a.port(la.port)["rstp_role"], b.port(lb.port)["rstp_role"]) ==
    ("designated", "alternate")), True)
is_("the other one is blocked here, not there",
    (b.state(lb.port), br.state(lb.name)), ("discarding", "forwarding"))
la.down()
net.tree("its link goes down: it takes the other one", 15)
is_("which is designated and forwards", (
    b.port(lb.port)["rstp_role"], b.state(lb.port)),
    ("designated", "forwarding"))

# --- it has no spanning tree any more ---------------------------------------------

br.set("stp_state", "0")
la.up()
a.do("fstp/mcheck")
b.do("fstp/mcheck %d" % lb.port)
ok("without spanning tree it hands on BPDUs: mcheck finds RSTP behind it",
   until(lambda: (a.port(la.port)["neighbour"],
                  b.port(lb.port)["neighbour"]) == ("rstp", "rstp") and
         b.port(lb.port)["rx"]["rst"] > 0),
   lambda: (a.port(la.port), b.port(lb.port)))
net.tree("every station hears every other one", 15)
net.forget(a)
a.proc.kill()
net.tree("a switch is killed: the others hear each other", 15)
is_("the one that is left is the root", until(
    lambda: b.root() == b.mac and b.mac), b.mac)

net.sound()
done()
