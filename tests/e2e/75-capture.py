#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""75-capture.py - captures of what crosses the switch: to files, FIFOs and
sockets, with filters; readers that come, leave and stop, disks that are full.
What is in a capture is read here, byte for byte, and by tshark."""
import errno
import fcntl
import stat

import pcapng
from ringclient import *

sw = Switch("-n", "40", "--macaddr", "00:ff:01:02:03:04")
con = sw.console
a, b = sw.plug(1, descr=b"anna"), sw.plug(2, descr=b"bob")


def path(name):
    return TMP + "/" + name


def start_capture(what, console=None):
    """Its number."""
    return (console or con).json("capture/start " + what)["id"]


def listed(n=None, console=None):
    """All captures, or one."""
    got = (console or con).json("capture/list")["captures"]
    return got if n is None else \
        next((c for c in got if c["id"] == n), {"state": "gone"})


def state(n, wanted, console=None):
    return until(lambda: listed(n, console)["state"] == wanted)


def refused(what, code, text, console=None):
    got = (console or con).cmd("capture/start " + what)
    good = got[0] == code and len(got[1]) == 1 and \
        got[1][0].startswith("unable to capture: ") and text in got[1][0]
    return ok("refused: " + what.replace(TMP, "TMP")[:60], good,
              lambda: "%s" % (got,))


def fields(data, *names):
    """What tshark shows of each frame; @data is a path or bytes."""
    r = subprocess.run(
        ["tshark", "-n", "-r", data if isinstance(data, str) else "-",
         "-T", "fields", *[x for n in names for x in ("-e", n)]],
        input=data if isinstance(data, bytes) else None, timeout=20,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [x.split("\t") for x in r.stdout.decode().splitlines()]


TSHARK = shutil.which("tshark")


def udp(src, dst, port, tci=None):
    """A datagram over IPv4, without checksums."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + 4, 0, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return frame(dst, src, ip + struct.pack(">HHHH", 7, port, 12, 0) + b"data",
                 size=64, type_=0x0800, tci=tci, fill=0)


# --- a file ---------------------------------------------------------------

f = path("all.pcapng")
n = start_capture(f)
flood = frame(BROADCAST, mac(1))
single = frame(mac(1), mac(2), size=64, tci=0x6005)
a.send(flood)
sw.sync()
b.send(single)
b.send(b"\x02" * 10)
sw.sync()
before = time.time()
sw.do("capture/stop %d" % n)
cap = pcapng.read(f)
is_("every frame is there where it came in, left or was dropped", cap.ways(),
    [("port 1", "in"), ("port 2", "out"), ("port 2", "in"), ("port 1", "out"),
     ("port 2", "runt")])
is_("with all its bytes", [p.bytes for p in cap.packets],
    [flood, flood, single, single, b"\x02" * 10])
is_("the port's client describes it", cap.descriptions,
    {"port 1": "anna", "port 2": "bob"})
is_("a drop has a comment", cap.packets[4].comment, "dropped: runt")
ok("the time is that of the day",
   all(before - 10 < p.time <= before + 1 for p in cap.packets),
   lambda: [p.time - before for p in cap.packets])
is_("nothing is lost, and it says so", (cap.lost, cap.seen),
    ({"port 1": 0, "port 2": 0}, {"port 1": 2, "port 2": 3}))
ok("the switch says who it is", cap.program.startswith("vde_switch "),
   cap.program)
is_("the file is its owner's alone", stat.S_IMODE(os.stat(f).st_mode), 0o600)
is_("a capture that is stopped is gone", listed(), [])
if TSHARK:
    is_("tshark shows the same",
        fields(f, "frame.interface_name", "frame.packet_flags_direction",
               "frame.comment", "vlan.id", "frame.len"),
        [["port 1", "0x00000001", "", "", "60"],
         ["port 2", "0x00000002", "", "", "60"],
         ["port 2", "0x00000001", "", "5", "64"],
         ["port 1", "0x00000002", "", "5", "64"],
         ["port 2", "0x00000001", "dropped: runt", "", "10"]])
