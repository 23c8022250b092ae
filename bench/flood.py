#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
bench-flood: who still lets honest clients in under a flood, and what does it cost? Defences side by
side, each in namespaces made for it, under the same floods. Prints a table, and writes
bench-flood.json and bench-flood.svg into build/. README.md beside this says how it is measured.
"""

import argparse
import contextlib
import pathlib
import sys

import peers
import plot
import report
from running import Progress, begin, machine, measure, parse_cores
from stage import BACKLOG, BUILD, TOOLS, Stage, choose_cores, wait_for

SCHEMA = 1
PROGRAMS = ("flood", "honest_client", "honest_server")
RATES = "0,100k,500k,max"
# The other kinds of floods, each as large as it gets: all kinds and both families are among them.
SHAPES = (("syn", 6), ("ack", 4), ("mixed", 6))
QUICK = {"rates": "0,10k", "seconds": 1}
FULL = {"rates": RATES, "seconds": 4}
OVERHEAD = 20  # seconds that a flood may go on after its clients should have ended


def parse_rate(text):
    """0, 500k, 1M; max is None."""
    if text == "max":
        return None
    factor = {"k": 1000, "M": 1_000_000}.get(text[-1:], 1)
    number = text[:-1] if factor > 1 else text
    if not number.isdigit() or int(number) * factor > 10_000_000:
        raise ValueError(f"--rates {text}: expected SYNs a second such as 0, 500k or 1M, of at "
                         "most 10M, or max")
    return int(number) * factor


def choose_peers(names, extra):
    known = peers.built_in() + [peers.from_option(text) for text in extra]
    by_name = {peer.name: peer for peer in known}
    if len(by_name) < len(known):
        raise ValueError("--peer: two peers of the same name")
    if not names:
        return [peer for peer in known if peer.is_default]
    for name in names.split(","):
        if name not in by_name:
            raise ValueError(f"--peers {name}: expected some of {', '.join(by_name)}")
    return [by_name[name] for name in names.split(",")]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="bench-flood", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="less than a minute: does it work at all? The numbers mean little")
    parser.add_argument("--peers", metavar="NAME,...", help="only these")
    parser.add_argument("--peer", metavar="NAME=OBJECT.o[:SECTION]", action="append", default=[],
                        help="one more: an XDP program of an object file; xdp_synproxy=OBJECT:xdp "
                        "is the kernel's, with the rules and the port that it needs")
    parser.add_argument("--rates", metavar="N,...", help=f"SYNs a second ({RATES})")
    parser.add_argument("--seconds", type=int, help="of honest connections in each run (4)")
    parser.add_argument("--connects", type=int, default=300, metavar="N",
                        help="honest connections a second (300)")
    parser.add_argument("--timeout", type=int, default=3000, metavar="MS",
                        help="after which a connection has failed (3000)")
    parser.add_argument("--moderation", type=int, default=0, metavar="US",
                        help="interrupt moderation of all interfaces, in microseconds (0)")
    parser.add_argument("--cores", metavar="FLOOD,VICTIM[,WIRE]",
                        help="who works where (the first, the last, and the second or the first)")
    parser.add_argument("--output", type=pathlib.Path, default=BUILD, metavar="DIRECTORY",
                        help="where the files go (build)")
    given = parser.parse_args(argv)
    defaults = QUICK if given.quick else FULL
    try:
        given.rates = [parse_rate(text) for text in (given.rates or defaults["rates"]).split(",")]
        given.seconds = defaults["seconds"] if given.seconds is None else given.seconds
        for name, most in (("seconds", 60), ("connects", 10000), ("timeout", 30000),
                           ("moderation", 1000)):
            least = 0 if name == "moderation" else 1
            if not least <= getattr(given, name) <= most:
                raise ValueError(f"--{name} {getattr(given, name)}: expected {least} to {most}")
        given.peers = choose_peers(given.peers, given.peer)
        given.cores = parse_cores(given.cores) if given.cores else None
    except ValueError as error:
        parser.error(str(error))
    return given


# ---- one run

def whole_flood(stage, before, sent):
    """The counters of a whole flood, once the victim has emptied its queue."""
    def arrived():
        whole = stage.counters() - before
        return whole if whole.received + whole.lost - whole.honest >= sent else None
    with contextlib.suppress(AssertionError):
        return wait_for(arrived, "the queue to be empty", seconds=2)
    return stage.counters() - before


def describe(kind, family, rate, seen, honest):
    """A run as it is in the JSON file."""
    seconds = seen.ns / 1e9
    flooded = seen.received - seen.honest
    return {
        "flood": kind, "family": family, "rate": rate, "seconds": round(seconds, 3),
        "sent_per_s": round((flooded + seen.lost) / seconds),
        "absorbed_per_s": round(max(flooded, 0) / seconds),
        "ns_per_packet": round(seen.core_ns / max(seen.received, 1), 1),
        "core_share": round(seen.core_ns / seen.ns, 3),
        "bytes_received": seen.bytes_received, "bytes_answered": seen.bytes_sent,
        "honest": {**honest, "percent": round(100 * honest["succeeded"] / honest["tried"], 2)},
    }


def run_once(peer, kind, family, rate, given):
    cores = given.cores or choose_cores()
    with Stage(family, cores, given.moderation) as stage:
        peer.prepare(stage)
        stage.settle()
        stage.serve()
        start = stage.counters()
        flood = contextlib.nullcontext({})
        if rate != 0:
            flood = stage.flooded(kind, rate, given.seconds + given.timeout // 1000 + OVERHEAD)
        with flood as generator:
            before = stage.counters()
            honest = stage.connect(given.connects, given.seconds, given.timeout)
            seen = stage.counters() - before
        run = describe(kind, family, rate, seen, honest)
        if generator:
            whole = whole_flood(stage, start, generator["sent"])
            run["generator"] = {
                "sent": generator["sent"], "seconds": generator["seconds"],
                "unaccounted": generator["sent"] - whole.received - whole.lost + whole.honest}
        return run


# ---- all of them

def plan(given):
    """What each peer goes through."""
    floods = [("syn", 4, rate) for rate in given.rates]
    if not given.quick and None in given.rates:
        floods += [(kind, family, None) for kind, family in SHAPES]
    return floods


def run_peer(peer, given, progress):
    floods = plan(given)
    result = {"name": peer.name, "title": peer.title, "available": True, "reason": None, "runs": []}
    for number, (kind, family, rate) in enumerate(floods):
        name = report.flood_name({"flood": kind, "family": family, "rate": rate})
        progress.begin(f"{peer.name}, {name}")
        try:
            run = run_once(peer, kind, family, rate, given)
        except peers.Unavailable as error:
            progress.end(f"not available: {error}")
            progress.skip(len(floods) - number - 1)
            result.update(available=False, reason=str(error))
            break
        result["runs"].append(run)
        progress.end(report.summary_of(run))
    return result


def run_all(given):
    progress = Progress(len(given.peers) * len(plan(given)))
    return {
        "schema": SCHEMA,
        "machine": machine(),
        "setup": {"rates": given.rates, "seconds": given.seconds, "timeout_ms": given.timeout,
                  "connects_per_s": given.connects, "backlog": BACKLOG, "quick": given.quick,
                  "moderation_us": given.moderation},
        "peers": [run_peer(peer, given, progress) for peer in given.peers],
    }


def is_complete(result, chosen):
    """Is each peer there that every kernel has room for?"""
    optional = {peer.name for peer in chosen if peer.optional}
    return all(peer["available"] or peer["name"] in optional for peer in result["peers"])


def main(argv=None):
    given = parse_arguments(argv)
    begin("bench-flood")
    missing = [name for name in PROGRAMS if not (TOOLS / name).exists()]
    if missing:
        sys.exit(f"bench-flood: {TOOLS / missing[0]} is not there: make bench-flood builds it")
    result = measure("bench-flood", lambda: run_all(given), given.output, report.table, plot.draw)
    if not result:
        return 130
    return 0 if is_complete(result, given.peers) else 1


if __name__ == "__main__":
    sys.exit(main())
