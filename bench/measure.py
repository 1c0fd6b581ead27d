# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs switches, cables and the load program, ours or the peer's."""

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
LOAD = BUILD / "bench" / "vdeload"


class Unable(Exception):
    """A row cannot be measured; the text says why."""


class Side:
    """One product: where its programs and its library are.

    @transport is asked of our library (VDE_TRANSPORT) instead of what it
    takes by itself; others ignore it. A side without programs, like the
    bridge of Linux, is for rows between hosts only.
    """

    def __init__(self, name, bindir=None, libdir=None, transport=None):
        self.name = name
        self.bindir = pathlib.Path(bindir or "/nonexistent")
        self.libdir = pathlib.Path(libdir or "/nonexistent")
        self.transport = transport
        self.has_library = libdir is not None

    def over(self, transport):
        """The same programs and library, with another transport."""
        return Side(self.name, self.bindir, self.libdir, transport)

    def program(self, name):
        path = self.bindir / name
        if not os.access(path, os.X_OK):
            raise Unable(f"no {name} of {self.name}")
        return str(path)

    def env(self):
        env = dict(os.environ)
        env.pop("VDE_TRANSPORT", None)
        if self.has_library:
            env["LD_LIBRARY_PATH"] = str(self.libdir)
        if self.transport:
            env["VDE_TRANSPORT"] = self.transport
        return env


def multiarch():
    out = subprocess.run(["cc", "-print-multiarch"], capture_output=True,
                         text=True, check=False).stdout.strip()
    for d in (f"/usr/lib/{out}", "/usr/lib64", "/usr/lib"):
        if os.path.exists(f"{d}/libvdeplug.so.2"):
            return d
    return "/nonexistent"


OURS = Side("ours", BUILD / "bin", BUILD)
VDE2 = Side("VDE 2", "/usr/bin", multiarch())
BRIDGE = Side("Linux bridge")
OVS = Side("Open vSwitch")


# ---- running things --------------------------------------------------------


def wait_until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Unable(f"{what} in {seconds} s")
        time.sleep(0.002)


