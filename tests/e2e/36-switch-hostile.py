#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""36-switch-hostile.py - clients and consoles that misbehave: garbage, floods,
no reading, sudden death. Two ports play ping-pong all the time and lose
nothing, another console is answered, memory stays bounded."""
import errno
import random

from vdeclient import *

rnd = random.Random(3)
ASAN = "address" in BUILD
os.mkdir(TMP + "/here")  # captures make files
sw = Switch("-n", "64", cwd=TMP + "/here")
sw.do("vlan/create 7")
pair = Pair(sw, (60, 61), 7)  # this script could not read what others flood


def fds():
    return len(os.listdir("/proc/%d/fd" % sw.pid))


def resident_kb():
    with open("/proc/%d/status" % sw.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def unharmed(sentence, extra=True):
    """Everybody else has not noticed."""
    begin = time.monotonic()
    answers = sw.console.cmd("port/showinfo")[0] == 0
    quick = time.monotonic() - begin
    ok(sentence, sw.alive() and answers and pair.goes_on() and extra,
       lambda: "%s, console %.3f s, %s\n%s" % (
           extra, quick, pair, sw.log()[-2000:]))


def cpu(seconds=0.5):
    """The part of a processor that the switch takes."""
    a = cpu_seconds(sw.pid)
    select.select([], [], [], seconds)
    return (cpu_seconds(sw.pid) - a) / seconds


def send_many(n, f, c):
    while n:
        try:
            c.data.send(f, socket.MSG_DONTWAIT)
            n -= 1
        except BlockingIOError:
            select.select([], [c.data], [], 0.01)


def calm(sentence):
    """With the ping-pong paused the switch must be idle."""
    global pair
    pair.stop()
    lost = pair.lost
    busy = cpu()
    ok(sentence, busy < 0.1 and not lost, "%.0f %% CPU" % (100 * busy))
    pair = Pair(sw, (60, 61), 7)


half = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
half.connect(sw.dir + "/ctl")
half.send(request_v3("/tmp/x")[:100])
half.settimeout(20)
half_since, half_end = time.monotonic(), []
half_waits = threading.Thread(daemon=True, target=lambda: half_end.extend(
    [half.recv(1), time.monotonic() - half_since]))
half_waits.start()
at_start = fds()

# --- consoles -------------------------------------------------------------

def reply_to(data, closing=b"\nvlan/mode\n"):
    """Sends that; True if the console still answers properly after it."""
    c = Console(sw.mgmt)
    c.sock.settimeout(20)
    reader = threading.Thread(target=lambda: replies.append(c.rest()))
    replies = []
    reader.start()
    try:
        c.write(data + closing)
        c.sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    reader.join(20)
    return bool(replies) and b"VLAN mode auto" in replies[0][-200:]


printable = bytes(range(32, 127))
words = [w.split()[0].encode() for w in sw.do("help")[2:]]
words = [w for w in words if w not in (b"shutdown", b"logout", b"load",
                                       b"port/epclose", b"port/sethub",
                                       b"port/epqlen", b"port/setnumports",
                                       b"port/setvlan", b"hash/setgcint",
                                       b"vlan/create", b"vlan/mode",
                                       b"tap/add", b"tap/del",
                                       b"fstp/setfstp") and
         (not w.startswith(b"guard/") or w == b"guard/print")]


def random_line():
    k = rnd.random()
    if k < 0.3:
        return bytes(rnd.choices(printable, k=rnd.randrange(100)))
    line = rnd.choice(words)
    for _ in range(rnd.randrange(4)):
        line += b" " + rnd.choice([
            b"1", b"0", b"-1", b"99999", b"x", b"0x7f", b"%s%n", b"a" * 200,
            b"02:00:00:00:00:01", b"\xff\xfe", b"", b"4095", b"2147483648",
            b"-j", b"'\"", b"\t", b"18446744073709551616"])
    return line


unharmed("10,000 random lines",
         reply_to(b"\n".join(random_line() for _ in range(10000))))
sw.do("port/defqlen 128", "hash/setexpire 100", "hash/setminper 3",
      "capture/stop")
unharmed("300 kB of binary", reply_to(rnd.randbytes(300000)))
unharmed("1 MiB without a newline", reply_to(b"x" * (1 << 20)))
unharmed("1 MiB of NULs", reply_to(bytes(1 << 20)))
unharmed("100,000 newlines", reply_to(b"\n" * 100000))
long = Console(sw.mgmt)
for n in 1022, 1023, 1024, 4095, 4096, 4097, 100000:
    got = long.raw("#" * n), long.raw("x" * n)
    want = (b"", b"1038 Function not implemented\n") if n <= 1023 else \
        (b"1007 Argument list too long\n",) * 2
    is_("a line of %d bytes" % n, got, want)
long.close()

before = resident_kb()
deaf = []
for _ in range(20):
    c = Console(sw.mgmt)
    c.write(b"help\n" * 1000)
    deaf.append(c)
unharmed("20 consoles that ask for more and more and never read")
grown = resident_kb() - before
ok("they cost less than 200 kB each", ASAN or grown < 20 * 200,
   "%d kB" % grown)
calm("and no time")
for c in deaf:
    c.close()
ok("when they hang up, what they asked for is done and they are gone",
   until(lambda: fds() <= at_start))

listeners = [Console(sw.mgmt) for _ in range(5)]
for c in listeners:
    c.do("debug/add")
before = resident_kb()
flood = sw.plug()
for i in range(20000):
    send_many(1, frame(BROADCAST, mac(0x900000 + i)), flood)
unharmed("5 consoles that subscribe to 20,000 events and never read")
grown = resident_kb() - before
ok("they cost less than 600 kB each", ASAN or grown < 5 * 600 + 4096,
   "%d kB" % grown)
for c in listeners:
    c.close()
flood.close()
until(lambda: not sw.port(3)["active"])
sw.do("hash/setsize 16")

doomed = []
for i in range(200):
    c = Console(sw.mgmt)
    c.write(b"help\n" * 50)
    doomed.append(c)
for c in doomed:
    c.close()
unharmed("200 consoles that hang up in the middle of their replies")

pipe = os.pipe()
c = Console(sw.mgmt)
anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", pipe[0]))]
for _ in range(50):
    c.sock.sendmsg([b"#\n"], anc)
c.upto(PROMPT)
k = sw.plug()
for _ in range(50):
    k.data.sendmsg([frame(BROADCAST, mac(5))], anc)
    k.ctl.sendmsg([b"junk"], anc)
sw.sync()


def opened(pid):
    """What its descriptors are; some may go while they are looked at."""
    for n in os.listdir("/proc/%d/fd" % pid):
        try:
            yield os.readlink("/proc/%d/fd/%s" % (pid, n))
        except FileNotFoundError:
            pass


mine = os.readlink("/proc/self/fd/%d" % pipe[0])
held = [x for x in opened(sw.pid) if x == mine]
is_("descriptors that are sent along are not kept", held, [])
c.close()
k.close()

# --- data clients ---------------------------------------------------------

def sleeper(port):
    """A client in a process of its own, to be stopped and killed."""
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            me = sw.plug(port)
            me.send(frame(BROADCAST, mac(0x50 + port)))
            os.write(w, b"x")
            while me.data.recv(65536):
                pass
        finally:
            os._exit(0)
    os.close(w)
    os.read(r, 1)
    os.close(r)
    return pid


talker = sw.plug(10)
pid = sleeper(11)
os.kill(pid, signal.SIGSTOP)
to_11 = frame(mac(0x50 + 11), mac(0x10), size=1500)


until(lambda: sw.console.cmd("hash/find " + mac_str(mac(0x50 + 11)))[0] == 0)
send_many(3000, to_11, talker)
unharmed("a client that is stopped")
ok("what it does not take is counted as dropped, the queue is bounded",
   until(lambda: sw.port(11)["out"]["packets"] >= 3000) and
   sw.drops(11)["queue_full"] > 2000 and
   sw.port(11)["endpoints"][0]["queued"] <= 128,
   lambda: "%s %s" % (sw.drops(11), sw.port(11)))
calm("it costs no time")
os.kill(pid, signal.SIGCONT)
ok("when it goes on, its queue is delivered",
   until(lambda: sw.port(11)["endpoints"][0]["queued"] == 0))
sw.do("port/resetcounter 11")
send_many(200, to_11, talker)
ok("and new frames", until(lambda: sw.port(11)["out"]["packets"] >= 200) and
   until(lambda: sw.port(11)["endpoints"][0]["queued"] == 0))
os.kill(pid, signal.SIGSTOP)
send_many(1000, to_11, talker)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
ok("killed while it is stopped: its port is free", until(
    lambda: not sw.port(11)["active"]))
unharmed("a client that is killed")

sw.do("port/defqlen 65536")
greedy = sw.plug(12)
greedy.send(frame(BROADCAST, mac(0x12)))
sw.sync()
send_many(12000, frame(mac(0x12), mac(0x10), size=9000), talker)
ok("one that reads nothing, with the longest queue, cannot take all buffers",
   until(lambda: sw.drops(12).get("no_buffer")), lambda: sw.port(12))
unharmed("the others have theirs")
mb = resident_kb() / 1024
ok("the pool is bounded", ASAN or mb < 100, "%.0f MB" % mb)
greedy.close()
sw.do("port/defqlen 128")

gone_ = sw.plug(13)
gone_.send(frame(BROADCAST, mac(0x13)))
sw.sync()
gone_.data.close()
send_many(500, frame(mac(0x13), mac(0x10)), talker)
ok("one that closes its data socket only: counted",
   until(lambda: sw.drops(13).get("send_failed", 0) >= 500),
   lambda: sw.drops(13))
unharmed("the others go on")
calm("it costs no time")
gone_.ctl.close()

loud = [sw.plug() for _ in range(4)]
stop_at = time.monotonic() + 1
sent = 0
while time.monotonic() < stop_at:
    for i, c in enumerate(loud):
        try:
            for _ in range(20):
                c.data.send(frame(BROADCAST, mac(rnd.getrandbits(38)),
                                  size=rnd.choice((14, 60, 1514, 9000))),
                            socket.MSG_DONTWAIT)
                sent += 1
            c.data.send(rnd.randbytes(rnd.randrange(1, 2000)),
                        socket.MSG_DONTWAIT)
            c.ctl.send(b"junk" * 1000, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
unharmed("4 clients that send from random addresses to everybody and junk "
         "besides, and read nothing")
note("%d frames" % sent)
calm("afterwards it is calm")
for c in loud:
    c.close()

for _ in range(300):
    c = sw.plug()
    c.send(frame(BROADCAST, mac(1), size=9000))
    c.close()
unharmed("300 that send and leave at once")
talker.close()
half_waits.join()
ok("a request that is not completed is given up after 10 seconds",
   half_end[:1] == [b""] and 9.9 < half_end[1] < 14 and
   sw.logged("refused a request on .*: it ended early"), half_end)
pair.stop()
ok("no descriptor is left over", until(lambda: fds() <= at_start - 4),
   lambda: "%d of %d" % (fds(), at_start))
is_("no data socket is left over", until(
    lambda: os.listdir(sw.dir) == ["ctl"]), True)
note(pair)
is_("the switch ends well", sw.stop(), 0)
note("%d lines of log" % sw.log().count("\n"))
ok("what peers do does not fill the log", sw.log().count("\n") < 200)
done()
