#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wirefilter: does it lose, delay, double and hold up what it is asked to?

Bounds are wide: a test of the clock must pass on a busy machine. How exact it
is make bench says, and the unit tests with a clock of their own.
"""
import sys
sys.dont_write_bytecode = True
from wirelib import *

STALL = 2  # the machine may do something else for that long, s


def delays(w, n, pause=0.002, size=100):
    """Of frames that are sent one by one, in ms, in order of arrival."""
    sent, got = {}, []
    reader = threading.Thread(target=lambda: got.extend(
        w.right.recv_at() for _ in range(n)))
    reader.start()
    for i in range(n):
        sent[i] = time.monotonic()
        w.left.send(struct.pack(">I", i) + bytes(size - 4))
        select.select([], [], [], pause)
    reader.join()
    numbers = [struct.unpack(">I", f[:4])[0] for _, f in got if f]
    return [(i, 1000 * (at - sent[i])) for i, (at, _) in zip(numbers, got)]


w = Wire("-d", "LR30", "--seed", "1")
d = delays(w, 50)
ok("no frame is early", min(x for _, x in d) >= 30, d)
ok("and the quickest are exact", sorted(x for _, x in d)[5] < 35, d)


def back():
    begin = time.monotonic()
    w.right.send(b"x")
    return w.left.recv_at()[0] - begin


ok("the other direction has no delay", min(back() for _ in range(9)) < 0.02)
w.stop()

w = Wire("-d", "30+20", "--seed", "2")
d = delays(w, 60)
spread = [x for _, x in d]
ok("a delay may vary", 10 <= min(spread) < max(spread) - 10, d)
is_("and keeps the order", [i for i, _ in d], list(range(60)))
w.stop()
w = Wire("-d", "30+20", "-N", "--seed", "2")
d = delays(w, 60)
is_("unless it need not", sorted(i for i, _ in d), list(range(60)))
ok("some frames overtake others", [i for i, _ in d] != list(range(60)), d)
w.stop()

MANY = 20000
stream = packed(*(struct.pack(">I", n) for n in range(MANY)))
for option, value, low, high in (
        ("-l", "25", 0.73, 0.77), ("-l", "100", 0, 0), ("-D", "50", 1.9, 2.1),
        ("--lossperiod", "4", 0.75, 0.75)):
    w = Wire(option, value, "--seed", "7", both=False)
    n = int(MANY * high) * 6
    got = exchange((w.left, stream, w.right, n), seconds=0.4)[0]
    w.left.close_in()
    n = len(unpacked(got)[0]) + len(w.right.rest())
    ok("%s %s passes %g..%g of them" % (option, value, low, high),
       low <= n / MANY <= high, n / MANY)
    w.wait()

w = Wire("-m", "100", both=False)
w.left.send(*(bytes(n) for n in range(95, 105)))
w.left.close_in()
is_("an MTU of 100 passes 98 bytes, as VDE 2's does",
    [len(f) for f in w.right.rest()], [95, 96, 97, 98])
w.wait()

w = Wire("-n", "2000", "--seed", "3", both=False)
w.left.send(*200 * [bytes(1000)])
w.left.close_in()
got = w.right.rest()
ok("noise flips bits and changes no length",
   {len(f) for f in got} == {1000} and any(any(f) for f in got))
is_("and loses nothing", len(got), 200)
w.wait()

# --- rates -------------------------------------------------------------------


def seconds_for(w, n, size):
    """From the first of @n frames that come out to the last, one more."""
    stream = packed(*(n + 1) * [bytes(size)])
    threading.Thread(target=w.left.write, args=(stream,), daemon=True).start()
    first = left = None
    while left is None or left > 0:
        if not select.select([w.right.rfd], [], [], DEADLINE)[0]:
            return None
        got = len(os.read(w.right.rfd, 1 << 20))
        if not first:
            first, left = time.monotonic(), len(stream)
        left -= got
    return time.monotonic() - first


for option in "-b", "-s":
    w = Wire(option, "100000")
    t = seconds_for(w, 50, 998)
    ok("%s 100000: 50 frames of 1000 bytes with their headers take 0.5 s" %
       option, t is not None and 0.495 <= t < 0.5 + STALL, t)
    w.stop()

for rate, n in ("12500000", 4000), ("125000000", 20000):
    w = Wire("-s", rate)
    t = seconds_for(w, n, 1498)
    due = n * 1500 / int(rate)
    ok("-s %s is that, though wake-ups are late" % rate,
       t is not None and 0.95 * due <= t < due + STALL, (t, due))
    w.stop()

# With a buffer frames are dropped, with speed the writer waits.
w = Wire("-b", "10000", "-c", "2500", both=False)
w.left.send(*6 * [bytes(998)])
w.left.close_in()
is_("a buffer of 2500 bytes holds two frames of 1000", len(w.right.rest()), 2)
w.wait()
w = Wire("-s", "20000", both=False)
n = w.left.write(packed(*1000 * [bytes(998)]), 0.3)
ok("speed holds the writer up", n < 700000, n)
w.stop()

w = Wire("--blackout", "0+500", both=False)
w.left.send(b"dark")
ok("nothing passes in a blackout", w.right.quiet(0.05))
until(lambda: w.left.send(b"light") or w.right.fill(0.01))
is_("and everything behind it", w.right.recv(), b"light")
w.stop()

# --- the same again ----------------------------------------------------------

runs = []
for seed in "11", "11", "12":
    w = Wire("-l", "30", "-D", "10", "--seed", seed, both=False)
    got = exchange((w.left, stream, w.right, 6 * MANY), seconds=0.3)[0]
    w.left.close_in()
    runs.append(unpacked(got)[0] + w.right.rest())
    w.wait()
ok("the same seed loses and doubles the same frames", runs[0] == runs[1])
ok("another one others", runs[0] != runs[2])

w = Wire("-d", "1", "--seed", "4", "--report", both=False)
w.left.send(*100 * [bytes(60)])
w.left.close_in()
w.right.rest()
is_("--report does not change the status", w.wait(), 0)
like("the report says what happened", w.log(), r"frames: in 100, out 100\b")
like("and with which seed", w.log(), r"\bseed 4$")

w = Wire("-d", "1", "--spin-us", "200", both=False)
d = delays(w, 50)
ok("with --spin-us nothing is early either", min(x for _, x in d) >= 1, d)
w.stop()

done()
