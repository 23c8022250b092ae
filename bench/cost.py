#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
bench-cost: what does it cost whom nobody attacks? The same work of a server behind an XDP program that
only passes and behind synward, turn by turn. Prints a table, and writes bench-cost.json and
bench-cost.svg into build/. README.md beside this says how it is measured.
"""

import argparse
import pathlib
import statistics
import sys

import cost_report
import peers
import workloads
from running import Progress, begin, machine, measure, parse_cores
from stage import BUILD, OBJECT, Stage, choose_cores

SCHEMA = 1
BASE = "xdp-pass"
FULL = {"rounds": 9, "seconds": 2}
QUICK = {"rounds": 1, "seconds": 1}


class Pass(peers.Peer):
    def __init__(self):
        super().__init__(BASE, "an XDP program that only passes, nothing at TC")

    def prepare(self, stage):
        stage.load("v", OBJECT, "program", "pass_all")


class Synward(peers.SynwardMonitor):
    """synward with a policy, or as `attach` leaves it."""

    def __init__(self, name, title, policy=None):
        super().__init__(name, title)
        self.policy = policy

    def then(self, files):
        if not self.policy:
            return ()
        path = files / "synward.yaml"
        path.write_text(self.policy)
        return (("policy", "apply", path), ("block", "add", "198.51.100.0/24", "2001:db8:17::/48"))


WEB = """version: 1
default: {mode: enforce}
services:
  - name: web
    ports: [443]
    mode: enforce
    strict: %s
    warm_up: 0s
    actions: {syn_data_no_tfo: drop}
    limits:
      syn_rate: {per_second: 100000, burst: 200000}
      half_open: {per_source: 10000, per_service: 16384}
    syn_flood: adaptive
"""


def subjects():
    return [Pass(), Synward("watching", "synward attached, without a policy"),
            Synward("policy", "enforce, limits, a block list, syn_flood: adaptive", WEB % "no"),
            Synward("strict", "the same, and strict", WEB % "yes")]


def some_of(known, names, option):
    by_name = {one.name: one for one in known}
    for name in names or ():
        if name not in by_name:
            raise ValueError(f"{option} {name}: expected some of {', '.join(by_name)}")
    return [by_name[name] for name in names] if names else known


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="bench-cost", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="does it work at all? The numbers mean little")
    parser.add_argument("--rounds", type=int, help="of everything in turn (9)")
    parser.add_argument("--seconds", type=int, help="of each measurement (2)")
    parser.add_argument("--family", type=int, choices=(4, 6), default=4, help="of the addresses (4)")
    parser.add_argument("--work", metavar="NAME,...", help="only these: " +
                        ", ".join(one.name for one in workloads.built_in()))
    parser.add_argument("--subjects", metavar="NAME,...", help="only these, beside xdp-pass: " +
                        ", ".join(one.name for one in subjects()[1:]))
    parser.add_argument("--cores", metavar="CLIENT,SERVER", help="who works where (the first, the last)")
    parser.add_argument("--output", type=pathlib.Path, default=BUILD, metavar="DIRECTORY",
                        help="where the files go (build)")
    given = parser.parse_args(argv)
    defaults = QUICK if given.quick else FULL
    try:
        for name, most in (("rounds", 99), ("seconds", 60)):
            value = getattr(given, name)
            setattr(given, name, defaults[name] if value is None else value)
            if not 1 <= getattr(given, name) <= most:
                raise ValueError(f"--{name} {value}: expected 1 to {most}")
        given.work = some_of(workloads.built_in(), given.work and given.work.split(","), "--work")
        given.subjects = some_of(subjects()[1:], given.subjects and given.subjects.split(","),
                                 "--subjects")
        given.cores = parse_cores(given.cores) if given.cores else None
    except ValueError as error:
        parser.error(str(error))
    return given


def run_once(work, subject, given):
    with Stage(given.family, given.cores or choose_cores()) as stage:
        subject.prepare(stage)
        stage.settle()
        return work.run(stage, given.seconds)


def spread(values):
    """Median, and between which values the middle half of them lies."""
    if len(values) < 3:
        return {"median": statistics.median(values), "low": min(values), "high": max(values)}
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "low": low, "high": high}


def judged(rounds, names):
    """Of each subject its figures, and what they are to the base's of the same round."""
    found = {}
    for name in names:
        found[name] = {key: spread([one[name][key] for one in rounds]) for key in ("per_s", "server_ns")}
        if name == BASE:
            continue
        found[name]["rate_ratio"] = spread([one[name]["per_s"] / one[BASE]["per_s"] for one in rounds])
        found[name]["ns_more"] = spread([one[name]["server_ns"] - one[BASE]["server_ns"]
                                         for one in rounds])
        found[name]["ns_ratio"] = spread([one[name]["server_ns"] / one[BASE]["server_ns"]
                                          for one in rounds])
    return found


def run_all(given):
    chosen = [Pass(), *given.subjects]
    progress = Progress(given.rounds * len(given.work) * len(chosen))
    measured = {work.name: [] for work in given.work}
    for number in range(given.rounds):
        for work in given.work:
            found = {}
            # who comes first is another one in each round
            for place in range(len(chosen)):
                subject = chosen[(place + number) % len(chosen)]
                progress.begin(f"{work.name}, {subject.name}")
                found[subject.name] = run_once(work, subject, given)
                progress.end(cost_report.summary_of(work.unit, found[subject.name]))
            measured[work.name].append(found)
    names = [one.name for one in chosen]
    return {"schema": SCHEMA, "machine": machine(),
            "setup": {"rounds": given.rounds, "seconds": given.seconds, "family": given.family,
                      "quick": given.quick, "base": BASE},
            "subjects": [{"name": one.name, "title": one.title} for one in chosen],
            "work": [{"name": one.name, "title": one.title, "unit": one.unit,
                      "rounds": measured[one.name], "found": judged(measured[one.name], names)}
                     for one in given.work]}


def main(argv=None):
    given = parse_arguments(argv)
    begin("bench-cost")
    if missing := workloads.missing_tools():
        sys.exit(f"bench-cost: {missing[0]} is not installed: make bench-cost installs it")
    if workloads.many_files() < workloads.IDLE + 1000:
        sys.exit(f"bench-cost: {workloads.IDLE} idle connections take as many open files: ulimit -n")
    result = measure("bench-cost", lambda: run_all(given), given.output, cost_report.table, cost_report.draw)
    return 0 if result else 130


if __name__ == "__main__":
    sys.exit(main())
