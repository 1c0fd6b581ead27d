# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: one function for each kind of row, and their table.

A function gets the bench and a side and returns a sample, a dict of numbers.
bench/README.md tells what each row means.
"""

import contextlib
import pathlib
import statistics
import subprocess
import tempfile
import time

from measure import (BRIDGE, LOAD, OURS, OVS, VDE2, Unable, ask, held, hosts,
                     load, on_cpu, probe, running, switch)
from ring import breaking

AT_LEAST, AT_MOST = ">=", "<="


class Figure:
    """One line of a table: @key picks the value of a sample.

    @targets are what the median of the ratios, ours by the peer's, must be,
    by the peer's name; OURS.name: our own median, or with @within the median
    of our own ratios, of the value by that other key. With @worst they are
    for the worst value, which is shown, too. @either: one of them is enough.
    """

    def __init__(self, title, key, unit, **kw):
        self.title, self.key, self.unit = title, key, unit
        self.scale = kw.get("scale", 1)
        self.sign = kw.get("sign", AT_LEAST)
        self.targets = kw.get("targets", {})
        self.within = kw.get("within")
        self.worst = kw.get("worst", False)
        self.either = kw.get("either", False)


class Row:
    """@rounds: at most, where more would tell nothing new, and @peer_rounds
    of the peers. @hosts: it is between hosts that know nothing of VDE. @wire:
    it is about wires, the name of its table, in which it is at @at, of @kind.
    @slow: nothing for --quick, unless asked for."""

    def __init__(self, name, measure, figures, **kw):
        self.name, self.measure, self.figures = name, measure, figures
        self.rounds = kw.get("rounds")
        self.peer_rounds = kw.get("peer_rounds")
        self.slow = kw.get("slow", False)
        self.hosts = kw.get("hosts", False)
        self.wire = kw.get("wire")
        self.at, self.kind = kw.get("at"), kw.get("kind")
        self.sides = (OURS, *kw.get("peers", (VDE2,)))


class Curve:
    """Samples for each of @points, and each of @series (name, function of
    bench and point); one plot."""

    def __init__(self, name, title, points, series, quick):
        self.name, self.title, self.points = name, title, points
        self.series, self.quick = series, quick
        self.slow = False


class Bench:
    """How long to measure, where, and with whose library."""

    def __init__(self, tmp, args, absent, peer):
        self.tmp, self.ms = tmp, args.ms
        self.timing = ("--ms", args.ms, "--warmup", min(100, args.ms // 2))
        self.absent = absent  # why, by the side's name
        self.peer = peer  # that speaks VDE: VDE 2 or another build
        self.idle_s = 3 if args.quick else 10
        self.tcp_s = 1 if args.quick else 3

    def old_client(self):
        """A library that knows datagrams only, for the clients of all."""
        return OURS.over("dgram") if VDE2.name in self.absent else VDE2

    def traffic(self, lib, sw, *args):
        return self.load(lib, sw, *args, "traffic")

    def load(self, lib, sw, *args):
        return load(lib, "--tx", sw.dir, "--pid", sw.proc.pid, *self.timing,
                    *args)


# ---- clients of the library ------------------------------------------------


def own(_, side):
    """Each side's own library, by the transport that it prefers."""
    return side


def old(b, _):
    return b.old_client()


def unicast(library, *args):
    def measure(b, side):
        with switch(side, b.tmp) as sw:
            return b.traffic(library(b, side), sw, *args)
    return measure


def batches(length):
    """VDE 2 has no such calls: one frame per call there."""
    def measure(b, side):
        how = () if side.name == VDE2.name else ("--batch",)
        return unicast(own, "--len", length, *how)(b, side)
    return measure


def cable(length, window):
    def measure(b, side):
        argv = [side.program("dpipe"), side.program("vde_plug")]
        with switch(side, b.tmp) as sw, switch(side, b.tmp) as far:
            argv += [sw.dir, "=", side.program("vde_plug"), far.dir]
            with running(argv, side, stdout=subprocess.DEVNULL):
                sw.wait_clients(1)
                far.wait_clients(1)
                return b.traffic(side, sw, "--rx", far.dir, "--len", length,
                                 "--window", window)
    return measure


