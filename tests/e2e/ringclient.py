# SPDX-License-Identifier: GPL-2.0-or-later
"""ringclient - a client of a switch by rings in shared memory, for tests

	from ringclient import *

	r = Ring(sw.dir)                 # doc/protocol-ring.md, by hand
	r.send(frame(BROADCAST, mac(1)))
	r.recv()                         # a frame, or None
	r.words[TAIL] = 12345            # what no good client would do

Every word and byte is in reach. What send() and recv() do is honest; they
kick more often than they must. RingPair is the Pair of vdeclient with one end
on rings, and keeps the time of each frame. Needs vdeclient.
"""
import mmap

from vdeclient import *

# Indices into Ring.words: client to switch, and OUT + for the other way.
TAIL, START, HEAD, CONSUMER_WAITS, PRODUCER_WAITS = 0, 1, 16, 32, 48
OUT = 64
DATA = 4096  # offset of the data area of client to switch
MASK = 0xffffffff
MEMORY, KICK, DATA_KICK = range(3)


def request_v4(port=0, type_=NEW, caps=0, size=65536, max_len=0, descr=b"",
               version=4, magic=MAGIC):
    return struct.pack("=8I", magic, version, type_ | port << 8, caps, size,
                       max_len, 0, 0) + descr


def record(length, tci=0, flags=0, gso_type=0, hdr_len=0, gso_size=0,
           csum_start=0, csum_offset=0):
    return struct.pack("=IHBBHHHH", length, tci, flags, gso_type, hdr_len,
                       gso_size, csum_start, csum_offset)


def readable(f, seconds):
    """select() knows no descriptors above 1023."""
    p = select.poll()
    p.register(f, select.POLLIN)
    return bool(p.poll(max(0, seconds) * 1000))


def writable(f, seconds):
    p = select.poll()
    p.register(f, select.POLLOUT)
    return bool(p.poll(max(0, seconds) * 1000))


def need_(length):
    """Bytes that a frame takes in a ring."""
    return (16 + length + 15) & ~15


