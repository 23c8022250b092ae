# SPDX-License-Identifier: GPL-2.0-or-later
"""What bench-cost found: as a table of at most 100 columns, and as a picture."""

import plot

# What is allowed: the share of the base's operations that must go, and what one may cost more.
BOUNDS = {"closed": {"rate": 0.98}, "kept": {"rate": 0.99}, "idle": {"rate": 0.99},
          "bulk-in": {"ratio": 1.01}, "bulk-out": {"ratio": 1.01},
          "messages-in": {"ns": 60}, "messages-out": {"ns": 60}}
HEAD = (f"  {'':<10} {'per s':>10} {'of base':>8} {'between':>15} {'ns each':>10} {'ns more':>9}"
        f" {'between':>17}")


def summary_of(unit, run):
    return f"{run['per_s']:>10,.0f} {unit}s/s, {run['server_ns']:>10,.0f} ns each"


def is_met(bound, found):
    """Whether a bound is met by the middle of the rounds, or missed by no more than they differ."""
    if "rate" in bound:
        value, limit = found["rate_ratio"], bound["rate"]
        return value["median"] >= limit, value["high"] >= limit
    value, limit = ((found["ns_more"], bound["ns"]) if "ns" in bound else
                    (found["ns_ratio"], bound["ratio"]))
    return value["median"] <= limit, value["low"] <= limit


def verdict(work, found):
    bound = BOUNDS.get(work)
    if not bound:
        return ""
    met, perhaps = is_met(bound, found)
    return "" if met else "  within the spread" if perhaps else "  MISSED"


def line_of(work, name, found):
    text = f"  {name:<10} {found['per_s']['median']:>10,.0f}"
    if "rate_ratio" not in found:
        return f"{text} {'':>8} {'':>15} {found['server_ns']['median']:>10,.0f}"
    rate, more = found["rate_ratio"], found["ns_more"]
    return (f"{text} {100 * rate['median']:>7.1f}% {100 * rate['low']:>6.1f} - {100 * rate['high']:<6.1f}"
            f" {found['server_ns']['median']:>10,.0f} {more['median']:>+9,.0f}"
            f" {more['low']:>+7,.0f} - {more['high']:<+7,.0f}{verdict(work, found)}")


def bound_of(name):
    bound = BOUNDS.get(name, {})
    words = [f"at least {100 * bound['rate']:g}% of the base's" if "rate" in bound else "",
             f"at most {bound['ns']} ns more" if "ns" in bound else "",
             f"at most {100 * (bound['ratio'] - 1):g}% more core time" if "ratio" in bound else ""]
    return "".join(words)


def table(result):
    yield HEAD
    for work in result["work"]:
        yield f"{work['name']}: {work['title']}; each {work['unit']}; {bound_of(work['name'])}"
        for name, found in work["found"].items():
            yield line_of(work["name"], name, found)
    yield ""
    for one in result["subjects"]:
        yield f"{one['name']}: {one['title']}"
    setup = result["setup"]
    yield (f"Medians of {setup['rounds']} rounds of {setup['seconds']} s by turns; between: where the "
           "middle half of the rounds lies.")


def draw(result):
    """How many operations of each kind went, in percent of the base's."""
    svg = plot.Svg()
    svg.text(plot.LEFT, 28, "Operations a second, in percent of those behind a program that only passes",
             17, font_weight="bold")
    names = [one["name"] for one in result["subjects"] if one["name"] != result["setup"]["base"]]
    styles = {name: plot.COLOURS[number] for number, name in enumerate(names)}
    plot.legend(svg, [{"name": name} for name in names],
                {name: (colour, "square") for name, colour in styles.items()})
    for number, work in enumerate(result["work"][:4]):
        rows = [(styles[name], name, 100 * work["found"][name]["rate_ratio"]["median"])
                for name in names]
        plot.Panel(svg, number % 2, number // 2, work["title"]).bars(
            plot.Linear([row[2] for row in rows] + [100], lambda value: f"{value:.4g}%"), rows)
    machine = result["machine"]
    svg.text(plot.LEFT, plot.HEIGHT - 14, f"Linux {machine['kernel']}, {machine['cpu']}, "
             f"{machine['cores']} cores; {result['setup']['rounds']} rounds; veth", 11)
    return str(svg)
