#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""figures.py - what was asked of the wire, and what came of it

    figures.py DIR LINK...

Reads what `run` has left in DIR about each link: the options of wirefilter
(LINK.asked), probes, pings, the steps of the connection, and wirefilter's own
report. What was asked for is computed from the options once more, in another
language than wirefilter's. Prints a table in Markdown; leaves data for
plots.gnuplot in DIR: links.dat, LINK.delays.dat and LINK.rates.dat.
"""
import json
import math
import re
import shlex
import statistics
import sys
from pathlib import Path

NORMAL = statistics.NormalDist()
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30,
         "b": 1 / 8, "Kb": 125, "Mb": 125000, "Gb": 125000000}
NAMES = {"-d": "delay", "--delay": "delay", "-l": "loss", "--loss": "loss",
         "-L": "lostburst", "--lostburst": "lostburst", "-b": "band",
         "--band": "band", "--bandwidth": "band", "--trace": "trace"}


def value(text):
    """(v, p, shape) of a value of wirefilter's, of what the links use."""
    m = re.fullmatch(r"(?:LR)?([0-9.e]+)(?:\+([0-9.e]+))?([KMG]?b?)"
                     r"(U|N|:[a-z]+)?", text)
    if not m:
        sys.exit(f"figures.py: error: unable to compute what {text} asks for")
    unit = UNITS[m[3]]
    return float(m[1]) * unit, float(m[2] or 0) * unit, m[4] or "U"


def quantile(val, u):
    """What a share u of all draws is not above; NaN of a table."""
    v, p, shape = val
    if p == 0:
        return v
    z = NORMAL.inv_cdf(u)
    x = {"U": 2 * u - 1, ":uniform": 2 * u - 1, "N": z / 3, ":normal": z,
         ":pareto": ((1 - u)**(-1 / 3) - 1.5) / math.sqrt(0.75)}.get(shape)
    return math.nan if x is None else max(0.0, v + p * x)


def asked(options):
    """What LR is asked for, by name."""
    found = {}
    words = shlex.split(options)
    for i, word in enumerate(words):
        word, _, text = word.partition("=")
        text = text or (words + [""])[i + 1]
        if word in NAMES and not text.startswith("RL"):
            found[NAMES[word]] = text
    return found


def trace_rates(path, seconds, step):
    """Bytes per second that a trace lets through, for each step of time."""
    lines = [x.split("#")[0] for x in path.read_text("ascii").splitlines()]
    rows = [[f.strip() for f in x.split(",")] for x in lines if x.strip()]
    n = round(seconds / step)
    if rows and len(rows[0]) == 1:
        times = [int(r[0]) / 1000 for r in rows]
        counts = [0] * n
        begin = 0
        while begin < seconds and times[-1] > 0:
            for t in times:
                if begin + t < seconds:
                    counts[min(n - 1, int((begin + t) / step))] += 1516
            begin += times[-1]
        return [c / step for c in counts]
    names = ["time", "rate", "delay", "loss"]
    if rows[0][0] == "time":
        names = rows.pop(0)
    points = [dict(zip(names, map(float, r))) for r in rows]
    length = points[-1]["time"] / 1000
    rates = []
    for i in range(n):
        t = i * step % length if length else 0
        rates.append([p["rate"] for p in points if p["time"] / 1000 <= t][-1])
    return rates


def probes(path):
    """How many were sent, and the delays in ms of those that came first."""
    sent = 0
    delays = {}
    for line in path.read_text("ascii").splitlines():
        if line.startswith("#"):
            sent = int(line.split()[-1])
        else:
            number, delay = map(int, line.split())
            delays.setdefault(number, delay / 1e6)
    return sent, sorted(delays.values())


def at(ordered, u):
    return ordered[min(len(ordered) - 1, int(u * len(ordered)))]


def ping(path):
    """Mean round trip in ms, and the share that was lost."""
    text = path.read_text("utf-8")
    rtt = re.search(r"= [0-9.]+/([0-9.]+)/", text)
    lost = re.search(r"([0-9.]+)% packet loss", text)
    return (float(rtt[1]) if rtt else math.nan,
            float(lost[1]) if lost else math.nan)


def loss_range(p, burst, n):
    """Where the share lost of n frames is expected, 19 times of 20."""
    burst = max(burst, 1, p / (1 - p) if p < 1 else 1)
    rho = 1 - p / (burst * (1 - p)) - 1 / burst if burst > 1 and p < 1 else 0
    spread = (1 + rho) / (1 - rho)
    sigma = math.sqrt(p * (1 - p) * spread / n)
    return max(0, p - 1.96 * sigma), min(1, p + 1.96 * sigma)


