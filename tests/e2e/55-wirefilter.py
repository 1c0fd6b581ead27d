#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wirefilter between pipes: frames, options, how it begins and how it ends."""
import sys
sys.dont_write_bytecode = True
from wirelib import *

SIZES = range(1, 9001)
LONGEST = 65535


def body(n, salt=0):
    return bytes((n + salt + i) & 0xff for i in range(min(n, 256))) * \
        (n // 256) + bytes((n * 7 + i) & 0xff for i in range(n % 256))


# --- nothing impairs ---------------------------------------------------------

w = Wire()
like("it says what it is", w.log(),
     r"\Awirefilter: bidirectional filter starting\.\.\.\n\Z")
lr = packed(*(body(n) for n in SIZES))
rl = packed(*(body(n, 3) for n in reversed(SIZES)))
got = exchange((w.left, lr, w.right, len(lr)), (w.right, rl, w.left, len(rl)))
ok("frames of 1 to 9000 bytes pass from left to right", got[0] == lr)
ok("and at the same time from right to left", got[1] == rl)
long = packed(*(body(n) for n in (9236, 9237, LONGEST, 1, LONGEST, LONGEST)))
got = exchange((w.left, long, w.right, len(long)),
               (w.right, long, w.left, len(long)))
is_("the longest frames there are pass, too", got, [long, long])
for i in range(len(packed(b"abc", b"defgh"))):
    w.left.write(packed(b"abc", b"defgh")[i:i + 1])
is_("a stream may come byte by byte", w.right.take(2), [b"abc", b"defgh"])
w.left.write(b"\0\0" + packed(b"x") + b"\0\0")
is_("empty frames are skipped", w.right.recv(), b"x")
is_("SIGTERM ends it well", w.stop(), 0)
like("and empty frames were counted", w.log(),
     r"2 frames were dropped at standard output: empty")

w = Wire(both=False)
like("without a second pair of pipes it has one direction", w.log(),
     r"\Awirefilter: monodirectional filter starting\.\.\.\n\Z")
is_("from its input to its output",
    exchange((w.left, lr, w.right, len(lr)))[0] == lr, True)
w.left.close_in()
is_("at the end of the input it ends", w.wait(), 0)
is_("with an end of the output", w.right.rest(), [])

w = Wire("-d", "0", "--loss", "LR0", "-N")
is_("zeros impair nothing", exchange((w.left, lr, w.right, len(lr)))[0] == lr,
    True)
w.stop()

w = Wire("-b", "1G", "-d", "1")
is_("through the engine all sizes keep their bytes and order",
    exchange((w.left, lr + long, w.right, len(lr + long)))[0] == lr + long,
    True)
w.stop()

# --- a slow reader -----------------------------------------------------------

for options in (), ("-d", "1"), ("-s", "100M"):
    w = Wire(*options)
    many = packed(*(body(1000, n) for n in range(3000)))
    n = w.left.write(many, 0.5)
    ok("with '%s' a reader that stops stops the writer" % " ".join(options),
       0 < n < len(many))
    w.right.send(b"back")
    is_("the other direction goes on", w.left.recv(), b"back")
    rest = exchange((w.left, many[n:], w.right, len(many)))
    ok("and nothing is lost", rest[0] == many)
    w.stop()

# --- how it ends -------------------------------------------------------------

w = Wire()
w.left.write(packed(b"whole") + b"\0\x40cut")
is_("what is whole arrives", w.right.recv(), b"whole")
w.left.close_in()
is_("a stream that is cut within a frame is a failure", w.wait(), 1)
like("and says so", w.log(), "error: unable to read a frame from standard "
     "input: it ends within the frame")

w = Wire("-d", "200")
w.right.write(packed(b"whole", b"too") + b"GET / HTTP/1.0\r\n")
w.right.close_in()
ok("and is told at once", w.logged("error: unable to read a frame from "
                                   "ALTERNATE_STDIN: it ends within the frame")
   and w.alive())
is_("what is on its way is delivered", w.left.rest(), [b"whole", b"too"])
is_("and then it is a failure", w.wait(), 1)

w = Wire()
w.right.close_in()
is_("the end of one input is the end", w.wait(), 0)
is_("of the other side, too", w.left.rest(), [])

w = Wire()
w.right.close_out()
w.left.send(b"into the void")
is_("an output without reader is a failure", w.wait(), 1)
like("and says so", w.log(),
     "error: unable to write to ALTERNATE_STDOUT: Broken pipe")

ends = set()
for i in range(5):
    w = Wire()
    begin = packed(*3000 * [bytes(600)])
    t = threading.Thread(target=lambda: w.right.write(begin, 2), daemon=True)
    t.start()
    w.left.fill(DEADLINE)
    w.left.close()
    ends.add((w.wait(), "error" in w.log()))
    t.join()
is_("who leaves in the middle of traffic is no failure", ends, {(0, False)})

w = Wire("-d", "150")
w.left.send(b"late", b"later")
w.right.send(b"gone")
w.left.close_in()
is_("what is on its way when a stream ends arrives", w.right.rest(),
    [b"late", b"later"])
is_("and then it ends well", w.wait(), 0)
is_("nothing goes to the side that has ended", w.left.rest(), [])

w = Wire("-b", "30000", both=False)
frames = [body(1000, n) for n in range(9)]
w.left.send(*frames)
w.left.close_in()
is_("however slow the line", w.right.rest(), frames)
w.wait()

w = Wire("-d", "5000")
w.left.send(b"never")
begin = time.monotonic()
is_("a signal waits for nothing", w.stop(), 0)
ok("really", time.monotonic() - begin < 1)
for signo in signal.SIGINT, signal.SIGHUP:
    w = Wire()
    is_("%s ends it by that signal" % signo.name, w.stop(signo), -signo)

# --- the command line --------------------------------------------------------

for options, text in (
        (["--nonsense"], "unknown or ambiguous option '--nonsense'"),
        (["-d"], "option '-d' needs an argument"),
        (["-d", "abc"], "unable to set delay 'abc'"),
        (["--delay=-5"], "unable to set delay '-5'"),
        (["-l", "nan"], "unable to set loss 'nan'"),
        (["-D", "100"], "unable to set dup '100'"),
        (["-b", "1e999"], "unable to set bandwidth '1e999'"),
        (["-l", "5[2]"], "unable to set loss '5[2]'"),
        (["--RED", "3,2,1"], "unable to set qdisc"),
        (["--qdisc", "nothing"], "'nothing'"),
        (["--blackout", "x"], "'x'"),
        (["--seed", "-1"], "invalid N '-1' for --seed"),
        (["--memory", "0"], "invalid MB '0' for --memory"),
        (["-v", "here"], "'here'"),
        (["-v", "a:b:c"], "'a:b:c'"),
        (["-v", "-:-"], "both sides"),
        (["-v", "a:b", "c", "d"], "twice: 'c'"),
        (["one"], "'one'"),
        (["one", "two", "three"], "too many operands: 'three'"),
        (["--losslist", "@/dev/zero"], "not a regular file")):
    status, log = refused_wire(*options)
    ok("usage: %s" % " ".join(options),
       status == 2 and "wirefilter: error: " in log and text in log,
       (status, log))

for options, text in (
        (["-v", "/nonexistent:/nonexistent"],
         "unable to open /nonexistent: "),
        (["--losslist", "@/nonexistent"],
         "unable to set losslist '@/nonexistent': No such file"),
        (["--pidfile", "/nonexistent/pid"],
         "unable to write pidfile /nonexistent/pid: No such file"),
        (["--blink", "/" + 200 * "x"], "unable to blink at /xxx"),
        (["--blink", "/tmp/x", "--blinkid", 200 * "x"], "too long"),
        (["--report=/nonexistent/r"], "/nonexistent/r")):
    status, log = refused_wire(*options)
    ok("failure: %s" % " ".join(options)[:40],
       status == 1 and "wirefilter: error: " in log and text in log,
       (status, log))

status, out, err = run("wirefilter", "--help")
ok("--help is for stdout", status == 0 and not err and "--delay MS" in out)
is_("--version, too", run("wirefilter", "-V")[1][:17], "wirefilter (VDE) ")

controller, terminal = os.openpty()
status, out, err = run("wirefilter", stdin=terminal)
ok("a terminal is no pipe", status == 2 and "standard input" in err, err)
os.close(controller)
os.close(terminal)

path = unique("list")
with open(path, "w") as f:
    f.write("# these\n2\n4-5\n")
w = Wire("--losslist", "LR@" + path, both=False)
w.left.send(*(b"%d" % n for n in range(1, 8)))
w.left.close_in()
is_("a list of losses may be in a file", w.right.rest(),
    [b"1", b"3", b"6", b"7"])
w.wait()

w = Wire("-d", "100", "-d", "0", "-l", "100", "--loss=LR0")
w.left.send(b"x")
is_("the last option counts", w.right.recv(), b"x")
w.right.send(b"y")
is_("in its direction", w.left.quiet(0.1), True)
w.stop()

# --- background, pidfile, blink ----------------------------------------------

pidfile = unique("pid")
w = Wire("--daemon", "--pidfile", os.path.basename(pidfile), cwd=TMP,
         both=False)
is_("with --daemon it goes to the background", w.wait(), 0)
with open(pidfile) as f:
    pid = int(f.read())
w.left.send(b"x")
is_("where it works", w.right.recv(), b"x")
ok("its pidfile is that of a living process", not gone(pid) and pid != w.pid)
is_("in another directory", os.readlink("/proc/%d/cwd" % pid), "/")
os.kill(pid, signal.SIGTERM)
ok("SIGTERM ends it", until(lambda: gone(pid)))
ok("and removes the pidfile", until(lambda: not os.path.exists(pidfile)))
is_("and its output", w.right.rest(), [])
status, log = refused_wire("--daemon", "-d", "x")
ok("what is wrong is told before", status == 2 and "'x'" in log, log)

lamp = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
lamp.settimeout(DEADLINE)
path = unique("blink")
lamp.bind(path)
w = Wire("--blink", path, "--blinkid", "here")
w.left.send(body(60))
is_("a frame that leaves blinks", lamp.recv(100), b"here LR 62\n")
w.right.send(body(1), body(2))
is_("in either direction", [lamp.recv(100) for _ in range(2)],
    [b"here RL 3\n", b"here RL 4\n"])
w.stop()
w = Wire("--blink", os.path.basename(path), "-d", "1", both=False, cwd=TMP)
w.left.send(body(60))
is_("the process id is the default, and there may be one direction",
    lamp.recv(100), b"%06d -- 62\n" % w.pid)
w.right.take(1)
many = packed(*3000 * [b"x"])
ok("frames pass when nobody looks",
   exchange((w.left, many, w.right, len(many)))[0] == many)
lamp.close()
os.unlink(path)
w.left.send(b"dark")
is_("or nobody is there", w.right.recv(), b"dark")
w.stop()
like("what did not blink is counted", w.log(),
     r"\d+ datagrams were dropped at blink")

done()