else:
    skip_point("tshark shows the same", "no tshark")

# --- what is asked for ----------------------------------------------------


def captured(what, *frames):
    """The ways of what a capture with these words has of frames from a."""
    name = path("some.pcapng")
    start_capture(name + " " + what)
    a.send(*frames)
    sw.sync()
    sw.do("capture/stop")
    return pcapng.read(name)


tagged = frame(BROADCAST, mac(1), size=64, tci=5)
is_("one port", captured("port 2", flood).ways(), [("port 2", "out")])
is_("a port that is not there yet", captured("port 30", flood).ways(), [])
is_("one VLAN", [p.bytes for p in captured("vlan 5", flood, tagged).packets],
    [tagged, tagged])
is_("the untagged one", [p.bytes for p in captured("vlan 0", flood,
                                                   tagged).packets],
    [flood, flood])
is_("what comes in", captured("direction in", flood, b"12").ways(),
    [("port 1", "in"), ("port 1", "runt")])
is_("what leaves", captured("direction out", flood, b"12").ways(),
    [("port 2", "out")])
is_("what is dropped", captured("direction drop", flood, b"12").ways(),
    [("port 1", "runt")])
cap = captured("snaplen 20 port 1", flood)
is_("only the beginning of each",
    (cap.packets[0].bytes, cap.packets[0].len, cap.snaplens["port 1"]),
    (flood[:20], 60, 20))
n = start_capture(path("some.pcapng") + " count 3")
a.send(flood, flood, flood)
ok("so many and no more", state(n, "done"))
cap = pcapng.read(path("some.pcapng"))
is_("and the file is complete", (len(cap.packets), cap.whole, sum(
    cap.seen.values())), (3, True, 3))
sw.do("capture/stop")
con.do("port/sethub 1")
is_("the VLAN of a frame in a hub", [p.bytes for p in captured(
    "vlan 5 port 1", flood, tagged).packets], [tagged])
con.do("port/sethub 0")

# --- filters --------------------------------------------------------------

has_filters = "needs libpcap" not in con.raw(
    "capture/start /dev/null filter ip").decode()
sw.do("capture/stop")
if has_filters:
    plain, in5 = udp(mac(1), BROADCAST, 53), udp(mac(1), BROADCAST, 53, tci=5)
    other = udp(mac(1), BROADCAST, 54, tci=5)
    cap = captured('port 1 filter "udp port 53"', flood, plain, in5)
    is_("a filter", [p.bytes for p in cap.packets], [plain])
    is_("the capture has its text", cap.filters, {"port 1": "udp port 53"})
    is_("a tag is where it is on the wire", [p.bytes for p in captured(
        "port 1 filter 'vlan 5 and udp port 53'", plain, in5,
        other).packets], [in5])
    con.do("port/create 3", "vlan/create 5", "vlan/addport 5 1",
           "port/setvlan 3 5")
    c = sw.plug(3)
    is_("also if it is only on one side", captured(
        'filter "vlan and udp" direction both', in5).ways(),
        [("port 1", "in")])
    is_("and not on the other", captured('port 3 filter udp', in5).ways(),
        [("port 3", "out")])
    c.close()
    until(lambda: con.cmd("port/remove 3")[0] == 0)
    con.do("vlan/delport 5 1", "vlan/remove 5")
    x = start_capture(path("x.pcapng") + " filter arp")
    y = start_capture(path("y.pcapng") + " port 1 filter udp")
    a.send(flood, plain, frame(BROADCAST, mac(1), type_=0x0806))
    sw.sync()
    is_("two captures, each with its own", [
        (c["packets"], c["filter"]) for c in listed()],
        [(2, "arp"), (1, "udp")])
    sw.do("capture/stop")
    is_("as their files have it", [len(pcapng.read(path(s)).packets)
                                   for s in ("x.pcapng", "y.pcapng")], [2, 1])
    for bad, says in (('"icmp and and"', "syntax error"),
                      ('"host no-such-host.example"', "no-such-host"),
                      ('"%s"' % ("x" * 513), "at most"),
                      ("vlan-5", ""), ('"tcp[0"', ""),
                      ("inbound", "own interfaces"),
                      ('"icmp and not outbound"', "own interfaces")):
        refused("%s filter %s" % (path("bad"), bad), errno.EINVAL, says)
    ok("a bad filter leaves no file", not os.path.exists(path("bad")))
