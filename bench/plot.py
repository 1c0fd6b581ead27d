# SPDX-License-Identifier: GPL-2.0-or-later
"""Line plots as SVG, with nothing but strings.

A figure is a row of panels that share their horizontal axis; all axes are
logarithmic. A point is a median, the bar through it goes from the smallest
to the largest.
"""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 470, 340  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 74, 16, 92, 56
# Told apart by those who see no red or no green, too (Okabe and Ito).
COLOURS = "#0072b2", "#e69f00", "#b0305c", "#000000"
STYLE = ("text{font-family:'DejaVu Sans',Verdana,sans-serif;font-size:13px;"
         "fill:#222}.title{font-size:15px;font-weight:bold}"
         ".grid{stroke:#ddd}.axis{stroke:#444;fill:none}")


class Panel:
    """@series: [(name, [summary or None for each of the points])]."""

    def __init__(self, label, series):
        self.label, self.series = label, series


def short(x):
    """1500000 -> 1.5M"""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if x >= limit:
            return f"{x / limit:g}{unit}"
    return f"{x:g}"


def ticks(low, high):
    """1, 2, 5 of each decade that is touched, or just 1 if they are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    out = []
    for e in range(first, last):
        out += [m * 10.0 ** e for m in ((1, 2, 5) if last - first < 4
                                        else (1,))]
    return [t for t in [*out, 10.0 ** math.ceil(math.log10(high))]
            if low <= t <= high]


def bounds(panel):
    values = [v for _, points in panel.series for p in points if p
              for v in (p["min"], p["max"]) if v > 0]
    if not values:
        return 1, 10
    return min(values) / 1.6, max(values) * 1.6


def text(x, y, what, **attrs):
    extra = "".join(f' {k}="{v}"' for k, v in attrs.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(what)}</text>'


def line(x1, y1, x2, y2, cls):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'class="{cls}"/>')


def marker(kind, x, y, colour):
    if kind % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if kind % 3 == 1:
        return (f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" '
                f'fill="{colour}"/>')
    return (f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z" fill="{colour}"/>')


class Axes:
    """From values to places, for one panel at @left."""

    def __init__(self, left, xs, panel):
        self.left, self.xs = left + LEFT, xs
        self.right = left + WIDTH - RIGHT
        self.top, self.bottom = TOP, HEIGHT - BOTTOM
        self.low, self.high = bounds(panel)

    def x(self, value):
        a, b = math.log(self.xs[0]), math.log(self.xs[-1])
        part = (math.log(value) - a) / (b - a) if b > a else 0.5
        return self.left + 12 + part * (self.right - self.left - 24)

    def y(self, value):
        value = min(max(value, self.low), self.high)
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.bottom - part * (self.bottom - self.top)


def draw_axes(ax, panel, x_label):
    out = []
    for t in ticks(ax.low, ax.high):
        out += [line(ax.left, ax.y(t), ax.right, ax.y(t), "grid"),
                text(ax.left - 6, ax.y(t) + 4, short(t),
                     **{"text-anchor": "end"})]
    last = -100
    for x in ax.xs:
        out.append(line(ax.x(x), ax.bottom, ax.x(x), ax.bottom + 4, "axis"))
        if ax.x(x) - last > 30:
            last = ax.x(x)
            out.append(text(last, ax.bottom + 18, f"{x}",
                            **{"text-anchor": "middle"}))
    middle = (ax.left + ax.right) / 2
    out += [f'<path d="M{ax.left} {ax.top}V{ax.bottom}H{ax.right}" '
            'class="axis"/>',
            text(middle, ax.bottom + 40, x_label,
                 **{"text-anchor": "middle"}),
            text(ax.left - 52, ax.top - 14, panel.label)]
    return out


def draw_series(ax, kind, points):
    colour = COLOURS[kind % len(COLOURS)]
    there = [(ax.x(x), p) for x, p in zip(ax.xs, points)
             if p and p["median"] > 0]
    if not there:
        return []
    path = "L".join(f"{x:.1f} {ax.y(p['median']):.1f}" for x, p in there)
    out = [f'<path d="M{path}" fill="none" stroke="{colour}" '
           'stroke-width="2"/>']
    for x, p in there:
        out += [f'<path d="M{x:.1f} {ax.y(p["min"]):.1f}'
                f'V{ax.y(p["max"]):.1f}" stroke="{colour}" '
                'stroke-opacity="0.6"/>',
                marker(kind, x, ax.y(p["median"]), colour)]
    return out


def legend(names):
    out, x = [], 22
    for kind, name in enumerate(names):
        colour = COLOURS[kind % len(COLOURS)]
        out += [f'<path d="M{x} 50h28" stroke="{colour}" '
                'stroke-width="2"/>', marker(kind, x + 14, 50, colour),
                text(x + 36, 54.5, name)]
        x += 60 + 8 * len(name)
    return out


def svg(title, x_label, xs, panels):
    """The whole file as a string."""
    width = WIDTH * len(panels)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
           f'height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}">',
           f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
           f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
           text(22, 26, title, **{"class": "title"}),
           *legend([name for name, _ in panels[0].series])]
    for n, panel in enumerate(panels):
        ax = Axes(n * WIDTH, xs, panel)
        out += draw_axes(ax, panel, x_label)
        for kind, (_, points) in enumerate(panel.series):
            out += draw_series(ax, kind, points)
    return "\n".join([*out, "</svg>", ""])
