# SPDX-License-Identifier: GPL-2.0-or-later
"""
The picture of bench-flood, as SVG: no library, no background, and colours that can be read on white
as well as on black.
"""

import math
from xml.sax.saxutils import escape

from report import largest, rate_name, short_count, short_time

WIDTH, HEIGHT = 980, 700
PANEL_WIDTH, PANEL_HEIGHT = 330, 215
LEFT, TOP, RIGHT, BETWEEN = 124, 92, 36, 134
TEXT, GRID = "#767676", "#7f7f7f"
COLOURS = ("#2f7fe0", "#d97706", "#16a34a", "#dc2626", "#9f4be8", "#0891b2", "#db2777", "#78716c",
           "#5f9a10")
MARKS = ("circle", "square", "diamond", "triangle")


class Svg:
    def __init__(self):
        self.parts = []

    def add(self, tag, text=None, **attributes):
        words = "".join(f' {name.replace("_", "-")}="{value:.1f}"' if isinstance(value, float)
                        else f' {name.replace("_", "-")}="{value}"'
                        for name, value in attributes.items())
        self.parts.append(f"<{tag}{words}/>" if text is None else
                          f"<{tag}{words}>{escape(text)}</{tag}>")

    def text(self, x, y, text, size=12, anchor="start", colour=TEXT, **more):
        self.add("text", text, x=float(x), y=float(y), fill=colour, font_size=size,
                 text_anchor=anchor, **more)

    def line(self, x1, y1, x2, y2, **style):
        self.add("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **style)

    def mark(self, x, y, colour, shape, size=4.5):
        if shape == "circle":
            self.add("circle", cx=float(x), cy=float(y), r=size, fill=colour)
            return
        corners = {"square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
                   "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
                   "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1))}[shape]
        points = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in corners)
        self.add("polygon", points=points, fill=colour)

    def __str__(self):
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                          f'height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
                          'font-family="system-ui, sans-serif">', *self.parts, "</svg>", ""])


class Log:
    """An axis of powers of ten; values outside are drawn at its ends."""

    def __init__(self, values, name):
        values = [value for value in values if value and value > 0] or [1]
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.name = name

    def __call__(self, value):
        exponent = math.log10(value) if value and value > 0 else self.low
        return min(max((exponent - self.low) / (self.high - self.low), 0), 1)

    def ticks(self):
        return [(10 ** power, self.name(10 ** power)) for power in range(self.low, self.high + 1)]


class Linear:
    """An axis from nothing to a round number."""

    def __init__(self, values, name):
        most = max([value for value in values if value] or [1])
        step = 10 ** math.floor(math.log10(most))
        self.step = next(step * part for part in (0.25, 0.5, 1, 2) if most / (step * part) <= 5)
        self.high = math.ceil(most / self.step) * self.step
        self.name = name

    def __call__(self, value):
        return value / self.high

    def ticks(self):
        return [(number * self.step, self.name(number * self.step))
                for number in range(round(self.high / self.step) + 1)]


class Percent:
    """From nothing to all."""

    def __call__(self, value):
        return value / 100

    def ticks(self):
        return [(value, f"{value}%") for value in (0, 25, 50, 75, 100)]


