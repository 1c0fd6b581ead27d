# SPDX-License-Identifier: GPL-2.0-or-later
"""vdeclient - raw clients of a switch, for tests in Python

	from vdeclient import *

	sw = Switch()                     # vde_switch on a directory of its own
	a, b = sw.plug(), sw.plug()
	a.send(frame(BROADCAST, mac(1)))
	is_("b gets it", b.recv(), frame(BROADCAST, mac(1)))
	is_("nothing else", sw.quiet(a, b), True)
	done()

Speaks the control protocol and the console's text by itself, so that it can
also say what no good client would. Nothing here waits for time to pass: there
are deadlines, and Switch.sync(), after which everything that was sent to the
switch before has left it again. What was started is killed and TMP removed
when the script ends, however it ends. Run scripts with python3 -B.
"""
import atexit
import errno
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD") or ROOT + "/build")
os.environ["PATH"] = BUILD + "/bin:" + os.environ.get("PATH", "/bin") + \
    ":/usr/sbin:/sbin"
os.environ["LC_ALL"] = "C"
os.environ.pop("NOTIFY_SOCKET", None)
DEADLINE = 10  # seconds, for what must happen
# A shell gives 1024 descriptors, and more to who asks.
_hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))

TMP = tempfile.mkdtemp(prefix="vde.", dir="/tmp")
_owner = os.getpid()
_children = []


def _clean_up():
    if os.getpid() != _owner:
        return
    for p in _children:
        if p.poll() is None:
            p.kill()
            p.wait()
    shutil.rmtree(TMP, ignore_errors=True)


atexit.register(_clean_up)
for _s in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_s, lambda signo, _: sys.exit(128 + signo))


# --- TAP ------------------------------------------------------------------

_points = _bad = 0


def skip(why):
    print("skip:", why)
    sys.exit(77)


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            skip("no " + p)


def ok(sentence, good, detail=None):
    """A point; @detail, or a function that gives it, is shown if not good."""
    global _points, _bad
    _points += 1
    print("%sok %d - %s" % ("" if good else "not ", _points, sentence))
    if not good:
        _bad += 1
        if callable(detail):
            detail = detail()
        if detail is not None:
            for line in str(detail).splitlines():
                print("#", line)
    sys.stdout.flush()
    return bool(good)


def _show(v):
    s = v if isinstance(v, str) else repr(v)
    return s if len(s) < 4000 else s[:2000] + " ... " + s[-1000:]


def is_(sentence, got, wanted):
    return ok(sentence, got == wanted,
              lambda: "got:\n%s\nwanted:\n%s" % (_show(got), _show(wanted)))


def like(sentence, got, regex):
    return ok(sentence, re.search(regex, got, re.M) is not None,
              lambda: "got:\n%s\nwanted a match of: %s" % (got, regex))


def skip_point(sentence, why):
    global _points
    _points += 1
    print("ok %d - %s # SKIP %s" % (_points, sentence, why))


def note(text):
    for line in str(text).splitlines():
        print("#", line)


def done():
    print("1..%d" % _points)
    sys.stdout.flush()
    sys.exit(1 if _bad else 0)


def until(fn, seconds=DEADLINE):
    """The first true value of fn(), or its last one after @seconds."""
    end = time.monotonic() + seconds
    while True:
        v = fn()
        if v or time.monotonic() > end:
            return v
        select.select([], [], [], 0.005)


# --- frames ---------------------------------------------------------------

BROADCAST = b"\xff" * 6
TEST_TYPE = 0x88b5  # local experimental, IEEE 802


def mac(n):
    return b"\x02" + n.to_bytes(5, "big")


def mac_str(m):
    return ":".join("%02x" % x for x in m)


def frame(dst, src, payload=b"", size=None, tci=None, type_=TEST_TYPE,
          fill=0xee):
    """Bytes of a frame; @size counts everything, also the tag."""
    f = dst + src
    if tci is not None:
        f += struct.pack(">HH", 0x8100, tci)
    f += struct.pack(">H", type_) + payload
    if size is None:
        size = max(len(f), 60)
    return f + bytes([fill]) * (size - len(f))


def padded(f, size=60):
    return f + bytes(max(0, size - len(f)))


# --- the control protocol -------------------------------------------------

MAGIC = 0xfeedface
NEW, PORT0 = 0, 1


def sockaddr(path, family=socket.AF_UNIX):
    """struct sockaddr_un, 110 bytes; @path may be bytes with NULs."""
    if isinstance(path, str):
        path = path.encode()
    return struct.pack("=H108s", family, path)


def request_v3(path, port=0, type_=NEW, descr=b"", version=3, magic=MAGIC):
    return struct.pack("=III", magic, version, type_ | port << 8) + \
        sockaddr(path) + descr


def request_v1(path, type_=NEW, descr=b"", magic=MAGIC):
    return struct.pack("=II", magic, type_) + bytes(6) + sockaddr(path) + descr


_serial = 0