def round_trip(library, switch_cpu, clients_cpu):
    """Pinned, because the way between processors takes longer than all the
    rest, and the scheduler now chooses it and now not."""
    def measure(b, side):
        with contextlib.ExitStack() as stack:
            with on_cpu(switch_cpu):
                sw = stack.enter_context(switch(side, b.tmp))
            with on_cpu(clients_cpu):
                return b.load(library(b, side), sw, "pingpong")
    return measure


def round_trip_beside(clients, *args):
    """While others keep the switch busy. Its time per trip would count their
    frames too, and is left out."""
    def measure(b, side):
        with switch(side, b.tmp, "-n", "80") as sw:
            argv = [str(LOAD), "--tx", sw.dir, "--ms", "60000", "--first",
                    "99", *args, "traffic"]
            with running(argv, side, stdout=subprocess.DEVNULL):
                sw.wait_clients(clients)
                return load(side, "--tx", sw.dir, *b.timing, "pingpong")
    return measure


def flood(library, *args):
    def measure(b, side):
        with switch(side, b.tmp, "-n", "80") as sw:
            return b.traffic(library(b, side), sw, "--ports", 64, *args)
    return measure


def many_ports(library):
    def measure(b, side):
        lib = library(b, side)
        with switch(side, b.tmp, "-n", "1100") as sw:
            few = b.traffic(lib, sw)
            with held(lib, sw, 998):
                many = b.traffic(lib, sw)
        return {"few": few["received_per_s"], "many": many["received_per_s"]}
    return measure


def many_addresses(b, side):
    with switch(side, b.tmp) as sw:
        few = b.traffic(side, sw, "--addresses", 1000)
    with switch(side, b.tmp) as sw:
        many = b.traffic(side, sw, "--addresses", 100000)
    return {"few": few["received_per_s"], "many": many["received_per_s"]}


def connect(library, *args):
    def measure(b, side):
        with switch(side, b.tmp, "-n", "1100") as sw:
            return b.load(library(b, side), sw, *args, "connect")
    return measure


def start(b, side):
    """The middle one of five."""
    times = []
    for _ in range(5):
        path = tempfile.mkdtemp(dir=b.tmp) + "/s"
        times.append(load(b.old_client(), "--tx", path, "start",
                          side.program("vde_switch"), "-s",
                          path)["first_frame_ms"])
    return {"first_frame_ms": statistics.median(times)}


def memory(b, side):
    """Of 64 idle ports: resident in all, and of that what each port takes in
    the switch and in the rings, whose pages count whoever touched them."""
    with switch(side, b.tmp, "-n", "80") as sw:
        private = "RssAnon", "RssFile"
        before = sw.status_mb(*private)
        with held(side, sw, 64) as ports:
            took = sw.status_mb(*private) - before + ports.ring_mb()
            idle = sw.status_mb("VmRSS")
    with switch(side, b.tmp, "-n", "80") as sw:
        after = b.traffic(side, sw, "--ports", 64, "--len", 1514,
                          "--drain", 2500)["rss_mb"]
    return {"idle": idle, "after": after, "each_kb": took * 1024 / 64}


def idle(b, side):
    with switch(side, b.tmp, "-n", "80") as sw:
        with held(side, sw, 64, 1000):
            time.sleep(1)
            before = sw.cpu_seconds()
            time.sleep(b.idle_s)
            used = sw.cpu_seconds() - before
    return {"percent": 100 * used / b.idle_s}


def beside(lines, *who):
    """What a feature costs: frames of 1514 bytes between ports 1 and 2, on a
    switch as it is and on one with these commands (@lines of the side).
    @who: a program on a port of its own."""
    def one(b, side, commands):
        mgmt = tempfile.mkdtemp(dir=b.tmp) + "/m"
        with switch(side, b.tmp, "-n", "80", "-M", mgmt) as sw, \
                contextlib.ExitStack() as stack:
            for line in commands:
                ask(mgmt, line)
            if commands and who:
                argv = [side.program(who[0]), *who[1:], sw.dir]
                stack.enter_context(running(argv, side,
                                            stdout=subprocess.DEVNULL))
                sw.wait_clients(1)
            return b.traffic(side, sw, "--len", 1514)

    def measure(b, side):
        plain, sample = one(b, side, []), one(b, side, lines(side))
        return {"with": sample["received_per_s"],
                "without": plain["received_per_s"],
                "cpu_ns_per_frame": sample["cpu_ns_per_frame"]}
    return measure


def own_ports(*lines):
    """Commands about both ports, which any client may have."""
    return lambda _: [line.format(p) for p in (1, 2) for line in (
        "port/create {}", "port/allocatable {} 1", *lines)]


