#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""74-guard-strangers.py - a port that invents a million addresses, and one that
claims those of all others, without guards and with each: who talks goes on
talking, nobody's entry is lost, nobody hears what is for others."""
import random

from ringclient import *

MILLION = 1000000
STATIONS = 200
ASAN = "address" in BUILD
FLOOD = MILLION // 10 if ASAN else MILLION
LESS = FLOOD // 3
sw = Switch("-n", "32")
rnd = random.Random(5)

# --- who is there ---------------------------------------------------------

talker, home, third, bad, sink = [Ring(sw.dir, size=1 << 20)
                                  for _ in range(5)]
stations = [mac(0x500000 + i) for i in range(STATIONS)]
ME = mac(0x600000)
SINK = mac(0x700000)  # what floods are for; it does not read


def blast(n, addresses=None):
    """Sends n frames to SINK, the source of each random or one of these; in
    pieces that are made at once, so that the switch is what is slow."""
    k = 512
    unit = record(60) + frame(SINK, ME) + bytes(4)
    piece = bytearray(unit * k)
    if addresses:
        for i in range(k):
            at = 80 * i + 22
            piece[at:at + 6] = addresses[i % len(addresses)]
    unicast = bytes(x & 0xfe for x in range(256))
    while n > 0:
        if not addresses:
            for j in range(6):
                r = os.urandom(k)
                piece[22 + j::80] = r.translate(unicast) if j == 0 else r
        while bad.size - ((bad.tail - bad.words[HEAD]) & MASK) < len(piece):
            bad.kick()
            select.select([], [], [], 0.0002)
        bad.write(bad.tail, piece)
        bad.tail = (bad.tail + len(piece)) & MASK
        bad.publish()
        n -= k


class Flood:
    """blast() in the background, in a process of its own."""

    def __init__(self, *args):
        self.before = sw.port(bad.port)["in"]["packets"]
        self.begin = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            try:
                blast(*args)
                os._exit(0)
            finally:
                os._exit(1)
        self.over = False

    def goes_on(self):
        if not self.over:
            self.over = gone(self.pid)
        return not self.over

    def end(self):
        """Frames that came in, and seconds."""
        status = os.waitpid(self.pid, 0)[1]
        until(lambda: bad.words[HEAD] == bad.words[TAIL])
        bad.tail = bad.words[TAIL]
        seconds = time.monotonic() - self.begin
        assert not status
        return sw.port(bad.port)["in"]["packets"] - self.before, seconds


