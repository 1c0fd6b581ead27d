# SPDX-License-Identifier: GPL-2.0-or-later
"""stplib - switches, cables and stations for tests of the spanning tree

	from stplib import *

	net = Net()
	a, b = net.ours(0x1000), net.debian(0x2000)
	net.cable(a, b), net.cable(a, b)
	net.stations(a, b)
	ok("every station hears every other", net.heals(20))
	is_("no frame came twice", net.twice, [])

One thread moves the frames of all cables, so that they can be looked at,
swallowed and cut, and makes every station say something every few
milliseconds; what each has heard is written down. A station's port is an edge.
"""
from vdeclient import *

DEBIAN = "/usr/bin/vde_switch"
BPDU = b"\x01\x80\xc2\0\0\0"
PERIOD = 0.01
HELD = 0.2  # seconds that a tree must hold to be one


class Bridge:
    """A switch with spanning tree, ours or Debian's: name, dir, console."""

    def __init__(self, name, prio, debian, *options):
        self.name, self.prio, self.debian = name, prio, debian
        options = ["-F", "--priority", str(prio), *options]
        if debian:
            base = unique("d")
            self.dir, self.mgmt = base + ".ctl", base + ".mgmt"
            self.proc = start(DEBIAN, "-s", self.dir, "-M", self.mgmt,
                              *options, stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
            if not until(lambda: os.path.exists(self.mgmt)):
                skip("Debian's switch does not start")
            self._console = None
        else:
            self.switch = Switch(*options)
            self.dir, self.proc = self.switch.dir, self.switch.proc
        self.mac = re.search(r"MAC ([0-9a-f:]+)",
                             "\n".join(self.do("fstp/showinfo"))).group(1)

    @property
    def console(self):
        if not self.debian:
            return self.switch.console
        if not self._console:
            self._console = until(self._connect)
        return self._console

    def _connect(self):
        try:
            return Console(self.mgmt)
        except OSError:
            return None

    def do(self, *lines):
        return self.console.do(*lines)

    def tree(self, vlan=0):
        """What fstp/print says: root (True, if it is this switch), rootid,
        rootport, cost, and roles by port."""
        text = "\n".join(self.do("fstp/print %d" % vlan))
        return {
            "root": "ROOTSWITCH" in text,
            "rootid": re.search(r"root ([0-9a-f:]+)", text).group(1),
            "rootport": int(re.search(r"rootport (\d+)", text).group(1)),
            "cost": int(re.search(r"cost (\d+)", text).group(1)),
            "roles": {int(p): role for p, role in re.findall(
                r"Port (\d+) .*role=(\S+)", text)}}

    def root(self, vlan=0):
        """The address of the root that it believes in."""
        return self.tree(vlan)["rootid"].split(":", 2)[2]

    def state(self, port, vlan=0):
        """Of ours: discarding, learning, forwarding."""
        return self.port(port, vlan)["state"]

    def port(self, port, vlan=0):
        """Of ours, all that fstp/print says in JSON of a port."""
        for v in self.console.json("fstp/print %d" % vlan)["vlans"]:
            for p in v["ports"]:
                if p["port"] == port:
                    return p
        return None


class Cable:
    """Frames one way and the other; ports: its numbers at both ends."""

    def __init__(self, net, a, b):
        self.net = net
        self.ends = [Client(s.dir, descr=b"cable") for s in (a, b)]
        self.ports = [c.port for c in self.ends]
        self.mute = False
        self.open = True

    def close(self):
        """Both switches see it go."""
        with self.net.lock:
            self.open = False
            for c in self.ends:
                c.close()

    def pump(self, i):
        for f in self.ends[i].pending():
            if f[:6] == BPDU:
                self.net.bpdus.append(f)
            if self.mute:
                continue
            try:
                self.ends[1 - i].data.send(f, socket.MSG_DONTWAIT)
            except OSError:  # full, or its switch has ended
                pass


class Station:
    """@via: what it has instead of a port of a switch that has a console."""

    def __init__(self, net, bridge, number, vlan, via):
        self.bridge, self.number, self.vlan = bridge, number, vlan
        self.client = via or self._plug(bridge, vlan)
        self.addr = mac(0x5000 + number)
        self.heard = {}  # by station: when what was last heard was said
        self.said = 0
        self.ids = set()

    @staticmethod
    def _plug(bridge, vlan):
        client = Client(bridge.dir, descr=b"station")
        if vlan:
            bridge.do("port/setvlan %d %d" % (client.port, vlan))
        bridge.do("fstp/setedge %d %d 1" % (vlan, client.port))
        return client


class Net:
    def __init__(self):
        self.lock = threading.RLock()
        self.cables, self.people, self.count = [], [], 0
        self.taps = []  # that are only listened to: Sniffer of stppeers
        self.bpdus = []  # all that went over cables
        self.twice = []  # (station, from, number) of frames that came again
        self.stray = []  # that came back, or from another VLAN
        self._thread = None

    def ours(self, prio, *options, name=None):
        return Bridge(name or "ours %x" % prio, prio, False, *options)

    def debian(self, prio, *options, name=None):
        return Bridge(name or "Debian %x" % prio, prio, True, *options)

    def cable(self, a, b):
        c = Cable(self, a, b)
        with self.lock:
            self.cables.append(c)
        self._begin()
        return c

    def station(self, bridge, vlan=0, via=None):
        s = Station(self, bridge, self.count, vlan, via)
        self.count += 1
        with self.lock:
            self.people.append(s)
        self._begin()
        return s

    def stations(self, *bridges, vlan=0):
        return [self.station(b, vlan) for b in bridges]

    def forget(self, bridge):
        """Those on that switch talk no more: it is gone."""
        with self.lock:
            self.people = [s for s in self.people if s.bridge is not bridge]

    # ---- the thread ----

    def _begin(self):
        if not self._thread:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self):
        due = time.monotonic()
        while True:
            with self.lock:
                readers = self._readers()
            left = max(0, due - time.monotonic())
            try:
                got = select.select(list(readers), [], [], left)[0]
            except (OSError, ValueError):  # closed meanwhile
                continue
            with self.lock:
                for s in got:
                    try:
                        self._read(*readers[s])
                    except OSError:
                        pass
                if time.monotonic() >= due:
                    for p in self.people:
                        self._say(p)
                    due = time.monotonic() + PERIOD

    def _readers(self):
        out = {}
        for c in self.cables:
            if c.open:
                for i in 0, 1:
                    out[c.ends[i].data] = c, i
                    out[c.ends[i].ctl] = c, None
        for p in self.people:
            out[p.client.data] = p, 0
        for t in self.taps:
            out[t.sock] = t, 0
        return out

    def _read(self, what, end):
        if isinstance(what, Station):
            self._hear(what)
        elif what in self.taps:
            self.bpdus += what.bpdus()
        elif not what.open:
            pass
        elif end is None:
            what.close()  # a switch has ended, and so the cable
        else:
            what.pump(end)

    def _say(self, p):
        body = struct.pack(">HId", p.number, p.said, time.monotonic())
        p.said += 1
        try:
            p.client.data.send(frame(BROADCAST, p.addr, body),
                               socket.MSG_DONTWAIT)
        except OSError:
            pass

    def _hear(self, p):
        for f in p.client.pending():
            if f[12:14] != TEST_TYPE.to_bytes(2, "big"):
                continue
            who, n, when = struct.unpack(">HId", f[14:28])
            if who == p.number or self._vlan_of(who) not in (p.vlan, None):
                self.stray.append((p.number, who, n))
            elif (who, n) in p.ids:
                self.twice.append((p.number, who, n))
            p.ids.add((who, n))
            p.heard[who] = max(when, p.heard.get(who, 0))

    def _vlan_of(self, number):
        for s in self.people:
            if s.number == number:
                return s.vlan
        return None

    def end(self):
        """Silence, and no cable."""
        with self.lock:
            self.people = []
            for c in self.cables:
                if c.open:
                    c.close()

    # ---- what it knows ----

    def deaf(self, since):
        """Pairs of numbers: who has not heard whom say something later."""
        with self.lock:
            return [(p.number, q.number) for p in self.people
                    for q in self.people if p is not q and p.vlan == q.vlan
                    and p.heard.get(q.number, 0) <= since]

    def heals(self, seconds, since=None):
        """Every station hears every other one, and goes on to do so. The
        seconds that took since then or since @since; 0: it does not."""
        begin = since = since or time.monotonic()
        while until(lambda: not self.deaf(since),
                    begin + seconds - time.monotonic()):
            took = time.monotonic() - begin
            if not until(lambda: self.deaf(time.monotonic() - HELD / 2), HELD):
                return took
            since = time.monotonic()
        return 0

    def once(self, seconds=0.2):
        """Now that there is a tree: what comes twice, or back, or from another
        VLAN, in that time; what came so before is forgotten."""
        time.sleep(2 * PERIOD)
        with self.lock:
            self.twice, self.stray = [], []
        time.sleep(seconds)
        with self.lock:
            return self.twice + self.stray

    def tree(self, what, bound):
        """Two points: within @bound seconds every station hears every other
        one, and once. How long it took; 0: longer."""
        took = self.heals(bound)
        ok(what, took, self.deaf)
        if took:
            note("%.2f s" % took)
        is_("and once", self.once(), [])
        return took

    def sound(self):
        """A point: tshark has nothing against what went over cables."""
        with self.lock:
            sound_bpdus(self.bpdus)


