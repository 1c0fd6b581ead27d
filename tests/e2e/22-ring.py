#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""22-ring.py - frames through shared memory: what poll() sees, what a program
gets when the switch has no rings, and clients that break the rules."""
import ctypes
import mmap
import array
from vdeclient import *

need("vde_switch")
path = BUILD + "/libvdeplug.so.2"
if os.environ.get("SAN"):
    skip("the library is built with a sanitizer")
if not os.path.exists(path):
    skip("libvdeplug.so.2 is not built")
lib = ctypes.CDLL(path, use_errno=True)
lib.vde_open_real.restype = ctypes.c_void_p
lib.vde_open_real.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
                              ctypes.c_void_p]
for f in ("vde_recv", "vde_send"):
    getattr(lib, f).restype = ctypes.c_ssize_t
    getattr(lib, f).argtypes = [ctypes.c_void_p, ctypes.c_char_p,
                                ctypes.c_size_t, ctypes.c_int]
for f in ("vde_datafd", "vde_ctlfd", "vde_close"):
    getattr(lib, f).argtypes = [ctypes.c_void_p]


class Plug:
    """A connection by the library."""

    def __init__(self, locator):
        self.c = lib.vde_open_real(locator.encode(), b"ring", 1, None)
        if not self.c:
            raise OSError(ctypes.get_errno(), locator)
        self.fd, self.ctl = lib.vde_datafd(self.c), lib.vde_ctlfd(self.c)

    def readable(self, seconds=0):
        return bool(select.select([self.fd], [], [], seconds)[0])

    def send(self, f):
        return lib.vde_send(self.c, f, len(f), 0)

    def recv(self):
        if not self.readable(DEADLINE):
            return None
        buf = ctypes.create_string_buffer(9300)
        n = lib.vde_recv(self.c, buf, len(buf), 0)
        return buf.raw[:n] if n >= 0 else ctypes.get_errno()

    def close(self):
        lib.vde_close(self.c)


def transports(sw):
    ports = sw.console.json("port/print")["ports"]
    return [e["transport"] for p in ports for e in p["endpoints"]]


sw = Switch()
ring = sw.dir + "[transport=ring]"

# --- frames -------------------------------------------------------------------

a, b = Plug(ring), Plug(ring)
c = sw.plug()
is_("the switch shows what they use", transports(sw), ["ring", "ring", "dgram"])
is_("nothing to read at first", a.readable() or b.readable(), False)
f = frame(BROADCAST, mac(1), b"x" * 100)
is_("a frame is taken whole", a.send(f), len(f))
is_("and comes to another ring", b.recv(), f)
is_("and to a datagram client", c.recv(), f)
is_("then there is nothing more to read", b.readable(), False)
c.send(frame(mac(1), mac(3), b"y" * 50))
is_("one from a datagram client", a.recv(),
    padded(frame(mac(1), mac(3), b"y" * 50)))
for size in (60, 61, 1514, 9230):
    b.send(frame(mac(1), mac(2), size=size))
sizes = [len(a.recv()) for _ in range(4)]
is_("many lengths, in order", sizes, [60, 61, 1514, 9230])
is_("readable exactly as long as there is one", a.readable(), False)

wrong = 0
for i in range(3000):
    b.send(frame(mac(1), mac(2), struct.pack(">I", i), size=60 + i % 1400))
    if i % 7 == 0 or i > 2990:
        while a.readable(0.0 if i % 7 else 0.01):
            g = a.recv()
            wrong += not isinstance(g, bytes)
while a.readable(0.2):
    wrong += not isinstance(a.recv(), bytes)
is_("bursts are read to the end, each time", wrong, 0)
is_("and the descriptor says so", a.readable(), False)

many = Plug(ring)
many.close()
until(lambda: len(transports(sw)) == 3)
ok("closing unplugs", len(transports(sw)) == 3)

# --- switches and ports without -----------------------------------------------

sw.do("port/create 9", "port/rings 9 0")
try:
    Plug(sw.dir + "[9/transport=ring]")
    refused_ = None
except OSError as e:
    refused_ = e.errno
is_("a port without rings refuses who insists", refused_, errno.EOPNOTSUPP)
d = Plug(sw.dir + "[9/transport=auto]")
is_("who does not gets datagrams", transports(sw)[-1], "dgram")
d.close()
old = Switch("--norings")
e = Plug(old.dir + "[transport=auto]")
is_("so with a switch without rings", transports(old), ["dgram"])
e.close()
if os.path.exists("/usr/bin/vde_switch"):
    there = TMP + "/debian"
    start("/usr/bin/vde_switch", "-s", there, stdin=subprocess.PIPE)
    until(lambda: os.path.exists(there + "/ctl"))
    e = Plug(there + "[transport=auto]")
    ok("and with VDE 2's", e.ctl >= 0)
    e.close()
else:
    skip_point("and with VDE 2's", "it is not installed")

# --- clients that break the rules ---------------------------------------------


class Raw:
    """The protocol by hand, to write what no good client would."""

    def __init__(self, sw, size=65536):
        self.ctl = socket.socket(socket.AF_UNIX)
        self.ctl.settimeout(DEADLINE)
        self.ctl.connect(sw.dir + "/ctl")
        self.ctl.send(struct.pack("=8I", 0xfeedface, 4, 0, 0, size, 0, 0, 0)
                      + b"bad")
        msg, fds, _, _ = socket.recv_fds(self.ctl, 128, 4)
        self.answer = struct.unpack("=8I", msg[:32])
        self.size = self.answer[5]
        self.fds = fds
        self.mem = mmap.mmap(fds[0], 4096 + 2 * self.size)

    def put(self, off, *words):
        struct.pack_into("=%dI" % len(words), self.mem, off, *words)

    def kick(self):
        os.write(self.fds[1], struct.pack("=Q", 1))

    def unplugged(self):
        try:
            return self.ctl.recv(1) == b""
        except socket.timeout:
            return False
        finally:
            for fd in self.fds:
                os.close(fd)


sw.do("vlan/create 7")
pair = Pair(sw, vlan=7)
r = Raw(sw)
is_("the answer has the documented words", r.answer[:3], (0xfeedface, 4, 0))
is_("and a size in bounds", Raw(sw, 1).size, 65536)
try:
    os.ftruncate(r.fds[0], 0)
    shrunk = True
except OSError:
    shrunk = False
is_("the memory cannot be shrunk", shrunk, False)

r.put(0, 8)  # tail: half a record
r.kick()
ok("half a record: unplugged", r.unplugged())
for tail in (0x7fffffff, 65536 + 16, 0xffffffff):
    r = Raw(sw)
    r.put(0, tail)
    r.kick()
    ok("a tail of %#x: unplugged" % tail, r.unplugged())
for length in (0xffffffff, 0x80000000, 9235, 65536):
    r = Raw(sw)
    r.put(4096, length)
    r.put(0, 4096)
    r.kick()
    ok("a frame of %#x bytes: unplugged" % length, r.unplugged())
r = Raw(sw)
r.put(256 + 64, 0x40000000)  # head of the other direction: read the future
for i in range(2000):
    c.send(frame(BROADCAST, mac(3), size=1500))
ok("a head in the future: unplugged", r.unplugged())

r = Raw(sw)
r.put(4096, 3)  # a runt
r.put(0, 32)
r.kick()
until(lambda: sum(p["runt"] for p in
                  sw.console.json("port/drops")["ports"]) == 1)
ok("a runt is counted and nothing else", True)
before = cpu_seconds(sw.pid)
for _ in range(2000):
    r.kick()
r.put(128, 1)
for _ in range(2000):
    r.kick()
ok("kicks without frames cost little", cpu_seconds(sw.pid) - before < 1)
stuck = Raw(sw)  # never reads
for i in range(3000):
    c.send(frame(BROADCAST, mac(3), size=1514))
ok("nobody lost a frame by all that", pair.goes_on(), str(pair))
pair.stop()
ok("the switch lives", sw.alive())

# --- the switch goes ----------------------------------------------------------

while a.readable(0.1):
    a.recv()
sw.stop()
ok("the control descriptor tells when the switch goes",
   bool(select.select([a.ctl], [], [], DEADLINE)[0]))
is_("and the data descriptor does not become readable", a.readable(), False)
a.close()
b.close()
done()
