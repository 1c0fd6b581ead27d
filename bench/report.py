# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians of the samples, and the tables that show them."""

import statistics

from measure import OURS


def summary(values):
    values = list(values)
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def divide(pairs):
    return [x / y for x, y in pairs if y]


def holds(got, sign, target):
    return got >= target if sign == ">=" else got <= target


def side_figure(fig, side, rounds):
    """Every number as median, min and max; "ratio" is ours by this side's."""
    here = [r for r in rounds if side.name in r]
    out = {"value": summary(r[side.name][fig.key] * fig.scale for r in here)}
    if fig.within:
        out["base"] = summary(r[side.name][fig.within] * fig.scale
                              for r in here)
        out["within"] = summary(divide(
            (r[side.name][fig.key], r[side.name][fig.within]) for r in here))
    if side is not OURS:
        out["ratio"] = summary(divide(
            (r[OURS.name][fig.key], r[side.name][fig.key])
            for r in here if OURS.name in r))
    return out


def evaluate(row, fig, rounds):
    """One line of results."""
    sides = {s.name: side_figure(fig, s, rounds) for s in row.sides}
    line = {"row": row.name, "title": fig.title, "unit": fig.unit,
            "worst": fig.worst, "hosts": row.hosts, "rounds": len(rounds),
            "sides": sides, "either": fig.either, "targets": []}
    if row.wire:
        line |= {"wire": row.wire, "at": row.at, "kind": row.kind}
    for name, target in fig.targets.items():
        if name not in sides:
            continue
        kind = "ratio" if name != OURS.name else (
            "within" if fig.within else "value")
        got = sides[name][kind]
        line["targets"].append({
            "of": kind, "against": name, "sign": fig.sign, "value": target,
            "met": got and holds(got["max" if fig.worst else "median"],
                                 fig.sign, target)})
    return line


def cpu_each(row, rounds):
    """Microseconds of the switch per frame or connection, if counted."""
    out = {}
    for side in row.sides:
        got = [r[side.name] for r in rounds if side.name in r]
        us = [s["cpu_ns_per_frame"] / 1e3 for s in got
              if "cpu_ns_per_frame" in s]
        us += [s["cpu_us_each"] for s in got if "cpu_us_each" in s]
        if any(us):
            out[side.name] = statistics.median(us)
    return out


# ---- Markdown --------------------------------------------------------------


def number(x):
    return f"{x:.3g}" if x < 1000 else f"{x:,.0f}"


def value_cell(figure, worst):
    if not figure["value"]:
        return "-"
    text = number(figure["value"]["median"])
    if worst and figure["value"]["max"] > figure["value"]["median"]:
        text += f" (worst {number(figure['value']['max'])})"
    if figure.get("base"):
        text += f" of {number(figure['base']['median'])}"
    return text


def spread(s, digits=2):
    def fmt(x):
        return f"{x:.{digits if x < 10 else 1}f}"
    return f"{fmt(s['median'])} ({fmt(s['min'])}..{fmt(s['max'])})"


def ratio_cell(line, figure):
    """Of what is a part of itself, ours; by the peer's it says little."""
    own = line["sides"][OURS.name].get("within")
    if own:
        return spread(own)
    return spread(figure["ratio"]) if figure.get("ratio") else "-"


def target_text(line, target, many):
    text = f"{target['sign']} {target['value']:g}"
    if target["of"] == "value":
        return f"{text} {line['unit']}"
    if target["of"] == "within":
        return f"{text} of itself"
    return f"{text} {target['against']}" if many else text


MET = {True: "yes", False: "**no**", None: "?"}


def met_text(line):
    """None of several is met only if all are known not to be."""
    got = [t["met"] for t in line["targets"]]
    if not line["either"] or not got:
        return "; ".join(MET[x] for x in got)
    return MET[any(got) or (None if None in got else False)]


def table(head, lines):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in
                     [head, ["---"] * len(head), *lines])


def results_table(lines, peers):
    """One with a column and a ratio for each of the @peers."""
    head = ["row", "what", "unit", OURS.name]
    for p in peers:
        head += [p, "ratio (min..max)"]
    body = []
    for line in lines:
        cells = [line["row"], line["title"], line["unit"],
                 value_cell(line["sides"][OURS.name], line["worst"])]
        for p in peers:
            figure = line["sides"].get(p)
            cells += ([value_cell(figure, line["worst"]),
                       ratio_cell(line, figure)]
                      if figure
                      else ["-", "-"])
        many = len(peers) > 1
        cells += ["; ".join(target_text(line, t, many)
                            for t in line["targets"]), met_text(line)]
        body.append(cells)
    return table([*head, "target", "met"], body)