GUARDS = own_ports(
    "guard/maxaddr {} 1000", "guard/rate {} 1000000000 1000000000000",
    "guard/storm {} broadcast 1000000000 1000000000000",
    "guard/storm {} multicast 1000000000 1000000000000",
    "guard/storm {} unknown 1000000000 1000000000000",
    "guard/source {} add 02:00:00:00:00:00",
    "guard/source {} add 02:01:00:00:00:00", "guard/sticky {} 1")


def trees(vlans, ports):
    """Processor time of the busier one of two switches that are joined by
    as many cables as they have @ports, with a spanning tree in each VLAN."""
    def measure(b, side):
        seconds = b.idle_s + b.idle_s % 2  # a hello is every two
        rc = pathlib.Path(tempfile.mkdtemp(dir=b.tmp)) / "rc"
        rc.write_text("fstp/setfstp 1\n" + "".join(
            f"port/create {p}\n" for p in range(1, ports + 1)) + "".join(
            f"vlan/create {v}\n" + "".join(
                f"vlan/addport {v} {p}\n" for p in range(1, ports + 1))
            for v in range(1, vlans + 1)), encoding="ascii")
        with contextlib.ExitStack() as stack:
            two = [stack.enter_context(switch(side, b.tmp, "-f", rc))
                   for _ in range(2)]
            for p in map(str, range(1, ports + 1)):
                argv = [side.program("vde_plug"), "--port", p, "--port2", p,
                        two[0].dir, two[1].dir]
                stack.enter_context(running(argv, side))
            for sw in two:
                sw.wait_clients(ports)
            time.sleep(3)  # until they have converged
            before = [sw.cpu_seconds() for sw in two]
            time.sleep(seconds)
            used = [sw.cpu_seconds() - x for sw, x in zip(two, before)]
        return {"percent": 100 * max(used) / seconds}
    return measure


def stall(line):
    """How late frames of a stream of 1 kHz are while the console lists
    100,000 addresses, and without that in the same time: each the middle one
    of five worst."""
    def measure(b, side):
        worst = {"alone": [], "beside": []}
        mgmt = tempfile.mkdtemp(dir=b.tmp) + "/m"
        with switch(side, b.tmp, "-n", "80", "-M", mgmt) as sw, \
                held(side, sw, 1, 100000), probe(side, sw, [sw]) as p:
            for _ in range(5):
                p.begin()
                began = time.monotonic()
                if ask(mgmt, line) < 5000000:
                    raise Unable("not all addresses were learned")
                took = time.monotonic() - began
                worst["beside"].append(p.look())
                p.begin()
                time.sleep(took)
                worst["alone"].append(p.look())
        return {key: statistics.median(
            x["stations"][0]["unicast"]["late_ms"] for x in looks)
            for key, looks in worst.items()}
    return measure


# ---- hosts that know nothing of it -----------------------------------------


def between_hosts(what, ours, vde2, bridge="bridge", ovs="ovs"):
    """By the kind of network that each side has (bench/hosts)."""
    kinds = {OURS.name: ours, VDE2.name: vde2, BRIDGE.name: bridge,
             OVS.name: ovs}

    def measure(b, side):
        kind = kinds.get(side.name, ours)
        if not kind:
            raise Unable("there is no such thing")
        if what == "udp":
            return hosts(side, kind, what, b.ms)
        got = hosts(side, kind, what, b.tcp_s)["end"]["sum_received"]
        return {"gbit_per_s": got["bits_per_second"] / 1e9}
    return measure


# ---- the tables ------------------------------------------------------------


def frames(title, target=None):
    return [Figure(title, "received_per_s", "kframe/s", scale=1e-3,
                   targets={VDE2.name: target} if target else {})]


def trip(title, p50=None, p99=None):
    return [Figure(f"{title}, {key}", f"{key}_us", "us", sign=AT_MOST,
                   targets={VDE2.name: target} if target else {})
            for key, target in (("p50", p50), ("p99", p99))]


def within(title, target):
    return [Figure(title, "many", "kframe/s", scale=1e-3, within="few",
                   targets={OURS.name: target})]


def cost(title, target=None):
    return [Figure(title, "with", "kframe/s", scale=1e-3, within="without",
                   targets={OURS.name: target} if target else {})]


