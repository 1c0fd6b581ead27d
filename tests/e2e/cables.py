# SPDX-License-Identifier: GPL-2.0-or-later
"""cables - cables between switches, and probes through them, for tests

	from cables import *              # also vdeclient's

	a, b = Switch("-F"), Switch("-F")
	x = Cable(a, b)                   # x.ends[a], x.ends[b]: its ports
	converge(a, b)                    # VLAN 0, or vlan=
	h, k = edge(a), edge(b)           # hosts on edge ports
	is_("once", copies(h, k), [1])
	with Probe(h, k) as p:
	    x.cut()                       # both ends see it; x.silent: nobody
	    p.recovers()
	note(p)

Cables are a thread of the test: it sees every frame, so it can count them,
lose them, and keep the BPDUs.
"""
from vdeclient import *

BPDU_ADDR = b"\x01\x80\xc2\x00\x00\x00"


def vid_of(f):
    """The VLAN in its tag, None without."""
    return struct.unpack(">H", f[14:16])[0] & 0xfff \
        if f[12:14] == b"\x81\x00" else None


class _Thread:
    def __init__(self):
        self.poll = select.epoll()
        self.ends = {}
        self.lock = threading.RLock()
        threading.Thread(target=self._run, daemon=True).start()

    def add(self, cable, client, other):
        with self.lock:
            self.ends[client.data.fileno()] = cable, client, other
            self.ends[client.ctl.fileno()] = cable, None, None
            for s in client.data, client.ctl:
                self.poll.register(s.fileno(), select.EPOLLIN)

    def remove(self, client):
        with self.lock:
            for s in client.data, client.ctl:
                if self.ends.pop(s.fileno(), None):
                    self.poll.unregister(s.fileno())
            client.close()

    def _run(self):
        while True:
            for fd, _ in self.poll.poll():
                with self.lock:
                    cable, client, other = self.ends.get(fd, 3 * (None,))
                    if client:
                        self._move(cable, client, other)
                if cable and not client:
                    cable.cut()  # a switch hung up, as vde_plug would

    @staticmethod
    def _move(cable, client, other):
        for _ in range(64):
            try:
                f = client.data.recv(65536, socket.MSG_DONTWAIT)
            except OSError:
                return
            cable._saw(f)
            if cable.silent:
                continue
            if cable.pace:
                select.select([], [], [], cable.pace)
            try:
                other.data.send(f)  # waits, as vde_plug does
            except OSError:
                return


_thread = None


class Cable:
    """A cable from a port of switch @a to one of @b (0: any).

    frames: {VLAN of the tag: unicast frames}; bpdus: these, with the time;
    silent: it loses everything from now on; pace: seconds that each frame
    takes, on all cables."""

    def __init__(self, a, b, port_a=0, port_b=0):
        global _thread
        _thread = _thread or _Thread()
        self.frames, self.bpdus = {}, []
        self.silent, self.pace = False, 0
        self.clients = [a.plug(port_a, descr=b"cable"),
                        b.plug(port_b, descr=b"cable")]
        self.ends = {a: self.clients[0].port, b: self.clients[1].port}
        _thread.add(self, self.clients[0], self.clients[1])
        _thread.add(self, self.clients[1], self.clients[0])

    def _saw(self, f):
        if f[:6] == BPDU_ADDR:
            self.bpdus.append((time.monotonic(), f))
        elif not f[0] & 1:
            v = vid_of(f)
            self.frames[v] = self.frames.get(v, 0) + 1

    def cut(self):
        """Unplugged at both ends. A switch that goes does the same."""
        for c in self.clients:
            _thread.remove(c)


# --- trees ----------------------------------------------------------------

def tree(sw, vlan=0):
    """A VLAN as fstp/print has it; its ports by number."""
    t = sw.console.json("fstp/print %d" % vlan)["vlans"][0]
    t["ports"] = {p["port"]: p for p in t["ports"]}
    return t


def agree(*switches, vlan=0, but=()):
    """Do all have one root, and is each port where its role wants it to be?
    Not looked at are ports in @but, (switch, port)."""
    trees = [tree(s, vlan) for s in switches]
    if len({t["root"] for t in trees}) != 1 or \
            sum(t["root_switch"] for t in trees) != 1:
        return False
    want = {"root": "forwarding", "designated": "forwarding",
            "alternate": "discarding", "backup": "discarding"}
    return all(p["state"] == want.get(p["rstp_role"])
               for s, t in zip(switches, trees)
               for n, p in t["ports"].items() if (s, n) not in but)