class Panel:
    def __init__(self, svg, column, row, title):
        self.svg = svg
        self.x = LEFT + column * (PANEL_WIDTH + BETWEEN)
        self.y = TOP + row * (PANEL_HEIGHT + 84)
        svg.text(self.x, self.y - 14, title, 13, font_weight="bold")

    def grid(self, axis):
        for value, name in axis.ticks():
            y = self.y + PANEL_HEIGHT * (1 - axis(value))
            self.svg.line(self.x, y, self.x + PANEL_WIDTH, y, stroke=GRID, stroke_opacity="0.35")
            self.svg.text(self.x - 8, y + 4, name, anchor="end")

    def series(self, axis, categories, lines):
        """lines: (colour, shape, values by category, None for what was not measured)"""
        self.grid(axis)
        step = PANEL_WIDTH / len(categories)
        for number, name in enumerate(categories):
            self.svg.text(self.x + step * (number + 0.5), self.y + PANEL_HEIGHT + 20, name,
                          anchor="middle")
        self.svg.text(self.x + PANEL_WIDTH / 2, self.y + PANEL_HEIGHT + 38, "SYNs a second",
                      anchor="middle")
        for number, (colour, shape, values) in enumerate(lines):
            # side by side where they would hide each other
            aside = (number - (len(lines) - 1) / 2) * min(9, step * 0.8 / len(lines))
            points = [(self.x + step * (place + 0.5) + aside,
                       self.y + PANEL_HEIGHT * (1 - axis(value)))
                      for place, value in enumerate(values) if value is not None]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            self.svg.add("polyline", points=path, fill="none", stroke=colour, stroke_opacity="0.55")
            for x, y in points:
                self.svg.mark(x, y, colour, shape)

    def bars(self, axis, rows):
        """rows: (colour, label, value); drawn from the left, each with its value behind it."""
        height = PANEL_HEIGHT / max(len(rows), 1)
        for value, label in axis.ticks():
            x = self.x + PANEL_WIDTH * axis(value)
            self.svg.line(x, self.y, x, self.y + PANEL_HEIGHT, stroke=GRID, stroke_opacity="0.35")
            self.svg.text(x, self.y + PANEL_HEIGHT + 20, label, anchor="middle")
        for number, (colour, label, value) in enumerate(rows):
            y = self.y + height * number + height * 0.15
            middle, width = y + height * 0.35 + 4, max(PANEL_WIDTH * axis(value), 2)
            inside = width > PANEL_WIDTH * 0.8
            self.svg.add("rect", x=float(self.x), y=y, width=float(width), height=height * 0.7,
                         fill=colour)
            self.svg.text(self.x + width + (-6 if inside else 6), middle, axis.name(value),
                          anchor="end" if inside else "start",
                          colour="#ffffff" if inside else TEXT)
            self.svg.text(self.x - 8, middle, label, 11, "end")


def by_rate(peer, rates, value):
    """The value of each of a peer's runs under SYNs over IPv4."""
    runs = {run["rate"]: run for run in peer["runs"]
            if run["family"] == 4 and (run["flood"] == "syn" or run["rate"] == 0)}
    return [value(runs[rate]) if rate in runs else None for rate in rates]


def p99(run):
    return run["honest"]["connect_us"]["p99"] if run["honest"]["connect_us"] else None


def legend(svg, peers, styles):
    x, y = LEFT, 52
    for peer in peers:
        colour, shape = styles[peer["name"]]
        width = 24 + 7.2 * len(peer["name"])
        if x + width > WIDTH - RIGHT:
            x, y = LEFT, y + 18
        svg.mark(x + 5, y - 4, colour, shape)
        svg.text(x + 14, y, peer["name"])
        x += width


def draw(result):
    """Returns the picture of a result as text."""
    svg = Svg()
    peers = [peer for peer in result["peers"] if peer["runs"]]
    rates = result["setup"]["rates"]
    styles = {peer["name"]: (COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)])
              for number, peer in enumerate(peers)}
    svg.text(LEFT, 28, "Honest clients and the cost of a SYN under a SYN flood", 17,
             font_weight="bold")
    legend(svg, peers, styles)

    def lines(value):
        return [(*styles[peer["name"]], by_rate(peer, rates, value)) for peer in peers]

    names = [rate_name(rate) for rate in rates]
    Panel(svg, 0, 0, "Honest clients that got in").series(
        Percent(), names, lines(lambda run: run["honest"]["percent"]))
    Panel(svg, 1, 0, "Connect latency, p99 of those that got in").series(
        Log([p99(run) for peer in peers for run in peer["runs"]], short_time), names, lines(p99))
    largest_runs = [(peer, largest(peer)) for peer in peers if largest(peer)]
    for column, title, key, name in (
            (0, "Core time of a SYN at the largest flood, in ns", "ns_per_packet",
             lambda ns: f"{ns:,.0f}"),
            (1, "SYNs absorbed a second at the largest flood", "absorbed_per_s", short_count)):
        rows = [(styles[peer["name"]][0], peer["name"], run[key]) for peer, run in largest_runs]
        Panel(svg, column, 1, title).bars(Linear([row[2] for row in rows], name), rows)
    machine = result["machine"]
    svg.text(LEFT, HEIGHT - 14, f"Linux {machine['kernel']}, {machine['cpu']}, {machine['cores']} "
             f"cores; {result['setup']['connects_per_s']} honest connections a second; veth", 11)
    return str(svg)
