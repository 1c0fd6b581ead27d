# SPDX-License-Identifier: GPL-2.0-or-later
"""wirelib - a wirefilter with pipes on both sides, for tests

	from wirelib import *             # also vdeclient's

	w = Wire("-d", "10")              # ready; w.left, w.right are its sides
	w.left.send(b"frame", b"another")
	is_("comes out", w.right.recv(), b"frame")
	is_("and nothing else", w.right.quiet(0.1), True)
	is_("ends well", w.stop(), 0)
	one = Wire(both=False)            # left is its input, right its output

A side has the descriptors wfd, to write into the wire, and rfd, to read what
comes out of it; None where there is none. Frames are bytes of any length.
"""
from vdeclient import *

HDR = 2


def packed(*frames):
    """As they stand in a stream."""
    return b"".join(struct.pack(">H", len(f)) + f for f in frames)


def unpacked(stream):
    """(frames, rest) of what was read."""
    frames, at = [], 0
    while at + HDR <= len(stream):
        end = at + HDR + (stream[at] << 8 | stream[at + 1])
        if end > len(stream):
            break
        frames.append(bytes(stream[at + HDR:end]))
        at = end
    return frames, bytes(stream[at:])


class Side:
    """The test's ends of the pipes on one side."""

    def __init__(self, wfd, rfd):
        self.wfd, self.rfd = wfd, rfd
        self.buf = b""
        self.ended = False  # rfd is at its end
        for fd in wfd, rfd:
            if fd is not None:
                os.set_blocking(fd, False)

    def write(self, data, seconds=DEADLINE):
        """Bytes; how many went in that time, or until nobody takes them."""
        done, end = 0, time.monotonic() + seconds
        while done < len(data):
            left = end - time.monotonic()
            if left <= 0 or not select.select([], [self.wfd], [], left)[1]:
                break
            try:
                done += os.write(self.wfd, data[done:])
            except BlockingIOError:
                pass
            except BrokenPipeError:
                break
        return done

    def send(self, *frames):
        data = packed(*frames)
        if self.write(data) != len(data):
            raise AssertionError("the wire takes no more")

    def fill(self, seconds):
        """Reads what is there, or comes in that time. False: nothing."""
        if self.ended or not select.select([self.rfd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.rfd, 1 << 20)
        except BlockingIOError:
            return False
        self.ended = not data
        self.buf += data
        return bool(data)

    def recv(self, seconds=DEADLINE):
        """The next frame, or None."""
        return self.recv_at(seconds)[1]

    def recv_at(self, seconds=DEADLINE):
        """(when it was read, the next frame), or (None, None)."""
        end = time.monotonic() + seconds
        while True:
            n = HDR + (self.buf[0] << 8 | self.buf[1]) \
                if len(self.buf) >= HDR else 0
            if n and len(self.buf) >= n:
                f, self.buf = self.buf[HDR:n], self.buf[n:]
                return time.monotonic(), f
            left = end - time.monotonic()
            if left < 0 or (not self.fill(left) and self.ended):
                return None, None

    def take(self, n, seconds=DEADLINE):
        """Up to @n frames that come in that time."""
        frames, end = [], time.monotonic() + seconds
        while len(frames) < n:
            f = self.recv(max(0, end - time.monotonic()))
            if f is None:
                break
            frames.append(f)
        return frames

    def rest(self, seconds=DEADLINE):
        """Frames up to the end of the stream; fails if a part is left."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            self.fill(end - time.monotonic())
        frames, left = unpacked(self.buf)
        if left or not self.ended:
            raise AssertionError("%d bytes left, %sat the end" % (
                len(left), "" if self.ended else "not "))
        self.buf = b""
        return frames

    def quiet(self, seconds):
        """Does nothing come out in that time?"""
        return not self.buf and not self.fill(seconds)

    def close_in(self):
        """The wire sees the end of its input."""
        if self.wfd is not None:
            os.close(self.wfd)
        self.wfd = None

    def close_out(self):
        """Nobody reads what the wire writes."""
        if self.rfd is not None:
            os.close(self.rfd)
        self.rfd = None

    def close(self):
        self.close_in()
        self.close_out()


class WireConsole(Console):
    prompt = b"\nVDEwf$ "

    def load(self, path, end=b"1038 Function not implemented\n"):
        """The reply to `load`, in which prompts stand, too; what marks its
        end is that of a command that is sent behind it."""
        self.write(b"load " + path.encode() + b"\nno-such-command\n")
        return self.upto(self.prompt + end + self.prompt)[
            :-len(2 * self.prompt + end)].decode()


class Wire:
    """A wirefilter between pipes, ready; with @console it has a management
    socket, at .mgmt, and .console is a session there. What it says is in log(), also if it ends instead of
    becoming ready (NotReady: status, log)."""

    def __init__(self, *options, both=True, console=False, env=None,
                 program="wirefilter", **popen):
        base = unique("w")
        self.mgmt = base + ".mgmt" if console else None
        self.logfile = base + ".log"
        self._console = None
        ours = "/" not in program  # a peer cannot say that it is ready
        to_l, from_l = os.pipe(), os.pipe()
        to_r, from_r = (os.pipe(), os.pipe()) if both else (None, None)
        ready = os.pipe()
        argv = [program]
        if self.mgmt:
            argv += ["-M", self.mgmt]
        if ours:
            argv += ["--ready-fd", str(ready[1])]
        argv += options
        env = dict(os.environ, **(env or {}))
        for name in "ALTERNATE_STDIN", "ALTERNATE_STDOUT":
            env.pop(name, None)
        theirs = [ready[1]]
        if both:
            env["ALTERNATE_STDIN"] = str(to_r[0])
            env["ALTERNATE_STDOUT"] = str(from_r[1])
            theirs += [to_r[0], from_r[1]]
        theirs += popen.pop("pass_fds", ())
        with open(self.logfile, "wb") as log:
            self.proc = start(*argv, stdin=to_l[0], stdout=from_l[1],
                              stderr=log, env=env, pass_fds=theirs, **popen)
        self.pid = self.proc.pid
        for fd in (to_l[0], from_l[1], *theirs[:3 if both else 1]):
            os.close(fd)
        self.left = Side(to_l[1], from_l[0] if both else None)
        self.right = Side(to_r[1] if both else None,
                          from_r[0] if both else from_l[0])
        got = True
        if ours:
            got = select.select([ready[0]], [], [], DEADLINE)[0] and \
                os.read(ready[0], 1) == b"\n"
        os.close(ready[0])
        if not got or (not ours and not self.logged("starting")):
            if got == []:
                self.proc.kill()
            self.left.close()
            self.right.close()
            raise NotReady(self.proc.wait(), self.log())

    @property
    def console(self):
        if not self._console:
            until(lambda: os.path.exists(self.mgmt))  # of a peer
            self._console = WireConsole(self.mgmt)
        return self._console

    def log(self):
        with open(self.logfile, errors="replace") as f:
            return f.read()

    def logged(self, regex, seconds=DEADLINE):
        """Does the log say so, now or soon?"""
        return bool(until(lambda: re.search(regex, self.log(), re.M),
                          seconds))

    def alive(self):
        return self.proc.poll() is None

    def wait(self, seconds=DEADLINE):
        """Its exit status, negative: the signal; None: it lives."""
        try:
            return self.proc.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, signo=signal.SIGTERM):
        """Its exit status; the pipes are closed."""
        if self.alive():
            self.proc.send_signal(signo)
        status = self.wait()
        if status is None:
            self.proc.kill()
            status = self.proc.wait()
        self.left.close()
        self.right.close()
        return status


def refused_wire(*options, **kw):
    """(status, log) of one that does not become ready."""
    try:
        w = Wire(*options, **kw)
    except NotReady as e:
        return e.args
    w.stop()
    return None, w.log()


def exchange(*streams, seconds=DEADLINE):
    """Writes and reads at the same time: of each (side, bytes to write, other
    side, how many bytes to read there) all that was read."""
    todo = [[a, memoryview(data), b, n, bytearray()]
            for a, data, b, n in streams]
    end = time.monotonic() + seconds
    while any(t[1] or len(t[4]) < t[3] for t in todo):
        r = [t[2].rfd for t in todo if len(t[4]) < t[3]]
        w = [t[0].wfd for t in todo if t[1]]
        left = end - time.monotonic()
        ready = select.select(r, w, [], left) if left > 0 else ([], [], [])
        if not (ready[0] or ready[1]):
            break
        for t in todo:
            if t[1] and t[0].wfd in ready[1]:
                t[1] = t[1][os.write(t[0].wfd, t[1]):]
            if t[2].rfd in ready[0]:
                got = os.read(t[2].rfd, 1 << 18)
                t[4] += got
                t[3] = t[3] if got else len(t[4])
    return [bytes(t[4]) for t in todo]
