#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
"""70-stp-ports.py - spanning tree at the console, port by port

What each fstp/ command says and does, its errors, what stays when a client
leaves; edges, BPDU guard, root guard, a port that hears itself, bridges of
1998; spanning tree turned on and off under traffic.
"""
import errno

from cables import *

sw = Switch("-n", "10", "--macaddr", "00:ff:01:02:03:04")
con = sw.console
ROOT = " ++ root 80:00:00:ff:01:02:03:04"
NOBODY = " ++ designated ff:ff:ff:ff:ff:ff:ff:ff"
age = re.compile(r" age \d+ ")


def says(line, data=None, code=0):
    is_(line, age.sub(" age N ", con.raw(line).decode()), reply(data, code))


def fails(code, *lines):
    got = {line: con.cmd(line)[0] for line in lines}
    is_("%s: %s ..." % (os.strerror(code), lines[0]), got,
        {line: code for line in lines})


# --- VDE 2's commands -----------------------------------------------------

says("fstp/showinfo", ["MAC 00:ff:01:02:03:04 Priority 32768 (0x8000)",
                       "FSTP=false"])
says("fstp/print", ["FST DATA VLAN 0000 ROOTSWITCH FSTP IS DISABLED", ROOT,
                    NOBODY, " ++ rootport 0000 cost 0 age N bonusport 0000 "
                    "bonuscost 0"])
h = edge(sw)
c = sw.plug(2)
sw.do("vlan/create 5", "vlan/create 4093", "vlan/addport 5 1",
      "vlan/addport 5 2")
says("fstp/setfstp 1", [])
says("fstp/showinfo", ["MAC 00:ff:01:02:03:04 Priority 32768 (0x8000)",
                       "FSTP=true"])
says("fstp/bonus 0 4 10")
says("fstp/print", [
    "FST DATA VLAN 0000 ROOTSWITCH ", ROOT, NOBODY,
    " ++ rootport 0000 cost 0 age N bonusport 0004 bonuscost 10",
    " -- Port 0001 tagged=0 portcost=20000000 role=Edge",
    " -- Port 0002 tagged=0 portcost=20000000 role=Designated",
    "FST DATA VLAN 0005 ROOTSWITCH ", ROOT, NOBODY,
    " ++ rootport 0000 cost 0 age N bonusport 0000 bonuscost 0",
    " -- Port 0001 tagged=1 portcost=20000000 role=Designated",
    " -- Port 0002 tagged=1 portcost=20000000 role=Designated",
    "FST DATA VLAN 4093 ROOTSWITCH ", ROOT, NOBODY,
    " ++ rootport 0000 cost 0 age N bonusport 0000 bonuscost 0"])
sw.do("vlan/delport 5 1", "port/setvlan 2 5", "vlan/addport 5 1")
says("fstp/print 5", [
    "FST DATA VLAN 0005 ROOTSWITCH ", ROOT, NOBODY,
    " ++ rootport 0000 cost 0 age N bonusport 0000 bonuscost 0",
    " -- Port 0002 tagged=0 portcost=20000000 role=Designated",
    " -- Port 0001 tagged=1 portcost=20000000 role=Designated"])
says("vlan/print 5", [
    "VLAN 0005",
    " -- Port 0001 tagged=1 active=1 status=Discarding",
    " -- Port 0002 tagged=0 active=1 status=Discarding"])
says("fstp/setedge 5 1 1")
says("fstp/bonus 5 1 -7")
says("fstp/print 5", [
    "FST DATA VLAN 0005 ROOTSWITCH ", ROOT, NOBODY,
    " ++ rootport 0000 cost 0 age N bonusport 0001 bonuscost -7",
    " -- Port 0002 tagged=0 portcost=20000000 role=Designated",
    " -- Port 0001 tagged=1 portcost=20000000 role=Edge"])
says("fstp/print 6", [], errno.ENXIO)
says("fstp/print 4094", [], errno.EINVAL)
says("fstp/print x", [], errno.EINVAL)
says("fstp/setfstp", [], errno.EINVAL)
sw.do("port/setvlan 2 0")
says("port/sethub 1")
says("fstp/showinfo", ["MAC 00:ff:01:02:03:04 Priority 32768 (0x8000)",
                       "FSTP=false"])
says("fstp/setfstp 1", ["Can't use fstp in hub mode"])
says("fstp/showinfo", ["MAC 00:ff:01:02:03:04 Priority 32768 (0x8000)",
                       "FSTP=false"])
says("port/sethub 0")
says("fstp/setfstp 2", [])
fails(errno.EINVAL, "fstp/setedge 0 1", "fstp/setedge 0 11 1",
      "fstp/setedge 4094 1 1", "fstp/setedge 0 x 1", "fstp/bonus 0 1",
      "fstp/bonus 0 11 1", "fstp/bonus 0 1 x", "fstp/bonus 4094 1 1",
      "fstp/bonus 0 1 9999999999")
fails(errno.ENXIO, "fstp/setedge 6 1 1", "fstp/bonus 6 1 1")

# --- ours -----------------------------------------------------------------

