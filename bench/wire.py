# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows about wires: what wirefilter does to frames, seen by bench/wireprobe.

The probe is at both ends of a wire and knows nothing of it. Beside ours and
VDE 2's stands a bare delay line (bench/delayline.c), which shows what this
machine's timers and wakeups add by themselves, and the probe on mere pipes.
"""

import contextlib
import json
import subprocess
import tempfile

from measure import BUILD, OURS, VDE2, Side, Unable, running, switch
from rows import AT_MOST, Figure, Row

PROBE = BUILD / "bench" / "wireprobe"
BARE = Side("delay line", BUILD / "bench", BUILD)
NOTHING = Side("pipes alone", BUILD / "bench", BUILD)

RATES = (1000, 2000, 4000, 8000, 16000, 32000, 64000, 131072, 262144, 524288,
         1048576, 2097152, 4194304, 1250000, 12500000, 125000000)
QUICK_RATES = (64000, 4194304, 125000000)
DELAYS_MS = (0.1, 1, 5, 10, 50, 100)
SWITCH_DELAYS_MS = (0.1, 10, 100)
FRAMES_PER_S = (100, 1000, 10000, 50000)
QUICK_DELAYS = ((1, 1000), (10, 10000))
SIZES = (22, 60, 61, 64, 128, 254, 510, 600, 601, 1022, 1513, 1514)
RATE_ERROR = 0.2  # %
P50, P99, OF_BARE = 50, 100, 1.25  # us, us, or this part of the delay line's

BIG_LEN, SMALL_LEN = 1022, 62  # with their header, powers of two


def probe(side, command, mode, *options, seconds=40):
    """Runs the probe on the wire @command; its figures as a dict."""
    argv = [str(PROBE), *map(str, options), mode, *map(str, command)]
    try:
        p = subprocess.run(argv, env=side.env(), capture_output=True,
                           text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Unable(f"{mode} did not end in {seconds} s") from None
    if p.returncode:
        lines = p.stderr.strip().splitlines()
        raise Unable(lines[-1] if lines else f"{mode}: {p.returncode}")
    return json.loads(p.stdout)


def wirefilter(side, *options):
    if side is NOTHING:
        return []
    return [side.program("wirefilter"), *options]


def delayed(side, ms):
    if side is BARE:
        return [side.program("delayline"), round(ms * 1000)]
    return wirefilter(side, "-d", f"{ms:g}")


# ---- how fast --------------------------------------------------------------


def error_percent(got, asked):
    """Of the direction that is worse."""
    worst = 0
    for d in ("lr", "rl"):
        if not got[d]["bytes_per_s"]:
            raise Unable("too little passed to tell the rate")
        worst = max(worst, abs(got[d]["bytes_per_s"] / asked - 1) * 100)
    return worst


def rate(asked):
    """What is on its way lasts for 50 ms, so that the line is never idle, and
    frames are long where there are many."""
    def measure(b, side):
        ms = b.ms if asked > 8000 else max(b.ms, min(1000, 8 * b.ms))
        got = probe(side, wirefilter(side, "-b", asked), "rate", "--rate",
                    asked, "--window", asked // 20, "--ms", ms, "--len",
                    BIG_LEN if asked > 1000000 else SMALL_LEN)
        return {"error": error_percent(got, asked),
                "cpu_percent": got["cpu_percent"]}
    return measure


def tcp_len(asked, side):
    """Short frames where a long one would take a second; where there are very
    many, jumbo frames, which VDE 2 does not know."""
    for most, length in ((8000, 254), (100000, 510), (5000000, 1022),
                         (100000000, 1514)):
        if asked < most:
            return length
    return 1514 if side is VDE2 else 9014


def tcp(asked):
    """At least some frames must pass, and the first one is only the start."""
    def measure(b, side):
        ms = max(2 * b.ms, 2500000 // asked)
        window = ["--window", max(4096, asked // 5)] if asked < 1000000 else []
        got = probe(side, wirefilter(side, "-b", asked), "tcp", "--rate",
                    asked, "--ms", ms, "--len", tcp_len(asked, side), *window)
        return {"error": error_percent(got, asked),
                "busy_percent": min(got[d]["busy_percent"]
                                    for d in ("lr", "rl")),
                "cpu_percent": got["cpu_percent"]}
    return measure


# ---- how late --------------------------------------------------------------


def how_long(b, per_s):
    """Enough for quantiles."""
    return max(150, b.ms if per_s > 100 else 4 * b.ms)


def delay(ms, per_s):
    def measure(b, side):
        got = probe(side, delayed(side, ms), "delay", "--delay-us",
                    round(ms * 1000), "--rate", per_s, "--ms",
                    how_long(b, per_s))
        return late(got)
    return measure


def late(got):
    if got["p99_us"] is None:
        raise Unable("no frame arrived that could be measured")
    return got


@contextlib.contextmanager
def between_switches(b, side, ms=0):
    """Two switches of the side and its wire between them; the locators, and
    the process of the wire. The delay line uses ours."""
    its = OURS if side is BARE else side
    with switch(its, b.tmp) as left, switch(its, b.tmp) as right:
        if side is BARE:
            argv = [*delayed(side, ms), left.dir, right.dir]
        else:
            argv = [*wirefilter(side, "-v", f"{left.dir}:{right.dir}"),
                    *(("-d", f"{ms:g}") if ms else ())]
        with running(list(map(str, argv)), side,
                     stdout=subprocess.DEVNULL) as wire:
            left.wait_clients(1)
            right.wait_clients(1)
            yield left, right, wire


def delay_between_switches(ms, per_s):
    def measure(b, side):
        with between_switches(b, side, ms) as (left, right, wire):
            return late(probe(side, [], "delay", "--left", left.dir, "--right",
                              right.dir, "--delay-us", round(ms * 1000),
                              "--rate", per_s, "--ms", how_long(b, per_s),
                              "--pid", wire.pid))
    return measure


# ---- what it says of itself ------------------------------------------------


def own_report(ms, per_s):
    """The middle of what the probe sees, beside that of --report: late when
    read, by a guess, and late when handed over."""
    def measure(b, side):
        path = tempfile.mkdtemp(dir=b.tmp) + "/r.json"
        got = late(probe(side, [*delayed(side, ms), f"--report={path}"],
                         "delay", "--delay-us", round(ms * 1000), "--rate",
                         per_s, "--ms", max(150, 2 * b.ms)))
        with open(path, encoding="utf-8") as f:
            way = json.load(f)["directions"][0]
        said = way["error_ns"]["p50"] / 1e3 + way["unread_us"]
        return {"seen": got["signed_p50_us"], "said": said,
                "apart": abs(got["signed_p50_us"] - said)}
    return measure


def own_rate(asked):
    def measure(b, side):
        path = tempfile.mkdtemp(dir=b.tmp) + "/r.json"
        got = probe(side, [*wirefilter(side, "-b", asked),
                           f"--report={path}"], "rate", "--rate", asked,
                    "--window", asked // 20, "--ms", 2 * b.ms)
        with open(path, encoding="utf-8") as f:
            way = json.load(f)["directions"][0]
        seen, said = got["lr"]["bytes_per_s"], way["rate"]["achieved"]
        if not said:
            raise Unable("the report knows no rate")
        return {"apart_percent": 100 * abs(said / seen - 1)}
    return measure


# ---- nothing set -----------------------------------------------------------


def clean(b, side):
    """Frames of many sizes as fast as they go: of those that went in, how
    many did not come out once and whole, in percent."""
    out = {}
    for length in SIZES:
        got = probe(side, wirefilter(side), "flood", "--len", length, "--ms",
                    max(20, b.ms // 5))
        bad = got["lost"] + got["doubled"] + got["damaged"]
        out[f"bad_{length}"] = 100 * bad / max(1, got["got"] + bad)
    return out


def flood(length):
    def measure(b, side):
        return probe(side, wirefilter(side), "flood", "--len", length, "--ms",
                     b.ms)
    return measure


def in_chain(length, window):
    def measure(b, side):
        plug = side.program("vde_plug")
        with switch(side, b.tmp) as left, switch(side, b.tmp) as right:
            argv = [side.program("dpipe"), plug, left.dir, "=",
                    side.program("wirefilter"), "=", plug, right.dir]
            with running(argv, side, stdout=subprocess.DEVNULL):
                left.wait_clients(1)
                right.wait_clients(1)
                return b.traffic(side, left, "--rx", right.dir, "--len",
                                 length, "--window", window)
    return measure


def as_cable(length, window):
    def measure(b, side):
        with between_switches(b, side) as (left, right, _):
            return b.traffic(side, left, "--rx", right.dir, "--len", length,
                             "--window", window)
    return measure


# ---- many ------------------------------------------------------------------


def in_flight(b, side):
    """100,000 frames on their way in each direction, beside 1000 of them; a
    million in a second can pass either time."""
    out = {}
    for name, frames, ms in (("few", 1000, 1), ("many", 100000, 100)):
        got = probe(side, delayed(side, ms), "rate", "--len", SMALL_LEN,
                    "--window", frames * (SMALL_LEN + 2), "--ms",
                    max(250, 2 * b.ms))
        out[name] = sum(got[d]["frames"] / got[d]["seconds"]
                        for d in ("lr", "rl"))
        out[f"{name}_ns"] = got["cpu_percent"] * 1e7 / out[name]
    return out


def engines(b, _):
    """200 directions in one process, 1000 frames/s each, in real time."""
    argv = [str(BUILD / "bench" / "wires"), "200", "1000", str(4 * b.ms)]
    p = subprocess.run(argv, env=OURS.env(), capture_output=True, text=True,
                       timeout=60, check=False)
    if p.returncode:
        raise Unable(p.stderr.strip() or "wires failed")
    return json.loads(p.stdout)


# ---- the rows --------------------------------------------------------------


def hertz(per_s):
    return f"{per_s // 1000}k" if per_s >= 1000 else str(per_s)


def error_rows(name, measure, what):
    for asked in RATES:
        yield Row(f"{name}-{asked}", measure(asked), [
            Figure(f"{asked:,} bytes/s, {what}: error", "error", "%",
                   sign=AT_MOST, targets={OURS.name: RATE_ERROR})],
            wire="rate", at=[asked], kind=what, rounds=3,
            slow=asked not in QUICK_RATES)


def late_figures(what):
    """One of the two targets is enough."""
    return [Figure(f"{what}: error {key}", f"{key}_us", "us", sign=AT_MOST,
                   targets={OURS.name: most, BARE.name: OF_BARE}, either=True)
            for key, most in (("p50", P50), ("p99", P99))]


def late_rows(name, measure, delays, what, peers):
    for ms in delays:
        for per_s in FRAMES_PER_S:
            yield Row(f"{name}-{ms:g}-{hertz(per_s)}", measure(ms, per_s),
                      late_figures(f"{ms:g} ms, {per_s:,} frames/s, {what}"),
                      wire="delay", at=[ms, per_s], kind=what, rounds=3,
                      peers=peers, slow=(ms, per_s) not in QUICK_DELAYS)


def pipes_rows():
    for per_s in FRAMES_PER_S:
        measure = delay(0, per_s)
        yield Row(f"wire-probe-{hertz(per_s)}",
                  lambda b, _, m=measure: m(b, NOTHING), [
                      Figure(f"the probe, no wire, {per_s:,} frames/s: {key}",
                             f"{key}_us", "us", sign=AT_MOST)
                      for key in ("p50", "p99")],
                  wire="other", rounds=3, peers=(), slow=True)


def report_rows():
    for ms, per_s in ((1, 10000), (10, 1000), (50, 10000)):
        what = f"{ms} ms, {per_s:,} frames/s"
        yield Row(f"wire-report-{ms}-{hertz(per_s)}", own_report(ms, per_s), [
            Figure(f"{what}: middle error, by the probe", "seen", "us",
                   sign=AT_MOST),
            Figure(f"{what}: the same by --report", "said", "us",
                   sign=AT_MOST),
            Figure(f"{what}: apart", "apart", "us", sign=AT_MOST,
                   targets={OURS.name: 20})],
            wire="other", rounds=3, peers=(), slow=ms != 10)
    yield Row("wire-report-rate", own_rate(1048576), [
        Figure("1,048,576 bytes/s: rate by --report and by the probe, apart",
               "apart_percent", "%", sign=AT_MOST, targets={OURS.name: 0.2})],
        wire="other", rounds=3, peers=(), slow=True)


def per_second(title, target):
    return [Figure(title, "received_per_s", "kframe/s", scale=1e-3,
                   targets={VDE2.name: target})]


WIRE_ROWS = [
    *error_rows("wire-rate", rate, "stream"),
    *error_rows("wire-tcp", tcp, "TCP"),
    *late_rows("wire-delay", delay, DELAYS_MS, "pipes", (VDE2, BARE)),
    *late_rows("wire-cable-delay", delay_between_switches, SWITCH_DELAYS_MS,
               "switches", (VDE2, BARE)),
    *pipes_rows(),
    *report_rows(),
    Row("wire-clean", clean, [
        Figure(f"no impairment, {n} B: lost, doubled, damaged", f"bad_{n}",
               "%", sign=AT_MOST, worst=True, targets={OURS.name: 0})
        for n in SIZES], wire="other", rounds=3),
    Row("wire-flood-64", flood(64),
        per_second("no impairment, pipe to pipe, 64 B", 2.5), wire="other"),
    Row("wire-flood-1514", flood(1514),
        per_second("no impairment, pipe to pipe, 1514 B", 2.5), wire="other"),
    Row("wire-chain-64", in_chain(64, 128),
        per_second("in a dpipe cable, 64 B, 128 in flight", 4), wire="other"),
    Row("wire-chain-1514", in_chain(1514, 128),
        per_second("in a dpipe cable, 1514 B, 128 in flight", 4),
        wire="other"),
    Row("wire-cable-64", as_cable(64, 128),
        per_second("-v between switches, 64 B, 128 in flight", 4),
        wire="other"),
    Row("wire-cable-1514", as_cable(1514, 128),
        per_second("-v between switches, 1514 B, 128 in flight", 4),
        wire="other"),
    Row("wire-in-flight", in_flight, [
        Figure("2 x 100,000 frames in flight, of 2 x 1000", "many",
               "kframe/s", scale=1e-3, within="few",
               targets={OURS.name: 0.9}),
        Figure("processor for each of them", "many_ns", "ns", sign=AT_MOST,
               within="few_ns", targets={OURS.name: 1.25})],
        wire="other", rounds=3, slow=True),
    Row("wire-engines", engines, [
        Figure("processor, 200 engines at 1000 frames/s", "cpu_percent", "%",
               sign=AT_MOST, targets={OURS.name: 100}),
        Figure("how late their frames are, p99", "late_p99_us", "us",
               sign=AT_MOST)], wire="other", rounds=3, peers=()),
]
