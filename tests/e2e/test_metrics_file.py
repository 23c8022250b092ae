# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics as a file for node_exporter: a new one or the old one, whole, and for everybody to read."""

import contextlib
import itertools
import os
import socket
import stat
import struct

import pytest

from causes import QUICK, Stage
from cli import BINARY
from net import run, stop, wait_for
from prometheus import Page, page_of

FAILURE = 1


@contextlib.contextmanager
def recorded(end, path):
    """Has what comes and goes at an end in a capture."""
    heard = end.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    with heard:
        heard.bind((end.name, 3))
        heard.settimeout(0.2)
        yield
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            with contextlib.suppress(TimeoutError):
                for number in itertools.count():
                    frame = heard.recv(65536)
                    file.write(struct.pack("<IIII", 1_700_000_000, number, len(frame), len(frame)))
                    file.write(frame)

@pytest.fixture
def textfiles(tmp_path):
    made = tmp_path / "node-exporter"
    made.mkdir()
    return made


def test_the_textfile_is_the_page(pair, synward, textfiles):
    synward.attach(pair[1], options=QUICK)
    for _ in range(2):
        done = synward.expect(0, "stats", "--prometheus-textfile", textfiles, umask=0o077)
        assert done.stdout == "" and os.listdir(textfiles) == ["synward.prom"]
    path = textfiles / "synward.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert Page.of(path.read_text()).names() == page_of(synward).names()


def test_readers_meet_a_whole_textfile(pair, synward, textfiles, lab):
    synward.attach(pair[1], options=QUICK)
    path = textfiles / "synward.prom"
    synward.expect(0, "stats", "--prometheus-textfile", textfiles)
    names = Page.of(path.read_text()).names()
    watch = lab.process([BINARY, "stats", "--prometheus-textfile", textfiles, "--watch", "100ms"], env=synward.environment())
    seen = set()

    def whole():
        with open(path, encoding="utf-8") as file:
            seen.add(os.fstat(file.fileno()).st_ino)
            assert Page.of(file.read()).names() == names
        return len(seen) >= 4
    wait_for(whole, "it to be replaced")
    stop(watch)


@pytest.mark.parametrize("hindrance", ("full", "missing", "directory"))
def test_what_fails_leaves_the_old_one(pair, synward, textfiles, hindrance, lab):
    synward.attach(pair[1], options=QUICK)
    if hindrance == "full":
        run("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", textfiles)
        lab.callback(run, "umount", textfiles)
    old = textfiles / "synward.prom"
    if hindrance == "directory":
        (old / "in").mkdir(parents=True)
    else:
        old.write_text("old 1\n")
    into = textfiles / "nowhere" if hindrance == "missing" else textfiles
    done = synward.expect(FAILURE, "stats", "--prometheus-textfile", into)
    assert done.stderr.startswith(f"synward: cannot write {into}/synward.prom: "), done.stderr
    assert os.listdir(textfiles) == ["synward.prom"]
    assert hindrance == "directory" or old.read_text() == "old 1\n"


def test_nothing_attached_leaves_the_old_one(synward, textfiles):
    (textfiles / "synward.prom").write_text("old 1\n")
    assert synward.run("stats", "--prometheus-textfile", textfiles).returncode != 0
    assert (textfiles / "synward.prom").read_text() == "old 1\n"


@pytest.mark.parametrize("others", (("--prometheus",), ("-j",)))
def test_one_of_them_only(synward, textfiles, others):
    done = synward.expect(2, *(word for word in others if word == "-j"), "stats",
                          *(word for word in others if word != "-j"), "--prometheus-textfile",
                          textfiles)
    assert "without --prometheus and --json" in done.stderr
    assert os.listdir(textfiles) == []


def test_a_capture(pair, synward, textfiles, tmp_path):
    """Beside those of what is attached, under names of their own."""
    stage = Stage(*pair, socket.AF_INET)
    capture = tmp_path / "trace.pcap"
    with recorded(pair[1], capture):
        stage.accepted(3)
        stage.rejected(2)
    synward.attach(pair[1], options=QUICK)
    synward.expect(0, "stats", "--prometheus-textfile", textfiles)
    synward.expect(0, "replay", "--prometheus-textfile", textfiles, capture)
    path = textfiles / "synward_replay.prom"
    page = Page.of(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert page.value("synward_replay_handshakes", outcome="accepted") == 3
    assert page.value("synward_replay_handshakes", outcome="rejected") == 2
    assert page.value("synward_replay_complete") == 1
    assert not page.names() & Page.of((textfiles / "synward.prom").read_text()).names()
    checked = run("promtool", "check", "metrics", check=False, input=path.read_text())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