else:
    skip_point("filters", "libpcap is missing")
    refused("%s filter icmp" % path("bad"), errno.EINVAL, "libpcap")
for bad, says in (("port 41", "port"), ("port x", "'x'"), ("Port 1", "'Port'"),
                  ("vlan 4095", "'4095'"), ("direction up", "'up'"),
                  ("port 1 port 1", "twice"), ('filter "icmp', "quote"),
                  ("snaplen 0", "'0'"), ("count", "needs a value")):
    refused(path("bad") + " " + bad, errno.EINVAL, says)
is_("no target at all", con.cmd("capture/start")[0], errno.EINVAL)
is_("none to stop", con.cmd("capture/stop 99")[0], errno.ENXIO)
is_("stopping all of none", con.cmd("capture/stop")[0], 0)

# --- targets --------------------------------------------------------------

os.mkdir(path("dir"))
os.symlink(path("nowhere"), path("dangling"))
refused(path("dir"), errno.EISDIR, "dir: Is a directory")
refused("/dev/zero", errno.ENODEV, "/dev/zero: it is a device")
refused(sw.mgmt, errno.ELOOP, "this switch itself listens there")
refused(path("dangling"), errno.EEXIST, "dangling: it is a symbolic link to no")
refused(path("no/such/x"), errno.ENOENT, "No such file")
ok("nothing was made through a link", not os.path.exists(path("nowhere")))
with open(path("old file"), "w") as f:
    f.write("x" * 100000)
os.symlink("old file", path("link"))
start_capture("'%s' port 1" % path("old file"))
refused(path("link"), errno.EADDRINUSE, "another capture")
a.send(flood)
sw.sync()
sw.do("capture/stop")
is_("a file is overwritten", pcapng.read(path("link")).ways(),
    [("port 1", "in")])
many = [start_capture("/dev/null count 1") for _ in range(16)]
refused("/dev/null", errno.EMFILE, "too many")
a.send(flood)
sw.sync()
is_("all see it", {c["state"] for c in listed()}, {"done"})
n = start_capture("/dev/null")
is_("those that are done make room", [c["id"] for c in listed()],
    many[1:] + [n])
is_("and /dev/null takes everything", listed(n)["kind"], "null")
sw.do("capture/stop")

# --- a FIFO ---------------------------------------------------------------


class Reader:
    """Of a FIFO, in this process; may be as slow as it likes."""

    def __init__(self, name):
        self.fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        self.data = b""

    def has(self, good):
        """Reads until what was read is as good(Capture) wants it."""
        def more():
            while True:
                try:
                    got = os.read(self.fd, 1 << 20)
                except BlockingIOError:
                    break
                self.data += got
                if not got:
                    break
            return good(pcapng.Capture(self.data))
        return until(more)

    def ends(self):
        """Reads to the end of it."""
        fcntl.fcntl(self.fd, fcntl.F_SETFL, 0)
        while True:
            got = os.read(self.fd, 1 << 20)
            if not got:
                self.close()
                return pcapng.Capture(self.data)
            self.data += got

    def close(self):
        os.close(self.fd)


fifo = path("fifo")
os.mkfifo(fifo)
code, lines = con.cmd("capture/start " + fifo)
ok("without a reader it waits, and says so", code == 0 and
   re.match(r"Capture \d+ waiting, nobody reads there yet$", lines[0]), lines)
n = listed()[0]["id"]
refused(fifo, errno.EADDRINUSE, "another capture")
a.send(flood)
sw.sync()
is_("nothing is captured meanwhile", listed(n)["packets"], 0)
r = Reader(fifo)
ok("it runs when a reader comes", state(n, "running"))
ok("who gets the header at once", r.has(lambda c: c.sections == 1))
a.send(flood)
ok("and frames while they pass", r.has(
    lambda c: c.ways() == [("port 1", "in"), ("port 2", "out")]))
