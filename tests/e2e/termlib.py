# SPDX-License-Identifier: GPL-2.0-or-later
#
# termlib.py - what the tests of the terminals share: TAP points, a server
# that says what a test wants it to say, and a program on a pseudo terminal
# with a small screen, so that a test sees what a person would see.
import atexit
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
os.environ["PATH"] = os.path.join(BUILD, "bin") + ":" + os.environ["PATH"]
os.environ["LC_ALL"] = "C.UTF-8"
os.environ["TERM"] = "xterm"
os.environ.pop("INPUTRC", None)
WAIT = 10  # seconds for anything that must happen

TMP = tempfile.mkdtemp(prefix="vde-e2e.", dir="/tmp")
os.environ["HOME"] = TMP
_pids = []
_points = [0, 0]


def _clean_up():
    for p in _pids:
        try:
            os.kill(p, signal.SIGKILL)
        except ProcessLookupError:
            pass
    shutil.rmtree(TMP, ignore_errors=True)


atexit.register(_clean_up)
signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))


def skip(reason):
    print("skip: " + reason)
    sys.exit(77)


def program(name):
    path = os.path.join(BUILD, "bin", name)
    if not os.access(path, os.X_OK):
        skip("no " + name + " was built")
    return path


def ok(sentence, good=True, detail=""):
    _points[0] += 1
    print("%sok %d - %s" % ("" if good else "not ", _points[0], sentence))
    if not good:
        _points[1] += 1
        for line in str(detail).splitlines() or [""]:
            print("# " + line)
    sys.stdout.flush()
    return good


def skip_point(sentence, reason):
    _points[0] += 1
    print("ok %d - %s # SKIP %s" % (_points[0], sentence, reason))


def same(sentence, got, want):
    return ok(sentence, got == want, "got:    %r\nwanted: %r" % (got, want))


def done():
    print("1..%d" % _points[0])
    sys.exit(1 if _points[1] else 0)


def wait_for(condition, seconds=WAIT):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


BANNER = b"VDE switch V.2.4.0\n(C) somebody\n"
HELP = b"""COMMAND PATH       SYNTAX          HELP
------------       --------------  ------------
ds                 ============    DATA SOCKET MENU
ds/showinfo                        show ds info
help               [arg]           Help (limited to arg when specified)
logout                             logout from this mgmt terminal
shutdown                           shutdown of the switch
showinfo                           show switch version and info
load               path            load a configuration script
port               ============    PORT STATUS MENU
port/showinfo                      show port info
port/create        N               create the port N
port/createauto                    create a port
port/print         [N]             print the port/endpoint table
"""


def block(data):
    return b"0000 DATA END WITH '.'\n" + data + b".\n"


class Server:
    """A console of one client at a time. It reads as VDE 2's does: what one
    read gives is one command. `replies` maps commands to bytes, or to a
    function of the connection; a prompt follows unless the bytes are None.
    """

    count = 0

    def __init__(self, name="vde", banner=BANNER, replies=None, path=None,
                 slow=False):
        Server.count += 1
        self.path = path or os.path.join(TMP, "s%d" % Server.count)
        self.prompt = b"\n" + name.encode() + b"$ "
        self.banner = banner
        self.replies = {b"help": block(HELP) + b"1000 Success\n"}
        self.replies.update(replies or {})
        self.slow = slow
        self.got = []
        self.conn = None
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.conn = self.sock.accept()[0]
            except OSError:
                return
            try:
                self._session(self.conn)
            except OSError:
                pass
            self.conn.close()
            self.conn = None

    def say(self, data):
        if self.slow:
            for i in range(len(data)):
                self.conn.sendall(data[i:i + 1])
        else:
            self.conn.sendall(data)

    def _session(self, conn):
        if self.banner is None:
            conn.recv(1)
            return
        self.say(self.banner + self.prompt)
        while True:
            data = conn.recv(4096)
            if not data:
                return
            self.got.append(data)
            reply = self.replies.get(data.rstrip(b"\n"),
                                     b"1038 Function not implemented\n")
            if callable(reply):
                reply = reply(conn)
            if reply is None:
                continue
            self.say(reply + self.prompt)

    def hang_up(self):
        self.conn.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.sock.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