@contextlib.contextmanager
def on_cpu(n):
    """What is started here stays on the @n-th processor that we may use, or
    on the last one; None: anywhere."""
    allowed = os.sched_getaffinity(0)
    if n is not None:
        os.sched_setaffinity(0, {sorted(allowed)[:n + 1][-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def running(argv, side, **kw):
    """A program with a silent stdin; ended after. dpipe makes a process group
    of its own, and refuses to start as a leader of one."""
    proc = subprocess.Popen(argv, env=side.env(), stdin=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, **kw)

    def end(signo):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(proc.pid) == proc.pid:
                os.killpg(proc.pid, signo)
            else:
                proc.send_signal(signo)

    try:
        yield proc
    finally:
        end(signal.SIGTERM)
        try:
            proc.wait(3)
        except subprocess.TimeoutExpired:
            end(signal.SIGKILL)
            proc.wait()
        proc.stdin.close()
        if proc.stdout:
            proc.stdout.close()


def can_connect(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


class Switch:
    """A running vde_switch; self.dir is its locator."""

    def __init__(self, side, path, proc):
        self.side, self.dir, self.proc = side, path, proc

    def status_mb(self, *fields):
        """The sum of these fields of /proc/PID/status."""
        found = 0
        for line in open(f"/proc/{self.proc.pid}/status", encoding="ascii"):
            name, _, value = line.partition(":")
            if name in fields:
                found += int(value.split()[0]) / 1024
        return found

    def cpu_seconds(self):
        # The clock of another process: clock_getcpuclockid(3).
        return time.clock_gettime(~self.proc.pid << 3 | 2)

    def clients(self):
        """Connections to the control socket bear its name, as it was bound."""
        names = self.dir + "/ctl", self.dir + "/./ctl"
        with open("/proc/net/unix", encoding="ascii", errors="replace") as f:
            return sum(line.split()[-1] in names for line in f) - 1

    def wait_clients(self, n):
        wait_until(lambda: self.clients() >= n,
                   f"{self.side.name}: not {n} clients")


@contextlib.contextmanager
def switch(side, tmp, *options):
    path = tempfile.mkdtemp(dir=tmp) + "/s"
    argv = [side.program("vde_switch"), "-s", path, *options]
    with running(argv, side, stdout=subprocess.DEVNULL) as proc:
        wait_until(lambda: can_connect(path + "/ctl"),
                   f"{side.name}: no switch")
        if "-M" in options:
            mgmt = options[options.index("-M") + 1]
            wait_until(lambda: can_connect(mgmt), f"{side.name}: no console")
        yield Switch(side, path, proc)


def ask(path, line, seconds=30):
    """How many bytes the console at @path answers to a command that must
    succeed, read as fast as they come."""
    size, tail, result = 0, b"\n", None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(seconds)
        s.connect(path)
        greeting = b""
        while not greeting.endswith(b"$ "):
            greeting += s.recv(4096)
        s.sendall(line.encode() + b"\n")
        while not result:
            got = s.recv(1 << 18)
            if not got:
                raise Unable(f"the console hung up after {size} bytes")
            size += len(got)
            tail = (tail + got)[-64 - len(got):]
            result = re.search(rb"\n1(\d\d\d) (.*)\n", tail)
            tail = tail[-64:]
    if result[1] != b"000":
        raise Unable(f"{line}: {result[2].decode()}")
    return size


def load(lib, *args, seconds=20):
    """Runs vdeload with the library of a side; its figures as a dict."""
    argv = [str(LOAD), *map(str, args)]
    try:
        p = subprocess.run(argv, env=lib.env(), capture_output=True,
                           text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Unable(f"vdeload did not end in {seconds} s") from None
    if p.returncode:
        raise Unable(p.stderr.strip() or f"vdeload: status {p.returncode}")
    return json.loads(p.stdout)


def hosts(side, kind, what, amount):
    """What bench/hosts prints."""
    argv = [str(ROOT / "bench" / "hosts"), kind, str(side.bindir), what,
            str(amount)]
    p = subprocess.Popen(argv, env=side.env(), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True,
                         start_new_session=True)
    try:
        out, err = p.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        raise Unable(f"bench/hosts {kind} {what} does not end") from None
    finally:
        end_group(p)
    if p.returncode:
        lines = err.strip().splitlines()
        raise Unable(lines[-1] if lines else f"bench/hosts {kind} failed")
    return json.loads(out)


def end_group(p):
    """A leader and what it has started, if it still runs."""
    for signo in (signal.SIGTERM, signal.SIGKILL):
        if p.poll() is not None:
            break
        os.killpg(p.pid, signo)
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(5)
    p.stdout.close()
    p.stderr.close()


class Probe:
    """Stations that listen to a sender (bench/probe.c)."""

    def __init__(self, proc):
        self.proc = proc

    def look(self, line="look"):
        """What happened since begin()."""
        self.proc.stdin.write(line.encode() + b"\n")
        self.proc.stdin.flush()
        answer = self.proc.stdout.readline()
        if not answer:
            raise Unable("the probe's sender has lost its switch")
        return json.loads(answer)

    def begin(self):
        return self.look("begin")


@contextlib.contextmanager
def probe(lib, sender, stations, seconds=60):
    """From switch @sender to one station on each of @stations."""
    argv = [str(LOAD), "--tx", sender.dir, "probe", *(s.dir for s in stations)]
    with running(argv, lib, stdout=subprocess.PIPE) as proc:
        got = select.select([proc.stdout], [], [], seconds)[0]
        if not got or b"ready" not in proc.stdout.readline():
            raise Unable(f"{sender.side.name}: the stations do not hear all "
                         f"in {seconds} s")
        yield Probe(proc)


class Held:
    """Idle connections that stay."""

    def __init__(self, proc):
        self.proc = proc

    def ring_mb(self):
        """What the files of their rings have in memory."""
        self.proc.stdin.write(b"\n")
        self.proc.stdin.flush()
        return json.loads(self.proc.stdout.readline())["ring_bytes"] / 2**20


@contextlib.contextmanager
def held(lib, sw, ports, addresses=2):
    argv = [str(LOAD), "--tx", sw.dir, "--ports", str(ports),
            "--addresses", str(addresses), "hold"]
    with running(argv, lib, stdout=subprocess.PIPE) as proc:
        if b"ready" not in proc.stdout.readline():
            raise Unable(f"{sw.side.name}: not {ports} connections")
        yield Held(proc)