r.close()
ok("it waits when the reader has left", state(n, "waiting"))
ok("which is logged", sw.logged("capture %d: nobody reads %s any more" %
                                (n, fifo)))
r = Reader(fifo)
ok("for the next one", state(n, "running"))
b.send(flood)
ok("who gets a capture from its beginning", r.has(
    lambda c: c.sections == 1 and
    c.ways() == [("port 2", "in"), ("port 1", "out")]))
sw.do("capture/stop %d" % n)
cap = r.ends()
is_("the end has the statistics", (cap.whole, cap.seen),
    (True, {"port 1": 1, "port 2": 1}))
n = start_capture(fifo)
sw.do("capture/stop %d" % n)
is_("a capture that waits can be stopped", listed(), [])
n = start_capture(fifo)
os.unlink(fifo)
os.mkfifo(fifo)
r = Reader(fifo)
ok("the FIFO may have been made anew", state(n, "running"))
r.close()
state(n, "waiting")
os.unlink(fifo)
with open(fifo, "w"):
    pass
ok("but is no file now", state(n, "failed"))
os.unlink(fifo)
os.mkfifo(fifo)
sw.do("capture/stop")

if TSHARK:
    n = start_capture(fifo)
    live = start("tshark", "-n", "-l", "-i", fifo, "-T", "fields", "-e",
                 "frame.interface_name", "-e", "frame.len",
                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ok("tshark captures from it", until(
        lambda: listed(n)["state"] == "running", 20))
    a.send(frame(BROADCAST, mac(1), size=777))
    got = select.select([live.stdout], [], [], 20)[0] and \
        live.stdout.readline()
    is_("and shows frames as they come", got, b"port 1\t777\n")
    live.kill()
    live.wait()
    a.send(flood)
    ok("it is killed: the capture waits", until(
        lambda: a.send(flood) or listed(n)["state"] == "waiting"))
    sw.do("capture/stop")
else:
    skip_point("tshark captures from it", "no tshark")

# --- a reader that does not read ------------------------------------------

# What follows from a to b goes nowhere else.
pair = Pair(sw, (11, 12))
b.send(frame(mac(1), mac(2)))
a.send(frame(mac(2), mac(1)))
sw.sync()
a.pending()
b.pending()
slow, fast = start_capture(fifo + " port 1"), start_capture(
    path("fast.pcapng") + " port 1")
r = Reader(fifo)
state(slow, "running")
sent = 0
while listed(slow)["lost"] < 100 and sent < 5000:
    for _ in range(20):
        a.send(frame(mac(2), mac(1), struct.pack(">I", sent), size=9000))
        sent += 1
    b.pending()
    sw.sync(1)
sw.sync()
info = listed(slow)
ok("a slow reader loses frames, and they are counted",
   info["lost"] >= 100 and info["packets"] > 400, lambda: str(info))
ok("nobody else does: traffic", pair.goes_on(), lambda: "%s %s" % (
    pair, [sw.drops(i) for i in (1, 2, 11, 12)]))
is_("nobody else does: other captures",
    [(c["lost"], c["packets"]) for c in listed() if c["id"] == fast],
    [(0, info["lost"] + info["packets"])])
was = info["packets"]
ok("what was kept arrives, in order", r.has(
    lambda c: len(c.packets) >= was), lambda: len(r.data))
a.send(frame(mac(2), mac(1), b"last", size=100))
ok("and frames arrive again", r.has(
    lambda c: c.packets[-1].bytes[14:18] == b"last"))
cap = pcapng.Capture(r.data)
is_("the next frame tells how many are missing", sum(
    p.gap for p in cap.packets), listed(slow)["lost"])
mine = [struct.unpack_from(">I", p.bytes, 14)[0] for p in cap.packets
        if p.len == 9000]
is_("none is there twice", mine, sorted(set(mine)))
like("the metrics have it", "\n".join(con.do("metrics")),
     r'^vde_switch_capture_lost_total{capture="%d",target="%s"} %d$' %
     (slow, re.escape(fifo), listed(slow)["lost"]))
sw.do("capture/stop %d" % slow)
info["lost"] = listed(slow).get("lost", info["lost"])
is_("and the statistics tell it again", sum(r.ends().lost.values()),
    info["lost"])
sw.do("capture/stop")

n = start_capture(fifo + " port 1")
r = Reader(fifo)
state(n, "running")
while listed(n)["lost"] < 10:
    a.send(*[frame(mac(2), mac(1), size=9000) for _ in range(20)])
    b.pending()
    sw.sync(1)
sw.do("capture/stop %d" % n)
info = listed(n)
is_("its end waits for a reader that is behind", info["state"], "ending")
is_("it cannot be stopped twice", con.cmd("capture/stop %d" % n)[0],
    errno.ENXIO)
cap = r.ends()
is_("who gets all of it", (cap.whole, len(cap.packets), cap.lost["port 1"]),
    (True, info["packets"], info["lost"]))
ok("then it is gone", state(n, "gone"))

stopped = start("sleep", "60", stdin=open(fifo, "rb", opener=lambda p, f:
                                          os.open(p, f | os.O_NONBLOCK)))
n = start_capture(fifo)
stopped.send_signal(signal.SIGSTOP)
state(n, "running")
while listed(n)["lost"] < 10:
    a.send(*[frame(mac(2), mac(1), size=9000) for _ in range(20)])
    b.pending()
    sw.sync(1)
ok("a reader that was stopped by a signal holds nobody", pair.goes_on(),
   lambda: str(pair))
stopped.kill()
stopped.wait()
ok("and is waited for when it was killed", state(n, "waiting"),
   lambda: str(listed(n)))
sw.do("capture/stop")

# --- a disk that is slow: who writes the file is stopped --------------------


def writers(name):
    """Processes that write to this file."""
    out = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % pid) as f:
                if f.read() != "vde_capture\n":
                    continue
            fds = ["/proc/%s/fd/%s" % (pid, x)
                   for x in os.listdir("/proc/%s/fd" % pid)]
            if name in map(os.readlink, fds):
                out.append((int(pid), len(fds)))
        except OSError:
            pass
    return out