def unique(prefix="c"):
    global _serial
    _serial += 1
    return "%s/%s%d.%d" % (TMP, prefix, os.getpid(), _serial)


class Refused(Exception):
    """The switch hung up instead of answering."""


class Client:
    """A port of a switch by the datagram protocol.

    ctl, data: the sockets; reply: its 110 bytes; port, ep: numbers from the
    name of the switch's data socket, peer. @request replaces the bytes."""

    def __init__(self, directory, port=0, type_=NEW, version=3, descr=b"test",
                 path=None, request=None, connect=True, mode=0o777):
        self.path = unique() if path is None else path
        self.data = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.data.bind(self.path)
        if mode is not None and not self.path.startswith("\0"):
            os.chmod(self.path, mode)
        self.ctl = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.ctl.settimeout(DEADLINE)
        try:
            self.ctl.connect(directory + "/ctl")
            if request is None and version == 1:
                request = request_v1(self.path, type_, descr)
            elif request is None:
                request = request_v3(self.path, port, type_, descr)
            self.reply = self._ask(request)
        except (Refused, OSError):
            self.close()
            raise
        self.peer = self.reply[2:].split(b"\0")[0].decode()
        self.port, self.ep = map(int, self.peer.rsplit("/", 1)[1].split("."))
        if connect:
            self.data.connect(self.peer)

    def _ask(self, request):
        try:
            self.ctl.sendall(request)
            reply = self.ctl.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            reply = b""  # hung up with bytes unread
        if not reply:
            raise Refused("request refused")
        return reply

    def send(self, *frames):
        for f in frames:
            self.data.send(f)

    def recv(self, seconds=DEADLINE):
        """The next frame, or None."""
        if not select.select([self.data], [], [], seconds)[0]:
            return None
        return self.data.recv(65536)

    def pending(self):
        """All that has arrived."""
        out = []
        while True:
            try:
                out.append(self.data.recv(65536, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return out

    def hung_up(self, seconds=DEADLINE):
        """Does the switch end the connection?"""
        self.ctl.settimeout(seconds)
        try:
            return self.ctl.recv(1) == b""
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.ctl.close()
        self.data.close()
        if not self.path.startswith("\0"):
            try:
                os.unlink(self.path)
            except FileNotFoundError:
                pass


def refused(directory, *args, **kw):
    """True if the switch hangs up on this request, False if it answers."""
    try:
        Client(directory, *args, **kw).close()
    except Refused:
        return True
    return False


# --- the console ----------------------------------------------------------

PROMPT = b"\nvde$ "


def result(code):
    return "1%03d %s" % (code, os.strerror(code) if code else "Success")


def reply(data, code=0):
    """The text of a reply; @data None: without a data block."""
    text = "" if data is None else \
        "0000 DATA END WITH '.'\n" + "".join(x + "\n" for x in data) + ".\n"
    return text + result(code) + "\n"


class Console:
    prompt = PROMPT

    def __init__(self, path, greeting=True):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(path)
        self.buf = b""
        self.greeting = self.upto(self.prompt) if greeting else None

    def fill(self):
        more = self.sock.recv(65536)
        if not more:
            raise EOFError("console hung up after %r" % self.buf)
        self.buf += more

    def upto(self, end):
        """All bytes up to and including @end."""
        while end not in self.buf:
            self.fill()
        i = self.buf.index(end) + len(end)
        got, self.buf = self.buf[:i], self.buf[i:]
        return got

    def rest(self):
        """All bytes up to the end of the connection."""
        try:
            while True:
                self.fill()
        except (EOFError, ConnectionResetError):
            got, self.buf = self.buf, b""
            return got

    def write(self, data):
        self.sock.sendall(data)

    def raw(self, line):
        """The bytes of one reply, without the prompt."""
        self.write(line.encode() + b"\n")
        return self.upto(self.prompt)[:-len(self.prompt)]

    def says(self, line, data=None, code=0):
        """A point: that is the whole reply to @line."""
        return is_(line.replace(TMP, "TMP"), self.raw(line).decode(),
                   reply(data, code))

    def cmd(self, line):
        """(code, data lines) of one reply; events are left out."""
        code, data, inside = None, [], False
        for s in self.raw(line).decode().split("\n"):
            if s == "0000 DATA END WITH '.'":
                inside = True
            elif inside and s == ".":
                inside = False
            elif inside:
                data.append(s)
            elif re.match(r"1\d\d\d ", s):
                code = int(s[1:4])
        return code, data

    def do(self, *lines):
        """Each must succeed; returns the data of the last one."""
        data = []
        for s in lines:
            code, data = self.cmd(s)
            if code != 0:
                raise AssertionError("%s: code %s" % (s, code))
        return data

    def json(self, line):
        return json.loads("\n".join(self.cmd("-j " + line)[1]))

    def close(self):
        self.sock.close()


# --- processes ------------------------------------------------------------

def start(*argv, **kw):
    p = subprocess.Popen(argv, **kw)
    _children.append(p)
    return p


def gone(pid):
    """Has that process ended, even if nobody has asked for its status?"""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(*argv, **kw):
    """(status, stdout, stderr) of a program that ends by itself."""
    r = subprocess.run(argv, stdin=kw.pop("stdin", subprocess.DEVNULL),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=DEADLINE, **kw)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


class NotReady(Exception):
    """The switch ended instead of becoming ready: status, log."""


class Switch:
    """A vde_switch of this tree, ready. @prefix goes in front of the command;
    what it says is in log(), also for a failed start (NotReady). Without @rc
    it looks for an rc file of its user's or this machine's."""

    def __init__(self, *options, directory=None, mgmt=True, nostdin=True,
                 rc="/dev/null", prefix=(), program="vde_switch", **popen):
        base = unique("s")
        self.dir = directory or base + ".ctl"
        self.mgmt = base + ".mgmt" if mgmt is True else mgmt
        self.logfile = base + ".log"
        self._console = None
        argv = [*prefix, program, "-s", self.dir]
        if self.mgmt:
            argv += ["-M", self.mgmt]
        if nostdin:
            argv.append("--nostdin")
        if rc:
            argv += ["-f", rc]
        r, w = os.pipe()
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        err = popen.pop("stderr", None)
        with open(self.logfile, "wb") as log:
            self.proc = start(*argv, "--ready-fd", str(w), *options,
                              pass_fds=[w, *popen.pop("pass_fds", ())],
                              stderr=err or log, **popen)
        os.close(w)
        got = select.select([r], [], [], DEADLINE)[0] and os.read(r, 1)
        os.close(r)
        self.pid = self.proc.pid
        if got != b"\n":
            self.proc.kill() if got == [] else None
            raise NotReady(self.proc.wait(), self.log())

    def log(self):
        with open(self.logfile, errors="replace") as f:
            return f.read()

    def logged(self, regex, seconds=DEADLINE):
        """Does the log say so, now or soon?"""
        return bool(until(lambda: re.search(regex, self.log(), re.M),
                          seconds))

    def plug(self, port=0, **kw):
        return Client(self.dir, port, **kw)

    @property
    def console(self):
        if not self._console:
            self._console = Console(self.mgmt)
        return self._console

    def do(self, *lines):
        return self.console.do(*lines)

    def sync(self, turns=3):
        """What was sent before has been forwarded after this: a few frames of
        each client in the first turn, as many more in each further one."""
        for _ in range(turns):
            self.console.write(b"\n")
            self.console.upto(PROMPT)

    def quiet(self, *clients):
        """Has none of them anything to read?"""
        self.sync()
        return not any([c.pending() for c in clients])

    def port(self, n):
        """One port as port/allprint shows it in JSON."""
        return self.console.json("port/allprint %d" % n)["ports"][0]

    def drops(self, n):
        """The reasons on that port that have counted something."""
        d = self.console.json("port/drops %d" % n)["ports"][0]
        return {k: v for k, v in d.items() if v and k != "port"}

    def alive(self):
        return self.proc.poll() is None

    def stop(self, signo=signal.SIGTERM):
        """Its exit status; negative: the signal it died by."""
        if self.alive():
            self.proc.send_signal(signo)
        try:
            return self.proc.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            return self.proc.wait()


class Pair:
    """Two ports that play ping-pong in the background and notice every frame
    that is lost or late; @vlan: in a VLAN of their own, away from floods."""

    def __init__(self, switch, ports=(0, 0), vlan=None):
        self.a, self.b = [switch.plug(n) for n in ports]
        if vlan is not None:
            switch.do(*["port/setvlan %d %d" % (c.port, vlan)
                        for c in (self.a, self.b)])
        self.rounds, self.lost, self.slowest = 0, 0, 0.0
        self._n = _serial
        self._stop = False
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def _pass(self, src, dst, me, you):
        f = frame(mac(you), mac(me), struct.pack(">Q", self.rounds))
        begin = time.monotonic()
        src.send(f)
        while True:
            got = dst.recv(5)
            if got is None:
                self.lost += 1
                return
            if got == f:
                break
        self.slowest = max(self.slowest, time.monotonic() - begin)

    def _play(self):
        me, you = 0xaa0000 + self._n, 0xbb0000 + self._n
        try:
            while not self._stop:
                self._pass(self.a, self.b, me, you)
                self._pass(self.b, self.a, you, me)
                self.rounds += 1
                select.select([], [], [], 0.001)
        except OSError:
            self.lost += 1

    def goes_on(self, rounds=20):
        """Are that many more rounds played, and was nothing ever lost?"""
        now = self.rounds
        return bool(until(lambda: self.rounds >= now + rounds)) and \
            not self.lost

    def __str__(self):
        return "%d rounds, %d lost, slowest %.3f s" % (
            self.rounds, self.lost, self.slowest)

    def stop(self):
        self._stop = True
        self._thread.join(DEADLINE)
        self.a.close()
        self.b.close()
