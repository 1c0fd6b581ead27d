#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""47-switch-offload.py - frames that are unfinished when they come into the
switch: TCP between taps passes in pieces of up to 64 KiB, and whoever takes
ordinary frames gets those, with their checksums right. Everything is in
namespaces of its own."""
import ctypes
import fcntl
import hashlib

from netns import *
from packets import *

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
UDP_SEGMENT = 103


class Host:
    """A network namespace with one interface in it."""

    def __init__(self, name, n, up=True):
        self.name, self.n = name, n
        self.proc = start("unshare", "-n", "sleep", "60")
        ns = "/proc/%d/ns/net" % self.proc.pid
        until(lambda: os.readlink(ns) != os.readlink("/proc/self/ns/net"))
        self.fd = os.open(ns, os.O_RDONLY)
        run("ip", "link", "set", name, "netns", str(self.proc.pid))
        if up:
            self.ip("addr", "add", self.v4() + "/24", "dev", name)
            self.ip("addr", "add", self.v6() + "/64", "dev", name, "nodad")
            self.ip("link", "set", name, "up")

    def v4(self):
        return "10.9.0.%d" % self.n

    def v6(self):
        return "fd00:9::%d" % self.n

    def ip(self, *args):
        return run("nsenter", "--net=/proc/%d/ns/net" % self.proc.pid, "ip",
                   *args)[0] == 0

    def __enter__(self):
        """What is opened inside of "with host:" is opened there."""
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        libc.setns(self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        libc.setns(self.home, CLONE_NEWNET)
        os.close(self.home)

    def socket(self, *args):
        with self:
            s = socket.socket(*args)
        s.settimeout(DEADLINE)
        return s


def tcp(a, b, family, size):
    """Sends that much from one host to the other; True if it came so."""
    listener = b.socket(family)
    at = (b.v6(), 5000, 0, 0) if family == socket.AF_INET6 else (b.v4(), 5000)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(at)
    listener.listen()
    out = a.socket(family)
    out.connect(at)
    conn, _ = listener.accept()
    conn.settimeout(DEADLINE)
    data = os.urandom(1 << 20) * (size >> 20)

    def feed():
        out.sendall(data)
        out.close()

    threading.Thread(target=feed, daemon=True).start()
    got = hashlib.sha256()
    try:
        while chunk := conn.recv(1 << 20):
            got.update(chunk)
    except socket.timeout:
        return "time is over"
    conn.close()
    listener.close()
    return got.digest() == hashlib.sha256(data).digest()


def mean_size(sw, port, way):
    c = sw.port(port)[way]
    return c["bytes"] / max(c["packets"], 1)


def offloads(sw, port):
    return sw.port(port)["endpoints"][0]["offloads"]


def features(name):
    """Are checksums left to that interface's other side?"""
    value = ctypes.create_string_buffer(struct.pack("=II", 0x16, 0))
    req = struct.pack("@16sP8x", name.encode(), ctypes.addressof(value))
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8946, req)  # SIOCETHTOOL, ETHTOOL_GTXCSUM
    return struct.unpack("=II", value.raw[:8])[1] != 0


need("ip", "nsenter", "unshare")
if run("ip", "tuntap", "add", "dev", "probe", "mode", "tap")[0]:
    skip("taps are not permitted")
run("ip", "link", "del", "probe")

sw = Switch("-t", "va", "-t", "vb")
a, b = Host("va", 1), Host("vb", 2)
like("port/print shows what a tap takes", " ".join(offloads(sw, 1)),
     "^csum tso4 tso6 ecn( uso)?$")

# --- whole through the switch ---------------------------------------------

for name, family in ("IPv4", socket.AF_INET), ("IPv6", socket.AF_INET6):
    sw.do("port/resetcounter")
    is_("TCP over %s between two taps comes as it was sent" % name,
        tcp(a, b, family, 16 << 20), True)
    size = mean_size(sw, 1, "in")
    ok("%s: in pieces much longer than a segment" % name, size > 4000, size)
    is_("%s: none of which was cut" % name,
        [sw.port(n)["cut"] for n in (1, 2)], [0, 0])

# --- finished for who takes ordinary frames -------------------------------

c = sw.plug()
me = mac(9)
for host in a, b:
    host.ip("neigh", "replace", "10.9.0.9", "lladdr", mac_str(me), "dev",
            host.name)
    host.ip("neigh", "replace", "fd00:9::9", "lladdr", mac_str(me), "dev",
            host.name)
c.send(frame(BROADCAST, me))
sw.sync()


def caught(n, seconds=DEADLINE):
    """The next @n frames for the client that are TCP or UDP."""
    frames = []
    while len(frames) < n:
        f = c.recv(seconds)
        if f is None:
            break
        if f[:6] == me and whole(f) is not None:
            frames.append(f)
    return frames