for line in ("fstp/setpriority 0x1000", "fstp/setpriority 4096 5",
             "fstp/setmac 00:ff:00:00:00:aa", "fstp/cost 0 9 1000",
             "fstp/portpriority 0 9 240", "fstp/autoedge 9 0",
             "fstp/p2p 9 0", "fstp/bpduguard 9 1", "fstp/rootguard 9 1",
             "fstp/mcheck", "fstp/mcheck 1", "fstp/fdelay 16",
             "fstp/maxage 30", "fstp/hello 10", "fstp/mode stp"):
    says(line)
says("fstp/showinfo", ["MAC 00:ff:00:00:00:aa Priority 4096 (0x1000)",
                       "FSTP=true"])
is_("fstp/showinfo in JSON", con.json("fstp/showinfo"), {
    "mac": "00:ff:00:00:00:aa", "priority": 4096, "fstp": True, "mode": "stp",
    "hello": 10, "max_age": 30, "forward_delay": 16, "tx_hold": 6,
    "ports": [{"port": 9, "auto_edge": False, "p2p": "0", "bpdu_guard": True,
               "root_guard": True}]})
like("showinfo has the new address", sw.do("showinfo")[3],
     "MAC 00:ff:00:00:00:aa ")
is_("so have the trees", [tree(sw, v)["bridge"] for v in (0, 5)],
    2 * ["10:00:00:ff:00:00:00:aa"])
is_("settings of a port that does not exist yet", tree(sw)["settings"][-1], {
    "port": 9, "port_cost": 1000, "bonus": 0, "priority": 240,
    "admin_edge": False})
sw.do("fstp/setpriority 1 5")
is_("a priority in one VLAN", [tree(sw, v)["priority"] for v in (0, 5)],
    [4096, 1])
fails(errno.EINVAL, "fstp/setpriority", "fstp/setpriority 65536",
      "fstp/setpriority -1", "fstp/setpriority 1 4094", "fstp/setmac",
      "fstp/setmac x", "fstp/setmac 01:00:00:00:00:00",
      "fstp/setmac 0:0:0:0:0:0", "fstp/cost 0 1",
      "fstp/cost 0 1 0", "fstp/cost 0 1 200000001", "fstp/cost 0 11 1",
      "fstp/portpriority 0 1 8", "fstp/portpriority 0 1 256",
      "fstp/portpriority 0 11 16", "fstp/autoedge 11 1", "fstp/autoedge 1",
      "fstp/p2p 1 2", "fstp/p2p 1", "fstp/p2p 11 1", "fstp/bpduguard 11 1",
      "fstp/rootguard 11 1", "fstp/mcheck 11", "fstp/mcheck x",
      "fstp/hello 0", "fstp/hello 11", "fstp/maxage 5", "fstp/maxage 41",
      "fstp/maxage 21", "fstp/fdelay 3", "fstp/fdelay 31", "fstp/fdelay 15",
      "fstp/mode rst", "fstp/mode")
fails(errno.ENXIO, "fstp/cost 6 1 1", "fstp/portpriority 6 1 16",
      "fstp/setpriority 1 6", "fstp/mcheck 8")
p = sw.plug(9)
got = tree(sw)["ports"][9]
is_("all hold when the port is there", {k: got[k] for k in (
    "port_cost", "path_cost", "priority", "auto_edge", "point_to_point", "p2p",
    "bpdu_guard", "root_guard", "id")}, {
        "port_cost": 1000, "path_cost": 1000, "priority": 240,
        "auto_edge": False, "point_to_point": False, "p2p": "0",
        "bpdu_guard": True, "root_guard": True, "id": 0xf009})
is_("port/print shows what applies in every VLAN", sw.port(9)["fstp"],
    {k: got[k] for k in ("auto_edge", "p2p", "bpdu_guard", "root_guard")})
p.close()
until(lambda: not sw.port(9)["active"])
sw.do("fstp/setfstp 0", "fstp/setfstp 1")
p = sw.plug(9)
is_("and when it comes back, and spanning tree, too",
    {k: tree(sw)["ports"][9][k] for k in got if k in (
        "port_cost", "priority", "auto_edge", "p2p", "bpdu_guard")},
    {k: got[k] for k in got if k in (
        "port_cost", "priority", "auto_edge", "p2p", "bpdu_guard")})
p.close()
until(lambda: not sw.port(9)["active"])
sw.do("port/remove 9")
is_("a port that is removed takes them with it",
    (con.json("fstp/showinfo")["ports"],
     [s["port"] for s in tree(sw)["settings"]]), ([], [1, 4]))
is_("BPDUs of 1998", until(lambda: [f for f in c.pending() if
                                    f[:6] == BPDU_ADDR and f[20] == 0] or
                           None) is not None, True)
ok("the switch ends well", sw.stop() == 0)

# --- edges ----------------------------------------------------------------

