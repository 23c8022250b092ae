# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a policy outlives a detach and a reboot, and what works when the rest is broken."""

import fcntl
import json
import os
import subprocess

import pytest

from causes import QUICK
from cli import BINARY
from net import FAMILIES, run
from policies import Files, Gate, wait_rolled_back

DEGRADED = 3
LONG = "60s"


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def gate(pair, synward):
    synward.attach(pair[1], options=QUICK)
    with Gate(*pair, *FAMILIES) as made:
        yield made


def again(synward, end, code=0):
    """Everything is detached and attached again, as it is by a reboot."""
    synward.expect(0, "detach", "--all")
    return synward.attach(end, code=code)


def mode(synward):
    return synward.json("policy", "show")["state"]["mode"]


def saved(synward):
    try:
        return sorted(path.name for path in synward.state_dir.iterdir())
    except FileNotFoundError:
        return []


def test_a_first_attach_goes_on_with_the_saved_policy(gate, synward, files):
    web = files.services('name: web, ports: [8080], addresses: ["::/0", 0.0.0.0/0]',
                         mode="enforce")
    synward.expect(0, "policy", "apply", web)
    assert not gate.passes()
    done = again(synward, gate.far)
    assert "saved policy is active again" in done.stderr
    assert not gate.passes()
    synward.expect(0, "policy", "diff", web)
    # a second attach of a living instance says nothing of it
    assert synward.attach(gate.far).stderr == ""
    synward.expect(0, "policy", "reset")
    assert saved(synward) == []
    assert again(synward, gate.far).stderr == "" and gate.passes()


def test_what_is_saved_follows_what_is_for_good(gate, synward, files):
    one, two = files.default("enforce"), files.services("name: a, ports: [1]")
    synward.expect(0, "policy", "apply", one)
    assert saved(synward) == ["policy.yaml"]
    synward.expect(0, "policy", "apply", two, "--confirm", LONG)
    assert mode(synward) == "monitor"
    again(synward, gate.far)
    synward.expect(0, "policy", "diff", one)  # not what nobody has confirmed
    synward.expect(0, "policy", "apply", two, "--confirm", LONG)
    synward.expect(0, "policy", "confirm")
    again(synward, gate.far)
    synward.expect(0, "policy", "diff", two)
    synward.expect(0, "policy", "apply", one)
    synward.expect(0, "policy", "rollback")
    again(synward, gate.far)
    synward.expect(0, "policy", "diff", two)
    synward.expect(0, "policy", "apply", one, "--confirm", "1s")
    wait_rolled_back(synward)
    again(synward, gate.far)
    synward.expect(0, "policy", "diff", two)
    # what is active already is on no trial: it is saved, although that had failed before
    (synward.state_dir / "policy.yaml").unlink()
    assert "not on trial" in synward.expect(0, "policy", "apply", two, "--confirm", LONG).stdout
    assert saved(synward) == ["policy.yaml"]


def test_disarm_is_remembered(gate, synward, files):
    synward.expect(0, "policy", "apply", files.default("enforce"))
    synward.expect(0, "disarm")
    assert saved(synward) == ["disarmed.mark", "policy.yaml"]
    done = again(synward, gate.far)
    assert "disarmed, as it was" in done.stderr
    assert gate.passes() and mode(synward) == "enforce"
    synward.expect(0, "arm")
    assert saved(synward) == ["policy.yaml"]
    again(synward, gate.far)
    assert not gate.passes()
    synward.expect(0, "disarm")
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert saved(synward) == ["policy.yaml"], "apply arms"


def test_disarm_and_arm_before_anything_is_attached(pair, synward, files):
    """The way out when the saved policy locks out whoever attaches it."""
    assert "nothing is attached" in synward.expect(0, "disarm").stdout
    assert saved(synward) == ["disarmed.mark"]
    assert json.loads(synward.expect(0, "-j", "disarm").stdout) == {
        "schema": 1, "action": "disarmed", "attached": False, "saved": True}
    assert "disarmed" in synward.attach(pair[1]).stderr
    assert synward.json("status")["policy"]["armed"] is False
    synward.expect(0, "detach", "--all")
    assert "nothing is attached" in synward.expect(0, "arm").stdout
    assert saved(synward) == []
    assert synward.attach(pair[1]).stderr == ""
    assert synward.json("status")["policy"]["armed"] is True


@pytest.mark.parametrize("text", ("nonsense\n", "version: 1\ndefault: {mode: maybe}\n", ""),
                         ids=("nonsense", "value", "empty"))
