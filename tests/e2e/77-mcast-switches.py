#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""77-mcast-switches.py - groups across switches, whichever way they go

Three switches in a ring with spanning tree and multicast snooping; one of
them asks. A stream reaches who joined it through two of them and nobody else;
when a cable is cut it takes the other way at once, long before the next
query."""
import itertools

from igmp import *
from vdeclient import *

G = "239.1.2.3"


def switch(priority):
    sw = Switch("-F", "--priority", str(priority))
    sw.do("mcast/interval 2", "mcast/unknown router", "mcast/set 1")
    return sw


def client(sw):
    """Behind a port that is open at once."""
    c = sw.plug()
    sw.do("fstp/setedge 0 %d 1" % c.port)
    return c


def cable(a, b):
    n = [len(s.console.json("port/print")["ports"]) for s in (a, b)]
    p = start("vde_plug", a.dir, b.dir, stderr=subprocess.DEVNULL)
    until(lambda: [len(s.console.json("port/print")["ports"])
                   for s in (a, b)] == [n[0] + 1, n[1] + 1])
    return p


def ports_of(sw):
    """Groups and their ports, and routers, of IPv4."""
    v = [v for v in sw.console.json("mcast/print")["vlans"] if not v["vlan"]]
    return ([(g["group"], g["port"]) for g in v[0]["groups"]],
            [r["port"] for r in v[0]["routers"]
             if r["family"] == "IPv4"]) if v else ([], [])


def settled(sw):
    v = sw.console.json("mcast/print")["vlans"]
    return v and v[0]["ipv4"]["on"] and not v[0]["ipv4"]["unasked"]


numbers = itertools.count()


def stream(seconds=DEADLINE, refresh=True):
    """Sends until the listener gets it; seconds that took, or None."""
    begin = time.monotonic()
    sent = set()
    while time.monotonic() < begin + seconds:
        if refresh:
            listener.send(join(G))
        f = data(G, next(numbers))
        sent.add(f)
        sender.send(f)
        got = listener.recv(0.01)
        while got is not None:
            if got in sent:
                return time.monotonic() - begin
            got = listener.recv(0)
    return None


def heard(client, kind="data4"):
    return kind in kinds(client.pending())


root, one, two = [switch(p) for p in (0x1000, 0x2000, 0x3000)]
listener, sender = client(one), client(two)
others = [client(s) for s in (root, one, two)]
a, b, c = cable(root, one), cable(root, two), cable(one, two)
root.do("mcast/querier 0 1")

ok("a stream passes two switches", stream() is not None)
ok("one that does not ask knows where the queries come from",
   until(lambda: len(ports_of(one)[1]) == 1 and len(ports_of(two)[1]) == 1),
   lambda: (ports_of(one), ports_of(two)))


def only_the_listener():
    """Is the stream nobody else's?"""
    if not all(settled(s) for s in (root, one, two)):
        listener.send(join(G))
        return False
    for o in others:
        o.pending()
    if stream(1) is None:
        return False
    for s in (two, root, one):
        s.sync()
    return not any([heard(o) for o in others])


ok("in the end only who joined it gets it", until(only_the_listener),
   lambda: [ports_of(s) for s in (root, one, two)])
groups = [g for g, _ in ports_of(root)[0]]
is_("reports cross the switches to who asks", (G in groups, ports_of(two)[0]),
    (True, []))
is_("and reach no host", [heard(o, "report4") for o in others], [False] * 3)

# From now on hours pass between two queries.
root.do("mcast/interval 3600")
ok("the next query says so", until(lambda: stream(1) and root.console.json(
    "mcast/print")["vlans"][0]["ipv4"]["interval_s"] == 3600))
ok("and the stream goes on", stream(1) is not None)
until(lambda: stream(1) and all(settled(s) for s in (root, one, two)), 12)
is_("all ports have been asked", [bool(settled(s)) for s in (root, one, two)],
    [True] * 3)
a.kill()
a.wait()
others[1].pending()
took = stream(refresh=False)
ok("a cable is cut: the stream takes the other way at once",
   took is not None and took < 1.5, took)
note("after %.3f s" % (took or -1))
ok("the change makes the switch ask again", until(
    lambda: heard(others[1], "query4")))
for p in b, c:
    p.kill()
for s in (root, one, two):
    is_("the switch ends well", s.stop(), 0)
done()
