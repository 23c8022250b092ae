# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py against stand-ins for synward."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oracle import judge_file
from packets import IPV6, pcap
from test_oracle import OPEN, frames

COMPARE = Path(__file__).with_name("compare.py")


@pytest.fixture(name="capture")
def fixture_capture(tmp_path):
    path = tmp_path / "open.pcap"
    path.write_bytes(pcap(frames(IPV6, OPEN)))
    return path


def compare(tmp_path, capture, script):
    synward = tmp_path / "synward"
    synward.write_text("#!/bin/sh\n" + script)
    synward.chmod(0o755)
    return subprocess.run([sys.executable, COMPARE, "--synward", synward, capture],
                          capture_output=True, text=True, check=False)


def printing(report):
    return f"cat <<'END'\n{json.dumps(report)}\nEND\n"


def test_equal_reports(tmp_path, capture):
    run = compare(tmp_path, capture, printing(judge_file(str(capture))))
    assert (run.returncode, run.stdout) == (0, "1 captures, 0 with differences\n")


def test_zeros_may_be_left_out_and_addresses_written_otherwise(tmp_path, capture):
    report = judge_file(str(capture))
    report["handshakes"] = {"accepted": 1}
    report["anomalies"] = {}
    report["attempts"][0]["src"] = "2001:DB8:0::1"
    assert compare(tmp_path, capture, printing(report)).returncode == 0


def test_every_difference_is_a_line(tmp_path, capture):
    report = judge_file(str(capture))
    report["handshakes"] |= {"accepted": 0, "rejected": 1}
    report["anomalies"]["flags_null"]["seen"] = 2
    report["attempts"][0]["outcome"] = "rejected"
    run = compare(tmp_path, capture, printing(report))
    assert run.returncode == 1
    assert [line.strip() for line in run.stdout.splitlines()[1:-1]] == [
        "outcome accepted: oracle 1, synward 0",
        "outcome rejected: oracle 0, synward 1",
        "anomaly flags_null: oracle 0, synward 2",
        "attempt [2001:db8::1]:40000 > [2001:db8::7]:443 accepted: oracle only",
        "attempt [2001:db8::1]:40000 > [2001:db8::7]:443 rejected: synward only",
    ]


@pytest.mark.parametrize("script", ["echo no >&2; exit 1", "echo '{'", "kill -9 $$"])
def test_a_failing_replay_is_a_difference(tmp_path, capture, script):
    assert compare(tmp_path, capture, script).returncode == 1


def test_both_refusing_a_file_is_none(tmp_path):
    path = tmp_path / "no.pcap"
    path.write_text("no capture")
    assert compare(tmp_path, path, "exit 1").returncode == 0
    assert compare(tmp_path, path, "kill -9 $$").returncode == 1
