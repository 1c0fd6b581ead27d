#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""77-mcast.py - multicast reaches who joined it

Hosts are network namespaces on interfaces of the switch: their kernels join
and leave groups, in all versions of IGMP and MLD, and find one another by
IPv6. A bridge of the kernel is another querier. Clients that never join
anything see who else gets what, and say what no kernel would."""
from netns import *
from igmp import *

need("ip", "ping")
G4, G6 = "239.1.2.3", "ff0e::7:8"
ALL = "ff02::1"
TEXT = b"to the group"

sw = Switch()
con = sw.console


# --- what the switch says -----------------------------------------------------

def vlan(n=0):
    return next((v for v in con.json("mcast/print")["vlans"]
                 if v["vlan"] == n), None)


def members(group, n=0):
    """Ports in the group, with the version of their reports."""
    v = vlan(n)
    return {g["port"]: g["version"] for g in v["groups"]
            if g["group"] == group} if v else {}


def settled():
    v = vlan()
    return v and all(v[f]["on"] and not v[f]["unasked"]
                     for f in ("ipv4", "ipv6"))


def counts():
    return con.json("mcast/showinfo")["counts"]


# --- hosts ------------------------------------------------------------------

class Guest:
    """A kernel on a port of the switch."""

    def __init__(self, name, number):
        self.near, self.far = "p" + name, "v" + name
        self.addr4 = "10.0.0.%d" % number
        self.addr6 = "fd00::%d" % number
        veth(self.near, self.far)
        self.ns = Namespace()
        self.ns.take(self.far, self.addr4 + "/24", self.addr6 + "/64")
        self.port = con.json("if/add " + self.near)["port"]
        with self.ns:
            self.index = socket.if_nametoindex(self.far)

    def versions(self, igmp_, mld):
        with self.ns:
            for path, v in (("ipv4/conf/%s/force_igmp_version", igmp_),
                            ("ipv6/conf/%s/force_mld_version", mld)):
                with open("/proc/sys/net/" + path % self.far, "w") as f:
                    f.write("%d" % v)

    def joins(self, group):
        """A socket in the group, until it is closed."""
        six = ":" in group
        with self.ns:
            s = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                              socket.SOCK_DGRAM)
        if six:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("", 5000))
        if six:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         packed(group) + struct.pack("=I", self.index))
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         packed(group) + struct.pack("=4si", bytes(4),
                                                     self.index))
        s.settimeout(DEADLINE)
        return s

    def says(self, group):
        six = ":" in group
        with self.ns:
            s = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                              socket.SOCK_DGRAM)
        if six:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                         self.index)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                         struct.pack("=4s4si", bytes(4), bytes(4),
                                     self.index))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
        s.sendto(TEXT, (group, 5000))
        s.close()

    def pings(self, addr):
        with self.ns:
            return run("ping", "-c", "1", "-W", "5", addr)[0] == 0

    def forgets(self):
        """Whom it knows."""
        self.ns.ip("neigh", "flush", "dev", self.far)


def gets(s):
    try:
        return s.recv(100)
    except OSError as e:
        return str(e)


def sees(who, group, by):
    """What kinds of frames a client gets when that is said."""
    sw.sync()
    who.pending()
    by.says(group)
    sw.sync()
    return [k for k in kinds(who.pending()) if k.startswith("data")]


A, B, C = Guest("a", 1), Guest("b", 2), Guest("c", 3)
ready(A.near, B.near, C.near)
w, x = sw.plug(), sw.plug()

# --- off, and on without anybody who asks -------------------------------------

is_("it is off", con.json("mcast/showinfo")["on"], False)
is_("multicast goes everywhere", (sees(w, G4, C), sees(w, G6, C)),
    (["data4"], ["data6"]))
con.do("mcast/set 1")
s4, s6 = A.joins(G4), A.joins(G6)
ok("a join is seen", until(lambda: A.port in members(G4) and
                           A.port in members(G6)), lambda: vlan())
is_("while nobody asks, all is flooded", (sees(w, G4, C), sees(w, G6, C)),
    (["data4"], ["data6"]))
is_("and the member gets it", (gets(s4), gets(s6)), (TEXT, TEXT))
like("the console says so", "\n".join(con.do("mcast/print")),
     "^ IPv4: nobody asks, all is flooded$")

# --- the switch asks ---------------------------------------------------------

w.pending()
con.do("mcast/interval 2", "mcast/querier 0 1")
seen = until(lambda: (got := getattr(w, "seen", []) + w.pending()) and
             not setattr(w, "seen", got) and
             {"query4", "query6"} <= set(kinds(got)) and got)
ok("the switch asks hosts of both kinds", seen, seen)
queries = [f for f, k in zip(seen or [], kinds(seen or []))
           if k.startswith("query")]
if shutil.which("tshark"):
    path = unique("pcap")
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for q in queries:
            f.write(struct.pack("=IIII", 0, 0, len(q), len(q)) + q)
    out = run("tshark", "-r", path, "-o", "ip.check_checksum:TRUE", "-T",
              "fields", *[a for e in (
                  "igmp.version", "igmp.checksum.status", "icmpv6.type",
                  "icmpv6.checksum.status", "_ws.malformed", "_ws.expert"
              ) for a in ("-e", e)])[1]
    lines = {ln.rstrip("\t") for ln in out.splitlines()}
    is_("tshark has nothing against the queries", lines,
        {"3\t1", "\t\t130\t1"})
else:
    skip_point("tshark has nothing against the queries", "no tshark")
ok("when all had the time to answer, groups are told apart",
   until(settled), lambda: vlan())
is_("who joined gets IPv4", (sees(w, G4, C), gets(s4)), ([], TEXT))
is_("and IPv6", (sees(w, G6, C), gets(s6)), ([], TEXT))
sw.sync()
w.pending()
t4 = B.joins(G4)
ok("a second one", until(lambda: B.port in members(G4)))
is_("gets it, too", (sees(w, G4, C), gets(s4), gets(t4)), ([], TEXT, TEXT))
x.pending()
for f in join(G4), igmp(0x22, "0.0.0.1", "224.0.0.22", more=b"\x04\0\0\0" +
                        packed("239.9.9.9")):
    x.send(f)
ok("a client joins two groups", until(
    lambda: x.port in members(G4) and x.port in members("239.9.9.9")))
is_("no host sees the reports of others",
    [k for k in kinds(w.pending()) if k[:6] in ("report", "leave4")], [])
is_("what nobody joined goes everywhere", sees(w, "239.7.7.7", C), ["data4"])
is_("and what everybody is in", (sees(w, "224.0.0.251", C),
                                 sees(w, ALL, C)), (["data4"], ["data6"]))
con.do("mcast/unknown router")
is_("or to routers only", (sees(w, "239.7.7.7", C), sees(w, "ff0e::9", C)),
    ([], []))
con.do("mcast/router 0 %d 1" % w.port)
is_("one of which may be configured",
    (sees(w, "239.7.7.7", C), sees(w, G4, C)), (["data4"], ["data4"]))
gets(s4), gets(t4)
x.send(join("239.9.9.9"))
sw.sync()
ok("it gets the reports, too", "report4" in kinds(w.pending()))
con.do("mcast/router 0 %d 0" % w.port)

# --- neighbour discovery ------------------------------------------------------

# Solicitations go to groups of the link, which the hosts have joined.
solicited = "ff02::1:ff00:2"
ok("hosts report the groups of their addresses",
   until(lambda: list(members(solicited)) == [B.port]), lambda: vlan())
for g in A, B:
    g.forgets()
sw.sync()
w.pending()
ok("hosts find each other by IPv6", A.pings(B.addr6))
ok("and back", B.pings(A.addr6))
is_("without troubling others",
    [k for k in kinds(w.pending()) if k == "solicit"], [])
ok("by IPv4, too", A.pings(B.addr4))
A.ns.ip("addr", "add", "fd00::77/64", "dev", A.far)  # looks whose it is first
ok("a new address can be found", until(lambda: C.pings("fd00::77")))

# --- leaving -------------------------------------------------------------------

x.send(join(G4))  # it answers no query, and might be forgotten by now
sw.sync()
begin = time.monotonic()
s4.close()
s6.close()
ok("who leaves is asked for others behind it, then it is forgotten",
   until(lambda: A.port not in members(G4) and not members(G6)),
   lambda: vlan())
ok("after two seconds", 1.5 < time.monotonic() - begin < 6,
   time.monotonic() - begin)
is_("the other one stays", (sorted(members(G4)), sees(w, G4, C), gets(t4)),
    (sorted([B.port, x.port]), [], TEXT))
con.do("mcast/fastleave %d 1" % B.port)
t4.close()
ok("a port that may leaves at once",
   until(lambda: B.port not in members(G4), 1), lambda: vlan())
con.do("mcast/fastleave %d 0" % B.port)

# --- older hosts ----------------------------------------------------------------

for igmp_, mld in (2, 1), (1, 1):
    B.versions(igmp_, mld)
    s4, s6 = B.joins(G4), B.joins(G6)
    ok("hosts of IGMPv%d and MLDv%d join" % (igmp_, mld), until(
        lambda: (members(G4).get(B.port), members(G6).get(B.port)) ==
        (igmp_, mld)), lambda: vlan())
    is_("and get it", (sees(w, G4, C), sees(w, G6, C), gets(s4), gets(s6)),
        ([], [], TEXT, TEXT))
    s4.close()
    s6.close()
B.versions(0, 0)

# --- events, bad messages --------------------------------------------------------

con.do("debug/add mcast")
x.send(join("239.4.4.4"))
like("an event tells of a member", con.upto(b"239.4.4.4 ").decode() +
     con.upto(b"\n").decode(),
     r"3051 mcast/\+ 239.4.4.4 VLAN 0000 Port %04d" % x.port)
con.do("debug/del mcast")
con.do("port/resetcounter")
bad = bytearray(join("239.5.5.5"))
bad[37] ^= 1
w.pending()
x.send(bytes(bad))
sw.sync()
is_("a message with a wrong checksum is dropped and counted",
    (sw.drops(x.port), counts()["bad"], members("239.5.5.5")),
    ({"bad_multicast": 1}, 1, {}))
is_("and is not passed on", w.pending(), [])
per_port = con.json("mcast/ports %d" % x.port)["ports"][0]
is_("by port, too", (per_port["port"], per_port["counts"]["bad"]),
    (x.port, 1))

lines = con.do("metrics")
wanted = ["vde_switch_mcast_enabled 1",
          'vde_switch_mcast_asked{vlan="0",family="ipv6"} 1',
          'vde_switch_mcast_port_events_total{port="%d",what="bad"} 1'
          % x.port]
is_("and in the metrics", [s for s in lines if s in wanted], wanted)

# --- a million groups, or some ------------------------------------------------------

s6 = A.joins(G6)
ok("one host joins", until(lambda: A.port in members(G6)))
random_groups = [join("239.%d.%d.%d" % (100 + (i >> 16), i >> 8 & 255,
                                        i & 255)) for i in range(12000)]
for i, f in enumerate(random_groups):
    x.send(f)
    if i % 64 == 63:
        sw.sync(1)
sw.sync()
of_x = con.json("mcast/ports %d" % x.port)["ports"][0]
ok("another one joins too many: it loses its own only",
   of_x["members"] <= 4096 and of_x["counts"]["displaced"] > 7000 and
   of_x["counts"]["refused"] == 0, of_x)
is_("the first one still gets what it wants", (sees(w, G6, C), gets(s6)),
    ([], TEXT))
ok("all of it can be printed", len(con.cmd("mcast/print")[1]) > 4000 and
   len(vlan()["groups"]) > 4000)
x.close()
ok("a port that goes takes its groups with it", until(
    lambda: con.json("mcast/showinfo")["members"] < 100))

# --- a bridge of the kernel asks -----------------------------------------------------

D = Namespace()


def groups_of_bridge():
    with D:
        return run("bridge", "mdb")[1]


if D.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "1",
        "mcast_querier", "1", "mcast_query_use_ifaddr", "1"):
    veth("pd", "vd")
    D.take("vd")
    D.ip("link", "set", "vd", "master", "br0")
    D.ip("addr", "add", "10.0.0.4/24", "dev", "br0")
    D.ip("link", "set", "br0", "up")
    port = con.json("if/add pd")["port"]
    until(lambda: D.ip("link", "set", "br0", "type", "bridge",
                       "mcast_querier", "0") and
          D.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "1")
          and (vlan()["ipv4"]["querier"] or {}).get("address") == "10.0.0.4")
    q = vlan()["ipv4"]
    is_("another querier is found", q["querier"] and
        (q["querier"]["address"], q["querier"]["port"],
         q["querier"]["version"]), ("10.0.0.4", port, 2))
    is_("the switch lets it ask", q["own"], False)
    ok("its port is a router's", any(
        r["port"] == port and not r["static"] for r in vlan()["routers"]))
    like("the console shows it", "\n".join(con.do("mcast/print 0")),
         r"^ IPv4: querier 10\.0\.0\.4 Port %04d IGMPv2 expires \d+ secs"
         % port)
    s4 = B.joins(G4)
    ok("it hears who joined", until(lambda: G4 in groups_of_bridge()))
    s4.close()
    con.do("if/del pd")
    ok("when it is gone the switch asks again",
       until(lambda: vlan()["ipv4"]["own"]), lambda: vlan())
else:
    skip_point("another querier is found", "bridges are not permitted")
con.do("mcast/querier 0 0")
ok("without a querier all is flooded again", until(
    lambda: not vlan()["ipv4"]["on"] and sees(w, G4, C) == ["data4"], 15),
   lambda: vlan())

# --- VLANs, settings ----------------------------------------------------------------

is_("no such VLAN, port, word", [con.cmd("mcast/" + c)[0] for c in (
    "querier 7 1", "router 0 32 1", "router 0 99 1", "fastleave 99 1",
    "unknown both", "interval 0", "set", "querier 0 1 224.0.0.1",
    "querier 0 1 fe80::1", "print 7", "ports 31")],
    [errno.ENXIO, errno.ENXIO, errno.EINVAL, errno.EINVAL, errno.EINVAL, errno.EINVAL, errno.EINVAL,
     errno.EINVAL, errno.EINVAL, errno.ENXIO, errno.ENXIO])
y, z = sw.plug(), sw.plug()
con.do("vlan/create 7", "vlan/addport 7 %d" % y.port,
       "port/setvlan %d 7" % z.port, "mcast/querier 7 1")
until(lambda: not vlan(7)["ipv4"]["unasked"])
tag = lambda f: f[:12] + b"\x81\0\0\x07" + f[12:]
q = [f for f in y.pending() if f[16:18] == b"\x08\0"]
ok("queries have the tag of a trunk", q and q[0][:16] ==
   bytes.fromhex("01005e000001") + q[0][6:12] + b"\x81\0\0\x07", q)
y.send(tag(join(G4)))
ok("groups are a VLAN's own", until(
    lambda: members(G4, 7) == {y.port: 2}), lambda: vlan(7))
con.do("mcast/vlan 7 0")
is_("a VLAN may be left out", (vlan(7)["on"], members(G4, 7)), (False, {}))
con.do("port/setvlan %d 0" % z.port, "vlan/delport 7 %d" % y.port,
       "vlan/remove 7")
is_("a VLAN that is removed is forgotten", vlan(7), None)
con.do("port/sethub 1", "port/sethub 0", "port/setnumports 100",
       "mcast/querier 0 1 10.0.0.200")
ok("it goes on with more ports, after being a hub", until(settled),
   lambda: vlan())
s4 = A.joins(G4)
ok("and is right", until(lambda: A.port in members(G4)) and
   sees(w, G4, C) == [] and gets(s4) == TEXT)
is_("with an address to ask from", vlan()["source"], "10.0.0.200")
until(lambda: (got := w.pending()) and "query4" in kinds(got) and
      not setattr(w, "query", got))
q = [f for f in w.query if kinds([f]) == ["query4"]][0]
is_("which is in the queries", q[26:30], packed("10.0.0.200"))
con.do("mcast/set 0")
is_("off, all is flooded", (sees(w, G4, C), gets(s4)), (["data4"], TEXT))
is_("and forgotten but for the settings", (
    con.json("mcast/showinfo")["members"], vlan()["asks"]), (0, True))
is_("the switch ends well", sw.stop(), 0)
done()