name = path("slow.pcapng")
n = start_capture(name + " port 1")
got = until(lambda: writers(name))
is_("one process writes the file, and holds nothing else open",
    [fds for _, fds in got], [6])
os.kill(got[0][0], signal.SIGSTOP)
sent = 0
while listed(n)["lost"] < 10 and sent < 5000:
    a.send(*[frame(mac(2), mac(1), size=9000) for _ in range(20)])
    b.pending()
    sw.sync(1)
    sent += 20
ok("a slow disk loses frames of its capture", listed(n)["lost"] >= 10,
   lambda: str(listed(n)))
ok("and nobody else's", pair.goes_on(), lambda: str(pair))
sw.do("capture/stop %d" % n)
info = listed(n)
is_("its end is waited for", info["state"], "ending")
refused(name, errno.EADDRINUSE, "another capture")
os.kill(got[0][0], signal.SIGCONT)
ok("until it is there", state(n, "gone"))
cap = pcapng.read(name)
is_("and complete", (cap.whole, len(cap.packets), cap.lost),
    (True, info["packets"], {"port 1": info["lost"]}))
ok("the process has ended", until(lambda: not writers(name)))
n = start_capture(name)
os.kill(until(lambda: writers(name))[0][0], signal.SIGKILL)
ok("if it is killed, the capture has failed", state(n, "failed"),
   lambda: str(listed(n)))
ok("which is logged", sw.logged("capture %d to %s failed" % (n, name)))
sw.do("capture/stop")

victim = Switch()
x = victim.plug(1)
start_capture(name, victim.console)
x.send(*[frame(BROADCAST, mac(1), size=1000 + i) for i in range(100)])
victim.sync(10)
victim.proc.kill()
victim.proc.wait()
ok("if the switch is killed, the file is finished", until(
    lambda: not writers(name)))