def at_most(title, key, unit, target=None):
    return Figure(title, key, unit, sign=AT_MOST,
                  targets={OURS.name: target} if target else {})


def broken(title, target, back=None):
    """Of a ring; @back: what comes back then."""
    out = [at_worst(f"{title}, longest gap", "gap_ms", "ms", target),
           at_worst("the same on the sender's switch", "machine_ms", "ms"),
           at_worst(f"{title}, duplicates", "duplicates", "", 0)]
    if back:
        out += [at_worst(f"{back}, longest gap", "back_ms", "ms"),
                at_worst(f"{back}, duplicates", "back_duplicates", "")]
    return out


def at_worst(title, key, unit, target=None):
    return Figure(title, key, unit, sign=AT_MOST, worst=True,
                  targets={} if target is None else {OURS.name: target})


def per_second(title, target):
    return [Figure(title, "per_s", "/s", targets={OURS.name: target})]


def gbit(title, **targets):
    names = {"vde2": VDE2.name, "bridge": BRIDGE.name, "ovs": OVS.name}
    return [Figure(title, "gbit_per_s", "Gbit/s",
                   targets={names[k]: v for k, v in targets.items()})]


FLOOD = "--ports", "64", "--window", "16"
HOSTS = {"rounds": 3, "hosts": True}
RING = {"rounds": 3, "peer_rounds": 1, "slow": True}
ALL = VDE2, BRIDGE, OVS

