#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""26-ring-library.py - what the library does when the switch at the other end
of its rings dies, stops or is an enemy: false answers, rings that break the
rules, kicks that come late or for nothing. And when there are no descriptors or
no memory for rings."""
import ctypes
import fcntl
import random

from ringclient import *

path = BUILD + "/libvdeplug.so.2"
if not os.path.exists(path):
    skip("libvdeplug.so.2 is not built")
if os.environ.get("SAN") and not os.environ.get("LD_PRELOAD"):
    # A sanitizer's library must come first in a program that is not ours.
    found = [subprocess.run(["gcc", "-print-file-name=lib%s.so" % s], text=True,
                            capture_output=True).stdout.strip()
             for s in ("asan", "ubsan")]
    if not all(map(os.path.exists, found)):
        skip("the library is built with a sanitizer")
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + \
        ":detect_leaks=0:exitcode=99"
    os.environ["LD_PRELOAD"] = " ".join(found)
    os.execv(sys.executable, [sys.executable, "-B", *sys.argv])

lib = ctypes.CDLL(path, use_errno=True)
lib.vde_open_real.restype = ctypes.c_void_p
lib.vde_open_real.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
                              ctypes.c_void_p]
for _f in ("vde_recv", "vde_send"):
    getattr(lib, _f).restype = ctypes.c_ssize_t
    getattr(lib, _f).argtypes = [ctypes.c_void_p, ctypes.c_char_p,
                                 ctypes.c_size_t, ctypes.c_int]
for _f in ("vde_datafd", "vde_ctlfd", "vde_close"):
    getattr(lib, _f).argtypes = [ctypes.c_void_p]


class Plug:
    """A connection by the library."""

    def __init__(self, locator, blocking=True):
        self.c = lib.vde_open_real(locator.encode(), b"test", 1, None)
        if not self.c:
            raise OSError(ctypes.get_errno(), locator)
        self.fd, self.ctl = lib.vde_datafd(self.c), lib.vde_ctlfd(self.c)
        os.set_blocking(self.fd, blocking)

    def send(self, f):
        """The length, or -errno."""
        n = lib.vde_send(self.c, f, len(f), 0)
        return n if n >= 0 else -ctypes.get_errno()

    def recv(self):
        """A frame, or -errno."""
        buf = ctypes.create_string_buffer(9300)
        n = lib.vde_recv(self.c, buf, len(buf), 0)
        return buf.raw[:n] if n >= 0 else -ctypes.get_errno()

    def close(self):
        lib.vde_close(self.c)


def fds():
    return len(os.listdir("/proc/self/fd"))


def later(fn):
    """Calls fn beside us; what it returned, once it has."""
    got = []
    t = threading.Thread(target=lambda: got.append(fn()), daemon=True)
    t.start()
    t.got = got
    return t


def ended(t, seconds=DEADLINE):
    t.join(seconds)
    return t.got[0] if t.got else "still waits"


# --- a switch that dies or stops ----------------------------------------------

GONE = (-errno.ECONNRESET, -errno.ECONNREFUSED, -errno.EPIPE)

for signo, what in ((signal.SIGKILL, "killed"), (signal.SIGTERM, "ended")):
    sw = Switch()
    ring = sw.dir + "[transport=ring]"
    waits, polls, stuffs = Plug(ring), Plug(ring, False), Plug(ring)

    def read():
        while True:
            n = waits.recv()
            if not isinstance(n, bytes):
                return n

    reads = later(read)
    reads.join(0.05)
    ok("vde_recv waits", reads.is_alive())
    sw.proc.send_signal(signal.SIGSTOP)

    def stuff():
        while True:
            n = stuffs.send(frame(mac(1), mac(2), size=1514))
            if n < 0:
                return n

    sends = later(stuff)
    sends.join(0.2)
    ok("vde_send waits for a full ring", sends.is_alive())
    sw.proc.send_signal(signo)
    sw.proc.send_signal(signal.SIGCONT)
    sw.proc.wait()
    ok("a switch that is %s: vde_recv returns" % what, ended(reads) in GONE,
       lambda: ended(reads))
    ok("vde_send does", ended(sends) in GONE, lambda: ended(sends))
    ok("the control descriptors tell", all(
        readable(p.ctl, DEADLINE) and os.read(p.ctl, 1) == b""
        for p in (waits, polls, stuffs)))
    while readable(polls.fd, 0) and isinstance(polls.recv(), bytes):
        pass
    ok("the data descriptor tells nothing", not readable(polls.fd, 0.05))
    is_("there is nothing to read", polls.recv(), -errno.EAGAIN)
    ok("nothing more is sent", polls.send(frame(mac(1), mac(2))) in GONE)
    for p in (waits, polls, stuffs):
        p.close()

sw = Switch()
ring = sw.dir + "[transport=ring]"
a, b = Plug(ring, False), Plug(ring, False)
b.send(frame(BROADCAST, mac(2)))
until(lambda: readable(a.fd, 0))
a.recv()
sw.proc.send_signal(signal.SIGSTOP)
n = 0
while a.send(frame(mac(2), mac(1), struct.pack(">I", n), size=9000)) > 0:
    n += 1
is_("a switch that is stopped: vde_send says so",
    a.send(frame(mac(2), mac(1), size=9000)), -errno.EAGAIN)
sw.proc.send_signal(signal.SIGCONT)
got = 0
while got < n and readable(b.fd, 1):
    f = b.recv()
    got += isinstance(f, bytes) and f[14:18] == struct.pack(">I", got)
is_("when it goes on, all of it arrives", got, n)
ok("and there is room", a.send(frame(mac(2), mac(1))) > 0)
a.close()
b.close()

# --- no descriptors, no memory for the client ---------------------------------

def tries(tell, limit):
    what, n = limit()
    resource.setrlimit(what, (n, n))
    try:
        p = Plug(sw.dir)
        tell("open")
        p.close()
    except OSError as e:
        tell(errno.errorcode[e.errno])


def result(fn, *args):
    r, w = os.pipe()
    pid = child(fn, lambda text: os.write(w, text.encode()), *args)
    os.close(w)
    got = os.read(r, 99).decode()
    os.close(r)
    return got, reap(pid, signal.SIGCONT)


def space():
    with open("/proc/self/statm") as f:
        pages = int(f.read().split()[0])
    return resource.RLIMIT_AS, pages * 4096 + (1 << 20)


if os.environ.get("SAN"):
    skip_point("a client without memory for rings gets datagrams",
               "a sanitizer needs all of it")
else:
    is_("a client without memory for rings gets datagrams",
        result(tries, space), ("open", 0))
seen = {}
for n in range(12):
    def few(n=n):
        top = max(map(int, os.listdir("/proc/self/fd")))
        for fd in range(top):  # no holes
            try:
                os.fstat(fd)
            except OSError:
                os.dup2(0, fd)
        return resource.RLIMIT_NOFILE, top + n
    seen[n] = result(tries, few)
ok("with few descriptors it says so, or gets datagrams, or rings",
   {v for v, _ in seen.values()} == {"open", "EMFILE"} and
   seen[0] == ("EMFILE", 0) and seen[11] == ("open", 0) and
   not any(rc for _, rc in seen.values()), seen)
sw.stop()

# --- an enemy -----------------------------------------------------------------

memfd_seals = 1 | 2 | 4  # F_SEAL_SEAL, _SHRINK, _GROW


class Enemy:
    """A switch of our own on a directory; @answer(conn) says what it does to
    who asks for rings. Datagrams it has none."""

    def __init__(self, answer):
        self.dir = unique("enemy")
        os.mkdir(self.dir)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.bind(self.dir + "/./ctl")
        self.sock.listen(9)
        self.answer, self.versions = answer, []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn = self.sock.accept()[0]
            except OSError:
                return
            version = struct.unpack("=I", conn.recv(999)[4:8])[0]
            self.versions.append(version)
            if version == 4:
                self.answer(conn)
            conn.close()

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Fake:
    """The switch's side of good rings, to be made bad."""

    def __init__(self, size=65536, max_len=9234, length=None, seals=memfd_seals,
                 device=None):
        self.size = size
        if length is None:
            length = DATA + 2 * size
        if device:
            memory = os.open(device, os.O_RDWR)
        else:
            memory = os.memfd_create("x", 3)
            os.ftruncate(memory, length)
            if seals:
                fcntl.fcntl(memory, 1033, seals)
        self.data, theirs = socket.socketpair(socket.AF_UNIX,
                                              socket.SOCK_DGRAM)
        self.fds = [memory, os.eventfd(0, 0x80800), theirs.detach()]
        self.words = None
        if length >= DATA + 2 * size and seals:
            self.mem = mmap.mmap(memory, DATA + 2 * size)
            self.words = memoryview(self.mem).cast("I")
        self.answer = struct.pack("=8I", MAGIC, 4, 0, 1, 0, size & MASK,
                                  max_len, 0) + bytes(96)
        self.tail = 0

    def send(self, conn, answer=None, fds=None):
        socket.send_fds(conn, [answer or self.answer],
                        self.fds if fds is None else fds)

    def put(self, f, length=None):
        base = DATA + self.size + self.tail
        self.mem[base:base + 16 + len(f)] = record(
            len(f) if length is None else length) + f
        self.tail += need_(len(f))
        self.words[OUT + TAIL] = self.tail

    def close(self):
        if self.words is not None:
            self.words.release()
            self.mem.close()
        for fd in self.fds:
            os.close(fd)
        self.data.close()


