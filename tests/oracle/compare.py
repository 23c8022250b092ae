#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare `synward replay -j` with the oracle on many captures; exit 1 on any difference."""

import argparse
import ipaddress
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from capture import CaptureError
from oracle import judge_file

DEGRADED = 3  # synward's exit code for "done, but not in the best way"


class ReplayError(Exception):
    """synward did not print a report."""


def main():
    options = arguments()
    paths = [each for path in options.paths for each in files(path)]
    compare = partial(differences, options.synward, options.timeout)
    different = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for path, found in zip(paths, pool.map(compare, paths)):
            different += bool(found)
            if found:
                print(path)
                shown = found if options.all else found[:options.limit]
                print("".join(f"  {line}\n" for line in shown), end="")
                if len(found) > len(shown):
                    print(f"  and {len(found) - len(shown)} more")
    print(f"{len(paths)} captures, {different} with differences")
    return 1 if different or not paths else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="captures, or directories of them")
    parser.add_argument("--synward", default="build/synward", help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="captures at a time")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one replay")
    parser.add_argument("--limit", type=int, default=20, help="lines for one capture")
    parser.add_argument("--all", action="store_true", help="every line, whatever --limit")
    return parser.parse_args()


def files(path):
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(top, name) for top, _, names in os.walk(path) for name in names)


def differences(synward, timeout, path):
    """One line for every difference between the two reports on `path`."""
    ours, our_error = attempt_report(partial(judge_file, path))
    theirs, their_error = attempt_report(partial(replay, synward, timeout, path))
    if our_error or their_error:
        if our_error and their_error and not isinstance(their_error, OSError):
            return []  # both say that it is no capture
        return [f"oracle: {our_error or 'reads it'}", f"synward: {their_error or 'reads it'}"]
    return (compare_packets(ours, theirs)
            + compare_counts("outcome", ours["handshakes"], theirs.get("handshakes", {}))
            + compare_counts("anomaly", seen(ours), seen(theirs))
            + compare_attempts(ours, theirs))


def attempt_report(read):
    try:
        return read(), None
    except (OSError, CaptureError, ReplayError) as error:
        return None, error


def replay(synward, timeout, path):
    try:
        run = subprocess.run([synward, "replay", "-j", path], capture_output=True, text=True,
                             timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError("no report in time") from error
    if run.returncode < 0:
        raise OSError(f"killed by signal {-run.returncode}")
    if run.returncode not in (0, DEGRADED):
        raise ReplayError(run.stderr.strip() or f"exit code {run.returncode}")
    try:
        return json.loads(run.stdout)
    except ValueError as error:
        raise OSError(f"not JSON: {error}") from error


def seen(report):
    return {name: each["seen"] for name, each in report.get("anomalies", {}).items()}


def compare_packets(ours, theirs):
    return compare_counts("count", {"packets": ours["packets"]},
                          {"packets": theirs.get("packets", ours["packets"])})


def compare_counts(kind, ours, theirs):
    return [f"{kind} {name}: oracle {ours.get(name, 0)}, synward {theirs.get(name, 0)}"
            for name in sorted(set(ours) | set(theirs))
            if ours.get(name, 0) != theirs.get(name, 0)]


def compare_attempts(ours, theirs):
    """Attempts that one report has and the other lacks, a flow's lines beside each other."""
    mine, other = (Counter(map(identity, report.get("attempts", []))) for report in (ours, theirs))
    lines = [(end, f"{source} only")
             for source, rest in (("oracle", mine - other), ("synward", other - mine))
             for end in rest.elements()]
    return [f"attempt {src}:{sport} > {dst}:{dport} {outcome}: {who}"
            for (src, sport, dst, dport, outcome), who in sorted(lines)]


def identity(attempt):
    return (address(attempt["src"]), attempt["sport"], address(attempt["dst"]), attempt["dport"],
            attempt["outcome"])


def address(text):
    """One spelling for every address."""
    parsed = ipaddress.ip_address(text)
    return str(parsed) if parsed.version == 4 else f"[{parsed}]"


if __name__ == "__main__":
    sys.exit(main())