ROWS = [
    Row("unicast-64", unicast(own, "--len", 64),
        frames("unicast 64 B", 20)),
    Row("unicast-1514", unicast(own, "--len", 1514),
        frames("unicast 1514 B", 15)),
    Row("poll-64", unicast(own, "--len", 64, "--poll"),
        frames("unicast 64 B, receiver polls")),
    Row("poll-1514", unicast(own, "--len", 1514, "--poll"),
        frames("unicast 1514 B, receiver polls")),
    Row("batch-64", batches(64),
        frames("unicast 64 B, calls for batches")),
    Row("batch-1514", batches(1514),
        frames("unicast 1514 B, calls for batches")),
    Row("old-64", unicast(old, "--len", 64),
        frames("unicast 64 B, old clients", 1.5)),
    Row("old-1514", unicast(old, "--len", 1514),
        frames("unicast 1514 B, old clients", 1.5)),
    Row("cable-64", cable(64, 128),
        frames("dpipe cable 64 B, 128 in flight", 4)),
    Row("cable-1514", cable(1514, 128),
        frames("dpipe cable 1514 B, 128 in flight", 4)),
    Row("cable-open-64", cable(64, 0),
        frames("dpipe cable 64 B, no window")),
    Row("cable-open-1514", cable(1514, 0),
        frames("dpipe cable 1514 B, no window")),
    Row("roundtrip", round_trip(own, 0, 1), trip("round trip", 0.8, 1)),
    Row("roundtrip-old", round_trip(old, 0, 1),
        trip("round trip, old clients", 0.8, 1)),
    Row("roundtrip-one-cpu", round_trip(own, 0, 0),
        trip("round trip on one processor")),
    Row("roundtrip-stream", round_trip_beside(2),
        trip("round trip beside a stream")),
    Row("roundtrip-flood", round_trip_beside(65, *FLOOD),
        trip("round trip beside a flood to 64")),
    Row("flood-64", flood(own), frames("flood to 64 ports", 5)),
    Row("flood-window-64", flood(own, "--window", 16),
        frames("the same, 16 in flight")),
    Row("flood-old-64", flood(old, "--raw"),
        frames("flood to 64 ports, old clients", 1.3)),
    Row("ports-1000", many_ports(own),
        within("64 B with 1000 ports of 2", 0.85)),
    Row("ports-old-1000", many_ports(old),
        within("64 B with 1000 ports of 2, old clients", 0.85)),
    Row("addresses-100000", many_addresses,
        within("64 B with 100,000 stations of 1000", 0.85)),
    Row("connect", connect(own),
        per_second("connect and disconnect", 10000)),
    Row("connect-old", connect(old),
        per_second("connect and disconnect, old clients", 10000)),
    Row("connect-raw", connect(own, "--raw"),
        per_second("connect and disconnect, bare protocol", 10000)),
    Row("connect-keep", connect(own, "--ports", 1000),
        per_second("connect 1000 ports that stay", 10000)),
    Row("start", start,
        [at_most("exec to first forwarded frame", "first_frame_ms", "ms", 3)]),
    Row("memory", memory,
        [at_most("resident, 64 idle ports", "idle", "MB", 10),
         at_most("resident for each idle port", "each_kb", "KB", 64),
         at_most("resident, 64 ports after a flood", "after", "MB")],
        rounds=1),
    Row("idle", idle,
        [at_most("processor when idle, 64 ports", "percent", "%", 0.1)],
        rounds=1),
    Row("cost-guards", beside(GUARDS),
        cost("1514 B with guards at both ports"), peers=()),
    Row("cost-mirror", beside(lambda _: ["port/create 1", "port/create 3",
                                         "port/allocatable 1 1",
                                         "mirror/add 1 3 both"],
                              "vde_plug", "--port", "3"),
        cost("1514 B with a mirror that is read"), peers=()),
    Row("cost-capture", beside(lambda _: ["capture/start /dev/null"]),
        cost("1514 B with a capture to /dev/null", 0.5), peers=()),
    Row("cost-mcast", beside(lambda _: ["mcast/set 1"]),
        cost("1514 B with multicast snooping on"), peers=()),
    Row("cost-plugin",
        beside(lambda side: [f"plugin/add {side.libdir}/plugins/dump.so"]),
        cost("1514 B with a plugin that does nothing now"), peers=()),
    Row("stall-text", stall("hash/print"), [
        at_most("latest frame while 100,000 addresses are listed", "beside",
                "ms", 2),
        at_most("the same without the listing", "alone", "ms")], peers=(),
        rounds=3),
    Row("stall-json", stall("-j hash/print"), [
        at_most("latest frame while they are listed as JSON", "beside", "ms",
                2)], peers=(), rounds=3),
    Row("trees", trees(100, 32),
        [at_most("processor, spanning trees in 100 VLANs of 32 ports",
                 "percent", "%", 2)], peers=(), rounds=1),
    Row("ring-cut", breaking("close_cable"),
        broken("ring of 5, a cable is closed", 100, "it is plugged in"),
        **RING),
    Row("ring-kill", breaking("kill_switch"),
        broken("ring of 5, the root is killed", 100), **RING),
    Row("ring-mute", breaking("mute_cable"),
        broken("ring of 5, a cable delivers nothing", 6000,
               "it is replaced"), **RING),
    Row("ring-stop", breaking("stop_switch"),
        broken("ring of 5, the root is stopped", 6000, "it goes on"),
        **RING),
    Row("tcp-taps", between_hosts("tcp", "taps", "tap"),
        gbit("TCP, taps", vde2=12, bridge=0.9), peers=ALL, **HOSTS),
    Row("tcp-plugs", between_hosts("tcp", "plugs", "plugs"),
        gbit("TCP, vde_plug2tap", vde2=6), **HOSTS),
    Row("tcp-ifs", between_hosts("tcp", "ifs", None, ovs="ovsifs"),
        gbit("TCP, interface ports"), peers=(BRIDGE, OVS),
        **HOSTS),
    Row("trip-taps", between_hosts("udp", "taps", "tap"),
        trip("UDP round trip, taps"), peers=ALL, **HOSTS),
    Row("trip-ifs", between_hosts("udp", "ifs", None, ovs="ovsifs"),
        trip("UDP round trip, interface ports"), peers=(BRIDGE, OVS),
        **HOSTS),
]


def by_length(side):
    def sample(b, length):
        with switch(side(b), b.tmp) as sw:
            return b.traffic(side(b), sw, "--len", length)
    return sample


def by_ports(side):
    def sample(b, ports):
        with switch(side(b), b.tmp, "-n", "1100") as sw:
            if ports <= 2:
                return b.traffic(side(b), sw)
            with held(side(b), sw, ports - 2):
                return b.traffic(side(b), sw)
    return sample


def three(sample):
    return {"ours, rings": sample(lambda b: OURS),
            "ours, datagrams": sample(lambda b: OURS.over("dgram")),
            "peer": sample(lambda b: b.peer)}


CURVES = [
    Curve("plot-sizes", "Unicast from one client to another",
          (64, 128, 256, 512, 900, 1514, 3000, 5000, 9018),
          three(by_length), quick=(64, 512, 1514, 9018)),
    Curve("plot-ports", "Unicast of 64 bytes while others are connected",
          (2, 10, 30, 100, 300, 1000), three(by_ports),
          quick=(2, 64, 1000)),
]
