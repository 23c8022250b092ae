#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
bench-scrape: what does a scrape of the exporter take while the largest flood is on, with every interface slot and
every service in use? Prints a table, and writes bench-scrape.json into build/. README.md beside this says how it is
measured.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import statistics
import sys
import time

import peers
import report
from running import Progress, begin, machine, measure, parse_cores
from stage import BUILD, PORT, TOOLS, VICTIM, Stage, address, choose_cores, cpu_time_ns, go_first

from exporter import HOST, Exporter, said  # behind stage, which has told where tests/lib is

SCHEMA = 1
FLOODS = (("syn", 4, 0), ("syn", 4, None), ("syn", 6, None))  # rate: None is as many as go
INTERFACES, SERVICES = 64, 63  # SW_MAX_INTERFACES, SW_MAX_SERVICES; the default is one more
MANY, SLOW = 100, 20  # who scrape at once, and who ask before them and take nothing for now
OVERHEAD = 20  # seconds that a flood may go on after the scrapes should have ended
# What is promised, for a scrape each second.
BOUNDS = {"wall_ms": 50, "core_percent": 1, "peak_mib": 32}
GET = f"GET /metrics HTTP/1.1\r\n{HOST}\r\n".encode()


class Crowded(peers.SynwardMonitor):
    """synward with that many interfaces and services, of which the flooded one answers every SYN."""

    def __init__(self, interfaces, services):
        super().__init__("synward", f"{interfaces} interfaces, {services} services and the default")
        self.count, self.services = interfaces, services

    def interfaces(self, stage):
        """Pairs of veth within the victim, so that XDP is native on each of them."""
        names = [f"more{number}" for number in range(self.count - 1)]
        pairs = [(name, name.replace("more", "end")) for name in names]
        stage.victim.ip_batch(*(("link", "add", name, "type", "veth", "peer", "name", end)
                                for name, end in pairs))
        return (stage.interface, *names)

    def then(self, files):
        lines = [f"  - {{name: web, ports: [{PORT}], mode: enforce, syn_flood: always}}"]
        lines += [f"  - {{name: service{number}, ports: [{8000 + number}], mode: enforce, syn_flood: adaptive}}"
                  for number in range(1, self.services)]
        path = files / "synward.yaml"
        path.write_text("\n".join(["version: 1", "services:", *lines, ""]))
        return (("policy", "apply", path),)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="bench-scrape", description=__doc__.split("\n\n")[0])
    parser.add_argument("--scrapes", type=int, default=30, metavar="N",
                        help="in each run, one a second (30)")
    parser.add_argument("--interfaces", type=int, default=INTERFACES, metavar="N",
                        help=f"that are attached ({INTERFACES})")
    parser.add_argument("--services", type=int, default=SERVICES, metavar="N",
                        help=f"of the policy ({SERVICES})")
    parser.add_argument("--calm", action="store_true", help="only without a flood")
    parser.add_argument("--cores", metavar="FLOOD,VICTIM[,WIRE]",
                        help="who works where (the first, the last, and the second or the first)")
    parser.add_argument("--output", type=pathlib.Path, default=BUILD, metavar="DIRECTORY",
                        help="where the file goes (build)")
    given = parser.parse_args(argv)
    try:
        for name, most in (("scrapes", 90), ("interfaces", INTERFACES), ("services", SERVICES)):
            if not 1 <= getattr(given, name) <= most:
                raise ValueError(f"--{name} {getattr(given, name)}: expected 1 to {most}")
        given.cores = parse_cores(given.cores) if given.cores else None
    except ValueError as error:
        parser.error(str(error))
    given.floods = [flood for flood in FLOODS if flood[2] == 0 or not given.calm]
    return given


class Scraper:
    """The exporter beside the victim, and who asks it: both on a core that the flood leaves alone."""

    def __init__(self, stage, synward):
        self.victim, core = stage.victim, stage.cores.wire
        self.exporter = Exporter(stage, synward.environment(), listen=("--listen", "127.0.0.1:0"),
                                 who=stage.victim.command("taskset", "-c", core, "chrt", "-f", 2))

    def whole(self):
        """An answer as it came; no answer is an empty one."""
        with self.victim.entered():
            return self.exporter.say_raw(GET)

    def once(self):
        """How long a scrape took, and what it took of a core, in ms; and how many bytes it had."""
        core, began = cpu_time_ns(self.exporter.process.pid), time.monotonic_ns()
        answer = self.whole()
        wall = time.monotonic_ns() - began
        return wall / 1e6, (cpu_time_ns(self.exporter.process.pid) - core) / 1e6, len(answer)

    def each_second(self, count):
        """What so many scrapes took, and which share of a core the exporter had while they went on."""
        self.once()  # the first one makes room for the others
        core, began, found = cpu_time_ns(self.exporter.process.pid), time.monotonic_ns(), []
        for number in range(1, count + 1):
            found.append(self.once())
            time.sleep(max(0, began / 1e9 + number - time.monotonic()))
        share = (cpu_time_ns(self.exporter.process.pid) - core) / (time.monotonic_ns() - began)
        wall, core_ms, size = zip(*found)
        return {"scrapes": count, "bytes": max(size), "core_percent": round(100 * share, 2),
                "wall_ms": spread(wall), "core_ms": spread(core_ms)}

    def at_once(self):
        """How many of all those got a whole page."""
        with contextlib.ExitStack() as slow:
            with self.victim.entered():
                takers = [slow.enter_context(self.exporter.connect(room=1)) for _ in range(SLOW)]
            for peer in takers:
                peer.sendall(GET)
            with concurrent.futures.ThreadPoolExecutor(MANY) as many:
                wholes = list(many.map(lambda _: self.whole(), range(MANY)))
            wholes += [said(peer) for peer in takers]
        return sum(whole.startswith(b"HTTP/1.1 200 ") and whole.endswith(b"\n") for whole in wholes)


