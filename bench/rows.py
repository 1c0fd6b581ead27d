# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: one function for each kind of row, and their table."""

import contextlib
import statistics
import subprocess
import tempfile
import time

from measure import (LOAD, OURS, held, load, on_cpu, running, switch,
                     tcp)


class Figure:
    """One line of the table, from the samples of a row.

    Each sample is a dict; @key picks the value. @ratio_of names the two that
    are divided: by default ours by the peer's. @target compares the median
    ratio, or with @absolute our median, by @sign.
    """

    def __init__(self, title, key, unit, **kw):
        self.title, self.key, self.unit = title, key, unit
        self.scale = kw.get("scale", 1)
        self.sign = kw.get("sign", ">=")
        self.target = kw.get("target")
        self.absolute = kw.get("absolute", False)
        self.within = kw.get("within")  # the key to divide by, of one side


class Row:
    def __init__(self, name, measure, figures, rounds=None):
        self.name, self.measure, self.figures = name, measure, figures
        self.rounds = rounds  # at most, where more would tell nothing new


class Bench:
    """How long to measure, where, and with whose library."""

    def __init__(self, tmp, args, absent, common):
        self.tmp, self.ms, self.repeat = tmp, args.ms, args.repeat
        self.absent = absent  # why, by the side's name
        self.common = common  # whose library the clients of both sides use
        self.idle_s = 3 if args.quick else 10
        self.tcp_s = 1 if args.quick else 3

    def traffic(self, lib, sw, *args):
        return load(lib, "--tx", sw.dir, "--ms", self.ms,
                    "--pid", sw.proc.pid, *args, "traffic")


def unicast(length, own_library):
    def measure(b, side):
        lib = side if own_library else b.common
        with switch(side, b.tmp) as sw:
            return b.traffic(lib, sw, "--len", length)
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


def round_trip(switch_cpu, clients_cpu):
    """Pinned, because the way between processors takes longer than all the
    rest, and the scheduler now chooses it and now not."""
    def measure(b, side):
        with contextlib.ExitStack() as stack:
            with on_cpu(switch_cpu):
                sw = stack.enter_context(switch(side, b.tmp))
            with on_cpu(clients_cpu):
                return load(b.common, "--tx", sw.dir, "--ms", b.ms,
                            "--pid", sw.proc.pid, "pingpong")
    return measure


def round_trip_beside(clients, *args):
    """While others keep the switch busy. Its time per trip would count their
    frames too, and is left out."""
    def measure(b, side):
        with switch(side, b.tmp, "-n", "80") as sw:
            argv = [str(LOAD), "--tx", sw.dir, "--ms", "60000", "--first",
                    "99", *args, "traffic"]
            with running(argv, b.common, stdout=subprocess.DEVNULL):
                sw.wait_clients(clients)
                return load(b.common, "--tx", sw.dir, "--ms", b.ms, "pingpong")
    return measure


def flood(*args):
    def measure(b, side):
        with switch(side, b.tmp, "-n", "80") as sw:
            return b.traffic(b.common, sw, "--ports", 64, *args)
    return measure


def many_ports(b, side):
    with switch(side, b.tmp, "-n", "1100") as sw:
        few = b.traffic(b.common, sw)
        with held(b.common, sw, 998):
            many = b.traffic(b.common, sw)
    return {"few": few["received_per_s"], "many": many["received_per_s"]}


def many_addresses(b, side):
    with switch(side, b.tmp) as sw:
        few = b.traffic(b.common, sw, "--addresses", 1000)
    with switch(side, b.tmp) as sw:
        many = b.traffic(b.common, sw, "--addresses", 100000)
    return {"few": few["received_per_s"], "many": many["received_per_s"]}


def connect(*args):
    def measure(b, side):
        with switch(side, b.tmp, "-n", "1100") as sw:
            return load(side, "--tx", sw.dir, "--ms", b.ms,
                        "--pid", sw.proc.pid, *args, "connect")
    return measure


def start(b, side):
    """The middle one of five."""
    times = []
    for _ in range(5):
        path = tempfile.mkdtemp(dir=b.tmp) + "/s"
        times.append(load(b.common, "--tx", path, "start",
                          side.program("vde_switch"), "-s",
                          path)["first_frame_ms"])
    return {"first_frame_ms": statistics.median(times)}


def memory(b, side):
    with switch(side, b.tmp, "-n", "80") as sw:
        with held(b.common, sw, 64):
            idle = sw.rss_mb()
    with switch(side, b.tmp, "-n", "80") as sw:
        b.traffic(b.common, sw, "--ports", 64, "--len", 1514)
        with held(b.common, sw, 64):
            return {"idle": idle, "after": sw.rss_mb()}


