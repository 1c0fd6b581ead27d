#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""23-batch.py - the batch calls of the library on our switch: many frames per
call, unfinished ones between programs that take them, finished ones for all
others, and how a slow network is waited for."""
import ctypes as C
import random

from vdeclient import *

need("vde_switch")
path = BUILD + "/libvdeplug.so.2"
if os.environ.get("SAN"):
    skip("the library is built with a sanitizer")
if not os.path.exists(path):
    skip("libvdeplug.so.2 is not built")

ALL, CSUM, TSO4, USO = 0x6f, 1, 2, 0x60
NEEDS_CSUM, TCPV4, UDP_L4 = 1, 1, 5
MAX = 64


class Offload(C.Structure):
    _fields_ = [("flags", C.c_uint8), ("gso_type", C.c_uint8),
                ("hdr_len", C.c_uint16), ("gso_size", C.c_uint16),
                ("csum_start", C.c_uint16), ("csum_offset", C.c_uint16)]


class Frame(C.Structure):
    _fields_ = [("data", C.c_void_p), ("len", C.c_size_t),
                ("offload", Offload)]


lib = C.CDLL(path, use_errno=True)
lib.vde_open_batch.restype = C.c_void_p
lib.vde_open_batch.argtypes = [C.c_char_p, C.c_char_p, C.c_void_p, C.c_uint]
for f in ("vde_recv", "vde_send"):
    getattr(lib, f).restype = C.c_ssize_t
    getattr(lib, f).argtypes = [C.c_void_p, C.c_char_p, C.c_size_t, C.c_int]
for f in ("vde_recv_batch", "vde_send_batch"):
    getattr(lib, f).argtypes = [C.c_void_p, C.POINTER(Frame), C.c_int]
lib.vde_sendfd.argtypes = [C.c_void_p, C.POINTER(C.c_short)]
for f in ("vde_datafd", "vde_ctlfd", "vde_close", "vde_offloads"):
    getattr(lib, f).argtypes = [C.c_void_p]


class Batch:
    def __init__(self, locator, takes=0):
        self.c = lib.vde_open_batch(locator.encode(), b"batch", None, takes)
        if not self.c:
            raise OSError(C.get_errno(), locator)
        self.room = [C.create_string_buffer(65553) for _ in range(MAX)]

    def send(self, *frames):
        """Each is bytes, or bytes with the fields of an Offload."""
        f = (Frame * len(frames))()
        keep = []
        for i, x in enumerate(frames):
            data, fields = x if isinstance(x, tuple) else (x, ())
            keep.append(C.create_string_buffer(data, len(data)))
            f[i] = Frame(C.addressof(keep[i]), len(data), Offload(*fields))
        return lib.vde_send_batch(self.c, f, len(frames))

    def recv(self, n=MAX, seconds=DEADLINE):
        """A list of (bytes, fields), or the error."""
        select.select([lib.vde_datafd(self.c)], [], [], seconds)
        f = (Frame * n)()
        for i in range(n):
            f[i] = Frame(C.addressof(self.room[i]), len(self.room[i]))
        got = lib.vde_recv_batch(self.c, f, n)
        if got < 0:
            return got
        return [(self.room[i].raw[:f[i].len],
                 tuple(getattr(f[i].offload, k) for k, _ in Offload._fields_))
                for i in range(got)]

    def room_comes(self, seconds):
        events = C.c_short()
        p = select.poll()
        p.register(lib.vde_sendfd(self.c, events), events.value)
        return bool(p.poll(seconds * 1000))

    def close(self):
        lib.vde_close(self.c)


def checksum(data):
    n = sum(struct.unpack(">%dH" % (len(data) // 2), data[:len(data) & ~1]))
    if len(data) & 1:
        n += data[-1] << 8
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n


def tcp(dst, src, payload):
    """A frame whose TCP checksum is begun."""
    ip = struct.pack(">BBHHHBBH8s", 0x45, 0, 40 + len(payload), 1, 0, 64, 6, 0,
                     b"\x0a\0\0\x01\x0a\0\0\x02")
    ip = ip[:10] + struct.pack(">H", checksum(ip) ^ 0xffff) + ip[12:]
    begun = checksum(ip[12:] + struct.pack(">HH", 6, 20 + len(payload)))
    return dst + src + b"\x08\0" + ip + struct.pack(
        ">HHIIBBHHH", 1, 2, 1000, 1, 0x50, 0x10, 512, begun, 0) + payload


def good_tcp(f):
    """Is it a finished TCP segment?"""
    size = struct.unpack(">H", f[16:18])[0]
    segment = f[34:14 + size]
    return checksum(f[14:34]) == 0xffff and checksum(
        f[26:34] + struct.pack(">HH", 6, len(segment)) + segment) == 0xffff


sw = Switch()
a, b = Batch(sw.dir, ALL), Batch(sw.dir, ALL)
plain = Batch(sw.dir)
old = sw.plug()
is_("the switch takes everything", lib.vde_offloads(a.c), ALL)
is_("datagrams take nothing", lib.vde_offloads(
    Batch(sw.dir + "[transport=dgram]", ALL).c), 0)
is_("rings are what is used", [e["transport"] for p in sw.console.json(
    "port/print")["ports"] for e in p["endpoints"]],
    ["ring", "ring", "ring", "dgram", "dgram"])

frames = [frame(BROADCAST, mac(1), bytes([i]) * 46) for i in range(MAX)]
is_("a batch is sent by one call", a.send(*frames), MAX)
got = []
while len(got) < MAX:
    more = b.recv()
    if isinstance(more, int):
        break
    got += more
is_("and comes as batches, in order", got, [(f, (0,) * 6) for f in frames])
is_("then there is nothing", b.recv(seconds=0), -errno.EAGAIN)
got = []
while len(got) < MAX:
    got += plain.recv()
is_("others get the same", got, [(f, (0,) * 6) for f in frames])

while old.recv(0.1):
    pass
payload = random.Random(1).randbytes(40000)
big = tcp(mac(2), mac(1), payload)
fields = (NEEDS_CSUM, TCPV4, 54, 1448, 34, 16)
b.send(frame(BROADCAST, mac(2)))
for c in (a, plain):
    c.recv()
old.recv()
is_("a frame that is to be cut is sent", a.send((big, fields)), 1)
is_("whole, to who takes it", b.recv(), [(big, fields)])
is_("and nobody else hears it", (plain.recv(seconds=0.05), old.recv(0.05)),
    (-errno.EAGAIN, None))

big = tcp(BROADCAST, mac(1), payload)
a.send((big, fields))
is_("flooded, it is whole there", b.recv(), [(big, fields)])
want = [payload[i:i + 1448] for i in range(0, len(payload), 1448)]
got = []
while len(got) < len(want):
    more = plain.recv()
    if isinstance(more, int):
        break
    got += more
is_("cut for a program that does not take it", [f[54:] for f, _ in got], want)
ok("with good checksums and nothing left to do",
   all(good_tcp(f) and not any(o) for f, o in got))
cut = [old.recv() for _ in want]
is_("and for one with datagrams", cut, [f for f, _ in got])

a.send((tcp(mac(2), mac(1), b"hello!"), (NEEDS_CSUM, 0, 0, 0, 34, 16)))
is_("a checksum that is begun stays so",
    [o for _, o in b.recv()], [(NEEDS_CSUM, 0, 0, 0, 34, 16)])
is_("a frame may not be longer than an ordinary one without",
    a.send(big), -errno.EMSGSIZE)
lies = a.send((big, (NEEDS_CSUM, TCPV4, 54, 1448, 60000, 16)))
is_("what is not true of a frame", (lies, b.recv(seconds=0.1)),
    (1, -errno.EAGAIN))
is_("is dropped by the switch", sum(
    v for p in sw.console.json("port/drops")["ports"]
    for k, v in p.items() if k != "port") > 0, True)

buf = C.create_string_buffer(2000)
for call in (lambda: lib.vde_recv(b.c, buf, 2000, 64),
             lambda: lib.vde_send(b.c, buf, 60, 0)):
    is_("the calls for single frames do not work there",
        (call(), C.get_errno()), (-1, errno.EOPNOTSUPP))

# --- a slow switch ------------------------------------------------------------

os.kill(sw.pid, signal.SIGSTOP)
sent = []
while not sent or sent[-1] > 0:
    sent.append(a.send(*[frame(mac(2), mac(1), size=1514)] * MAX))
is_("a full ring takes nothing", sent[-1], -errno.EAGAIN)
ok("but as many as fit before", all(
    n == MAX for n in sent[:-2]) and sum(sent[:-1]) > 0, sent)
is_("nothing tells to try again", a.room_comes(0.05), False)
os.kill(sw.pid, signal.SIGCONT)
is_("until there is room", a.room_comes(DEADLINE), True)
is_("then it goes on", a.send(frame(mac(2), mac(1), size=1514)), 1)
sw.stop()
is_("a switch that has gone refuses",
    [a.send(frames[0]) for _ in range(300)][-1], -errno.ECONNREFUSED)
for x in (a, b, plain):
    x.close()
done()