def spread(values):
    return {"p50": round(statistics.median(values), 2), "max": round(max(values), 2)}


@contextlib.contextmanager
def ahead(core):
    """This process is before the flood on its core, as on one of its own."""
    cores, priority = os.sched_getaffinity(0), os.sched_getparam(0)
    policy = os.sched_getscheduler(0)
    os.sched_setaffinity(0, {core})
    go_first(0, 2)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)
        os.sched_setaffinity(0, cores)


def run_once(stage, scraper, flood, scrapes):
    kind, family, rate = flood
    stage.address = address(family, VICTIM)
    with stage.flooded(kind, rate, scrapes + OVERHEAD) if rate != 0 else contextlib.nullcontext():
        before = stage.counters()
        with ahead(stage.cores.wire):
            found = scraper.each_second(scrapes)
            whole = scraper.at_once()
        seen = stage.counters() - before
    return {"flood": kind, "family": family, "rate": rate,
            "absorbed_per_s": round((seen.received - seen.honest) * 1e9 / seen.ns), **found,
            "at_once": {"asked": MANY + SLOW, "whole": whole},
            "peak_mib": round(scraper.exporter.peak_kib() / 1024, 1)}


def run_all(given):
    """One stage for all of them: to attach so often takes longer than the rest."""
    progress, runs = Progress(len(given.floods)), []
    with Stage(6, given.cores or choose_cores()) as stage:  # whose server hears both families
        synward = Crowded(given.interfaces, given.services).prepare(stage)
        stage.settle()
        stage.serve()
        scraper = Scraper(stage, synward)
        for kind, family, rate in given.floods:
            progress.begin(report.flood_name({"flood": kind, "family": family, "rate": rate}))
            runs.append(run_once(stage, scraper, (kind, family, rate), given.scrapes))
            progress.end(f"{runs[-1]['wall_ms']['p50']:g} ms a scrape, {runs[-1]['core_ms']['p50']:g} ms of a core")
    return {"schema": SCHEMA, "machine": machine(),
            "setup": {"interfaces": given.interfaces, "services": given.services}, "runs": runs}


# ---- as a table

def table(result):
    """The lines of the table."""
    setup = result["setup"]
    yield f"{setup['interfaces']} interfaces, {setup['services']} services and the default; a scrape each second"
    yield (f"  {'flood':<13} {'absorbed/s':>10} {'KiB':>5} {'ms p50':>7} {'max':>7} {'core ms p50':>12} {'max':>6}"
           f" {'core':>6} {'at once':>8} {'peak MiB':>9}")
    for run in result["runs"]:
        rate = "-" if run["rate"] == 0 else report.short_count(run["absorbed_per_s"])
        yield (f"  {report.flood_name(run):<13} {rate:>10} {run['bytes'] / 1024:>5.0f} {run['wall_ms']['p50']:>7.2f}"
               f" {run['wall_ms']['max']:>7.2f} {run['core_ms']['p50']:>12.2f} {run['core_ms']['max']:>6.2f}"
               f" {run['core_percent']:>5.2f}% {run['at_once']['whole']:>4}/{run['at_once']['asked']}"
               f" {run['peak_mib']:>9.1f}")
    yield ""
    yield from bounds(result["runs"])


def bounds(runs):
    """Is it what is promised, in each of these runs?"""
    for words, found, bound, unit in (
            ("the longest scrape", max(run["wall_ms"]["max"] for run in runs), BOUNDS["wall_ms"], " ms"),
            ("of a core", max(run["core_percent"] for run in runs), BOUNDS["core_percent"], "%"),
            ("memory at most", max(run["peak_mib"] for run in runs), BOUNDS["peak_mib"], " MiB")):
        yield f"{words}: {found:g}{unit}, under {bound}{unit}: {'ok' if found < bound else 'MISSED'}"
    missing = sum(run["at_once"]["asked"] - run["at_once"]["whole"] for run in runs)
    yield (f"{MANY} at once, and {SLOW} who take nothing before those are done: "
           f"{'ok, each got a whole page' if not missing else f'MISSED, {missing} got none'}")


def main(argv=None):
    given = parse_arguments(argv)
    begin("bench-scrape")
    if not (TOOLS / "flood").exists():
        sys.exit(f"bench-scrape: {TOOLS / 'flood'} is not there: make bench-scrape builds it")
    result = measure("bench-scrape", lambda: run_all(given), given.output, table)
    return 0 if result else 130


if __name__ == "__main__":
    sys.exit(main())
