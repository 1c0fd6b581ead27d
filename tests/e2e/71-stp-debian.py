#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""71-stp-debian.py - rings of three in which our switches and Debian's VDE 2
switch make a spanning tree together: either's is the root, a cable is cut and
plugged in again, a switch is killed, and the same in a tagged VLAN with a root
of its own. Every station hears what another says, once; a storm would be heard
by all. Stations say something every 10 ms meanwhile.

VDE 2's hello time is four seconds; it needs three of them to notice silence,
and some of its changes wait for the next."""
from stplib import *

if not os.path.exists(DEBIAN):
    skip("no " + DEBIAN)
BOUND = 17  # seconds
bpdus = []


def ring(net, kinds, prios=(0x1000, 0x2000, 0x3000)):
    """Of letters: o is one of ours, d one of Debian's. The first is the root."""
    bs = [(net.ours if k == "o" else net.debian)(p)
          for k, p in zip(kinds, prios)]
    return bs, [net.cable(bs[i], bs[(i + 1) % 3]) for i in range(3)]


def blocked(bridges, vlan=0):
    """Who has a port that is not forwarding there."""
    return [b.name for b in bridges if "Alternate/Backup" in
            b.tree(vlan)["roles"].values()]


def becomes_a_tree(net, what, since=None):
    took = net.heals(BOUND, since)
    ok(what + ": every station hears every other one", took, net.deaf)
    is_(what + ": once", net.once(), [])
    return took


def end(net):
    ok("there was no storm", len(net.twice) + len(net.stray) < 100)
    bpdus.extend(net.bpdus)
    net.end()


for kinds in "ood", "doo", "odd", "dod":
    net = Net()
    bs, cables = ring(net, kinds)
    net.stations(*bs)
    what = " ".join(b.name for b in bs)
    becomes_a_tree(net, what)
    is_(what + ": they have the same root", until(
        lambda: {b.root() for b in bs} == {bs[0].mac} and bs[0].mac), bs[0].mac)
    ok(what + ": one cable is spare", len(blocked(bs)) in (1, 2),
       lambda: [b.tree() for b in bs])
    for i, c in enumerate(cables):
        c.close()
        becomes_a_tree(net, "%s: cable %d is cut" % (what, i))
        cables[i] = net.cable(bs[i], bs[(i + 1) % 3])
        becomes_a_tree(net, "%s: it is plugged in again" % what)
    victim = bs[0] if kinds in ("ood", "doo") else bs[1]
    net.forget(victim)
    victim.proc.kill()
    rest = [b for b in bs if b is not victim]
    becomes_a_tree(net, "%s: %s is killed" % (what, victim.name))
    is_(what + ": the others have a root", until(
        lambda: {b.root() for b in rest} == {rest[0].mac} and rest[0].mac),
        rest[0].mac)
    end(net)

# --- tagged -------------------------------------------------------------------

# Debian's is the root of VLAN 0, ours that of VLAN 5, and other cables are
# spare.
net = Net()
bs, cables = ring(net, "doo")
for b in bs:
    b.do("vlan/create 5", "vlan/addport 5 1", "vlan/addport 5 2")
bs[2].do("fstp/setpriority 0 5")
net.stations(*bs)
net.stations(*bs, vlan=5)
becomes_a_tree(net, "untagged and in VLAN 5")
is_("VLAN 0: Debian's is the root", until(
    lambda: {b.root() for b in bs} == {bs[0].mac} and bs[0].mac), bs[0].mac)
is_("VLAN 5: ours is", until(
    lambda: {b.root(5) for b in bs} == {bs[2].mac} and bs[2].mac), bs[2].mac)
tagged = [f for f in net.bpdus if f[12:16] == b"\x81\0\0\x05"]
ok("its BPDUs have tags", len(tagged) > 3, len(tagged))
for i in 1, 2:
    cables[i].close()
    becomes_a_tree(net, "cable %d is cut" % i)
    cables[i] = net.cable(bs[i], bs[(i + 1) % 3])
    # A new port of a switch may be another one than that of the old cable.
    for b, p in zip((bs[i], bs[(i + 1) % 3]), cables[i].ports):
        b.do(*["vlan/addport 5 %d" % p] if p > 2 else [])
    becomes_a_tree(net, "it is plugged in again")
end(net)

sound_bpdus(bpdus)
done()