def with_fake(answer=None, fds=None, **kw):
    def fn(conn):
        f = Fake(**kw)
        a = bytearray(f.answer)
        if answer:
            answer(a)
        f.send(conn, bytes(a), None if fds is None else fds(f))
        f.close()
        try:
            conn.settimeout(1)
            conn.recv(1)
        except OSError:
            pass
    return fn


def word(i, v):
    return lambda a: struct.pack_into("=I", a, 4 * i, v)


def cut(n):
    def fn(a):
        del a[n:]
    return fn


answers = {
    "a size that is none": with_fake(word(5, 0)),
    "an odd size": with_fake(word(5, 65537)),
    "a size beyond the file": with_fake(word(5, 131072)),
    "a size beyond all": with_fake(word(5, 1 << 31)),
    "a size with a frame that does not fit": with_fake(max_len=65536),
    "frames of 2^32 - 1 bytes": with_fake(max_len=MASK),
    "frames of 2^32 - 16 bytes": with_fake(max_len=MASK - 15),
    "a file that may shrink": with_fake(seals=1 | 4),
    "a file without seals": with_fake(seals=0),
    "a file that is too short": with_fake(length=DATA),
    "an empty file": with_fake(length=0),
    "something else than a file": with_fake(device="/dev/zero"),
    "no descriptors": with_fake(fds=lambda f: []),
    "two descriptors": with_fake(fds=lambda f: f.fds[:2]),
    "a descriptor too many": with_fake(fds=lambda f: [*f.fds, 0]),
    "a hundred of them": with_fake(fds=lambda f: f.fds * 33),
    "descriptors with a refusal": with_fake(word(2, errno.EBUSY)),
    "a wrong magic": with_fake(word(0, 1)),
    "a wrong version": with_fake(word(1, 3)),
    "half an answer": with_fake(cut(64)),
    "a byte": with_fake(cut(1)),
    "a status beyond errno": with_fake(word(2, MASK), fds=lambda f: []),
    "a status of 2^31": with_fake(word(2, 1 << 31), fds=lambda f: []),
    "no answer but an end": lambda conn: None,
}
before = fds()
wrong = {}
for what, answer in answers.items():
    enemy = Enemy(answer)
    try:
        Plug(enemy.dir + "[transport=ring]").close()
        wrong[what] = "open"
    except OSError as e:
        pass
    enemy.close()
