# SPDX-License-Identifier: GPL-2.0-or-later
"""What bench-flood found, as a table of at most 100 columns."""

BASES = ("drop", "turn", "kernel-cookies-1")
# What an answer may cost at the largest flood, as a multiple of what turning the SYN round does.
BOUNDS = {4: 1.6, 6: 1.8}
HEAD = (f"  {'flood':<13} {'sent/s':>7} {'absorbed/s':>10} {'ns/packet':>9} {'honest in':>9}"
        f" {'connect p50':>12} {'p99':>8} {'1st byte p50':>13} {'p99':>8}")
KINDS = {"syn": "SYN", "ack": "ACK", "mixed": "mixed"}


def short_count(count):
    """100k, 1.79M"""
    if count is None:
        return "-"
    if count >= 999_500:
        return f"{count / 1e6:.3g}M" if count < 99_950_000 else f"{count / 1e6:.0f}M"
    return f"{count / 1e3:.3g}k" if count >= 1000 else f"{count:.0f}"


def short_time(us):
    if us is None:
        return "-"
    if us >= 999_500:
        return f"{us / 1e6:.3g} s"
    return f"{us / 1e3:.3g} ms" if us >= 999.5 else f"{us:.3g} us"


def rate_name(rate):
    return "max" if rate is None else "none" if rate == 0 else short_count(rate)


def flood_name(run):
    if run["rate"] == 0:
        return "none" + (" IPv6" if run["family"] == 6 else "")
    return f"{KINDS[run['flood']]}{' IPv6' if run['family'] == 6 else ''} {rate_name(run['rate'])}"


def percentile(run, what, name):
    values = run["honest"][what]
    return values[name] if values else None


def summary_of(run):
    """A run in a few words, for the line of its progress."""
    honest = f"{run['honest']['percent']:.1f}% honest"
    if run["rate"] == 0:
        return f"{honest}, connect p50 {short_time(percentile(run, 'connect_us', 'p50'))}"
    return (f"{short_count(run['absorbed_per_s'])}/s absorbed, {run['ns_per_packet']:,.0f} ns, "
            f"{honest}")


def line_of(run):
    flood = run["rate"] != 0
    columns = [percentile(run, what, name) for what in ("connect_us", "first_byte_us")
               for name in ("p50", "p99")]
    times = "".join(f" {short_time(value):>{width}}"
                    for value, width in zip(columns, (12, 8, 13, 8)))
    ns = f"{run['ns_per_packet']:,.0f}" if flood else "-"
    return (f"  {flood_name(run):<13}"
            f" {short_count(run['sent_per_s'] if flood else None):>7}"
            f" {short_count(run['absorbed_per_s'] if flood else None):>10} {ns:>9}"
            f" {run['honest']['percent']:>8.1f}%{times}")


def largest(peer, family=4):
    """The run under the largest flood of SYNs, if there was one."""
    runs = [run for run in peer["runs"] if run["flood"] == "syn" and run["family"] == family
            and run["rate"] != 0]
    return max(runs, key=lambda run: run["sent_per_s"], default=None)


def ratio(value, base):
    return f"{value / base:.2f}" if value and base else "-"


def comparison(peers):
    """Each peer's core time of a SYN at the largest flood, beside the bound and the kernel's."""
    found = {peer["name"]: largest(peer) for peer in peers if peer["available"]}
    found = {name: run for name, run in found.items() if run}
    if len(found) < 2:
        return
    bases = [name for name in BASES if name in found]
    width = max(map(len, found))
    yield ""
    yield "At the largest flood of SYNs: core time of one, and bytes answered by bytes received"
    yield (f"  {'':<{width}} {'ns':>8}" + "".join(f" {'/ ' + base:>19}" for base in bases) +
           f" {'answered':>9}")
    for name, run in sorted(found.items(), key=lambda item: item[1]["ns_per_packet"]):
        ratios = "".join(f" {ratio(run['ns_per_packet'], found[base]['ns_per_packet']):>19}"
                         for base in bases)
        yield (f"  {name:<{width}} {run['ns_per_packet']:>8,.0f}{ratios}"
               f" {ratio(run['bytes_answered'], run['bytes_received']):>9}")


def bounds(peers):
    """Is what answers near to what turns the SYNs round?"""
    by_name = {peer["name"]: peer for peer in peers if peer["available"]}
    if not {"turn", "synward"} <= set(by_name):
        return
    yield ""
    for family, bound in BOUNDS.items():
        turn, ours = (largest(by_name[name], family) for name in ("turn", "synward"))
        if turn and ours:
            found = ours["ns_per_packet"] / turn["ns_per_packet"]
            yield (f"IPv{family}: an answer of synward's costs {found:.2f} times a SYN turned round, "
                   f"at most {bound}: {'ok' if found <= bound else 'MISSED'}")


def slowdown(peers):
    """What the largest flood of a given rate does to the times of those that get in."""
    rates = {run["rate"] for peer in peers for run in peer["runs"]}
    rate = max((rate for rate in rates if rate), default=None)
    if rate is None or 0 not in rates:
        return
    yield ""
    yield f"Times of the honest under {short_count(rate)} SYN/s, by those without a flood"
    width = max(len(peer["name"]) for peer in peers)
    yield f"  {'':<{width}} {'connect p99':>12} {'1st byte p50':>13}"
    for peer in peers:
        runs = {run["rate"]: run for run in peer["runs"] if run["family"] == 4}
        if 0 not in runs or rate not in runs:
            continue
        values = [ratio(percentile(runs[rate], what, name), percentile(runs[0], what, name))
                  for what, name in (("connect_us", "p99"), ("first_byte_us", "p50"))]
        yield f"  {peer['name']:<{width}} {values[0]:>12} {values[1]:>13}"


def table(result):
    """The lines of the table."""
    yield HEAD
    for peer in result["peers"]:
        yield f"{peer['name']}: {peer['title']}"[:100]
        if not peer["available"]:
            yield f"  not available: {peer['reason']}"[:100]
        for run in peer["runs"]:
            yield line_of(run)
    yield from comparison(result["peers"])
    yield from bounds(result["peers"])
    yield from slowdown(result["peers"])
    setup = result["setup"]
    yield ""
    yield (f"{setup['connects_per_s']} honest connections a second for {setup['seconds']} s, in if "
           f"answered within {setup['timeout_ms'] / 1000:g} s; their times are of")
    yield "those that were. ns/packet means something at the largest flood: bench/README.md."