def markdown(results, peers):
    """@peers in the order of the columns. Only the first of them can be
    compared through the library."""
    out = []
    results = [x for x in results if not x.get("wire")]
    for hosts, title, those in ((False, "Clients of the library", peers[:1]),
                                (True, "Hosts that know nothing of it",
                                 peers)):
        lines = [x for x in results if x["hosts"] == hosts]
        if lines:
            out += [f"{title}:", "", results_table(lines, those), ""]
    return "\n".join(out)


def median_cell(line, side):
    figure = line["sides"].get(side) if line else None
    return number(figure["value"]["median"]) if figure and figure["value"] \
        else "-"


def pivot(lines, head, sides, columns):
    """A table with a row for each place of @lines and for each side a column
    for each of @columns, functions that choose a line there."""
    body = []
    for at in sorted({tuple(x["at"]) for x in lines}):
        here = [x for x in lines if tuple(x["at"]) == at]
        chosen = [next(filter(c, here), None) for c in columns]
        cells = [f"{x:,}" for x in at]
        cells += [median_cell(line, s) for s in sides for line in chosen]
        met = {met_text(line) for line in chosen if line}
        cells.append(next(iter(met)) if len(met) == 1 else "; ".join(
            met_text(line) if line else "-" for line in chosen))
        body.append(cells)
    return table(head, body)


def wire_rates(lines, sides):
    """Errors of the rate, of a stream and of a TCP connection."""
    head = ["asked, bytes/s", *(f"{s}, {k}" for s in sides
                                for k in ("stream", "TCP")), "met"]
    return pivot(lines, head, sides,
                 [lambda x, k=k: x["kind"] == k for k in ("stream", "TCP")])


def wire_delays(lines, sides):
    """Errors of the delay: the middle one, and of a hundred the worst."""
    head = ["asked, ms", "frames/s", *(f"{s}, {k}" for s in sides
                                       for k in ("p50", "p99")), "met"]
    return pivot(lines, head, sides,
                 [lambda x, k=k: x["title"].endswith(k)
                  for k in ("p50", "p99")])


def wire_markdown(results, peer):
    lines = [x for x in results if x.get("wire")]
    rates = [x for x in lines if x["wire"] == "rate"]
    others = [x for x in lines if x["wire"] == "other"]
    out = []
    if rates:
        out += ["Wires, error of the rate in %, the worse of both directions; "
                "at most 0.2:", "", wire_rates(rates, [OURS.name, peer]), ""]
    for kind in ("pipes", "switches"):
        those = [x for x in lines if x["wire"] == "delay"
                 and x["kind"] == kind]
        if those:
            out += [f"Wires, error of the delay in us, {kind}; at most 50 and "
                    "100, or 1.25 of the delay line:", "",
                    wire_delays(those, list(those[0]["sides"])), ""]
    if others:
        out += ["Wires:", "", results_table(others, [peer]), ""]
    return "\n".join(out)


def cpu_markdown(results, peer):
    """The switch's own share, which the clients' work does not hide."""
    results = [x for x in results if not x.get("wire")]
    body = []
    for x in results:
        if not x.get("cpu"):
            continue
        ours, its = x["cpu"].get(OURS.name), x["cpu"].get(peer)
        body.append([x["row"], number(ours) if ours else "-",
                     number(its) if its else "-",
                     f"{ours / its:.3f}" if ours and its else "-"])
    if not body:
        return ""
    return ("Processor time of the switch for each frame, copy, trip or "
            "connection, in us:\n\n"
            + table(["row", OURS.name, peer, "ratio"], body) + "\n")


def environment(report):
    """What and where it was measured."""
    m = report["machine"]
    peers = ", ".join(f"{k} {v}" for k, v in report["packages"].items())
    how = ", at real-time priority" if report["fifo"] else ""
    out = [f"{report['date']}, {m['processor']}, {m['cores']} cores, Linux "
           f"{m['kernel']}, load {m['load']:.1f} at the start; "
           f"{report['rounds']} rounds of {report['ms']} ms{how}, "
           f"{report['seconds']:.0f} s in all. Peers: {peers or 'none'}.", ""]
    out += [f"- not compared: {line}" for line in report["not_compared"]]
    return "\n".join(out).rstrip() + "\n"
