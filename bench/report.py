# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians of the samples, and the tables that show them."""

import statistics

from measure import SIDES


def summary(values):
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def divide(pairs):
    return [x / y for x, y in pairs if y]


def evaluate(fig, rounds):
    """One line of results; every number as median, min and max."""
    def values(side, key):
        return [r[side.name][key] * fig.scale for r in rounds
                if side.name in r]

    ours, peer = SIDES
    line = {"title": fig.title, "unit": fig.unit, "target": fig.target,
            "absolute": fig.absolute, "sign": fig.sign}
    for side in SIDES:
        line[side.name] = summary(values(side, fig.key))
        if fig.within:
            line[side.name + " base"] = summary(values(side, fig.within))
            line[side.name + " ratio"] = summary(divide(
                zip(values(side, fig.key), values(side, fig.within))))
    line["ratio"] = line["ours ratio"] if fig.within else summary(divide(
        (r[ours.name][fig.key], r[peer.name][fig.key]) for r in rounds
        if ours.name in r and peer.name in r))
    got = line["ours"] if fig.absolute else line["ratio"]
    if fig.target is not None and got:
        line["met"] = (got["median"] >= fig.target if fig.sign == ">="
                       else got["median"] <= fig.target)
    return line


def number(x):
    return f"{x:.3g}" if x < 1000 else f"{x:,.0f}"


def cell(line, side):
    s = line[side.name]
    if not s:
        return "-"
    text = number(s["median"])
    base = line.get(side.name + " base")
    if base:
        text += f" of {number(base['median'])}"
    return text


def markdown(results):
    head = ("row", "what", "unit", *(s.name for s in SIDES),
            "ratio (min..max)", "target", "met")
    out = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for line in results:
        r = line["ratio"]
        ratio = (f"{r['median']:.2f} ({r['min']:.2f}..{r['max']:.2f})"
                 if r else "-")
        target = "" if line["target"] is None else (
            f"{line['sign']} {line['target']:g}"
            + (f" {line['unit']}" if line["absolute"] else ""))
        met = {True: "yes", False: "**no**"}.get(line.get("met"), "")
        out.append("| " + " | ".join([
            line["row"], line["title"], line["unit"],
            *(cell(line, s) for s in SIDES), ratio, target, met]) + " |")
    return "\n".join(out)


def cpu_markdown(results):
    """The switch's own share, which the clients' work does not hide."""
    lines = [x for x in results if x.get("cpu")]
    if not lines:
        return ""
    out = ["", "Processor time of the switch for each of them, in us:", "",
           f"| row | {SIDES[0].name} | {SIDES[1].name} | ratio |",
           "|---|---|---|---|"]
    for x in lines:
        ours, peer = (x["cpu"].get(s.name) for s in SIDES)
        ratio = f"{ours / peer:.2f}" if ours and peer else "-"
        out.append(f"| {x['row']} | {number(ours) if ours else '-'} | "
                   f"{number(peer) if peer else '-'} | {ratio} |")
    return "\n".join(out)


def cpu_each(rounds):
    """Microseconds of the switch per frame or connection, if counted."""
    out = {}
    for side in SIDES:
        got = [r[side.name] for r in rounds if side.name in r]
        us = [s["cpu_ns_per_frame"] / 1e3 for s in got
              if "cpu_ns_per_frame" in s]
        us += [s["cpu_us_each"] for s in got if "cpu_us_each" in s]
        if any(us):
            out[side.name] = statistics.median(us)
    return out