class Link:
    """All figures of one link; NaN where there is none."""

    def __init__(self, path, name):
        self.path = path
        self.name = name
        self.options = self.read("asked").strip()
        self.asked = asked(self.options)
        self.delay = value(self.asked.get("delay", "0"))
        self.loss = value(self.asked.get("loss", "0"))[0] / 100
        self.burst = value(self.asked.get("lostburst", "0"))[0]
        rate, varies, _ = value(self.asked.get("band", "0"))
        # Of one that varies a busy line has another mean.
        self.rate = rate if rate and not varies else math.nan
        if "trace" in self.asked:
            # It may have delays of its own, at times of its own.
            self.delay = (math.nan, 0, "U")
            self.rate = math.nan
        self.sent, self.delays = probes(self.file("probes"))
        self.ping_idle = ping(self.file("idle"))
        self.ping_loaded = ping(self.file("loaded"))
        self.goodput = float(re.search(r"^goodput ([0-9.]+)",
                                       self.read("goodput"), re.M)[1])
        self.read_wire()
        self.begin = 0
        self.steps = []
        if self.file("steps").exists():
            self.read_steps()
        self.trace = []
        if "trace" in self.asked and self.steps:
            self.trace = self.trace_steps()

    def file(self, kind):
        return self.path / f"{self.name}.{kind}"

    def read(self, kind):
        return self.file(kind).read_text("utf-8")

    def read_steps(self):
        for line in self.read("steps").splitlines():
            if line.startswith("#"):
                # How old the wire was when the connection began.
                self.begin = float(line.split()[-1]) - float(self.read("ready"))
            else:
                self.steps.append(tuple(map(float, line.split())))

    def trace_steps(self):
        """What the trace lets through while the connection lasts."""
        text = re.sub("^(LR)?(csv:|mahimahi:)?", "", self.asked["trace"])
        step = 0.1
        n = len(self.steps)
        first = round(self.begin / step)
        rates = trace_rates(Path(text), (first + n) * step, step)
        return rates[first:first + n]

    def read_wire(self):
        """What the wire itself says about LR: its report."""
        report = json.loads(self.read("json"))
        lr = report["directions"][0]
        self.kept_up = report["kept_up"]
        self.judged = lr["loss"]["frames"]
        self.lost = lr["loss"]["lost"] / max(1, self.judged)
        self.busy = math.nan
        # A line that was hardly busy measures how late single frames were.
        if lr["rate"]["busy_seconds"] > 0.1 and not math.isnan(self.rate):
            self.busy = lr["rate"]["achieved"]
        self.late = [lr["error_ns"][x] / 1000 for x in ("p50", "p99")]

    def mean_rate(self):
        """What the line lets through, bytes per second."""
        if self.trace:
            return sum(self.trace) / len(self.trace)
        return self.rate

    def write_delays(self):
        """Quantiles: asked, and achieved by the probes."""
        n = len(self.delays)
        with open(self.file("delays.dat"), "w", encoding="ascii") as f:
            print("# share, asked ms, achieved ms", file=f)
            for i in range(1, 200):
                u = i / 200
                got = at(self.delays, u) if n else math.nan
                print(u, quantile(self.delay, u), got, file=f)

    def write_rates(self):
        with open(self.file("rates.dat"), "w", encoding="ascii") as f:
            print("# s, goodput Mbit/s, the line's rate Mbit/s", file=f)
            for i, (t, n) in enumerate(self.steps):
                rate = self.trace[i] if self.trace else self.rate
                print(t, mbit(n / 0.1), mbit(rate), file=f)


def mbit(rate):
    return rate * 8 / 1e6


def number(x, digits, unit=""):
    return "-" if math.isnan(x) else f"{x:.{digits}f}{unit}"


def write_links(path, links):
    """A line for each link, for the plots of all of them."""
    with open(path, "w", encoding="ascii") as f:
        print("# name; loss %: asked, from, to, achieved; rate Mbit/s: asked,"
              " achieved, goodput; ping ms: idle, loaded", file=f)
        for x in links:
            low, high = loss_range(x.loss, x.burst, max(1, x.judged))
            print(x.name, x.loss * 100, low * 100, high * 100,
                  x.lost * 100, mbit(x.mean_rate()), mbit(x.busy),
                  mbit(x.goodput), x.ping_idle[0], x.ping_loaded[0], file=f)


def print_table(links):
    print("| link | delay asked | got (p50, p99) | loss asked | got "
          "| rate asked | got | goodput | ping idle | loaded "
          "| late p50, p99 |")
    print("|" + "---|" * 11)
    for x in links:
        got = "-"
        if x.delays:
            got = f"{at(x.delays, .5):.2f}, {at(x.delays, .99):.2f} ms"
        rate = number(mbit(x.mean_rate()), 2)
        if x.trace:
            rate += " (trace)"
        print(f"| {x.name} | {number(x.delay[0], 1, ' ms')} | {got} "
              f"| {x.loss * 100:.2f} % | {x.lost * 100:.2f} % "
              f"| {rate} | {number(mbit(x.busy), 2)} "
              f"| {mbit(x.goodput):.2f} "
              f"| {number(x.ping_idle[0], 1)} | {number(x.ping_loaded[0], 1)} "
              f"| {x.late[0]:.0f}, {x.late[1]:.0f} us |")
    print("\nDelays are one way, of probes, with the way through taps and "
          "switches; rates in\nMbit/s, of the wire while it was busy; ping in "
          "ms, there and back; late is what\nthe wire says of itself.")
    slow = [x.name for x in links if not x.kept_up]
    if slow:
        print("\nThis machine did not keep up, frames were more than 1 ms late:",
              ", ".join(slow))


def main(directory, *names):
    path = Path(directory)
    links = [Link(path, name) for name in names]
    for x in links:
        x.write_delays()
        x.write_rates()
    write_links(path / "links.dat", links)
    print_table(links)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
