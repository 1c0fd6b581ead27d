#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wirefilter: what it writes and reads. Records of decisions, replayed frame
by frame; disks that are full; traces over a pipe, real ones if they are there
(VDE_DATA names their directory); tables and lists from files; bad files, which
change nothing. To the nanosecond the unit tests have it, with a fake clock.
"""
import sys
sys.dont_write_bytecode = True
from collections import namedtuple
from wirelib import *

FIRST = "# vde wirefilter decisions 1\n"
DATA = os.environ.get("VDE_DATA") or ROOT + "/../shared/data"
Decision = namedtuple("Decision", "way number copy time fate delay flips")


def path(name, text=None):
    p = TMP + "/" + name
    if text is not None:
        with open(p, "w") as f:
            f.write(text)
    return p


def content(name):
    with open(name) as f:
        return f.read()


def decisions(name):
    """Of a record, by direction, number and copy."""
    found = {}
    for line in content(name).splitlines():
        f = line.split()
        if f and f[0] in ("LR", "RL"):
            d = Decision(f[0], int(f[1]), int(f[2]), int(f[3]), f[4],
                         int(f[5]), tuple(f[6:]))
            found[d[:3]] = d
    return found


def without_time(found):
    return {k: (d.fate, d.delay, d.flips) for k, d in found.items()}


# --- records ------------------------------------------------------------------

FRAMES = 400
BAD = ("-l", "10", "-D", "20", "-d", "15+10N", "--reorder", "10", "--corrupt",
       "30", "-m", "900", "-n", "LR100", "-N")


def frames_of(tag):
    return [struct.pack(">cI", tag, i) + bytes([i % 251]) * (3 * i % 1000)
            for i in range(FRAMES)]


def pass_all(*options):
    """Frames of both directions through such a wire: its log, and what came
    out on the right and on the left."""
    w = Wire(*options)
    lr, rl = frames_of(b"l"), frames_of(b"r")
    for i in range(0, FRAMES, 20):
        w.left.send(*lr[i:i + 20])
        w.right.send(*rl[i:i + 20])
        select.select([], [], [], 0.002)
    got = [[], []]
    for side, frames in (w.right, got[0]), (w.left, got[1]):
        while (f := side.recv(0.3)) is not None:
            frames.append(f)
    is_("it ends well", w.stop(), 0)
    return w.log(), got


one, two = path("one"), path("two")
log, first = pass_all("--seed", "42", "--record", one, *BAD)
lines = content(one).splitlines()
is_("a record begins with what it is, and the seed", lines[:2],
    [FIRST.strip(), "seed 42"])
is_("and has an end", lines[-1], "end")
made = decisions(one)
is_("each frame of each direction has a fate",
    {(w, n) for w, n, _ in made},
    {(w, n) for w in ("LR", "RL") for n in range(1, FRAMES + 1)})
is_("of the kinds that were asked for", {d.fate for d in made.values()},
    {"pass", "loss", "mtu"})
passed = [d for d in made.values() if d.fate == "pass"]
is_("as many came out as passed", len(first[0]) + len(first[1]), len(passed))
ok("some were doubled, some have flipped bits, some overtook",
   any(d.copy for d in passed) and any(d.flips for d in passed) and
   any(d.delay == 0 for d in passed))
times = [made["LR", n, 0].time for n in range(1, FRAMES + 1)]
ok("times of arrival do not go back", times == sorted(times), times)

log, again = pass_all("--seed", "7", "--replay", one, "--record", two,
                      "-l", "100", "-d", "500")
is_("a replay decides the same, frame by frame, whatever is set",
    without_time(decisions(two)), without_time(made))
for i, way in enumerate(("left to right", "right to left")):
    is_("and from %s the same bytes come out" % way, sorted(again[i]),
        sorted(first[i]))
ok("it does not complain about the record", "the record" not in log, log)

again = path("again")
log, _ = pass_all("--seed", "42", "--record", again, *BAD)
is_("the same seed gives the same record again, but for times",
    without_time(decisions(again)), without_time(made))
log, _ = pass_all("--seed", "43", "--record", again, *BAD)
ok("another seed another one",
   without_time(decisions(again)) != without_time(made))

w = Wire("--replay", path("short", FIRST + "LR 2 0 0 pass 30000000\n"
                          "LR 1 0 0 loss 0\n"
                          "LR 2 1 0 pass 0 5 0 1 0\n"), "-l", "100")
begin = time.monotonic()
w.left.send(b"one", b"two", b"three", b"four")
got = w.right.take(3)
is_("copies come with the bits flipped that are written, others as they are",
    [len(f) for f in got] + got[1:], [3, 5, 4, b"three", b"four"])
ok("exactly one bit", bin(int.from_bytes(got[0], "big") ^
                          int.from_bytes(b"two", "big")).count("1") == 1, got)
at, f = w.right.recv_at()
ok("and the other copy after its delay",
   f == b"two" and at - begin >= 0.03, (f, at - begin))
w.right.send(b"x")
is_("a direction that is not mentioned passes", w.left.recv(), b"x")
ok("frames beyond the record are told once in each direction",
   w.logged("ends at frame 2 from left to right: what follows passes") and
   w.logged("ends at frame 0 from right to left") and
   w.log().count("ends at frame") == 2, w.log())
ok("and that it was cut short", w.logged("was cut short"), w.log())
w.stop()

for text, why in (
        ("", "line 1: is not"), ("LR 1 0 0 pass 0\n", "line 1: is not"),
        (FIRST + "LR 1 0 0 pass 0\nLR 2 0 0 gone 0\n",
         "line 3: 'gone' is no fate"),
        (FIRST + "LR 1 0 0 pass\n", "line 2: there are too few fields"),
        (FIRST + "LR 1 0 0 pass 0\nLR 1 0 0 loss 0\n",
         "line 3: copy 0 of frame LR 1 is there twice")):
    status, log = refused_wire("--replay", path("bad", text))
    ok("refused: " + why,
       status == 1 and "unable to replay '%s/bad': %s" % (TMP, why) in log,
       (status, log))
os.mkfifo(path("fifo"))
for file, why in (TMP, "Is a directory"), (path("fifo"), "not a regular file"),\
        ("/nonexistent", "No such file or directory"):
    for option in "--replay", "--trace":
        status, log = refused_wire(option, file)
        ok("%s: %s" % (option, why),
           status in (1, 2) and "'%s': %s\n" % (file, why) in log,
           (status, log))
status, log = refused_wire("--record", TMP)
ok("a record that cannot be written is refused", status == 1 and
   "unable to record decisions to '%s'" % TMP in log, (status, log))

# --- disks --------------------------------------------------------------------

w = Wire("--record", "/dev/full", "-d", "1")
w.left.send(b"frame")
is_("the wire goes on while the disk is full", w.right.recv(), b"frame")
ok("it says so", w.logged("error: unable to record decisions to '/dev/full': "
                          "No space left on device"), w.log())
w.left.send(b"another")
is_("and on", w.right.recv(), b"another")
is_("it ends well", w.stop(), 0)
is_("and said it once", w.log().count("unable to record"), 1)
w = Wire("--record", "/dev/full", "--strict")
is_("with --strict that is its end", w.wait(), 1)
w.stop()

SMALL = 20000
small = path("small")
w = Wire("--record", small, preexec_fn=lambda: resource.setrlimit(
    resource.RLIMIT_FSIZE, (SMALL, SMALL)))
n = 0
while "unable to record" not in w.log() and n < 20000:
    w.left.send(*100 * [b"frame"])
    n += len(w.right.take(100))
ok("a file that may not grow ends the record", w.logged("File too large"))
is_("and no frame was lost", n % 100, 0)
w.stop()
text = content(small)
ok("the file ends with a whole line, and has no end",
   SMALL - 100 < len(text) <= SMALL and text[-1] == "\n" and
   text.splitlines()[-1].startswith("LR "), text[-80:])
w = Wire("--replay", small)
ok("it can be replayed", w.logged("cut short"), w.log())
w.left.send(b"frame")
is_("as far as it goes", w.right.recv(), b"frame")
w.stop()

killed = path("killed")
w = Wire("--record", killed)
w.left.send(*50 * [b"frame"])
w.right.take(50)
w.proc.kill()
w.stop()
text = until(lambda: content(killed).endswith("\n") and content(killed))
ok("of one that is killed whole lines are there",
   text and text.startswith(FIRST) and "end\n" not in text, text)

# --- traces -------------------------------------------------------------------


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


def about(t, due):
    """A busy machine may read late, the first frame or the last."""
    return t is not None and 0.75 * due <= t < 3 * due


csv = path("values.csv", "time, rate, delay\n0, 100000, 3\n5000,,\n")
w = Wire("--trace", csv, "-b", "1000", console=True)
t = seconds_for(w, 40, 998)
ok("a trace of 100000 bytes/s: 40 frames of 1000 in 0.4 s",
   about(t, 0.4), t)
is_("showtraces tells", re.sub(r"since \S+", "since T", w.console.do(
    "showtraces")[0]), "L->R %s csv repeated running since T line 3 "
    "rate 100000 delay 3" % csv)
got = w.console.json("showtraces")["rl"]
got.pop("since")
is_("in JSON, too", got, {"file": csv, "format": "csv", "repeated": True,
                          "state": "running", "line": 3, "points": 2,
                          "rate": 100000, "delay": 3})
slots = path("slots", "5\n10\n15\n20\n")
w.console.do("trace LRmahimahi:" + slots)
t = seconds_for(w, 60, 1514)
ok("an opportunity each 5 ms: 60 frames in 0.3 s",
   about(t, 0.3), t)
is_("the other direction has the old one",
    w.console.json("showtraces")["rl"]["file"], csv)
os.unlink(slots)
t = seconds_for(w, 20, 1514)
ok("a file that vanishes is used all the same",
   about(t, 0.1), t)

for text, why in (
        ("", "line 1: the trace ends without a point"),
        ("5\n4\n", "line 2: '4' is before the time of the last line"),
        ("5\nx\n", "line 2: 'x' is no number of milliseconds"),
        ("\x7fELF\x01\n", "line 1: '?ELF?' is none of time, rate, delay, loss"),
        ("0,1e5\n", "line 1: '1e5' is no rate"),
        ("0\n", "it lasts less than a millisecond")):
    code, said = w.console.cmd("trace " + path("bad", text))
    ok("refused: " + why, code == 22 and
       "unable to set trace '%s/bad': %s" % (TMP, why) in "\n".join(said),
       (code, said))
for file, code in (TMP, errno.EISDIR), (path("fifo"), errno.EINVAL), \
        ("/nonexistent", errno.ENOENT):
    is_("refused: %s" % errno.errorcode[code],
        w.console.cmd("trace " + file)[0], code)
is_("which has changed nothing", w.console.json("showtraces")["lr"]["file"],
    slots)
w.console.do("trace none", "bandwidth 0")
w.left.send(b"frame")
is_("without a trace settings count", w.right.recv(), b"frame")
is_("and nothing is shown", w.console.do("showtraces"),
    ["L->R none", "R->L none"])

late = "".join("%.2f,50000\n" % (i / 100) for i in range(20000)) + "1,1\n"
w.console.do("trace " + path("late", late))
ok("what is wrong behind the first part ends the trace when it is met",
   w.logged("the trace '%s/late' has ended: line 20001: " % TMP), w.log())
t = seconds_for(w, 20, 998)
ok("with its last values", about(t, 0.4), t)
is_("and the wire knows", w.console.json("showtraces")["lr"]["state"],
    "failed")
with open(path("sparse"), "w") as f:
    f.write("".join("%d\n" % i for i in range(1, 20000)))
    f.truncate(10 << 30)
begin = time.monotonic()
w.console.do("trace-once " + path("sparse"))
w.left.send(*5 * [bytes(1514)])
is_("a file of 10 GB is used at once", len(w.right.take(5)), 5)
ok("really", time.monotonic() - begin < 3, time.monotonic() - begin)
with open("/proc/%d/status" % w.pid) as f:
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", f.read())[1])
ok("and is not in memory", peak < 64 << 10, peak)
w.console.do("trace-once LR" + path("over", "1\n2\n"))
w.left.send(*5 * [bytes(1514)])
ok("a trace that is not repeated is over",
   w.logged("the trace '%s/over' is over" % TMP), w.log())
is_("nothing passes then but what found an opportunity",
    len(w.right.take(5, 0.1)) <= 2, True)
is_("it ends well", w.stop(), 0)
w = Wire("--trace-once", path("over"), both=False)
w.left.send(*5 * [bytes(1514)])
w.left.close_in()
is_("nor does it wait for ever at the end of its input", w.wait(), 0)
ok("but says what is lost", "what was on its way is lost" in w.log(), w.log())


def opportunities(file, ms):
    with open(file) as f:
        return sum(1 for line in f if int(line) <= ms)


def first_second(file, found):
    """How many frames of how many came, and when the last one did."""
    w = Wire("--trace", "LR" + file)
    begin, last, n = time.monotonic(), 0, 0
    want = opportunities(file, 1000)
    threading.Thread(target=w.left.write, daemon=True,
                     args=(packed(*3000 * [bytes(1514)]),)).start()
    while n < want and last < 3:
        n += w.right.recv(0.2) is not None
        last = time.monotonic() - begin
    w.stop()
    found[file] = n, want, last


REAL = [DATA + "/" + name for name in (
    "Verizon-LTE-short.up", "Verizon-LTE-short.down",
    "TMobile-UMTS-driving.up")]
found = {}
readers = [threading.Thread(target=first_second, args=(file, found))
           for file in REAL if os.access(file, os.R_OK)]
for t in readers:
    t.start()
for t in readers:
    t.join()
for file in REAL:
    name = os.path.basename(file)
    if file not in found:
        skip_point(name, "no " + file)
        continue
    n, want, last = found[file]
    ok("%s: its first second lasts one second" % name,
       n == want and about(last, 1), (n, want, last))

# --- tables and lists ---------------------------------------------------------

table = path("table", "# measured\n10 10 10 10\n12, 14\n30\n")
w = Wire("--table", "mine=" + table, "-d", "RL20+6:mine", "--losslist",
         "LR@" + path("list", "1-3, # three\n5\n# and not [7]"), console=True)
w.left.send(*[bytes([i]) for i in range(10)])
is_("frames whose numbers a file has are lost",
    [f[0] for f in w.right.take(6)], [3, 5, 6, 7, 8, 9])
sent = time.monotonic()
w.right.send(*50 * [b"frame"])
got = [w.left.recv_at()[0] - sent for _ in range(50)]
ok("delays are those of the table, moved and scaled",
   0.014 <= got[0] <= got[-1] < 0.5, (got[0], got[-1]))
is_("which tells what its numbers were", w.console.do("table b " + table),
    ["b mean 12.6667 deviation 4.71405"])
like("in JSON, too", repr(w.console.json("table c " + table)),
     r"'name': 'c', 'mean': 12.666\d*, 'deviation': 4.714\d*")
for line, code, why in (
        ("table b " + table, errno.EEXIST, "there is one of that name"),
        ("table normal " + table, errno.EINVAL, "distributions that are"),
        ("table x " + path("bad", "1 2 x\n"), errno.EINVAL, "line 1: "),
        ("table x " + path("bad", "7 7 7\n"), errno.EINVAL, ""),
        ("table x " + TMP, errno.EISDIR, "Is a directory"),
        ("table x " + path("sparse"), errno.EFBIG, "more than 4194304"),
        ("losslist @" + path("bad", "1,x\n"), errno.EINVAL, "line 1: "),
        ("losslist @" + path("sparse"), errno.EFBIG, "more than 4194304"),
        ("losslist @" + path("fifo"), errno.EINVAL, "not a regular file"),
        ("losslist @/nonexistent", errno.ENOENT, "No such file"),
        ("losslist RL@%s[3]" % path("list"), errno.EINVAL, "no node 3")):
    code_, said = w.console.cmd(line)
    ok("refused: %s" % line.replace(TMP, ""), code_ == code and
       why in "\n".join(said), (code_, said))
w.left.send(b"a", b"b")
is_("and nothing has changed", w.right.take(2), [b"a", b"b"])
w.console.do("losslist LR@" + path("list", "13-"))
w.left.send(b"a", b"b")
ok("a list from a file is set at run time, too", w.right.quiet(0.05))
is_("it ends well", w.stop(), 0)
done()