until(lambda: fds() == before)
is_("answers that make no sense are refused: %s" % ", ".join(answers), wrong,
    {})
is_("and leave no descriptor", fds(), before)


def joined(**kw):
    """A client of the library and the enemy's side of its rings."""
    f = Fake(**kw)
    held = []

    def fn(conn):
        f.send(conn)
        held.append(conn.dup())

    enemy = Enemy(fn)
    p = Plug(enemy.dir + "[transport=ring]", False)
    until(lambda: held)
    p.enemy, p.fake, p.conn = enemy, f, held[0]
    return p, f


def part(p):
    p.close()
    p.conn.close()
    p.enemy.close()
    p.fake.close()


p, f = joined()
f.put(b"x" * 60)
f.words[OUT + CONSUMER_WAITS] = 0
f.data.send(b"")
f.data.send(b"x")
is_("a frame of the enemy's", (readable(p.fd, 1), p.recv()), (True, b"x" * 60))
for _ in range(5):
    f.data.send(b"x")
got = [p.recv() for _ in range(8)]
ok("kicks for nothing do not keep the descriptor readable",
   got == [-errno.EAGAIN] * 8 and not readable(p.fd, 0), got)
f.put(b"y" * 60)
ok("and a frame after them is asked for", f.words[OUT + CONSUMER_WAITS] == 1)
f.words[OUT + CONSUMER_WAITS] = 0
f.data.send(b"x")
is_("and arrives", (readable(p.fd, 1), p.recv()), (True, b"y" * 60))

