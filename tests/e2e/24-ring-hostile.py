#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""24-ring-hostile.py - ring clients that break the rules on purpose: indices,
lengths, records, flags, kicks, sockets, requests. Two ports, one of them with
rings, play ping-pong all the time and lose nothing; at the end the switch is
idle and has nothing left over."""
import random

from ringclient import *

rnd = random.Random(11)
sw = Switch("-n", "64")
sw.do("vlan/create 7")
pair = RingPair(sw, vlan=7)
loud = sw.plug()


def fds():
    return len(os.listdir("/proc/%d/fd" % sw.pid))


at_start = fds()


def unharmed(sentence, extra=True):
    """Everybody else has not noticed."""
    answers = sw.console.cmd("port/showinfo")[0] == 0
    ok(sentence, sw.alive() and answers and pair.goes_on() and extra,
       lambda: "%s, %s\n%s" % (extra, pair, sw.log()[-2000:]))


def broken(sentence, breaks, **kw):
    """What @breaks does to a ring gets it unplugged, with its descriptors."""
    r = Ring(sw.dir, **kw)
    breaks(r)
    try:
        r.kick()
    except OSError:
        pass
    gone_ = r.hung_up()
    r.close()
    ok(sentence, gone_ and sw.alive())


# --- indices and lengths ------------------------------------------------------

def tail(value):
    def breaks(r):
        r.words[TAIL] = value
    return breaks


for value in (1, 8, 15, 65536 + 16, 0x7fffffff, 0x80000000, 0xfffffff0, MASK):
    broken("a tail of %#x: unplugged" % value, tail(value))


def backwards(r):
    r.send(*[frame(mac(1), mac(2), size=1000)] * 4)
    until(lambda: r.words[HEAD] == r.tail)
    r.words[TAIL] = r.tail - 64


broken("a tail that goes back: unplugged", backwards)


def length(value, published=4096):
    def breaks(r):
        r.write(0, record(value))
        r.words[TAIL] = published
    return breaks


for value in (9235, 65520, 65521, 65536, 0x7fffffff, 0x80000000, 0xffffffef,
              0xfffffff0, 0xfffffff1, 0xfffffffe):
    broken("a record of %#x bytes: unplugged" % value, length(value))
broken("one longer than what is published: unplugged", length(1000, 1008))


def starts(value):
    def fn(r):
        r.mem[DATA:DATA + r.size] = b"\xff" * r.size
        r.words[START] = value
        r.words[TAIL] = 64
    return fn


for value in (1, 16, 65535, 65536, 0x80000000, 0xffffffff):
    broken("a start of %#x, where no record is: unplugged" % value,
           starts(value))


def head(value):
    def breaks(r):
        r.words[OUT + HEAD] = value
        for _ in range(200):
            loud.send(frame(BROADCAST, mac(3), size=1500))
    return breaks


for value in (0x40000000, 0x7fffffff, 0x80000000, MASK - 70000):
    broken("a head of %#x: unplugged" % value, head(value))
for i in range(30):  # unaligned, within what was sent: its own affair
    r = Ring(sw.dir)
    r.words[OUT + HEAD] = rnd.randrange(64)
    r.put(frame(mac(1), mac(2)))
    r.words[HEAD] = rnd.getrandbits(32)  # theirs to write, and never read
    r.publish()
    loud.send(frame(BROADCAST, mac(3), size=1500))
    r.close()
unharmed("heads that are odd")

# A broken ring stays so, however many good frames follow in it.
def floods_on(r):
    r.words[OUT + HEAD] = 0x40000000
    for _ in range(200):
        loud.send(frame(BROADCAST, mac(3), size=1500))
    end = time.monotonic() + 5
    r.ctl.setblocking(False)
    while time.monotonic() < end:
        while r.put(frame(mac(1), mac(2))):
            pass
        r.publish()
        if r.hung_up(0):
            break
    r.ctl.setblocking(True)


def quickly_broken(r):
    begin = time.monotonic()
    pid = child(floods_on, r)
    gone_ = r.hung_up(3)
    ok("one that goes on sending is unplugged, too", gone_,
       "%.1f s" % (time.monotonic() - begin))
    reap(pid)


r = Ring(sw.dir)
quickly_broken(r)
r.close()
unharmed("nobody lost a frame by all that")

# --- anything at any time -----------------------------------------------------

def scribbles(seed, full, seconds=0.5):
    """Rings whose words and bytes are random, or just wrong by a little."""
    g = random.Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            r = Ring(sw.dir)
        except Refused:
            continue
        base = 0
        for _ in range(g.randrange(1, 60)):
            w = g.choice((TAIL, HEAD, CONSUMER_WAITS, PRODUCER_WAITS)) + \
                g.choice((0, OUT))
            if full:
                r.words[w] = g.choice((g.getrandbits(32), g.randrange(99)))
                r.mem[DATA:DATA + 4096] = g.randbytes(4096)
            else:
                n = need_(g.randrange(2000))
                r.write(base, record(max(0, n - g.randrange(60)),
                                     *[g.getrandbits(8)] * 4))
                base += n
                r.words[TAIL] = base
                r.words[w] = (r.words[w] + 16 * g.randrange(-1, 2)) & MASK
            r.kick()
        r.close()


pids = [child(scribbles, n, n % 2) for n in range(4)]
until(lambda: all(gone(p) for p in pids))
is_("words and bytes that are random: nobody stumbles",
    [reap(p) for p in pids], [0] * 4)
unharmed("nor loses a frame")

r = Ring(sw.dir)
c = sw.plug()


def flips(r, frames):
    """Good records whose bytes, headers too, change all the time."""
    for i in range(32):
        r.put(frame(mac(0xc), mac(0xf), size=512 - 16))
    while True:
        r.words[TAIL] = (r.words[HEAD] // 512 * 512 + 16384) & MASK
        for i in range(32):
            r.mem[DATA + 16 + 512 * i + 14:DATA + 512 * i + 512] = \
                bytes([rnd.getrandbits(8)]) * 482
        if frames:
            r.write(512 * rnd.randrange(128), rnd.choice(
                (record(496), record(30), record(0), record(20000))))


def filled(r):
    """A ring full of records of 512 bytes, for ever."""
    f = record(496) + frame(mac(0xc), mac(0xf), size=496)
    r.mem[DATA:DATA + r.size] = f * (r.size // len(f))


c.send(frame(BROADCAST, mac(0xc)))
filled(r)
pid = child(flips, r, False)
got, seconds = set(), time.monotonic() + 1
while time.monotonic() < seconds:
    r.kick()
    for f in c.pending():
        if f[:12] == mac(0xc) + mac(0xf):
            got.add(len(f))
reap(pid)
is_("frames that change while they are read keep their length", got, {496})
r.close()
for i in range(5):
    r = Ring(sw.dir)
    filled(r)
    pid = child(flips, r, True)
    r.kick()
    r.hung_up(0.2)
    reap(pid)
    r.close()
c.close()
unharmed("records that change while they are read")

# --- kicks --------------------------------------------------------------------

def kicks(r):
    while True:
        r.kick()


def toggles(r):
    while True:
        for w in (CONSUMER_WAITS, PRODUCER_WAITS, OUT + CONSUMER_WAITS,
                  OUT + PRODUCER_WAITS):
            r.words[w] ^= 1
        r.kick()


def wants_all(r):
    """Says it sleeps though there are frames, and frees none."""
    loud.send(*[frame(BROADCAST, mac(3), size=1000)] * 20)
    while True:
        r.words[OUT + CONSUMER_WAITS] = 1
        r.words[PRODUCER_WAITS] = 1
        r.kick()


def reads_counter(r):
    while True:
        r.kick()
        os.read(r.fds[KICK], 8)


for what, fn in (("kicks without end", kicks), ("flags that toggle", toggles),
                 ("wishes for what is there", wants_all),
                 ("a counter that is read by the client", reads_counter)):
    r = Ring(sw.dir)
    pair.times.clear()
    pid = child(fn, r)
    until(lambda: len(pair.times) > 100)
    reap(pid)
    unharmed(what, pair.p99() < 0.5)
    r.close()

r = Ring(sw.dir)
os.set_blocking(r.fds[KICK], True)
os.write(r.fds[KICK], struct.pack("=Q", MASK << 32 | 0xfffffffe))
loud.send(*[frame(BROADCAST, mac(3), size=1000)] * 20)
unharmed("an eventfd whose counter is full and which may block")
r.close()

for what, fn in (
        ("never read", lambda r: None),
        ("stopped up", lambda r: [r.stop_up() for _ in range(99)]),
        ("shut down", lambda r: r.data.shutdown(socket.SHUT_RDWR)),
        ("closed", lambda r: r.data.close())):
    r = Ring(sw.dir)
    fn(r)
    for i in range(300):
        r.words[OUT + CONSUMER_WAITS] = 1
        r.words[PRODUCER_WAITS] = 1
        loud.send(frame(BROADCAST, mac(3), size=1000))
        while r.put(frame(mac(1), mac(2))):
            pass
        r.publish()
    unharmed("a data socket that is " + what)
    if r.data.fileno() < 0:
        r.fds = r.fds[:2]
        r.words.release()
        r.words = None
    r.close()

# --- descriptors --------------------------------------------------------------

r = Ring(sw.dir)
denied = 0
for fn in (lambda: os.ftruncate(r.fds[MEMORY], 0),
           lambda: os.ftruncate(r.fds[MEMORY], 1 << 30),
           lambda: os.fchmod(r.fds[MEMORY], 0) or 1 / 0,
           lambda: __import__("fcntl").fcntl(r.fds[MEMORY], 1033, 8)):
    try:
        fn()
    except (OSError, ZeroDivisionError):
        denied += 1
is_("the memory cannot be resized, nor sealed", denied, 4)
fallocate = __import__("ctypes").CDLL(None, use_errno=True).fallocate
fallocate.argtypes = [__import__("ctypes").c_int] * 2 + \
    [__import__("ctypes").c_long] * 2
for i in range(50):
    fallocate(r.fds[MEMORY], 3, 0, DATA + 2 * r.size)  # punch a hole
    loud.send(frame(BROADCAST, mac(3), size=1000))
    r.words[TAIL] = r.tail = (r.words[HEAD] + 4096) & MASK
    r.kick()
unharmed("a memory file with holes")
r.close()

# A client's own end of the connection, sent to where nobody reads it, would
# keep the port taken when the client is long gone.
r = Ring(sw.dir)
stuck = []
for s in (r.data, r.data, r.ctl):
    try:
        socket.send_fds(s, [b"x"], [r.ctl.fileno()], socket.MSG_DONTWAIT)
    except OSError:
        stuck.append(s)
port = r.port
r.close()
del r, s, stuck
ok("a client cannot hide its connection in its own sockets", until(
    lambda: sw.console.json("port/allprint %d" % port)["ports"][0]["active"]
    is False, 3))

r = Ring(sw.dir)
keeps = [os.dup(fd) for fd in r.fds]
port = r.port
r.close()
ok("who keeps descriptors loses the port all the same", until(
    lambda: not sw.port(port)["active"]))
os.write(keeps[KICK], struct.pack("=Q", 1))
unharmed("and what is written to them reaches nobody")
for fd in keeps:
    os.close(fd)

r = Ring(sw.dir)
a, b = socket.socketpair()
socket.send_fds(a, [b"x"], [r.ctl.fileno(), *r.fds])
_, passed, _, _ = socket.recv_fds(b, 1, 5)
r.close()
ok("passed on, it is the same port as before", sw.port(port)["active"])
for fd in passed:
    os.close(fd)
ok("until all have closed it", until(lambda: not sw.port(port)["active"]))
a.close()
b.close()

# --- requests -----------------------------------------------------------------

for size, want in ((0, 1 << 20), (1, 65536), (65537, 131072),
                   (MASK, 8 << 20), (1 << 31, 8 << 20), (8 << 20, 8 << 20)):
    r = Ring(sw.dir, size=size)
    is_("who asks for rings of %d bytes" % size, r.size, want)
    r.close()
for fields in ({"max_len": 1}, {"max_len": MASK}, {"caps": MASK},
               {"descr": bytes(range(1, 135))}, {"descr": b"x" * 134}):
    r = Ring(sw.dir, **fields)
    ok("a request with %s" % [*fields][0], r.status == 0 and
       60 <= r.max_len <= r.size - 16, r.answer)
    loud.send(frame(BROADCAST, mac(3), size=9000), frame(BROADCAST, mac(3)))
    r.close()
for what, request in (("magic", request_v4(magic=1)),
                      ("version", request_v4(version=5)),
                      ("version", request_v4(version=MASK)),
                      ("type", request_v4(type_=2)),
                      ("type", request_v4(type_=255))):
    try:
        Ring(sw.dir, request=request).close()
        answered = True
    except Refused:
        answered = False
    is_("an unknown %s is refused" % what, answered, False)
r = Ring(sw.dir, port=65)
is_("a port that cannot be: a status and a reason", (r.status, r.reason),
    (errno.EINVAL, "no such port number"))
is_("and no descriptors", r.fds, [])
r.close()
r = Ring(sw.dir, request=request_v4() + b"x" * 2000)
ok("bytes too many are no harm", r.status == 0)
r.ctl.settimeout(1)
try:
    for _ in range(100):
        r.ctl.send(b"junk" * 1000)
except OSError:
    pass
ok("nor what is written to the connection later", not r.hung_up(0.05))
r.close()
short = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
short.connect(sw.dir + "/ctl")
short.send(request_v4()[:31])
short.shutdown(socket.SHUT_WR)
short.settimeout(DEADLINE)
is_("a request that ends early is hung up on", short.recv(1), b"")
short.close()
slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
slow.connect(sw.dir + "/ctl")
for b in request_v4():
    slow.send(bytes([b]))
slow.settimeout(DEADLINE)
ok("one that comes byte for byte is answered", len(slow.recv(200)) == 128)
slow.close()
unharmed("nobody has noticed any of these")

# --- afterwards ---------------------------------------------------------------

pair.stop()
note(pair)
loud.close()
ok("no descriptor is left over", until(lambda: fds() <= at_start - 7),
   lambda: "%d of %d" % (fds(), at_start))
sw.sync()
before = cpu_seconds(sw.pid)
select.select([], [], [], 0.5)
is_("the switch is idle", cpu_seconds(sw.pid) - before, 0)
ok("what peers do does not fill the log", sw.log().count("\n") < 100)
is_("the switch ends well", sw.stop(), 0)
done()