class Ring:
    """ctl: the connection; answer: its 8 words, reason: its text; fds, size,
    max_len, mem, words. Refused if the switch hangs up; status says no
    otherwise."""

    def __init__(self, directory, port=0, type_=NEW, size=65536, caps=0,
                 max_len=0, descr=b"ring", request=None):
        self.fds, self.mem, self.words = [], None, None
        self.ctl = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.ctl.settimeout(DEADLINE)
        try:
            self.ctl.connect(directory + "/ctl")
            self._ask(request or request_v4(port, type_, caps, size, max_len,
                                            descr))
        except BaseException:
            self.close()
            raise
        if self.status:
            return
        self.mem = mmap.mmap(self.fds[MEMORY], DATA + 2 * self.size)
        self.words = memoryview(self.mem).cast("I")
        self.data = socket.socket(fileno=self.fds[DATA_KICK])
        self.tail = self.head = 0

    def _ask(self, request):
        try:
            self.ctl.sendall(request)
            msg, self.fds, _, _ = socket.recv_fds(self.ctl, 128, 4)
        except (ConnectionResetError, BrokenPipeError):
            msg = b""
        if not msg:
            raise Refused("request refused")
        self.answer = struct.unpack("=8I", msg[:32])
        self.reason = msg[32:].split(b"\0")[0].decode()
        (_, _, self.status, self.port, self.caps, self.size,
         self.max_len) = self.answer[:7]

    def kick(self):
        os.write(self.fds[KICK], struct.pack("=Q", 1))

    # --- frames out ---

    def write(self, pos, data):
        """Bytes at @pos of the stream to the switch."""
        pos %= self.size
        first = min(len(data), self.size - pos)
        self.mem[DATA + pos:DATA + pos + first] = data[:first]
        if first < len(data):
            self.mem[DATA:DATA + len(data) - first] = data[first:]

    def put(self, f, **fields):
        """One record at the end, not yet published; False without room."""
        n = need_(len(f))
        if self.size - ((self.tail - self.words[HEAD]) & MASK) < n:
            return False
        self.write(self.tail, record(len(f), **fields) + f)
        self.tail = (self.tail + n) & MASK
        return True

    def publish(self):
        self.words[TAIL] = self.tail
        self.kick()

    def send(self, *frames):
        end = time.monotonic() + DEADLINE
        for f in frames:
            while not self.put(f):
                self.publish()
                self.stop_up()
                writable(self.data, 0.001)
                if time.monotonic() > end:
                    raise TimeoutError("no room")
        self.publish()

    def stop_up(self):
        """Makes the data socket unwritable until the switch has room."""
        size = self.data.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        try:
            self.data.send(bytes(size // 4), socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

    # --- frames in ---

    @staticmethod
    def _drain(s):
        try:
            while s.recv(64, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            pass

    def read(self, pos, n):
        pos = (pos - self.words[OUT + START]) % self.size
        base = DATA + self.size
        first = min(n, self.size - pos)
        return self.mem[base + pos:base + pos + first] + \
            self.mem[base:base + n - first]

    def take(self):
        """The next frame, if there is one."""
        if self.words[OUT + TAIL] == self.head:
            return None
        n = struct.unpack("=I", self.read(self.head, 4))[0]
        f = self.read((self.head + 16) & MASK, n)
        self.head = (self.head + need_(n)) & MASK
        self.words[OUT + HEAD] = self.head
        if self.words[OUT + PRODUCER_WAITS]:
            self.words[OUT + PRODUCER_WAITS] = 0
            self.kick()
        return f

    def recv(self, seconds=DEADLINE):
        end = time.monotonic() + seconds
        while True:
            f = self.take()
            if f is not None:
                return f
            self.words[OUT + CONSUMER_WAITS] = 1
            if self.words[OUT + TAIL] != self.head:
                continue
            left = end - time.monotonic()
            if left < 0 or not readable(self.data, left):
                return self.take()
            self._drain(self.data)

    def pending(self):
        out = []
        while True:
            f = self.take()
            if f is None:
                return out
            out.append(f)

    # --- the end ---

    def hung_up(self, seconds=DEADLINE):
        self.ctl.settimeout(seconds)
        try:
            return self.ctl.recv(1) == b""
        except ConnectionResetError:
            return True
        except (socket.timeout, BlockingIOError):
            return False

    def close(self):
        self.ctl.close()
        if self.words is not None:
            self.words.release()
            self.mem.close()
            self.words = None
            self.data.detach()
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class RingPair(Pair):
    """A Pair of which one end has rings."""

    def __init__(self, switch, vlan=None):
        self.times = []
        self._vlan = vlan
        super().__init__(_Mixed(switch), vlan=vlan)

    def _pass(self, src, dst, me, you):
        begin = time.monotonic()
        super()._pass(src, dst, me, you)
        self.times.append(time.monotonic() - begin)

    def p99(self):
        times = sorted(self.times)
        return times[len(times) * 99 // 100] if times else 0.0

    def __str__(self):
        return "%s, p99 %.4f s" % (super().__str__(), self.p99())


class _Mixed:
    """A switch whose first client has rings and whose second has not."""

    def __init__(self, switch):
        self.switch, self.n = switch, 0

    def plug(self, port):
        self.n += 1
        return Ring(self.switch.dir, port) if self.n == 1 else \
            self.switch.plug(port)

    def do(self, *lines):
        self.switch.do(*lines)


def child(fn, *args):
    """Runs fn in a process of its own; ended by its pid, and at the end."""
    pid = os.fork()
    if pid:
        _pids.append(pid)
        return pid
    try:
        fn(*args)
    except BaseException as e:
        os.write(2, ("# child: %r\n" % e).encode())
        os._exit(1)
    os._exit(0)  # what the parent does at its end is not ours to do


def reap(pid, signo=signal.SIGKILL):
    """Its status as a shell has it, negative if by a signal."""
    os.kill(pid, signo)
    _pids.remove(pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _reap_all():
    while _pids:
        reap(_pids[0])


_pids = []
atexit.register(_reap_all)
