#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""46-switch-interface.py - interfaces that exist already as ports of the
switch: veths whose other ends are hosts in other namespaces. Frames of all
sizes with and without tags, what the kernels leave undone, and all that can
happen to an interface, under traffic and with garbage."""
import random

from netns import *
from packets import *

need("ip")


class Witness:
    """Notes the longest frame on the switch, and wrong checksums."""

    def __init__(self, switch):
        self.client = switch.plug()
        self.count = self.longest = self.bad = 0
        self.stop = False
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stop:
            f = self.client.recv(0.05)
            if f:
                self.count += 1
                self.longest = max(self.longest, len(f))
                self.bad += whole(f) is False

    def end(self):
        self.stop = True
        self.thread.join()
        self.client.close()
        return self.count > 100, self.longest, self.bad


def promiscuous(name):
    return "promiscuity 1" in run("ip", "-d", "link", "show", name)[1]


veth("pa", "va")
veth("pb", "vb")
a, b = Host("va", 1500), Host("vb", 1500)
ready("pa", "pb", "va", "vb")
sw = Switch("--interface", "pa", "--interface=pb", "-n", "10")
c = sw.plug()
is_("--interface several times: each on the next free port",
    [(p["port"], p["current_user"], p["endpoints"][0]["description"],
      p["endpoints"][0]["module"], p["endpoints"][0]["transport"])
     for p in sw.console.json("port/print")["ports"]][:2],
    [(1, None, "pa", "interface", "packet"),
     (2, None, "pb", "interface", "packet")])
like("as text", "\n".join(sw.do("port/print 1")),
     r"^  -- endpoint ID \d{4} module interface   : pa$")
ok("they are promiscuous", promiscuous("pa") and promiscuous("pb"))


def tunnel(name, number, near, far, addr_near, addr_far):
    """VXLAN between two hosts, each a namespace and its address; False if
    there is none here."""
    for here, there, addr in (near, far, addr_near), (far, near, addr_far):
        if not here[0].ip("link", "add", name, "type", "vxlan", "id",
                          str(number), "local", here[1], "remote", there[1],
                          "dstport", str(4789 + number)):
            return False
        here[0].ip("addr", "add", addr, "dev", name,
                   *(["nodad"] if ":" in addr else []))
        here[0].ip("link", "set", name, "up")
    return True


# --- frames ---------------------------------------------------------------

def links():
    return [sw.port(n)["endpoints"][0]["link"] for n in (1, 2)]


ok("both have a link", until(lambda: links() == [True, True]), links)
ip("link", "set", "va", "down")
ok("the other end goes down: it has none", until(
    lambda: links() == [False, True]), links)
ip("link", "set", "va", "up")
ok("it comes up again", until(lambda: links() == [True, True]), links)


def both_ways(sizes, tci=None):
    wrong = []
    for n in sizes:
        f = frame(BROADCAST, mac(1), size=n, tci=tci)
        c.send(f)
        if (a.recv(), b.recv()) != (f, f):
            wrong.append("to %d" % n)
        f = frame(BROADCAST, mac(2), size=n, tci=tci)
        a.send(f)
        if (c.recv(), b.recv()) != (f, f):
            wrong.append("from %d" % n)
    return wrong


is_("frames of 60 to 1514 bytes go whole both ways",
    both_ways((60, 61, 577, 1513, 1514)), [])
is_("and with tags", both_ways((64, 65, 577, 1517, 1518), 0x6123), [])
f = frame(BROADCAST, mac(2), size=100)
qinq = f[:12] + b"\x88\xa8\x00\x07\x81\x00\x00\x09" + f[12:]
a.send(qinq)
is_("with two tags", (c.recv(), b.recv()), (qinq, qinq))
c.send(qinq)
is_("the other way", (a.recv(), b.recv()), (qinq, qinq))
a.send(f[:20])
is_("a short one is filled with zeros", (c.recv(), b.recv()[:60]),
    (padded(f[:20]), padded(f[:20])))
b.send(frame(BROADCAST, mac(3)))
a.recv(), c.recv()
f = frame(mac(3), mac(1))
c.send(f)
is_("known: to that interface alone", (b.recv(), a.recv(0)), (f, None))

sw.do("port/resetcounter")
f = frame(BROADCAST, mac(1), size=1515)
c.send(f)
c.send(g := frame(BROADCAST, mac(1), size=1514))
is_("longer than the interface takes: dropped", (a.recv(), b.recv()), (g, g))
is_("and counted", (sw.drops(1), sw.drops(2)),
    ({"over_mtu": 1}, {"over_mtu": 1}))
for i in "pa", "va", "pb", "vb":
    ip("link", "set", i, "mtu", "9216")
is_("jumbo frames as soon as it takes them",
    both_ways((1515, 4000, 9000, 9230)) + both_ways((9234,), 5), [])

# What this host sends by the near end is not what comes in by it.
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("pa", 0))
s.send(f := frame(BROADCAST, mac(4)))
is_("sent by this host: it goes to the other side", a.recv(), f)
is_("and not into the switch", sw.quiet(c), True)
s.close()

sw.do("vlan/create 5", "vlan/addport 5 1", "port/setvlan 2 5",
      "port/setvlan %d 0" % c.port)
f = frame(BROADCAST, mac(5), size=100)
b.send(f)
tagged = f[:12] + b"\x81\x00\x00\x05" + f[12:]
is_("an access port's frames leave a trunk with their tag",
    (a.recv(), c.recv(0)), (tagged, None))
a.send(tagged)
is_("and come back without", b.recv(), f)
sw.do("port/setvlan 2 0", "vlan/delport 5 1", "vlan/remove 5")
ip("link", "set", "va", "mtu", "1500")
ip("link", "set", "vb", "mtu", "1500")
for i in "pa", "pb":
    ip("link", "set", i, "mtu", "1500")

# Only what comes in one go can be merged.
parts = [os.urandom(1000) for _ in range(8)]
b.send(frame(BROADCAST, mac(3)))
c.recv(), a.pending()
os.kill(sw.pid, signal.SIGSTOP)
c.send(*tcp_segments(mac(3), mac(1), parts, "10.0.0.8", "10.0.0.9"))
os.kill(sw.pid, signal.SIGCONT)
got = b.recv()
is_("segments that come together are sent as one",
    (len(got), got[54:]), (8054, b"".join(parts)))

# --- hosts ------------------------------------------------------------------

A, B = Namespace(), Namespace()
a.sock.close()
b.sock.close()
A.take("va", "10.0.0.1/24", "fd00::1/64")
B.take("vb", "10.0.0.2/24", "fd00::2/64")


def echo(ns_a, ns_b, addr, n):
    """A datagram of UDP there and back."""
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with ns_b:
        u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind((addr, 8))
    with ns_a:
        v = socket.socket(family, socket.SOCK_DGRAM)
    v.connect((addr, 8))
    u.settimeout(DEADLINE)
    v.settimeout(DEADLINE)
    v.send(bytes(n))
    data, peer = u.recvfrom(65536)
    u.sendto(data, peer)
    back = v.recv(65536)
    u.close()
    v.close()
    return len(back)


is_("two hosts reach each other by UDP",
    [echo(A, B, "10.0.0.2", n) for n in (1, 100, 1472, 5000)] +
    [echo(A, B, "fd00::2", n) for n in (1, 100, 1452, 5000)],
    [1, 100, 1472, 5000, 1, 100, 1452, 5000])
is_("and by TCP", transfer(A, B, "10.0.0.2"), None)
is_("and by TCP over IPv6", transfer(A, B, "fd00::2"), None)
sw.do("port/sethub 1")
w = Witness(sw)
is_("a hub, too", (transfer(A, B, "10.0.0.2", 2 << 20),
                   transfer(A, B, "fd00::2", 2 << 20)), (None, None))
is_("a client on it gets ordinary frames with right checksums", w.end(),
    (True, 1514, 0))
sw.do("port/sethub 0")

have_tap = ip("tuntap", "add", "dev", "probe", "mode", "tap")
if have_tap:
    ip("link", "del", "probe")
    C = Namespace()
    sw.do("tap/add tc")
    quiet("tc")
    C.take("tc", "10.0.0.3/24", "fd00::3/64")
    is_("a tap and an interface",
        (echo(A, C, "10.0.0.3", 1000), echo(C, A, "fd00::1", 5000),
         transfer(A, C, "10.0.0.3"), transfer(C, A, "fd00::1")),
        (1000, 5000, None, None))
    # Its kernel leaves what a tunnel carries in pieces of up to 64 KiB, too.
    if (tunnel("vx4", 1, (A, "10.0.0.1"), (C, "10.0.0.3"), "10.8.0.1/24",
               "10.8.0.3/24") and
            tunnel("vx6", 2, (A, "fd00::1"), (C, "fd00::3"), "fd08::1/64",
                   "fd08::3/64")):
        sw.do("port/resetcounter")
        is_("TCP in VXLAN over both, from an interface to a tap",
            (transfer(A, C, "10.8.0.3", 2 << 20),
             transfer(A, C, "fd08::3", 2 << 20)), (None, None))
        is_("nothing of it is refused", sw.drops(1), {})
        cut = {p["port"]: p["cut"]
               for p in sw.console.json("port/print")["ports"]
               if p["endpoints"] and
               p["endpoints"][0]["description"] == "tc"}
        ok("it was cut for the tap", min(cut.values()) > 20, cut)
    else:
        skip_point("TCP in VXLAN", "there is no vxlan")
    is_("a tap of this switch is not an interface for it, too",
        sw.console.cmd("if/add tc")[0], errno.EEXIST)
    sw.do("tap/del tc")
    C.end()
else:
    skip_point("a tap and an interface", "taps are not permitted")


def hears(who, send, f, seconds=DEADLINE):
    """Does it get this frame when it is sent, among what else the hosts have
    to say?"""
    while sw.sync() or who.pending():
        pass
    send(f)
    end = time.monotonic() + seconds
    while (got := who.recv(max(0, end - time.monotonic()))) is not None:
        if got == f:
            return True
    return False


# --- two switches -------------------------------------------------------------

ip("link", "add", "x1", "type", "veth", "peer", "name", "x2")
for i in "x1", "x2":
    quiet(i)
    ip("link", "set", i, "up")
ready("x1", "x2")
sw2 = Switch("--interface", "x2")
sw.do("if/add x1")
d = sw2.plug()
ok("a veth is a cable between two switches",
   hears(d, c.send, frame(BROADCAST, mac(1), size=1514)))
ok("both ways", hears(c, d.send, frame(mac(1), mac(9), tci=77, size=1518)))
trunk = [p["port"] for p in sw.console.json("port/print")["ports"]
         if p["endpoints"][0]["description"] == "x1"][0]
sw.do("if/del pb", "vlan/create 5", "port/setvlan 1 5",
      "vlan/addport 5 %d" % trunk)
sw2.do("vlan/create 5", "vlan/addport 5 1")
port = sw2.console.json("if/add pb")["port"]
sw2.do("port/setvlan %d 5" % port)
is_("TCP in a VLAN through that cable",
    (transfer(A, B, "10.0.0.2"), transfer(B, A, "fd00::1")), (None, None))
long_ones = sw2.port(1)["in"]
ok("passes it in long frames with a tag",
   long_ones["bytes"] > 8000 * long_ones["packets"], long_ones)
sw2.do("if/del pb")
sw.do("vlan/delport 5 %d" % trunk, "port/setvlan 1 0", "vlan/remove 5",
      "if/add pb")
is_("an interface of one switch can be one of another",
    sw2.console.cmd("if/add pa"), (0, ["Port 0003"]))
d.close()
sw2.stop()
ip("link", "del", "x1")
ok("a cable that is cut", sw.logged("warning: interface x1 is gone"), sw.log)

# --- what happens to an interface -----------------------------------------

with B:
    quiet("vb")
    b = Host("vb", 1500)
pair = Pair(sw)
sw.do("port/resetcounter")
ip("link", "set", "pb", "down")
c.send(f := frame(BROADCAST, mac(1), size=100))
is_("down: what it would get is counted",
    list(until(lambda: sw.drops(2))), ["send_failed"])
ok("down: the others go on", pair.goes_on(), pair)
pair.stop()
cpu = cpu_seconds(sw.pid)
select.select([], [], [], 0.5)
ok("down: it costs next to no time", cpu_seconds(sw.pid) - cpu < 0.05)
ok("down: it is still a port", sw.port(2)["active"])
ip("link", "set", "pb", "up")
B.ip("link", "set", "vb", "up")
ok("up again", until(lambda: hears(b, c.send, f, 0.1)))
ok("both ways", hears(c, b.send, frame(BROADCAST, mac(3), size=101)))
ip("link", "set", "pb", "down")
ip("link", "set", "pb", "name", "pz")
ip("link", "set", "pz", "up")
f = frame(BROADCAST, mac(1), size=102)
ok("renamed it stays", until(lambda: hears(b, c.send, f, 0.1)) and
   sw.port(2)["active"])
is_("and cannot be added again", sw.console.cmd("if/add pz")[0],
    errno.EEXIST)
is_("it has the name under which it was added", sw.console.cmd("if/del pb")[0],
    0)
is_("free", (sw.port(2)["active"], promiscuous("pz")), (False, False))
sw.do("if/add pz")
D = Namespace()
ip("link", "set", "pz", "netns", str(D.proc.pid))
ok("moved to another namespace it is gone", until(
    lambda: not sw.port(2)["active"]))
ok("and the log says so", sw.logged("warning: interface pz is gone"), sw.log)
D.end()


# --- traffic and garbage --------------------------------------------------

# Frames into an interface as fast as a process of its own can.
NOISE = """
import errno, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vn", 0))
frames = [bytes.fromhex(x) for x in sys.argv[1:]]
print("sending", flush=True)
while True:
    for f in frames:
        try:
            s.send(f)
        except OSError as e:
            if e.errno in (errno.ENXIO, errno.ENODEV):
                raise