cap = pcapng.read(name)
is_("with all that was on its way", (cap.whole, len(cap.packets)), (True, 100))

# --- a socket -------------------------------------------------------------

name = path("socket")
server = socket.socket(socket.AF_UNIX)
server.bind(name)
server.settimeout(DEADLINE)
n = start_capture(name + " port 1")
is_("without a listener it waits", listed(n)["state"], "waiting")
server.listen()
c = server.accept()[0]
c.settimeout(DEADLINE)
state(n, "running")
a.send(flood)
got = b""
while not pcapng.Capture(got).packets:
    got += c.recv(65536)
is_("frames go to who listens", pcapng.Capture(got).packets[0].bytes, flood)
c.close()
c = server.accept()[0]
c.settimeout(DEADLINE)
is_("and to the next connection, from the beginning",
    pcapng.Capture(c.recv(65536)).sections, 1)
c.close()
server.close()
ok("nobody listens any more: it waits", until(
    lambda: a.send(flood) or listed(n)["state"] == "waiting"))
sw.do("capture/stop")
dgram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
dgram.bind(path("dgram"))
refused(path("dgram"), errno.EPROTOTYPE, "dgram: ")

# --- a full disk ----------------------------------------------------------


def limited(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def full_disk(s, name, seen_as, reason):
    """Fills the file until nothing more fits in."""
    x, y = s.plug(1), s.plug(2)
    p = Pair(s, (11, 12))
    n = start_capture(name + " port 1", s.console)
    ok("a disk that is full ends a capture: %s" % reason, until(
        lambda: x.send(frame(BROADCAST, mac(1), size=1001)) or
        listed(n, s.console)["state"] == "failed"),
        lambda: str(listed(n, s.console)))
    is_("with the reason", listed(n, s.console)["reason"], reason)
    ok("which is logged", s.logged("warning: capture %d to %s failed: %s" %
                                   (n, name, reason)))
    cap = pcapng.read(seen_as)
    ok("what is there is whole, and a lot", cap.whole and
       len(cap.packets) >= 40, lambda: (cap.whole, len(cap.packets)))
    ok("traffic goes on", p.goes_on(), lambda: str(p))
    y.pending()
    x.send(frame(BROADCAST, mac(1), b"still here"))
    ok("and everywhere", b"still here" in (until(
        lambda: [g for g in y.pending() if b"still here" in g]) or [b""])[0])
    return p


small = Switch(preexec_fn=limited(resource.RLIMIT_FSIZE, 50003))
full_disk(small, path("limit.pcapng"), path("limit.pcapng"),
          "File too large").stop()
is_("the switch ends as ever", small.stop(), 0)

tiny = path("tiny")
os.mkdir(tiny)
mounted = ("unshare", "-m" if os.getuid() == 0 else "-Urm", "sh", "-c",
           'mount -t tmpfs -o size=64k none %s && exec "$@"' % tiny, "sh")
if run(*mounted, "true")[0] == 0:
    small = Switch(prefix=mounted)
    full_disk(small, tiny + "/x.pcapng",
              "/proc/%d/root%s/x.pcapng" % (small.pid, tiny),
              "No space left on device").stop()
    refused(tiny + "/y.pcapng", errno.ENOSPC, "No space left", small.console)
    is_("the switch ends as ever", small.stop(), 0)
else:
    skip_point("a disk that is full ends a capture", "mounts not permitted")

# --- without libpcap --------------------------------------------------------

libs = set(re.findall(r"=> (\S*/libpcap\.so\.\S*)", run(
    "/sbin/ldconfig", "-p")[1]))
without = (*mounted[:4], "".join("mount --bind /dev/null %s && " % x
                                 for x in libs) + 'exec "$@"', "sh")
if has_filters and libs and run(*without, "true")[0] == 0:
    bare = Switch(prefix=without)
    refused(path("bare.pcapng") + " filter ip", errno.EINVAL,
            "a filter needs libpcap: ", bare.console)
    start_capture(path("bare.pcapng"), bare.console)
    x, y = bare.plug(), bare.plug()
    x.send(flood)
    y.recv()
    bare.do("capture/stop")
    is_("captures without a filter work without", len(pcapng.read(
        path("bare.pcapng")).packets), 2)
    bare.stop()
else:
    skip_point("captures without a filter work without",
               "libpcap cannot be hidden, or is not there")

# --- long frames ----------------------------------------------------------

ring = Ring(sw.dir, 5, size=1 << 20, caps=0x6f)
long_ = BROADCAST + mac(5) + struct.pack(
    ">HBBHHHBBH4s4s", 0x0800, 0x45, 0, 40 + 60000, 1, 0x4000, 64, 6, 0,
    bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + struct.pack(
    ">HHIIBBHHH", 5000, 5001, 1, 0, 0x50, 0x10, 1000, 0, 0) + bytes(60000)
start_capture(path("long.pcapng"))
ok("a ring takes it", ring.put(long_, flags=1, gso_type=1, hdr_len=54,
                               gso_size=1400, csum_start=34, csum_offset=16))
ring.publish()
a.recv()
sw.sync()
sw.do("capture/stop")
cap = pcapng.read(path("long.pcapng"))
is_("TCP that is to be cut is captured whole",
    [p.port for p in cap.packets if p.bytes == long_][:2],
    ["port 5", "port 1"])
is_("with marks: no checksum yet, to be cut", {
    p.flags >> 9 & 7 for p in cap.packets if p.len == len(long_)}, {5})
ring.close()
a.pending()

# --- storms, and frames of the switch itself ------------------------------

pair.stop()
storm = path("storm.pcapng")
b.pending()
con.do("port/resetcounter")
n = start_capture(storm + " snaplen 64")
for i in range(100):
    a.send(*[frame(BROADCAST, mac(1), struct.pack(">I", i), size=60 + i * 9)
             for _ in range(10)])
    b.pending()
sw.sync(40)
sw.do("capture/stop")
cap = pcapng.read(storm)
counted = [sw.port(1)["in"]["packets"], sw.port(2)["out"]["packets"]]
is_("a storm is there frame by frame",
    [cap.ways().count(("port 1", "in")), cap.ways().count(("port 2", "out"))],
    counted)
is_("with its drops", sum(w[1] == "queue_full" for w in cap.ways()),
    sw.drops(2).get("queue_full", 0))

bpdu = frame(bytes.fromhex("0180c2000000"), mac(9), bytes.fromhex(
    "424203" "0000" "02023c" "7000020000000009" "00000000"
    "7000020000000009" "8001" "0000" "1400" "0200" "0f00" "00"), type_=39)
n = start_capture(path("stp.pcapng"))
con.do("fstp/setfstp 1")
a.send(bpdu)
sw.sync()
sw.do("capture/stop", "fstp/setfstp 0")
cap = pcapng.read(path("stp.pcapng"))
ok("BPDUs that come in are there, before the answer", any(
    p.bytes == bpdu and not p.out and
    any(q.out and q.port == "port 1" and q.bytes[:6] == bpdu[:6]
        for q in cap.packets[i + 1:])
    for i, p in enumerate(cap.packets)), lambda: str(cap.ways()))

# --- no descriptors -------------------------------------------------------

if shutil.which("prlimit"):
    left = []
    for limit in range(20, 28):
        poor = Switch(prefix=("prlimit", "--nofile=%d" % limit))
        for i in range(16):
            name = path("poor%d.%d" % (limit, i))
            if poor.console.cmd("capture/start " + name)[0]:
                break
        left.append(os.path.exists(name))
        poor.stop()
    is_("a capture that cannot start leaves no file", left, [False] * 8)
else:
    skip_point("a capture that cannot start leaves no file", "no prlimit")

# --- the end --------------------------------------------------------------

n = start_capture(path("end.pcapng"))
start_capture(fifo)
a.send(flood)
sw.sync()
is_("a switch with captures ends", sw.stop(), 0)
cap = pcapng.read(path("end.pcapng"))
ok("and their files are complete", cap.whole and cap.seen,
   lambda: str(cap.ways()))
done()
