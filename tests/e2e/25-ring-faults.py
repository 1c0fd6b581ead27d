#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""25-ring-faults.py - ring clients that die, stop or are too many, a system
that has no more descriptors or memory to give, and what rings cost that are
not used. Two other ports go on all the time and lose nothing."""
import random

from ringclient import *

ASAN = "address" in BUILD
rnd = random.Random(5)
sw = Switch("-n", "1100")
sw.do("vlan/create 7")
pair = RingPair(sw, vlan=7)


def fds(of=None):
    return len(os.listdir("/proc/%d/fd" % (of or sw).pid))


def status(key, of=None):
    with open("/proc/%d/status" % (of or sw).pid) as f:
        return int(re.search(key + r":\s+(\d+)", f.read())[1])


def unharmed(sentence, extra=True):
    ok(sentence, sw.alive() and pair.goes_on() and extra,
       lambda: "%s, %s\n%s" % (extra, pair, sw.log()[-2000:]))


def active(n, of=None):
    return (of or sw).port(n)["active"]


# --- killed -------------------------------------------------------------------

def told(fn, *args):
    """Runs fn(tell, ...) in a process; its pid and what it tells first."""
    r, w = os.pipe()
    pid = child(fn, lambda text: os.write(w, text.encode()), *args)
    os.close(w)
    got = os.read(r, 99).decode()
    os.close(r)
    return pid, got


def numbered(i, size):
    return frame(mac(0xee), mac(0xdd), struct.pack(">I", i), size=size)


def half_written(tell):
    r = Ring(sw.dir, 20)
    r.send(*[numbered(i, 200) for i in range(5)])
    r.write(r.tail, record(300) + bytes(100))
    tell("x")
    signal.pause()


def published_short(tell):
    r = Ring(sw.dir, 20)
    r.write(r.tail, record(300) + bytes(100))
    r.words[TAIL] = 100
    tell("x")
    signal.pause()


def unnoticed(tell):
    r = Ring(sw.dir, 20)
    os.kill(sw.pid, signal.SIGSTOP)
    r.send(*[numbered(i, 200) for i in range(200)])
    tell("x")
    signal.pause()


watcher = sw.plug()
watcher.send(frame(BROADCAST, mac(0xee)))
before = fds()


def arrived():
    """The numbers that the watcher has got, in order of arrival."""
    return [struct.unpack(">I", f[14:18])[0] for f in watcher.pending()
            if f[6:12] == mac(0xdd)]


def killed(sentence, fn, want):
    pid, _ = told(fn)
    reap(pid)
    os.kill(sw.pid, signal.SIGCONT)
    left = until(lambda: not active(20) and fds() == before)
    sw.sync()
    got = arrived()
    ok(sentence, left and got == want and sw.alive(), "%s %s" % (left, got))


killed("killed with a record half written: what it had sent arrives",
       half_written, [*range(5)])
killed("killed with an index in the middle of a record", published_short, [])


class Deep(Ring):
    """Releases each frame with the next one only: a ring that never runs empty
    is never started anew, so that all of it is room."""

    def take(self):
        last = self.head
        f = super().take()
        if f is not None:
            self.words[OUT + HEAD] = last
        return f


# Datagrams would be too few for what comes at once.
watcher.close()
until(lambda: fds() == before - 2)
watcher = Deep(sw.dir, size=8 << 20)
watcher.send(frame(BROADCAST, mac(0xee)))
before = fds()
killed("killed before the switch has looked: all that it had sent arrives",
       unnoticed, [*range(200)])


def sends_on(tell, size):
    r = Ring(sw.dir, 20)
    tell("x")
    i = 0
    while True:
        r.send(*[numbered(i + k, size) for k in range(5)])
        i += 5


odd, total = [], 0
for _ in range(20):
    pid, _ = told(sends_on, rnd.choice((60, 700, 1514)))
    select.select([], [], [], rnd.random() / 50)
    reap(pid)
    until(lambda: not active(20))
    sw.sync()
    got = arrived()
    total += len(got)
    if got != [*range(len(got))]:
        odd.append(got)
is_("killed at any time: what arrives has no gaps", odd, [])
note("%d frames" % total)
unharmed("the others have noticed nothing")

# --- stopped ------------------------------------------------------------------

def reader(tell):
    r = Ring(sw.dir, 30)
    r.send(frame(BROADCAST, mac(0x30)))
    tell("x")
    n = 0
    while True:
        if r.recv(1):
            n += 1


def send_many(n, f, c):
    while n:
        try:
            c.data.send(f, socket.MSG_DONTWAIT)
            n -= 1
        except BlockingIOError:
            select.select([], [c.data], [], 0.01)


talker = sw.plug(31)
talker.send(frame(BROADCAST, mac(0x31)))
pid, _ = told(reader)
until(lambda: sw.console.cmd("hash/find " + mac_str(mac(0x30)))[0] == 0)
os.kill(pid, signal.SIGSTOP)
sw.do("port/resetcounter 30")
to_30 = frame(mac(0x30), mac(0x31), size=1500)
pair.times.clear()
send_many(2000, to_30, talker)
until(lambda: sw.port(30)["out"]["packets"] == 2000)
unharmed("a stopped client with a full ring holds nobody up", pair.p99() < 0.5)
lost = sw.drops(30).get("queue_full", 0)
queued = sw.port(30)["endpoints"][0]["queued"]
ok("what its queue does not hold is dropped and counted",
   queued == 128 and 1700 < lost < 1872, "%d, %d queued" % (lost, queued))
os.kill(pid, signal.SIGCONT)
ok("when it goes on, its queue is delivered", until(
    lambda: sw.port(30)["endpoints"][0]["queued"] == 0))
is_("and nothing more is lost", sw.drops(30).get("queue_full", 0), lost)
sw.do("port/resetcounter 30")
send_many(100, to_30, talker)
ok("it gets frames again", until(
    lambda: sw.port(30)["out"]["packets"] == 100 and
    sw.port(30)["endpoints"][0]["queued"] == 0) and not sw.drops(30),
   lambda: sw.port(30))
os.kill(pid, signal.SIGSTOP)
send_many(500, to_30, talker)
reap(pid)
ok("killed while it is stopped: its port is free", until(
    lambda: not active(30)))
unharmed("the others go on")
talker.close()

# --- old and new --------------------------------------------------------------

new, old, other = Ring(sw.dir, 40), sw.plug(40), Ring(sw.dir, 41)
f = frame(BROADCAST, mac(0x41), b"both", size=60)
other.send(f)
is_("rings and datagrams on one port: one gets it", new.recv(), f)
is_("and so does the other", old.recv(), f)
new.send(frame(mac(0x41), mac(0x40)))
old.send(frame(mac(0x41), mac(0x40), b"old"))
is_("and both send", sorted([other.recv(), other.recv()]),
    sorted([frame(mac(0x41), mac(0x40)), frame(mac(0x41), mac(0x40),
                                               b"old")]))
new.close()
until(lambda: len(sw.port(40)["endpoints"]) == 1)
other.send(frame(mac(0x40), mac(0x41)))
is_("the port stays when one of them leaves", old.recv(),
    frame(mac(0x40), mac(0x41)))
old.close()
sw.do("port/rings 41 0")
ok("a port that is denied rings keeps the client it has",
   other.send(f) is None and not other.hung_up(0.05))
other.close()
until(lambda: not active(41))
other = Ring(sw.dir, 41)
is_("but takes no new one", (other.status, other.fds), (errno.EOPNOTSUPP, []))
other.close()
sw.do("port/rings 41 1")
other = Ring(sw.dir, 41)
is_("until they are allowed again", other.status, 0)
other.close()
none = Switch("--norings", "-x")
r = Ring(none.dir)
is_("a switch without rings says so", r.status, errno.EOPNOTSUPP)
r.close()
none.stop()
hub = Switch("-x")
a, b, c = Ring(hub.dir), Ring(hub.dir), hub.plug()
f = frame(mac(1), mac(2), b"hub", tci=99)
a.send(f)
is_("a hub: another ring gets every frame", b.recv(), f)
is_("and a datagram client", c.recv(), f)
ok("the sender does not", hub.sync() is None and not a.pending())
for x in (a, b, c):
    x.close()
hub.stop()

# --- many, and for how much ---------------------------------------------------

watcher.close()
ok("a client costs three descriptors", until(lambda: fds() == before - 3),
   lambda: fds() - before)
before = fds()
for i in range(300):
    Ring(sw.dir).close()
until(lambda: fds() == before)
rss = status("VmRSS")
for i in range(1000):
    r = Ring(sw.dir)
    r.send(frame(BROADCAST, mac(1), size=1500))
    r.close()
ok("1000 that come and go: no descriptor is left",
   until(lambda: fds() == before), lambda: fds())
grown = status("VmRSS") - rss
ok("and no memory", ASAN or grown < 500, "%d kB" % grown)

rss = status("VmRSS")
many = [Ring(sw.dir) for _ in range(1000)]
is_("1000 at a time", sum(r.status == 0 for r in many), 1000)
a, b = many[0], many[-1]
b.send(frame(BROADCAST, mac(0xb)))
f = frame(mac(0xb), mac(0xa), b"there")
is_("a broadcast reaches them all", sum(
    r.recv() is not None for r in many[:-1]), 999)
a.send(f)
is_("a frame finds its way", b.recv(), f)
unharmed("the others go on", pair.p99() < 0.5)
grown = status("VmRSS") - rss
ok("less than 24 kB each", ASAN or grown < 24000, "%d kB" % grown)
for r in many:
    r.close()
ok("they leave nothing", until(lambda: fds() == before), lambda: fds())
unharmed("and nobody has noticed")

greedy = [Ring(sw.dir, size=8 << 20) for _ in range(500)]
sizes = [r.size for r in greedy]
ok("who asks for much gets less and less", sizes[0] == 8 << 20 and
   sizes == sorted(sizes, reverse=True) and 2 * sum(sizes) < 2 << 30,
   lambda: "%d MiB" % (2 * sum(sizes) >> 20))
r = Ring(sw.dir, size=0)
ok("and others get rings all the same", r.status == 0 and r.size >= 65536 and
   pair.goes_on(), r.answer)
r.close()
for r in greedy:
    r.close()
r = Ring(sw.dir, size=8 << 20)
is_("what they had is given back", r.size, 8 << 20)
r.close()
pair.stop()
is_("the switch ends well", sw.stop(), 0)

sw = Switch("-n", "70")
idle = [Ring(sw.dir, size=0) for _ in range(64)]
for r in idle:
    r.pages = os.fstat(r.fds[MEMORY]).st_blocks * 512
ok("an idle ring has less than 64 KiB", max(r.pages for r in idle) < 65536,
   [r.pages for r in idle])
rss = status("VmRSS")
ok("a switch with 64 of them less than 10 MB", ASAN or rss < 10000,
   "%d kB" % rss)
sw.sync()
sw.console.close()
select.select([], [], [], 0.2)
before = status("voluntary_ctxt_switches")
select.select([], [], [], 2)
is_("and it sleeps", status("voluntary_ctxt_switches") - before, 0)
for i in range(3000):
    idle[0].send(frame(BROADCAST, mac(0x99), size=1514))
    if i % 8 == 7:
        until(lambda: idle[0].words[HEAD] == idle[0].tail)
        until(lambda: [r.pending() for r in idle[1:]] and
              idle[-1].head == idle[-1].words[OUT + TAIL])
for r in idle:
    r.pages = os.fstat(r.fds[MEMORY]).st_blocks * 512
ok("rings that are kept up with stay small",
   max(r.pages for r in idle[1:]) < 262144, [r.pages for r in idle])
note("%d kB for a ring after 4.5 MB, %d kB for the switch" % (
    idle[1].pages / 1024, status("VmRSS")))
away = Ring(sw.dir, size=0)
for i in range(60):
    idle[0].send(*[frame(BROADCAST, mac(0x99), size=1514)] * 20)
    [r.pending() for r in idle[1:]]


def sleeps(seconds=1.3):
    n = status("voluntary_ctxt_switches")
    select.select([], [], [], seconds)
    return status("voluntary_ctxt_switches") == n


ok("nor does it wake up for one that does not read", until(sleeps, 8))
size = os.fstat(away.fds[MEMORY]).st_blocks * 512
while until(away.pending, 0.2):
    pass
ok("which gives the memory back when it has read", size > 1 << 20 and until(
    lambda: os.fstat(away.fds[MEMORY]).st_blocks * 512 < 131072),
   lambda: os.fstat(away.fds[MEMORY]).st_blocks * 512)
away.close()
for r in idle:
    r.close()
sw.stop()

# --- limits -------------------------------------------------------------------

def limited(what, n):
    return lambda: resource.setrlimit(what, (n, n))


def falls_back(sentence, sw, n_max=200):
    """Rings as long as the system gives them, then datagrams, then nothing;
    and then all of it is given back."""
    pair = Pair(sw)
    start_ = fds(sw)
    rings, grams, why = [], [], None
    while len(rings) < n_max:
        try:
            r = Ring(sw.dir)
        except Refused:
            why = "hung up"
            break
        if r.status:
            why = r.status
            r.close()
            break
        rings.append(r)
    try:
        while len(grams) < 3:
            grams.append(sw.plug())
    except Refused:
        pass
    ok(sentence, why in (errno.EOPNOTSUPP, "hung up") and grams and
       pair.goes_on(), "%d rings, %s, %d datagrams, %s" % (
           len(rings), why, len(grams), pair))
    note("%d rings, then %s, %d datagrams" % (len(rings), why, len(grams)))
    for c in rings + grams:
        c.close()
    ok("what they had is given back", until(lambda: fds(sw) == start_),
       lambda: "%d, not %d" % (fds(sw), start_))
    r = Ring(sw.dir)
    ok("and others get it", not rings or r.status == 0, r.answer)
    r.close()
    pair.stop()
    is_("the switch ends well", sw.stop(), 0)


falls_back("out of descriptors: datagrams", Switch(
    "-n", "300", preexec_fn=limited(resource.RLIMIT_NOFILE, 60)))
falls_back("no file may be so large: datagrams", Switch(
    preexec_fn=limited(resource.RLIMIT_FSIZE, 100000)))
if ASAN:
    skip_point("no address space: datagrams", "a sanitizer needs all of it")
else:
    sw = Switch("-n", "300")
    Pair(sw).stop()
    resource.prlimit(sw.pid, resource.RLIMIT_AS,
                     (status("VmSize", sw) * 1024 + (8 << 20),) * 2)
    falls_back("no address space: datagrams", sw)

# The kernel counts descriptors on their way for each user, unless it is root.
deaf = []
where = [unique("u") for _ in range(2)]
as_user = {}
if os.getuid() == 0:
    as_user = {"user": 65534, "group": 65534, "extra_groups": []}
    os.chmod(TMP, 0o755)
    for d in where:
        os.mkdir(d)
        os.chown(d, 65534, 65534)
try:
    two = [Switch("-n", "300", directory=d + "/ctl" if as_user else d,
                  mgmt=d + "/mgmt" if as_user else d + ".mgmt",
                  preexec_fn=limited(resource.RLIMIT_NOFILE, 150), **as_user)
           for d in where]
except (NotReady, OSError) as e:
    skip_point("too many descriptors on their way", str(e))
else:
    try:
        for i in range(60):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.connect(two[i % 2].dir + "/ctl")
            s.send(request_v4())
            deaf.append(s)
        sw = two[1]
        before = fds(sw)
        for s in deaf:
            select.select([s], [], [], DEADLINE)
        try:
            r = Ring(sw.dir)
            got = r.status
            r.close()
        except Refused:
            got = "hung up"
        is_("too many descriptors on their way: it hangs up", got, "hung up")
        like("and says why", sw.log(), "unable to answer pid .*Too many ref")
        c = sw.plug()
        ok("and gives datagrams", c.port > 0)
        c.close()
        for s in deaf:
            s.close()
        ok("nothing is left", until(lambda: fds(sw) < 20), lambda: fds(sw))
    finally:
        for x in two:
            is_("the switch ends well", x.stop(), 0)
done()