is_("a datagram client takes no offloads", offloads(sw, 3), [])
for name, family, to in (("IPv4", socket.AF_INET, ("10.9.0.9", 9)),
                         ("IPv6", socket.AF_INET6, ("fd00:9::9", 9, 0, 0))):
    s = a.socket(family, socket.SOCK_DGRAM)
    s.sendto(b"odd", to)
    got = caught(1)
    is_("a checksum over %s is finished for it" % name,
        [(whole(f), f.count(b"odd")) for f in got], [(True, 1)])
    before = sw.port(3)["segments"]
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
    data = os.urandom(9500)
    s.sendto(data, to)
    got = caught(10)
    is_("datagrams over %s that were sent as one come as ten" % name,
        ([whole(f) for f in got], b"".join(f[-1000:] if i < 9 else f[-500:]
                                           for i, f in enumerate(got))),
        ([True] * 10, data))
    if "uso" in offloads(sw, 1):
        is_("cut by the switch", sw.port(3)["segments"] - before, 10)
    else:
        skip_point("cut by the switch", "this Linux cuts UDP itself")

sw.do("port/sethub 1", "port/epqlen 3 %d 2000" %
      sw.port(3)["endpoints"][0]["id"])
seen, stop = [], threading.Event()


def listen():
    while not stop.is_set():
        f = c.recv(0.05)
        if f:
            seen.append(f)


t = threading.Thread(target=listen)
t.start()
for family in socket.AF_INET, socket.AF_INET6:
    is_("TCP through a hub with a client that takes segments",
        tcp(a, b, family, 2 << 20), True)
stop.set()
t.join()
segs = [f for f in seen if len(f) > 1000]
ok("which gets them", len(segs) > 100, len(segs))
is_("none longer than the MTU allows", max(map(len, seen)), 1514)
is_("and all of them right", [f.hex() for f in seen if whole(f) is False], [])
ok("cut for it", sw.port(3)["segments"] > 100, lambda: sw.port(3))
is_("and for nobody else", [sw.port(n)["cut"] for n in (1, 2)], [0, 0])
sw.do("port/sethub 0")

# --- merged for a tap -----------------------------------------------------

raw = b.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.bind(("vb", 3))
addr = until(lambda: [e["mac"] for e in
                      sw.console.json("hash/print")["entries"]
                      if e["port"] == 2])
dst = bytes.fromhex(addr[0].replace(":", ""))
parts = [os.urandom(1000) for _ in range(8)]
os.kill(sw.pid, signal.SIGSTOP)
c.send(*tcp_segments(dst, me, parts, "10.9.0.9", "10.9.0.2"))
os.kill(sw.pid, signal.SIGCONT)
got = []
while sum(len(f) - 54 for f in got) < 8000:
    f = raw.recv(65536)
    if f[:6] == dst and f[6:12] == me:
        got.append(f)
is_("segments that come together are written to a tap as one",
    [len(f) for f in got], [8054])
is_("with all that was in them", got[0][54:], b"".join(parts))
raw.close()

# --- interfaces that others have made -------------------------------------

run("ip", "tuntap", "add", "dev", "kept", "mode", "tap")
is_("a persistent tap leaves nothing undone at first", features("kept"), False)
sw.do("tap/add kept")
is_("then it does", features("kept"), True)
sw.do("tap/del kept")
is_("but not for its next user", features("kept"), False)
run("ip", "tuntap", "add", "dev", "wide", "mode", "tap", "multi_queue")
is_("one that was made for many queues", sw.console.cmd("tap/add wide")[0], 0)
sw.do("tap/del wide")
sw.stop()

# --- with a tag, through a bridge of Linux --------------------------------

one = Switch("-t", "wa", "-t", "wb")
two = Switch("-t", "wd", "-t", "wc")
for s in one, two:
    s.do("vlan/create 5", "port/setvlan 1 5", "vlan/addport 5 2")
a, d = Host("wa", 1), Host("wd", 2)
middle = Host("wb", 3, up=False)
run("ip", "link", "set", "wc", "netns", str(middle.proc.pid))
if middle.ip("link", "add", "br0", "type", "bridge"):
    for i in "wb", "wc":
        middle.ip("link", "set", i, "master", "br0")
    for i in "wb", "wc", "br0":
        middle.ip("link", "set", i, "up")
    for name, family in ("IPv4", socket.AF_INET), ("IPv6", socket.AF_INET6):
        is_("TCP over %s through two trunks" % name,
            tcp(a, d, family, 8 << 20), True)
    ok("tagged in long pieces out of a switch", mean_size(one, 2, "out") > 4000,
       lambda: one.port(2))
    ok("and into one", mean_size(two, 2, "in") > 4000, lambda: two.port(2))
    is_("nothing was cut, nothing refused",
        [(s.port(n)["cut"], s.drops(n).get("bad_offload", 0))
         for s in (one, two) for n in (1, 2)], [(0, 0)] * 4)
else:
    skip_point("TCP through two trunks", "no bridges in this kernel")
one.stop()
two.stop()
done()
