#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""48-plug-offload.py - frames of up to 64 KiB between kernels that meet
through plugs: taps and interfaces at a switch over rings and datagrams, two
switches joined by a plug or by a cable of streams, tags. What the network
takes passes whole; whoever does not take it gets ordinary frames with right
checksums. Everything is in namespaces of its own."""
from netns import *

MSS = 1400
TCP_GSO, NEEDS_CSUM = 1, 1


def sum16(data, start=0):
    data += b"\0" * (len(data) & 1)
    s = start + sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def mean_size(sw, port, way="in"):
    c = sw.port(port)[way]
    return c["bytes"] / max(c["packets"], 1)


class Wire:
    """The kernel's side of an interface, through a packet socket that shows
    and takes what is still to be done with a frame."""

    def __init__(self, name):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(ETH_P_ALL))
        self.sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((name, ETH_P_ALL))

    def send(self, f, flags=0, gso=0, hdr_len=0, size=0, start=0, offset=0):
        self.sock.send(struct.pack("=BBHHHH", flags, gso, hdr_len, size,
                                   start, offset) + f)

    def recv(self, seconds=DEADLINE):
        """A frame with its tag, and its kind of segments; None in the end."""
        while select.select([self.sock], [], [], seconds)[0]:
            f, anc, _, addr = self.sock.recvmsg(70000, 128)
            if addr[2] == 4:  # outgoing
                continue
            hdr, f = f[:10], f[10:]
            for _, _, data in anc:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data)
                if status & 0x10:
                    f = f[:12] + struct.pack(">HH", tpid, tci) + f[12:]
            return f, hdr[1]
        return None


def tagged_super(segments, tci):
    """A tagged frame of TCP over IPv4 and where its checksum is, begun."""
    data = os.urandom(segments * MSS)
    tcp = struct.pack(">HHIIBBHHH", 1000, 2000, 1, 1, 0x50, 0x10, 512, 0, 0)
    addrs = bytes([10, 9, 9, 1, 10, 9, 9, 2])
    n = len(tcp) + len(data)
    tcp = tcp[:16] + struct.pack(">H", sum16(addrs, 6 + n)) + tcp[18:]
    ip4 = struct.pack(">BBHHHBBH", 0x45, 0, 20 + n, 1, 0x4000, 64, 6, 0) + addrs
    ip4 = ip4[:10] + struct.pack(">H", 0xffff ^ sum16(ip4)) + ip4[12:]
    return mac(2) + mac(1) + struct.pack(">HHH", 0x8100, tci, 0x800) + \
        ip4 + tcp + data, data


def finished(f):
    """Are the checksums of this tagged frame right?"""
    l4 = f[38:18 + struct.unpack(">H", f[20:22])[0]]
    return sum16(f[18:38]) == 0xffff and \
        sum16(f[30:38] + l4, 6 + len(l4)) == 0xffff


def plug2tap(sw, name, **env):
    """A tap at a port of the switch."""
    r, w = os.pipe()
    p = start("vde_plug2tap", "-s", sw.dir, "--ready-fd", str(w), name,
              pass_fds=[w], env={**os.environ, **env})
    os.close(w)
    if os.read(r, 1) != b"\n":
        raise NotReady(p.wait())
    os.close(r)
    return p


need("ip", "unshare")
if run("ip", "tuntap", "add", "dev", "probe", "mode", "tap")[0]:
    skip("taps are not permitted")
run("ip", "link", "del", "probe")

# --- two taps at one switch ---------------------------------------------------

sw = Switch()
ta, tb = plug2tap(sw, "ta"), plug2tap(sw, "tb")
a, b = Namespace(), Namespace()
quiet("ta"), quiet("tb")
a.take("ta", "10.9.0.1/24")
b.take("tb", "10.9.0.2/24")
like("the switch shows what a plug with a tap takes",
     " ".join(sw.port(1)["endpoints"][0]["offloads"]), "^csum tso4 tso6 ecn")
is_("TCP between two taps comes as it was sent",
    transfer(a, b, "10.9.0.2"), None)
for n in 1, 2:
    ok("port %d: in pieces much longer than a segment" % n,
       mean_size(sw, n) > 4000, mean_size(sw, n))
is_("nothing was cut, nothing was dropped",
    [(sw.port(n)["cut"], sw.drops(n).get("bad_offload", 0)) for n in (1, 2)],
    [(0, 0)] * 2)

with a:
    wa = Wire("ta")
with b:
    wb = Wire("tb")
f, data = tagged_super(40, 0x6123)
wa.send(f, NEEDS_CSUM, TCP_GSO, 58, MSS, 38, 16)
got = wb.recv()
is_("a tagged frame of 56 KiB passes whole, and its tag",
    (got[1] & 127, got[0][12:16], got[0][58:] == data, len(got[0])),
    (TCP_GSO, b"\x81\x00\x61\x23", True, len(f)))

# --- over datagrams -------------------------------------------------------------

tc = plug2tap(sw, "tc", VDE_TRANSPORT="dgram")
c = Namespace()
quiet("tc")
c.take("tc", "10.9.0.3/24")
sw.do("port/resetcounter")
is_("TCP between a tap over rings and one over datagrams",
    transfer(a, c, "10.9.0.3"), None)
ok("over datagrams there are ordinary frames, of the plug",
   mean_size(sw, 3) <= 1514, lambda: sw.port(3))
ok("and of the switch", sw.port(3)["segments"] > 100, lambda: sw.port(3))
ok("over rings there are not", mean_size(sw, 1) > 4000, mean_size(sw, 1))
with c:
    wc = Wire("tc")
wc.send(f, NEEDS_CSUM, TCP_GSO, 58, MSS, 38, 16)
pieces, right = b"", []
while len(pieces) < len(data):
    got = wb.recv(2)
    if got is None:
        break
    if got[0][:6] == mac(2):
        pieces += got[0][58:]
        right.append(got[1] & 127 == TCP_GSO or finished(got[0]))
is_("a tagged frame of 56 KiB over datagrams: all of it comes",
    pieces == data, True)
ok("what is not merged again has its checksums", all(right), right)
tc.terminate()
is_("SIGTERM ends a plug with status 0", tc.wait(DEADLINE), 0)

# --- two switches ---------------------------------------------------------------

far = Switch()
tb.terminate()
tb.wait(DEADLINE)
td = plug2tap(far, "td")
d = Namespace()
quiet("td")
d.take("td", "10.9.0.4/24")
cable = start("vde_plug", sw.dir, far.dir)
until(lambda: len(far.console.json("port/print")["ports"]) == 2)
is_("TCP through two switches that a plug joins",
    transfer(a, d, "10.9.0.4"), None)
ok("whole through the plug", mean_size(far, 1, "out") > 4000,
   lambda: far.port(1))
is_("cut nowhere", [s.port(n)["cut"] for s in (sw, far) for n in (1, 2)],
    [0] * 4)
cable.terminate()
cable.wait(DEADLINE)
cable = start("dpipe", "vde_plug", sw.dir, "=", "vde_plug", far.dir)
until(lambda: len(far.console.json("port/print")["ports"]) == 2)
for s in sw, far:
    s.do("port/resetcounter")
is_("TCP through a cable of streams", transfer(a, d, "10.9.0.4"), None)
ok("whose frames are ordinary", mean_size(far, 2) <= 1514,
   lambda: far.port(2))
cable.terminate()
cable.wait(DEADLINE)

# --- an interface ---------------------------------------------------------------

if run("sh", "-c", "command -v vde_pcapplug")[0]:
    skip_point("an interface over rings", "no vde_pcapplug")
else:
    veth("near", "ve")
    e = Namespace()
    quiet("ve")
    e.take("ve", "10.9.0.5/24")
    p = start("vde_pcapplug", "-s", sw.dir, "near")
    until(lambda: len(sw.console.json("port/print")["ports"]) == 2)
    sw.do("port/resetcounter")
    is_("TCP between a tap and an interface over rings",
        transfer(a, e, "10.9.0.5"), None)
    for n in 1, 2:
        ok("port %d: long pieces" % n, mean_size(sw, n) > 4000,
           lambda: sw.port(n))
    p.terminate()
    is_("SIGTERM ends it with status 0", p.wait(DEADLINE), 0)

for s in sw, far:
    s.stop()
done()
