# SPDX-License-Identifier: GPL-2.0-or-later
"""A ring of five switches with spanning tree, and what is missed when it
breaks. The first one is the root, the sender is on the second: what it says
to all but its neighbour passes the root."""

import contextlib
import os
import signal
import subprocess
import time

from measure import Unable, probe, running, switch

N = 5
HEARD_MS = 50  # ago: the stream flows
LOOK_S = 0.1


class Ring:
    """Switches by number, cables by the number of the one before them."""

    def __init__(self, side, tmp, stack):
        self.side, self.stack = side, stack
        self.switches = [stack.enter_context(
            switch(side, tmp, "-F", "--priority", str(0x1000 * (i + 1))))
            for i in range(N)]
        self.cables = [self.cable(i) for i in range(N)]
        for s in self.switches:
            s.wait_clients(2)

    def cable(self, i):
        plug = self.side.program("vde_plug")
        ends = self.switches[i].dir, self.switches[(i + 1) % N].dir
        argv = [self.side.program("dpipe"), plug, ends[0], "=", plug, ends[1]]
        return self.stack.enter_context(
            running(argv, self.side, stdout=subprocess.DEVNULL))

    def plug_in(self):
        """The first cable, anew: a plug that stood still keeps old frames."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.cables[0].pid, signal.SIGKILL)
        self.cables[0] = self.cable(0)

    # What can happen; each returns what undoes it, or None.

    def close_cable(self):
        os.killpg(self.cables[0].pid, signal.SIGTERM)
        self.cables[0].wait(5)
        return self.plug_in

    def mute_cable(self):
        """It takes what it gets and delivers nothing."""
        os.killpg(self.cables[0].pid, signal.SIGSTOP)
        return self.plug_in

    def kill_switch(self):
        self.switches[0].proc.kill()

    def stop_switch(self):
        self.switches[0].proc.send_signal(signal.SIGSTOP)
        return lambda: self.switches[0].proc.send_signal(signal.SIGCONT)


def tallies(got):
    return [t for station in got["stations"] for t in station.values()]


def worst(got, key):
    return max(t[key] for t in tallies(got))


def machine(got):
    """The longest gap that no cable is to blame for: of the sender, and of the
    station on its own switch, the last one."""
    own = got["stations"][-1]["broadcast"]["gap_ms"]
    return max(own, got["sender_gap_ms"])


def flows(p, quiet_s, seconds):
    """Until all that was sent for that long has arrived; what is known then.
    Not before @quiet_s have passed: a fault takes time to be felt."""
    end = time.monotonic() + seconds
    since = time.monotonic()
    while time.monotonic() < since + quiet_s:
        time.sleep(LOOK_S)
        got = p.look()
        if worst(got, "idle_ms") > HEARD_MS:
            since = time.monotonic()
        if time.monotonic() > end:
            raise Unable(f"the ring does not heal in {seconds} s")
    return got


def duplicates(got):
    return sum(t["duplicates"] for t in tallies(got))


def breaking(fault):
    """@fault is a method of Ring. A gap is the longest of any station, be it
    of broadcasts or unicasts."""
    def measure(b, side):
        with contextlib.ExitStack() as stack:
            ring = Ring(side, b.tmp, stack)
            p = stack.enter_context(probe(
                side, ring.switches[1],
                [ring.switches[i] for i in (4, 3, 2, 1)]))
            flows(p, 5 if side.name == "VDE 2" else 1, 60)
            p.begin()
            undo = getattr(ring, fault)()
            flows(p, 1, 60)
            got = p.begin()
            out = {"gap_ms": worst(got, "gap_ms"),
                   "machine_ms": machine(got),
                   "duplicates": duplicates(got)}
            if undo:
                undo()
                got = flows(p, 1, 60)
                out["back_ms"] = worst(got, "gap_ms")
                out["back_duplicates"] = duplicates(got)
            return out
    return measure