class Screen:
    """As much of a terminal as readline uses of an xterm."""

    SEQ = re.compile(rb"\x1b(\[([?0-9;]*)([@-~])|[()].|[=>78])")

    def __init__(self, cols=80, rows=200):
        self.cols = cols
        self.cells = [[" "] * cols for _ in range(rows)]
        self.x = self.y = 0
        self.rest = b""
        self.beeps = 0

    def lines(self):
        return ["".join(c).rstrip() for c in self.cells[:self.used()]]

    def used(self):
        last = max([i for i, c in enumerate(self.cells)
                    if "".join(c).strip()] + [self.y])
        return last + 1

    def line(self):
        """The line with the cursor, blanks kept up to it."""
        text = "".join(self.cells[self.y])
        return text[:self.x] + text[self.x:].rstrip()

    def _down(self):
        self.y += 1
        if self.y >= len(self.cells):
            self.cells.append([" "] * self.cols)

    def _put(self, ch):
        if self.x == self.cols:
            self.x = 0
            self._down()
        self.cells[self.y][self.x] = ch
        self.x += 1

    def _csi(self, args, final):
        n = int(args.split(b";")[0] or 1) if args.strip(b"?0123456789;") \
            == b"" and not args.startswith(b"?") else 1
        row = self.cells[self.y]
        if final == b"K":
            row[self.x:] = [" "] * (self.cols - self.x)
        elif final == b"J":
            row[self.x:] = [" "] * (self.cols - self.x)
            for r in self.cells[self.y + 1:]:
                r[:] = [" "] * self.cols
        elif final == b"A":
            self.y = max(0, self.y - n)
        elif final == b"B":
            for _ in range(n):
                self._down()
        elif final == b"C":
            self.x = min(self.cols - 1, self.x + n)
        elif final == b"D":
            self.x = max(0, self.x - n)
        elif final == b"P":
            row[self.x:] = row[self.x + n:] + [" "] * n
        elif final == b"@":
            row[self.x:] = ([" "] * n + row[self.x:])[:self.cols - self.x]

    def feed(self, data):
        data = self.rest + data
        i = 0
        while i < len(data):
            c = data[i:i + 1]
            if c == b"\x1b":
                m = self.SEQ.match(data, i)
                if not m:
                    break
                if m.group(3):
                    self._csi(m.group(2), m.group(3))
                i = m.end()
                continue
            i += 1
            if c == b"\r":
                self.x = 0
            elif c == b"\n":
                self._down()
            elif c == b"\b":
                self.x = max(0, min(self.x, self.cols - 1) - 1)
            elif c == b"\a":
                self.beeps += 1
            elif c == b"\t":
                self.x = min(self.cols - 1, (self.x // 8 + 1) * 8)
            elif c >= b" ":
                self._put(c.decode("latin-1"))
        self.rest = data[i:]


class Terminal:
    """A program on a pseudo terminal."""

    def __init__(self, *argv, cols=80):
        self.screen = Screen(cols)
        self.raw = b""
        self.status = None
        master, slave = pty.openpty()
        self.fd = master
        self.slave = slave  # kept open: its settings outlive the program
        self.resize(cols)
        self.before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(master)
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.close(slave)
            for s in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(s, signal.SIG_DFL)
            os.execvp(argv[0], argv)
        _pids.append(self.pid)

    def resize(self, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, cols, 0, 0))

    def restored(self):
        """Are the terminal's settings as they were?"""
        return termios.tcgetattr(self.slave) == self.before

    def pump(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            data = os.read(self.fd, 65536)
            self.raw += data
            self.screen.feed(data)

    def until(self, condition, seconds=WAIT):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            self.pump(0.02)
        return True

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def shows(self, line):
        """Waits until the line with the cursor is this."""
        return self.until(lambda: self.screen.line() == line)

    def has(self, line):
        return self.until(lambda: line in self.screen.lines())

    def text(self):
        return "\n".join(self.screen.lines())

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                _pids.remove(self.pid)
        return self.status is not None

    def exit_status(self):
        self.until(self.ended)
        for _ in range(5):
            self.pump(0.02)
        return self.status


def run(*argv, stdin=b"", seconds=WAIT):
    """(status, stdout, stderr) of a program fed from a pipe."""
    try:
        r = subprocess.run(argv, input=stdin, capture_output=True,
                           timeout=seconds)
    except subprocess.TimeoutExpired as e:
        return None, e.stdout or b"", e.stderr or b""
    return r.returncode, r.stdout, r.stderr


def start_switch(path, name):
    """A switch of which the console is ready, or None."""
    if not os.access(path, os.X_OK):
        return None
    mgmt = os.path.join(TMP, name + ".mgmt")
    p = subprocess.Popen([path, "-s", os.path.join(TMP, name + ".ctl"),
                          "-M", mgmt], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _pids.append(p.pid)

    def listening():
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(mgmt)
            return True
        except OSError:
            return False
        finally:
            s.close()

    if not wait_for(listening):
        skip(path + " does not start")
    return mgmt
