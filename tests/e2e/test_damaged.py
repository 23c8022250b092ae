# SPDX-License-Identifier: GPL-2.0-or-later
"""Pinned state that cannot be reached, or that somebody has removed in part: never is it taken for none."""

import json
import shutil
import socket
import subprocess

import pytest

from causes import Stage
from cli import BINARY
from hooks import xdp_program
from net import run, stop, wait_for
from policies import Files

SYNCOOKIES = "ipv4.tcp_syncookies"
POLICY = """version: 1
default:
  mode: enforce
  syn_flood: always
flood_defence: {way: kernel, set_syncookies: yes}
"""
VERBS = (("status",), ("disarm",), ("arm",), ("stats",), ("detach", "s0"), ("detach", "--all"),
         ("attach", "s0"))
FORCE = ("detach", "--all", "--force")


@pytest.fixture
def far(pair, synward, tmp_path):
    """The server's end, attached and with a policy that drops and has set a sysctl."""
    end = pair[1]
    end.namespace.sysctl(f"net.{SYNCOOKIES}", 0)
    synward.attach(end)
    synward.expect(0, "policy", "apply", Files(tmp_path).write(POLICY))
    assert syncookies(end) == 2
    return end


def syncookies(end):
    return int(end.namespace.read_sysctl(f"net.{SYNCOOKIES}"))


def ask(synward, far, words, before=()):
    return run(*far.namespace.command(*before, BINARY, *words), check=False,
               env=synward.environment())


def expect_whole(synward, far):
    assert xdp_program(far) and syncookies(far) == 2
    status = json.loads(synward.expect(0, "-j", "status").stdout)
    assert status["policy"]["armed"] and [one["name"] for one in status["interfaces"]] == ["s0"]


def test_without_proc_nothing_is_known_and_nothing_is_touched(far, synward):
    """As in a rescue shell or a chroot."""
    hidden = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
    for words in (*VERBS, FORCE):
        done = ask(synward, far, words, hidden)
        assert done.returncode == 1 and "/proc is not mounted" in done.stderr, (words, done)
        assert not done.stdout
    expect_whole(synward, far)


@pytest.mark.parametrize("descriptors", (4, 5))
def test_a_shortage_of_descriptors_is_no_damage(far, synward, descriptors):
    """Nor is what is whole discarded for it."""
    for words in (*VERBS[:4], ("block", "list"), FORCE):
        done = ask(synward, far, words, ("prlimit", f"--nofile={descriptors}"))
        for lie in ("damaged", "not synward's", "no permission", "not attached", "--force"):
            assert lie not in done.stdout + done.stderr, (words, done)
        if words == ("disarm",):
            synward.expect(0, "arm")
    expect_whole(synward, far)


@pytest.mark.parametrize("gone", ("maps/identity", "maps"))
def test_hooks_without_an_identity_are_damaged(far, synward, gone):
    """The programs go on: what they are is told, and discarding them is over when it returns."""
    path = synward.pin_dir / gone
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    for words in VERBS:
        if words == ("disarm",) and gone != "maps":
            continue  # which needs no identity
        done = ask(synward, far, words)
        assert done.returncode == 1 and "is damaged" in done.stderr, (words, done)
        assert xdp_program(far)
    assert json.loads(synward.run("-j", "status").stdout)["failure"] == "damaged"
    if gone != "maps":
        synward.expect(0, "disarm")
    synward.expect(0, *FORCE, namespace=far.namespace)
    assert xdp_program(far) is None and not synward.pin_dir.exists()
    assert syncookies(far) == (2 if gone == "maps" else 0), "what it was is in the maps"


def test_an_attach_tells_of_each_map_that_has_no_pin(far, synward):
    """Also of an interface that is attached already: it needs no map then, and would not notice."""
    maps = sorted(path for path in (synward.pin_dir / "maps").iterdir() if path.is_file())
    aside = synward.pin_dir / "maps" / "aside"
    assert len(maps) > 40
    for path in maps:
        path.rename(aside)
        done = ask(synward, far, ("attach", "s0"))
        assert done.returncode == 1 and f"is damaged: maps/{path.name} cannot be opened" in done.stderr, done
        assert not path.exists(), "nothing is put in its place"
        aside.rename(path)
    assert "already attached" in ask(synward, far, ("attach", "s0")).stdout
    expect_whole(synward, far)


@pytest.mark.parametrize("hook", ("tcx", "clsact"))
def test_an_attach_after_a_discard_finds_the_hooks_free(pair, synward, hook):
    end = pair[1]
    before = end.namespace.run("tc", "filter", "show", "dev", "s0", "egress").stdout
    for _ in range(3):
        synward.attach(end, options=("--tc", hook))
        (synward.pin_dir / "maps" / "identity").unlink()
        synward.expect(0, *FORCE, namespace=end.namespace)
        assert end.namespace.run("tc", "filter", "show", "dev", "s0", "egress").stdout == before
    synward.attach(end, options=("--tc", hook))
    Stage(*pair, socket.AF_INET).accepted(5)
    synward.expect_outcomes(accepted=5)


def test_who_holds_the_lock_is_told(far, lab, synward):
    """Which anybody may who may read the bpffs."""
    holder = lab.process(["flock", "--exclusive", "--no-fork", synward.pin_dir.parent, "sleep", "infinity"])

    def is_locked():
        return run("flock", "--exclusive", "--nonblock", synward.pin_dir.parent, "true",
                   check=False).returncode
    wait_for(is_locked, "the lock to be taken")
    waiting = lab.process([BINARY, "block", "list"], env=synward.environment(),
                          stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    noted = waiting.stderr.readline()
    assert f"is locked by sleep (pid {holder.pid}, user 0); waiting for up to" in noted
    stop(holder)
    assert waiting.wait() == 0
    expect_whole(synward, far)
