# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-cost: real work behind each subject is counted, a bound is judged by its spread, nothing is left."""

import json
import subprocess
import sys

import pytest

from cli import ROOT
from net import NETNS

sys.path.insert(0, str(ROOT / "bench"))

import cost  # noqa: E402
import cost_report  # noqa: E402
import workloads  # noqa: E402

SCRIPT = ROOT / "bench" / "cost.py"


def bench(*argv):
    return subprocess.run(["/usr/bin/python3", "-B", SCRIPT, *map(str, argv)], text=True,
                          capture_output=True, check=False, timeout=300)


@pytest.mark.skipif(bool(workloads.missing_tools()), reason="not installed: make bench-cost")
@pytest.mark.parametrize("family", (4, 6))
def test_all_that_was_asked_for_is_measured(tmp_path, family):
    done = bench("--quick", "--work", "closed,messages-out", "--subjects", "strict", "--family", family,
                 "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "bench-cost.json").read_text())
    assert [work["name"] for work in result["work"]] == ["closed", "messages-out"]
    for work in result["work"]:
        assert set(work["rounds"][0]) == {"xdp-pass", "strict"}
        for run in work["rounds"][0].values():
            assert run["per_s"] > 0 and run["server_ns"] > 0
    assert (tmp_path / "bench-cost.svg").read_text().startswith("<svg")
    table = done.stdout.partition("per s")[2].partition("\nin ")[0]
    assert table and [line for line in table.splitlines() if len(line) > 110] == []
    assert list(NETNS.glob("swflood*")) == []


@pytest.mark.parametrize("argv, words", (
    (["--work", "sleep"], ("--work", "sleep", "bulk-in")), (["--subjects", "nobody"], ("nobody", "strict")),
    (["--rounds", "0"], ("--rounds", "1 to 99")), (["--cores", "0"], ("--cores",))))
def test_wrong_usage(argv, words):
    done = bench(*argv)
    assert done.returncode == 2 and all(word in done.stderr for word in words), done.stderr


def rounds(*pairs):
    """Of (per second, ns) of the base and of another."""
    return [{"xdp-pass": {"per_s": 1000, "server_ns": 5000}, "strict": {"per_s": per_s, "server_ns": ns}}
            for per_s, ns in pairs]


@pytest.mark.parametrize("work, pairs, words", (
    ("closed", ((990, 5000),) * 5, ""), ("closed", ((900, 5000),) * 5, "  MISSED"),
    ("closed", ((900, 5000), (960, 5000), (970, 5000), (985, 5000), (1000, 5000)), "  within the spread"),
    ("messages-in", ((1000, 5050),) * 3, ""), ("messages-in", ((1000, 5070),) * 3, "  MISSED"),
    ("bulk-in", ((1000, 5040),) * 3, ""), ("bulk-in", ((1000, 5200),) * 3, "  MISSED")))
def test_a_bound_is_missed_only_beyond_the_spread(work, pairs, words):
    found = cost.judged(rounds(*pairs), ("xdp-pass", "strict"))
    assert cost_report.verdict(work, found["strict"]) == words
