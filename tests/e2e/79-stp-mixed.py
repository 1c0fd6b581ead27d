#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""79-stp-mixed.py - one ring of everybody who has a spanning tree: ours,
Debian's VDE 2 switch, ours, the bridge of Linux, ours, Open vSwitch.

	a -- Debian's -- b -- Linux -- c -- Open vSwitch -- a

Every station hears every other one, once, when a cable goes and comes, when
another switch becomes the root, and when a link goes down. The bridge of Linux decides
how long that takes where it is in the way: it listens and learns for four
seconds each."""
from stppeers import *

BOUND = 20
need_taps()
if not os.path.exists(DEBIAN):
    skip("no " + DEBIAN)
ovs = Ovs()
net = Net()
a, b, c = net.ours(0x1000), net.ours(0x2000), net.ours(0x3000)
for s in a, b, c:
    s.do("fstp/maxage 6", "fstp/hello 1", "fstp/fdelay 4")
d = net.debian(0x4000)
br = LinuxBridge("br0", 0x5000)
o = ovs.bridge("ovs0", 0x6000)
ad, db = net.cable(a, d), net.cable(d, b)
links = [Link(net, b, br), Link(net, c, br), Link(net, c, o), Link(net, a, o)]
everybody = a, b, c, d, br, o
net.stations(a, b, c, d)
for s in br, o:
    net.station(s, via=s.host())

net.tree("every station hears every other one", BOUND)
same_root(a, everybody)
is_("ours know what each neighbour speaks", until(lambda: [
    s.port(n)["neighbour"] for s, n in (
        (a, ad.ports[0]), (b, db.ports[1]), (b, links[0].port),
        (c, links[1].port), (c, links[2].port), (a, links[3].port))]),
    ["vde2", "vde2", "stp", "stp", "rstp", "rstp"])
ad.close()
net.tree("the cable to Debian's is cut", BOUND)
ad = net.cable(a, d)
net.tree("it is plugged in again", BOUND)
c.do("fstp/setpriority 0")
same_root(c, everybody)
net.tree("another is the root", BOUND)
links[3].down()
net.tree("the link between Open vSwitch and ours goes down", BOUND)

net.sound()
done()