def converge(*switches, vlan=0, seconds=DEADLINE, but=()):
    """Waits until they do; shows the trees if they do not."""
    if until(lambda: agree(*switches, vlan=vlan, but=but), seconds):
        return True
    for s in switches:
        note("\n".join(s.do("fstp/print %d" % vlan)))
        note("\n".join(s.do("vlan/print %d" % vlan)))
    return False


def states(sw, vlan=0):
    return {n: p["state"] for n, p in tree(sw, vlan)["ports"].items()}


def roles(sw, vlan=0):
    return {n: p["rstp_role"] for n, p in tree(sw, vlan)["ports"].items()}


# --- hosts ----------------------------------------------------------------

_n_hosts = 0


def edge(sw, port=0, vlan=0):
    """A host on an edge port: it is heard from the start."""
    global _n_hosts
    _n_hosts += 1
    c = sw.plug(port, descr=b"host")
    c.mac = mac(0x505000 + _n_hosts)
    c.switch = sw
    if vlan:
        sw.do("port/setvlan %d %d" % (c.port, vlan))
    sw.do("fstp/setedge %d %d 1" % (vlan, c.port))
    return c


_serial = 0


def copies(src, *others, switches=(), wait=2):
    """How often each of @others gets a broadcast of @src, and later ones show
    that no more copies of it are on their way. @wait: for them, 0 on one
    switch."""
    global _serial
    _serial += 1
    for c in others:
        c.pending()
    body = struct.pack(">I", _serial)
    src.send(frame(BROADCAST, src.mac, b"copy" + body))
    got = [0] * len(others)
    ends = [False] * len(others)
    src.send(frame(BROADCAST, src.mac, b"over" + body))

    def look():
        for i, c in enumerate(others):
            for f in c.pending():
                got[i] += f[14:22] == b"copy" + body
                ends[i] |= f[14:22] == b"over" + body
        return all(ends)

    until(look, wait)
    for s in {c.switch for c in (src, *others)} | set(switches):
        s.sync()
    look()
    return got


class Probe:
    """A frame in each millisecond from one host to the other and back, in the
    background. Notices what is late, lost and doubled."""

    def __init__(self, a, b, dst=None):
        self.a, self.b = a, b
        self.sent, self.got, self.twice = 0, [0, 0], 0
        self.last = [0.0, 0.0]  # when one arrived there
        self.gap = [0.0, 0.0]  # the longest time without one
        self._dst = dst
        self._seen = [set(), set()]
        self._newest = [-1, -1]
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.a.pending()
        self.b.pending()
        self._thread.start()
        assert until(lambda: min(self.got) > 20, 5), "no probe arrives"
        self.gap = [0.0, 0.0]
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join()

    def _recv(self, i, c, other):
        for f in c.pending():
            if f[14:18] != b"prob" or f[6:12] != other.mac:
                continue
            n = struct.unpack(">I", f[18:22])[0]
            self.twice += n in self._seen[i]
            self._seen[i].add(n)
            self._newest[i] = max(n, self._newest[i])
            now = time.monotonic()
            if self.last[i]:
                self.gap[i] = max(self.gap[i], now - self.last[i])
            self.last[i] = now
            self.got[i] += 1

    def _run(self):
        due = time.monotonic()
        while not self._stop:
            body = b"prob" + struct.pack(">I", self.sent)
            for src, dst in (self.a, self.b), (self.b, self.a):
                try:
                    src.data.send(frame(self._dst or dst.mac, src.mac, body),
                                  socket.MSG_DONTWAIT)
                except BlockingIOError:
                    pass
            self.sent += 1
            self._recv(0, self.a, self.b)
            self._recv(1, self.b, self.a)
            due = max(due + 0.001, time.monotonic() - 0.1)
            select.select([], [], [], max(0, due - time.monotonic()))

    def recovers(self, seconds=DEADLINE):
        """Do frames arrive at both that are sent from now on?"""
        now = self.sent
        return bool(until(lambda: min(self._newest) > now, seconds))

    def __str__(self):
        return "%d probes each way, %d and %d arrived, %d twice, longest " \
            "gaps %.0f and %.0f ms" % (self.sent, *self.got, self.twice,
                                       *[1000 * g for g in self.gap])


# --- tshark ---------------------------------------------------------------

def write_pcap(path, packets):
    """(time, frame) each."""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for t, p in packets:
            f.write(struct.pack("=IIII", int(t), int(t % 1 * 1e6), len(p),
                                len(p)) + p)