def test_a_saved_policy_that_is_not_sound(gate, synward, files, text):
    """It is said, nothing is dropped, and the file is left for whoever wants to look at it."""
    synward.expect(0, "policy", "apply", files.default("enforce"))
    path = synward.state_dir / "policy.yaml"
    path.write_text(text)
    done = again(synward, gate.far, code=DEGRADED)
    assert str(path) in done.stderr and "the default policy is active" in done.stderr
    assert gate.passes() and mode(synward) == "monitor" and path.read_text() == text
    synward.expect(0, "detach", "--all")
    done = synward.attach(gate.far, options=("-j",), code=DEGRADED)
    assert json.loads(done.stdout)["policy"] == "refused"
    synward.expect(0, "policy", "reset")
    assert saved(synward) == []


def test_what_cannot_be_saved_is_done_all_the_same(gate, synward, files):
    synward.state_dir.write_text("in the way")
    other = files.services("name: a, ports: [1]", mode="enforce")
    for verb in (["apply", files.default("enforce")], ["apply", other], ["rollback"]):
        done = synward.expect(DEGRADED, "policy", *verb)
        assert "not saved" in done.stderr and str(synward.state_dir) in done.stderr
        assert not gate.passes()
    assert "not saved" in synward.expect(DEGRADED, "disarm").stderr
    assert gate.passes()
    # what needs no file to be remembered is well
    synward.expect(0, "arm")
    assert not gate.passes()
    synward.expect(0, "policy", "reset")
    assert gate.passes()


def test_a_save_leaves_no_other_file(gate, synward, files):
    for _ in range(3):
        synward.expect(0, "policy", "apply", files.default("enforce"))
        synward.expect(0, "policy", "apply", files.default(more="  warm_up: 2h\n"))
    assert saved(synward) == ["policy.yaml"]
    assert (synward.state_dir / "policy.yaml").stat().st_mode & 0o077 == 0
    assert synward.state_dir.stat().st_mode & 0o077 == 0


def test_disarm_waits_for_nobody(gate, synward, files):
    """Another command may hang with the lock in its hands."""
    synward.expect(0, "policy", "apply", files.default("enforce"))
    lock = os.open(synward.pin_dir.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(subprocess.TimeoutExpired):
            synward.run("policy", "reset", seconds=0.5)
        synward.expect(0, "disarm", seconds=20)
        assert gate.passes()
    finally:
        os.close(lock)


@pytest.mark.parametrize("lost", ("policies", "identity", "settings"))
def test_disarm_works_where_all_else_is_broken(gate, synward, files, lost):
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes()
    (synward.pin_dir / "maps" / lost).unlink()
    assert synward.run("policy", "show").returncode == 1
    synward.expect(0, "disarm")
    assert gate.passes()
    synward.run("detach", "--all", "--force")


def test_disarm_without_its_map_says_so(gate, synward):
    (synward.pin_dir / "maps" / "armed").unlink()
    done = synward.run("disarm")
    assert done.returncode == 1 and "maps/armed" in done.stderr
    synward.run("detach", "--all", "--force")


def test_a_fifo_in_the_state_directory_keeps_nobody_waiting(pair, synward, files):
    """Nor does any other thing there that is no file."""
    synward.state_dir.mkdir(parents=True)
    for name in ("policy.yaml", "policy.yaml.new", "disarmed.mark", "lists.state.new"):
        os.mkfifo(synward.state_dir / name)
    done = synward.expect(DEGRADED, "attach", *QUICK, "s0", namespace=pair[1].namespace, seconds=20)
    assert "policy.yaml is not a file" in done.stderr
    (synward.state_dir / "disarmed.mark").unlink()
    os.mkfifo(synward.state_dir / "disarmed.mark")
    synward.expect(0, "disarm", seconds=20)
    synward.expect(0, "policy", "apply", files.services("name: a, ports: [1]"), seconds=20)
    assert saved(synward) == ["lists.state.new", "policy.yaml"]
    os.mkfifo(synward.state_dir / "lists.state")
    done = synward.run("block", "add", "192.0.2.7", seconds=20)
    assert done.returncode == 1 and "lists.state is not a file" in done.stderr, done
    synward.expect(0, "detach", "--all")
    done = synward.run("attach", "s0", namespace=pair[1].namespace, seconds=20)
    assert done.returncode == 1 and "lists.state is not a file" in done.stderr, done
    assert not synward.pin_dir.exists()


def test_two_directories_of_state(gate, synward, files, tmp_path):
    other = tmp_path / "other" / "deep"
    synward.expect(0, "--state-dir", other, "policy", "apply", files.default("enforce"))
    assert (other / "policy.yaml").exists() and saved(synward) == []
    assert again(synward, gate.far).stderr == "" and gate.passes()
    synward.expect(0, "detach", "--all")
    run(*gate.far.namespace.command(BINARY, "--state-dir", other, "attach", "s0"),
        env=synward.environment())
    assert not gate.passes()