"""

veth("pn", "vn")
quiet("vn")
ip("link", "set", "vn", "up")
ready("pn", "vn")
port = sw.console.json("if/add pn")["port"]
sw.do("vlan/create 9")  # what goes to nobody floods VLAN 0
pair = Pair(sw, vlan=9)
noise = start(sys.executable, "-c", NOISE, *[
    frame(mac(77), mac(78), size=n).hex() for n in (60, 1514)],
              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
noise.stdout.readline()
ok("a flood from one interface delays nobody else for long",
   pair.goes_on(100) and pair.slowest < 1, pair)
ip("link", "set", "pn", "down")
ip("link", "set", "pn", "up")
ok("down and up under traffic", pair.goes_on())
before = sw.port(port)["in"]["packets"]
ok("it goes on", until(lambda: sw.port(port)["in"]["packets"] > before))
ip("link", "del", "pn")
ok("deleted under traffic: the port is free",
   until(lambda: not sw.port(port)["active"]))
ok("whoever sends there is told", noise.wait(DEADLINE) == 1)
ok("nobody else notices", pair.goes_on(), pair)

veth("pn", "vn")
quiet("vn")
ip("link", "set", "vn", "up")
ready("pn", "vn")
sw.do("if/add pn")
random.seed(1)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vn", 0))
s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
sent = refused = 0
for i in range(3000):
    ip4 = struct.pack("!BBHHHBBH8s", 0x45, 0, random.choice((40, 0, 9000)), i,
                      0, 64, random.choice((6, 17)), 0, bytes(8))
    f = BROADCAST + mac(79) + random.choice(
        (b"\x08\x00" + ip4, b"\x86\xdd" + bytes(6), b"\x81\x00\x00\x01\x08\x00"
         + ip4, random.randbytes(6))) + random.randbytes(
             random.choice((0, 1, 20, 60, 1400, 8000)))
    hdr = struct.pack("=BBHHHH", random.choice((0, 1, 2)), random.choice(
        (0, 1, 4, 5, 0x81, 3)), random.randrange(80), random.choice(
            (0, 1, 100, 1448, 65535)), random.choice((0, 14, 34, 54, 1000)),
                      random.choice((6, 16, 2)))
    try:
        s.send(hdr + f)
        sent += 1
    except OSError:
        refused += 1
note("%d frames of garbage sent, %d refused by the kernel" % (sent, refused))
got = [len(f) for f in c.pending()]
ok("garbage with all kinds of offloads is survived", sent > 100 and
   pair.goes_on(100), pair)
ok("and nobody gets a frame that is too long", max(got, default=0) <= 9234,
   max(got, default=0))
pair.stop()
sw.do(*["port/setvlan %d 0" % e.port for e in (pair.a, pair.b)],
      "vlan/remove 9")
s.close()
ip("link", "del", "pn")

# --- from the console -----------------------------------------------------

veth("pc", "vc")
con = sw.console
port = con.json("if/add pc")["port"]
is_("-j if/add", sw.port(port)["endpoints"][0]["description"], "pc")
is_("the same again", con.cmd("if/add pc")[0], errno.EEXIST)
is_("an interface that does not exist", con.cmd("if/add nosuch")[0],
    errno.ENODEV)
ok("the log names it", sw.logged(
    "warning: unable to add interface nosuch: No such device"), sw.log)
is_("a name that is too long", con.cmd("if/add " + "x" * 16)[0], errno.ENODEV)
veth("pd", "vd")
d = Host("vd", 1500)
ip("link", "set", "pd", "down")
con.do("if/add pd")
c = sw.plug()
ip("link", "set", "pd", "up")
ready("pd", "vd")
f = frame(BROADCAST, mac(1), size=103)
ok("one that is down when it is added", hears(d, c.send, f) and
   hears(c, d.send, f))
is_("the same again as a tap", con.cmd("tap/add pd")[0], errno.EEXIST)
c.close()
is_("no name", con.cmd("if/add")[0], errno.EINVAL)
is_("lo is not Ethernet", con.cmd("if/add lo")[0], errno.EMEDIUMTYPE)
ok("the log says it", sw.logged("lo: its frames are not Ethernet"), sw.log)
is_("if/del of nothing", con.cmd("if/del nosuch")[0], errno.ENODEV)
is_("port/epclose is as good", (con.cmd("port/epclose %d %d" % (
    port, sw.port(port)["endpoints"][0]["id"]))[0], con.cmd("if/del pc")[0]), (0, errno.ENODEV))
is_("the switch ends well", sw.stop(), 0)
ok("its interfaces stay, as they were", ip("link", "show", "pa") and
   not promiscuous("pa"))
rc = unique("rc")
with open(rc, "w") as f:
    f.write("if/add pa\nif/add pa\n")
sw = Switch("-f", rc)
ok("if/add in an rc file", sw.port(1)["active"] and
   "%s:2: if/add pa: File exists" % rc in sw.log(), sw.log)
sw.stop()


def fails(*argv, **kw):
    try:
        Switch(*argv, **kw).stop()
        return None
    except NotReady as e:
        return e.args


r = fails("--interface", "nosuch")
ok("an interface that does not exist stops the start", r and r[0] == 1 and
   "error: unable to open interface nosuch: No such device" in r[1], r)
r = fails("--interface", "")
ok("no name is a wrong command line", r and r[0] == 2, r)
without = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
if shutil.which("setpriv") and run(*without, "true")[0] == 0:
    r = fails("--interface", "pa", prefix=without)
    ok("without CAP_NET_RAW it says what is missing", r and r[0] == 1 and
       "unable to open interface pa: it needs CAP_NET_RAW" in r[1], r)
else:
    skip_point("without CAP_NET_RAW", "no setpriv")
done()