sw = Switch("-F")
a, b = edge(sw), edge(sw)
is_("edges forward at once", copies(a, b), [1])
b.close()
until(lambda: not sw.port(2)["active"])
b2 = sw.plug(2)
b2.mac, b2.switch = b.mac, sw
is_("also when they come back", copies(a, b2), [1])
begin = time.monotonic()
c = sw.plug(3)
c.mac, c.switch = mac(0x777), sw
is_("others do not", (copies(c, a, wait=0), states(sw)[3]), ([0], "discarding"))
ok("but soon", until(lambda: states(sw)[3] == "forwarding", 6))
took = time.monotonic() - begin
ok("three seconds later", 2.5 < took < 5, took)
is_("now they do", copies(c, a), [1])
is_("counted", sw.drops(3).get("stp_blocked"), 2)

# --- neighbours that should not be there ----------------------------------


def bpdu(prio, role=3, flags=0x30, version=2, kind=2, port=0x8001, source=None):
    """From a bridge that is the root, unless told otherwise."""
    source = source or mac(0xbbb)
    bid = struct.pack(">H", prio) + source
    body = b"\0\0" + bytes([version, kind, flags | role << 2]) + bid + \
        bytes(4) + bid + struct.pack(">HHHHH", port, 0, 20 << 8, 2 << 8,
                                     15 << 8)
    body += b"\0" if kind == 2 else b""
    return BPDU_ADDR + source + struct.pack(">H", 3 + len(body)) + \
        b"\x42\x42\x03" + body


sw.do("fstp/bpduguard 3 1")
c.send(bpdu(0xf000))
ok("BPDU guard disables the port",
   until(lambda: tree(sw)["ports"][3]["violated"]))
ok("the log says so", sw.logged(
    r"warning: port 3, VLAN 0: disabled in all VLANs by BPDU guard$"), sw.log())
is_("nothing passes there", (copies(c, a, wait=0), copies(a, c, wait=0)), ([0], [0]))
is_("the others go on", copies(a, b2), [1])
is_("its role", sw.do("fstp/print 0")[-1],
    " -- Port 0003 tagged=0 portcost=20000000 role=Unknown")
sw.do("fstp/bpduguard 3 0")
ok("without the guard it is forgiven",
   not tree(sw)["ports"][3]["violated"] and
   sw.logged("port 3, VLAN 0: enabled again"), sw.log())
sw.do("fstp/rootguard 3 1")
own = tree(sw)["root"]
c.send(bpdu(0x1000))
ok("root guard blocks who is better",
   until(lambda: tree(sw)["ports"][3]["root_blocked"]))
is_("the root stays", tree(sw)["root"], own)
ok("the log says so, too", sw.logged(
    r"warning: port 3, VLAN 0: blocked by root guard"), sw.log())
is_("the port is closed", states(sw)[3], "discarding")
sw.do("fstp/rootguard 3 0")
c.send(bpdu(0x1000))
ok("without it he is believed",
   until(lambda: tree(sw)["root_port"] == 3), tree(sw)["root"])
c.send(bpdu(0xf000))  # worse than before, from the same bridge
ok("until he says something else",
   until(lambda: tree(sw)["root"] == own))
# Not before the port has tried to speak RSTP for three seconds.
ok("a bridge of 1998 is noticed", until(lambda: c.send(
    bpdu(0x1000, version=0, kind=0)) or sw.logged(
        r": port 3, VLAN 0: the neighbour speaks stp$", 0.2)), sw.log())
is_("and shown", tree(sw)["ports"][3]["neighbour"], "stp")
c.pending()
# What the switch itself sends is a loop.
sw.do("fstp/setpriority 0")
own = until(lambda: [f for f in c.pending() if f[:6] == BPDU_ADDR])[-1]
c.send(own)
ok("a port that hears itself is blocked",
   until(lambda: tree(sw)["ports"][3]["looped"] and
         states(sw)[3] == "discarding"))
ok("that is logged", sw.logged("port 3, VLAN 0: blocked: it hears"), sw.log())
got = tree(sw)["ports"][3]
ok("BPDUs are counted by kind", got["rx"]["rst"] >= 4 and
   got["rx"]["config"] >= 1 and got["tx"]["config"] + got["tx"]["rst"] > 0 and
   got["rx_bad"] == 0, got)
c.send(BPDU_ADDR + c.mac + b"\0\x07\x42\x42\x03" + bytes(40))
sw.sync()
is_("and those that are none", tree(sw)["ports"][3]["rx_bad"], 1)

# --- several clients on one port ------------------------------------------

d = sw.plug(4)
one = tree(sw)["ports"][4]["point_to_point"]
e = sw.plug(4)
two = tree(sw)["ports"][4]["point_to_point"]
e.close()
is_("a second client makes a port shared, until it leaves",
    (one, two, until(lambda: tree(sw)["ports"][4]["point_to_point"])),
    (True, False, True))

# --- on and off under traffic ---------------------------------------------

sw.do("fstp/setedge 0 5 1", "fstp/setedge 0 6 1")
pair = Pair(sw, (5, 6))
ok("a pair plays", pair.goes_on(), str(pair))
for _ in range(10):
    sw.do("fstp/setfstp 0", "fstp/setfstp 1")
ok("nothing is lost when spanning tree goes off and on again",
   pair.goes_on(50), str(pair))
pair.stop()
note(pair)
ok("the switch ends well", sw.stop() == 0, sw.log())
done()
