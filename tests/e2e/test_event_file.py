# SPDX-License-Identifier: GPL-2.0-or-later
"""synward events --output: a file of whole lines, whatever becomes of it meanwhile."""

import json
import signal
import socket
import subprocess

import pytest

from causes import QUICK, Stage
from cli import BINARY
from net import run, wait_for

PAGE = 4096


@pytest.fixture
def stage(pair, synward):
    synward.attach(pair[1], options=QUICK)
    return Stage(*pair, socket.AF_INET)


def follow(lab, synward, path, *options):
    return lab.process([BINARY, "-j", "events", "--output", path, *options], env=synward.environment(),
                       stderr=subprocess.PIPE)


def lines(path):
    """Of whole ones only."""
    text = path.read_text()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def filled(path, count):
    return wait_for(lambda: path.exists() and len(lines(path)) >= count and lines(path),
                    lambda: f"{count} lines in {path}; there are {len(lines(path))}")


def test_a_file_that_is_moved_away_is_made_again(stage, lab, synward, tmp_path):
    """As logrotate does it; what was in the file stays there, and a half line gets its end."""
    path, old = tmp_path / "events.json", tmp_path / "events.json.1"
    path.write_text('{"half":')
    reader = follow(lab, synward, path, "--new")
    wait_for(lambda: path.read_text().endswith("\n"), "the half line to end")
    stage.accepted(3)
    wait_for(lambda: path.read_text().count("\n") == 4, "three lines")
    path.rename(old)
    reader.send_signal(signal.SIGHUP)
    wait_for(path.exists, "the file, also while nothing happens")
    stage.rejected(2)
    assert [one["handshake"]["outcome"] for one in filled(path, 2)] == ["rejected"] * 2
    half, *before = old.read_text().splitlines()
    assert half == '{"half":' and len(before) == 3
    other = synward.run("events", "--output", path, "--timeout", "0")
    assert other.returncode == 1 and "another process appends to" in other.stderr


def test_a_full_disk_is_told_and_nothing_is_lost(stage, lab, synward, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={16 * PAGE}", "tmpfs", disk)
    try:
        ballast, path = disk / "ballast", disk / "events.json"
        reader = follow(lab, synward, path)
        filled(path, 1)
        ballast.write_bytes(bytes(15 * PAGE))
        stage.accepted(20)
        told = reader.stderr.readline()
        assert "events.json cannot grow: No space left on device; events wait" in told
        assert len(lines(path)) < 21
        once = synward.run("events", "--output", disk / "other", "--timeout", "0")
        assert once.returncode == 1 and "cannot write to" in once.stderr
        ballast.unlink()
        assert "grows again" in reader.stderr.readline()
        found = filled(path, 21)
        assert len({one["src_port"] for one in found[1:]}) == 20 and len(found) == 21
        reader.send_signal(signal.SIGTERM)
        assert reader.wait(20) == 0
    finally:
        run("umount", "-l", disk)


def test_what_is_no_file_is_refused(stage, synward, tmp_path):
    for path in ("/dev/null", tmp_path, tmp_path / "none" / "events"):
        done = synward.run("events", "--output", path, "--timeout", "0")
        assert done.returncode == 1 and str(path) in done.stderr and not done.stdout, done
