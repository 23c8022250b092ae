# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-scrape: what it says of a scrape is whole, and nothing is left."""

import json
import subprocess

import pytest

from cli import ROOT

SCRIPT = ROOT / "bench" / "scrape.py"


def bench(*argv):
    return subprocess.run(["/usr/bin/python3", "-B", SCRIPT, *map(str, argv)], text=True, capture_output=True,
                          timeout=300, check=False)


def test_a_small_run(tmp_path):
    """What else it leaves (namespaces, mounts) the world of this test would name."""
    done = bench("--calm", "--scrapes", 1, "--interfaces", 2, "--services", 2, "--output", tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert all(len(line) <= 100 for line in done.stdout.splitlines() if str(tmp_path) not in line)
    assert "each got a whole page" in done.stdout and "MISSED" not in done.stdout.split("who take nothing")[1]
    result = json.loads((tmp_path / "bench-scrape.json").read_text())
    assert result["schema"] == 1 and result["setup"] == {"interfaces": 2, "services": 2}
    run, = result["runs"]
    assert (run["flood"], run["family"], run["rate"], run["absorbed_per_s"], run["scrapes"]) == ("syn", 4, 0, 0, 1)
    assert run["at_once"] == {"asked": 120, "whole": 120}
    for times in (run["wall_ms"], run["core_ms"]):
        assert 0 < times["p50"] <= times["max"]
    assert 0 < run["core_percent"] and 0 < run["peak_mib"] and run["bytes"] > 10000


@pytest.mark.parametrize("argv, words", [(("--interfaces", 65), "--interfaces 65: expected 1 to 64"),
                                         (("--scrapes", 0), "--scrapes 0: expected 1 to 90"),
                                         (("--cores", "0,0"), "--cores 0,0: expected two of")])
def test_a_wrong_call(argv, words):
    done = bench(*argv)
    assert done.returncode == 2 and words in done.stderr
