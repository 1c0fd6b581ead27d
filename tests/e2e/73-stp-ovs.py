#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""73-stp-ovs.py - a ring of two of our switches and Open vSwitch, which speaks
the rapid spanning tree on its netdev datapath: it converges by proposals and
agreements, without waiting for a timer, whoever is the root; the roles that
rstp/show has fit ours; and a link that goes down is replaced in less than a
second."""
from stppeers import *

need_taps()
ovs = Ovs()
net = Net()
a, b = net.ours(0x1000), net.ours(0x2000)
br = ovs.bridge("br0", 0x8000)
ab = net.cable(a, b)
la, lb = Link(net, a, br), Link(net, b, br)
everybody = a, b, br
net.stations(a, b)
net.station(br, via=br.host())
FITS = {"root": {"Designated"}, "alternate": {"Designated"},
        "designated": {"Root", "Alternate", "Designated"},
        "disabled": {"Disabled"}}


def both_ends():
    """(role here, state here, role there, state there) of both links."""
    roles = br.roles()
    return [(p["rstp_role"], p["state"], *roles.get(link.name, ("-", "-")))
            for link in (la, lb)
            for p in [link.bridge.port(link.port)]]


def fit(ends):
    """Does each cable have one designated end, and do states go with roles?"""
    return all(there in FITS[here] and
               (here == "alternate") == (s == "discarding") and
               (there == "Alternate") == (t == "Discarding")
               for here, s, there, t in ends)


def roles_fit(what, *wanted):
    """@wanted: the roles here, of both links."""
    got = until(lambda: [e for e in [both_ends()] if fit(e) and
                         tuple(x[0] for x in e) == wanted])
    ok(what + ": roles and states fit at both ends", got,
       lambda: (both_ends(), br.show()))


# --- ours is the root ---------------------------------------------------------

net.tree("ours is the root: every station hears every other one", 8)
same_root(a, everybody)
is_("both see RSTP", [s.port(l.port)["neighbour"] for s, l in
                      ((a, la), (b, lb))], ["rstp", "rstp"])
roles_fit("ours is the root", "designated", "alternate")
for link, what in (la, "to the root"), (lb, "that is spare"):
    link.down()
    took = net.tree("its link %s goes down" % what, 5)
    ok("that takes less than a second", 0 < took < 1, took)
    link.up()
    net.tree("it is back", 5)
    roles_fit("it is back", "designated", "alternate")

# --- it is the root -----------------------------------------------------------

br.set_priority(0)
same_root(br, everybody)
net.tree("Open vSwitch is the root: every station hears every other one", 5)
roles_fit("it is the root", "root", "root")
la.down()
took = net.tree("a link to it goes down", 5)
ok("that takes less than a second", 0 < took < 1, took)
la.up()
net.tree("it is back", 5)
roles_fit("it is back", "root", "root")
ab.close()
net.tree("the cable between ours is cut", 5)
net.cable(a, b)
net.forget(b)
b.proc.kill()
took = net.tree("one of ours is killed", 5)
ok("that takes less than a second", 0 < took < 1, took)

net.sound()
done()