# The wish is taken, but the kick comes when nobody waits for it any more.
f.put(b"z" * 60)
f.words[OUT + CONSUMER_WAITS] = 0
is_("a frame whose kick is late", p.recv(), b"z" * 60)
f.data.send(b"x")
got = [p.recv() for _ in range(3)]
ok("the kick is no alarm for ever", not readable(p.fd, 0), got)
os.set_blocking(p.fd, True)
f.data.send(b"x")
p.conn.send(b"junk")
t = later(p.recv)
before_ = cpu_seconds(os.getpid())
t.join(0.3)
ok("a kick for nothing and junk on the connection keep nobody busy",
   t.is_alive() and cpu_seconds(os.getpid()) - before_ < 0.15,
   "%.2f s" % (cpu_seconds(os.getpid()) - before_))
p.conn.shutdown(socket.SHUT_RDWR)
ok("until the enemy goes", ended(t) in GONE)
part(p)

bad = {
    "a tail in the future": lambda f: f.words.__setitem__(OUT + TAIL, 70000),
    "a tail in the past": lambda f: f.words.__setitem__(OUT + TAIL, MASK - 15),
    "half a record": lambda f: f.words.__setitem__(OUT + TAIL, 8),
    "a record that is too long": lambda f: f.put(b"x" * 20000),
    "one of 2^32 - 2 bytes": lambda f: f.put(b"x" * 2000, MASK - 1),
    "one of 2^32 - 16 bytes": lambda f: f.put(b"x" * 2000, MASK - 15),
    "one of 2^32 - 1 bytes": lambda f: f.put(b"x" * 60, MASK),
}
wrong = {}
for what, breaks in bad.items():
    p, f = joined()
    breaks(f)
    got = [p.recv() for _ in range(3)]
    if got != [-errno.EPROTO] * 3:
        wrong[what] = got
    part(p)
is_("rings that break the rules are an error: %s" % ", ".join(bad), wrong, {})
p, f = joined()
f.words[HEAD] = 0x40000000
got = set(p.send(b"x" * 1514) for _ in range(100))
is_("so is a head in the future", got, {1514, -errno.EPROTO})
part(p)


def scribbles(f):
    g = random.Random(3)
    while True:
        for _ in range(20):
            f.mem[g.randrange(512)] = g.getrandbits(8)
        for w in (OUT + TAIL, HEAD):
            if g.random() < 0.5:
                f.words[w] = 16 * g.randrange(99)
        at = DATA + g.randrange(2 * f.size - 64)
        f.mem[at:at + 64] = g.randbytes(64)
        try:
            f.data.send(b"x", socket.MSG_DONTWAIT)
            f.data.recv(9999, socket.MSG_DONTWAIT)
        except OSError:
            pass


codes = set()
for i in range(6):
    p, f = joined()
    pid = child(scribbles, f)
    end = time.monotonic() + 0.15
    while time.monotonic() < end:
        n = p.recv()
        codes.add(len(n) if isinstance(n, bytes) else n)
        n = p.send(b"x" * 1514)
        codes.add(n)
    reap(pid)
    part(p)
lengths = {n for n in codes if n >= 0}
ok("a ring that changes all the time does no harm", max(lengths) <= 9234 and
   codes - lengths <= {-errno.EAGAIN, -errno.EPROTO, *GONE}, codes)
is_("no descriptor is left over", fds(), before)
done()