def same_root(who, bridges):
    """A point: it is @who for all of them."""
    is_("all have the same root", until(
        lambda: {x.root() for x in bridges} == {who.mac} and who.mac),
        who.mac)


def sound_bpdus(frames):
    """A point: tshark has nothing against them."""
    got = complaints(frames)
    if got is None:
        skip_point("tshark reads every BPDU", "no tshark")
    else:
        is_("tshark reads every BPDU (%d different ones)" % len(set(frames)),
            got, [])


def complaints(frames):
    """About each different frame of them, that it is no sound BPDU; None if
    there is no tshark."""
    frames = sorted(set(frames))
    path = unique("bpdus") + ".pcap"
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, raw in enumerate(frames):
            f.write(struct.pack("=IIII", i, 0, len(raw), len(raw)) + raw)
    if not shutil.which("tshark"):
        return None
    fields = "stp.protocol", "stp.type", "_ws.malformed", "_ws.expert.message"
    argv = ["tshark", "-n", "-r", path, "-T", "fields"]
    for field in fields:
        argv += ["-e", field]
    r = subprocess.run(argv, env=dict(os.environ, HOME=TMP,
                                      XDG_CONFIG_HOME=TMP),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=60, universal_newlines=True)
    lines = r.stdout.splitlines()
    if len(lines) != len(frames):
        return ["%d of %d: %s" % (len(lines), len(frames), r.stderr)]
    out = []
    for line, raw in zip(lines, frames):
        proto, kind, malformed, expert = (line.split("\t") + [""] * 4)[:4]
        if proto != "0x0000" or not kind or malformed or expert:
            out.append("%s: %s" % (raw.hex(), line))
    return out