def resident_kb():
    with open("/proc/%d/status" % sw.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def at_home():
    """How many stations are known where they are."""
    return len([e for e in sw.console.json("guard/print %d" % home.port)
                ["ports"][0]["entries"]
                if e["mac"].startswith("02:00:00:50:")])


def talk():
    """To each station once; how many did not get it, and what third heard."""
    said = [frame(a, ME, b"to %d" % i) for i, a in enumerate(stations)]
    home.pending()
    talker.send(*said)
    lost = len(said)
    end = time.monotonic() + DEADLINE
    while lost and time.monotonic() < end:
        f = home.recv(1)
        lost -= f in said
    return lost, len([f for f in third.pending() if f[6:12] == ME])


def during(*args):
    """A flood while the others talk: frames that came in, frames per second,
    what was lost, what was overheard."""
    lost = heard = rounds = 0
    flood = Flood(*args)
    while flood.goes_on() or not rounds:
        a, b = talk()
        lost, heard, rounds = lost + a, heard + b, rounds + 1
    n, seconds = flood.end()
    note("%d frames in %.1f s, %d rounds of talk; %s; %s; %d kB" % (
        n, seconds, rounds, pair, rings, resident_kb()))
    return n, lost, heard


def nothing_happened(sentence, wanted, *args):
    n, lost, heard = during(*args)
    is_(sentence + ": no talk is lost or overheard", (lost, heard), (0, 0))
    ok("all of it was taken", n >= wanted, n)
    is_("every station is known where it is", at_home(),
        STATIONS)
    ok("the ping-pongs go on", pair.goes_on() and rings.goes_on(),
       "%s\n%s" % (pair, rings))


# --- a million addresses --------------------------------------------------

home.send(*[frame(BROADCAST, a) for a in stations])
talker.send(frame(BROADCAST, ME))
sink.send(frame(BROADCAST, SINK))
sw.sync()
for c in home, talker, third:
    c.pending()
pair, rings = Pair(sw), RingPair(sw)
nothing_happened("%d random sources, no guard" % FLOOD, FLOOD, FLOOD)
known = sw.console.json("hash/showinfo")
ok("the table is bounded", known["size"] <= 262144 and
   known["entries"] > (50000 if ASAN else 100000), known)
ok("and so is memory", ASAN or resident_kb() < 48 * 1024,
   "%d kB" % resident_kb())

sw.do("guard/maxaddr %d 8" % bad.port, "port/resetcounter %d" % bad.port)
is_("a limit now: the rest is forgotten",
    sw.console.json("hash/showinfo")["entries"] <= STATIONS + 8 + 6, True)
nothing_happened("a third of that, with at most 8 addresses", LESS, LESS)
d = sw.drops(bad.port)
ok("all but those of 8 were dropped", d["address_limit"] >= LESS, d)
ok("what cannot be many is not many",
   sw.port(bad.port)["guard"]["addresses"] <= 8)

sw.do("guard/maxaddr %d 0" % bad.port, "guard/sticky %d 1" % bad.port)
nothing_happened("a third of that, with sticky addresses", LESS, LESS)
is_("no more than 1024 stuck", sw.port(bad.port)["guard"]["addresses"], 1024)
sw.do("guard/sticky %d 0" % bad.port, "guard/forget %d" % bad.port,
      "guard/maxaddr %d 1" % bad.port, "guard/maxaddr %d 0" % bad.port)

# --- limits that change meanwhile -----------------------------------------

lost = heard = changes = 0
while changes < 60:
    flood = Flood(LESS)
    while flood.goes_on():
        sw.do("guard/" + rnd.choice([
            "maxaddr {0} {1}", "sticky {0} {2}", "rate {0} {1} 0",
            "rate {0} 0 {3}", "rate {0} 0 0", "storm {0} unknown {1} {3}",
            "storm {0} broadcast 0 {3}", "isolate {0} {2}", "forget {0}",
            "source {0} off", "maxaddr {0} 0"]).format(
                bad.port, rnd.randrange(3000), rnd.randrange(2),
                rnd.randrange(10 ** 8)))
        a, b = talk()
        lost, heard, changes = lost + a, heard + b, changes + 1
    flood.end()
is_("guards set and unset in floods: no talk is lost or overheard",
    (lost, heard), (0, 0))
is_("every station is known where it is", at_home(), STATIONS)
p = bad.port
sw.do("guard/sticky %d 0" % p, "guard/forget %d" % p, "guard/rate %d 0 0" % p,
      "guard/storm %d unknown 0 0" % p, "guard/storm %d broadcast 0 0" % p,
      "guard/isolate %d 0" % p, "guard/maxaddr %d 1" % p,
      "guard/maxaddr %d 0" % p)

# --- everybody's address --------------------------------------------------

all_of_them = stations + [ME, mac(0xaa0000 + pair._n), mac(0xbb0000 + pair._n),
                          mac(0xaa0000 + rings._n), mac(0xbb0000 + rings._n)]


def speak():
    """Each station says something: it keeps its address."""
    home.send(*[frame(ME, x) for x in stations])
    talker.pending()


def claim(seconds):
    """What was lost and overheard while all addresses were claimed."""
    lost = heard = 0
    speak()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        flood = Flood(50000, all_of_them)
        while flood.goes_on():
            speak()
            a, b = talk()
            lost, heard = lost + a, heard + b
        flood.end()
    return lost, heard


lines = len(sw.log().splitlines())
is_("all addresses claimed, no guard: who talks loses nothing",
    (claim(4), pair.goes_on(), rings.goes_on()), ((0, 0), True, True))
is_("every station is known where it is", at_home(), STATIONS)
grown = len(sw.log().splitlines()) - lines
ok("and the log does not overflow", 0 < grown <= 30, grown)

sw.do("hash/setminper 0", "guard/sticky %d 1" % home.port,
      "port/resetcounter")
lines = len(sw.log().splitlines())
lost = heard = 0
flood = Flood(FLOOD // 10, stations)
while flood.goes_on():  # the stations themselves are silent
    a, b = talk()
    lost, heard = lost + a, heard + b
n, _ = flood.end()
is_("with sticky addresses the silent ones lose nothing either",
    (lost, heard, at_home()), (0, 0, STATIONS))
is_("each try is counted", sw.drops(bad.port), {"address_violation": n})
grown = len(sw.log().splitlines()) - lines
ok("and the log does not overflow", 0 < grown <= 30, grown)

pair.stop()
rings.stop()
is_("nothing was lost all the time", (pair.lost, rings.lost), (0, 0))
is_("it ends as it should", sw.stop(), 0)
done()