def idle(b, side):
    with switch(side, b.tmp, "-n", "80") as sw:
        with held(b.common, sw, 64, 1000):
            time.sleep(1)
            before = sw.cpu_seconds()
            time.sleep(b.idle_s)
            used = sw.cpu_seconds() - before
    return {"percent": 100 * used / b.idle_s}


def tcp_between(ours, peer):
    def measure(b, side):
        kind = ours if side is OURS else peer
        return tcp(side, kind, b.tcp_s)
    return measure


def gbit(title):
    return [Figure(title, "gbit_per_s", "Gbit/s")]


def frames(title, target=None, **kw):
    return [Figure(title, "received_per_s", "kframe/s", scale=1e-3,
                   target=target, **kw)]


def trip(title, p50=None, p99=None):
    return [Figure(title + ", p50", "p50_us", "us", sign="<=", target=p50),
            Figure(title + ", p99", "p99_us", "us", sign="<=", target=p99)]


def within(title, target):
    return [Figure(title, "many", "kframe/s", scale=1e-3, within="few",
                   target=target)]


def per_second(title, target=None):
    return [Figure(title, "per_s", "/s", target=target, absolute=True)]


ROWS = [
    Row("unicast-64", unicast(64, False),
        frames("unicast 64 B, Debian's library on both", 1.5)),
    Row("unicast-1514", unicast(1514, False),
        frames("unicast 1514 B, Debian's library on both", 1.5)),
    Row("unicast-own-64", unicast(64, True),
        frames("unicast 64 B, each with its own library")),
    Row("unicast-own-1514", unicast(1514, True),
        frames("unicast 1514 B, each with its own library")),
    Row("cable-64", cable(64, 128),
        frames("dpipe cable 64 B, 128 in flight", 1.5)),
    Row("cable-1514", cable(1514, 128),
        frames("dpipe cable 1514 B, 128 in flight", 1.5)),
    Row("cable-open-64", cable(64, 0),
        frames("dpipe cable 64 B, as fast as it can be fed")),
    Row("cable-open-1514", cable(1514, 0),
        frames("dpipe cable 1514 B, as fast as it can be fed")),
    Row("roundtrip", round_trip(0, 1), trip("round trip 64 B", 0.8, 1)),
    Row("roundtrip-one-cpu", round_trip(0, 0),
        trip("round trip 64 B on one processor")),
    Row("roundtrip-stream", round_trip_beside(2),
        trip("round trip beside a stream of others")),
    Row("roundtrip-flood",
        round_trip_beside(65, "--ports", "64", "--raw", "--window", "16"),
        trip("round trip beside a flood to 64 ports")),
    Row("flood-64", flood("--raw"),
        frames("flood to 64 ports, read in batches", 1.3)),
    Row("flood-window-64", flood("--raw", "--window", 16),
        frames("the same, 16 in flight")),
    Row("flood-classic-64", flood(),
        frames("flood to 64 ports, read by vde_recv()")),
    Row("ports-1000", many_ports,
        within("64 B with 1000 ports of 2 ports", 0.85)),
    Row("addresses-100000", many_addresses,
        within("64 B with 100,000 stations of 1000", 0.85)),
    Row("connect", connect(),
        per_second("connect and disconnect, library", 10000)),
    Row("connect-raw", connect("--raw"),
        per_second("connect and disconnect, bare protocol", 10000)),
    Row("connect-keep", connect("--ports", 1000),
        per_second("connect 1000 ports that stay, library", 10000)),
    Row("start", start, [
        Figure("exec to first forwarded frame", "first_frame_ms", "ms",
               sign="<=", target=3, absolute=True)]),
    Row("memory", memory, [
        Figure("resident, 64 ports", "idle", "MB", sign="<=", target=10,
               absolute=True),
        Figure("resident, 64 ports, after traffic", "after", "MB",
               sign="<=", target=10, absolute=True)], rounds=1),
    Row("idle", idle, [
        Figure("processor when idle, 64 ports", "percent", "%", sign="<=",
               target=0.1, absolute=True)], rounds=1),
    Row("tcp-taps", tcp_between("taps", "tap"),
        gbit("TCP, two taps; VDE 2: a tap and vde_plug2tap"), rounds=3),
    Row("tcp-plugs", tcp_between("plugs", "plugs"),
        gbit("TCP, two vde_plug2tap"), rounds=3),
    Row("tcp-bridge", tcp_between("taps", "bridge"),
        gbit("TCP, two taps; right column: Linux bridge, veth"), rounds=3),
]
