# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies as an operator has them: applied, confirmed, taken back, by command and by themselves."""

import json
import os
import pathlib
import shutil
import signal

import pytest

from causes import QUICK
from cli import BINARY, ROOT, bpftool, fresh
from net import FAMILIES, NOBODY, Lab, run, wait_for
from policies import Files, Gate, kernel_state, processes, wait_rolled_back

USAGE, DIFFERENT, DEGRADED = 2, 3, 3
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.yaml"))
LONG = "60s"  # for what must not happen meanwhile


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def gate(pair, synward):
    """An attached far end, and what passes it."""
    synward.attach(pair[1], options=QUICK)
    with Gate(*pair, *FAMILIES) as made:
        yield made


@pytest.fixture(scope="module")
def kept(bpffs, tmp_path_factory):
    """One that is attached, for all tests of commands only."""
    with Lab() as lab, fresh(bpffs / "policies", tmp_path_factory.mktemp("kept") / "state") as made:
        made.attach(lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")[1], options=QUICK)
        yield made


@pytest.fixture
def attached(kept):
    yield kept
    kept.expect(0, "arm")
    kept.expect(0, "policy", "reset")
    shutil.rmtree(kept.state_dir, ignore_errors=True)


def state(synward):
    return synward.json("policy", "show")["state"]


def test_the_kernel_goes_back_by_itself_with_every_process_dead(gate, lab, synward, files):
    """Also if the process is killed that applied it: it hangs here in a pipe that nobody reads."""
    enforce = files.default("enforce")
    assert gate.passes()
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(write, True)
    applying = lab.process([BINARY, "policy", "apply", enforce, "--confirm", "5s"],
                           env=synward.environment(), stdout=write)
    os.close(write)
    wait_for(lambda: kernel_state(synward)["pending"], "the policy to be active")
    assert processes(synward) == [applying.pid]
    applying.send_signal(signal.SIGKILL)
    applying.wait()
    os.close(read)
    assert processes(synward) == []
    dropped = not gate.passes()
    assert dropped or not kernel_state(synward)["pending"]
    wait_rolled_back(synward)
    assert gate.passes() and dropped
    assert not kernel_state(synward)["pending"]
    assert not (synward.state_dir / "policy.yaml").exists(), "only what is confirmed is saved"
    told = synward.expect(0, "-j", "events", "--timeout", "200ms").stdout.splitlines()
    assert [json.loads(line)["policy"] for line in told if '"rolled_back"' in line] == [
        {"action": "rolled_back"}]
    assert state(synward)["rolled_back"] == 1 and state(synward)["mode"] == "monitor"


def test_what_is_confirmed_stays(gate, synward, files):
    done = synward.expect(0, "policy", "apply", files.default("enforce"), "--confirm", "1s")
    assert "synward policy confirm" in done.stdout
    synward.expect(0, "policy", "confirm")
    # long after the deadline by the kernel's own clock, its timer has not gone back
    wait_for(lambda: state(synward)["active_ms"] > 2500, "the time to be over")
    assert not gate.passes()
    assert (state(synward)["rolled_back"], state(synward)["mode"]) == (0, "enforce")
    # it is as one wants it, so a fleet's play goes on
    done = json.loads(synward.expect(0, "-j", "policy", "confirm").stdout)
    assert (done["action"], done["waited"], done["saved"]) == ("confirmed", False, True)
    said = synward.expect(0, "policy", "confirm").stdout
    assert said.startswith("nothing waited to be confirmed: this policy is kept already\n")


def test_nothing_is_confirmed_that_was_not_applied(attached, files):
    """Nor after a rollback, until an apply has found the restored policy to be the one that is wanted."""
    def refused(since):
        done = attached.run("policy", "confirm")
        assert done.returncode == 1 and f"no policy waits to be confirmed, and none was applied since {since}" in done.stderr
    refused("the first attach or the last rollback")
    same = files.default(more="  timeouts: {syn_sent: 12s}\n")
    attached.expect(0, "policy", "apply", same)
    attached.expect(0, "policy", "apply", files.default("enforce"), "--confirm", LONG)
    attached.expect(0, "policy", "rollback")
    refused("the first attach or the last rollback")
    said = attached.expect(0, "policy", "apply", same, "--confirm", LONG).stdout
    assert said.startswith("no change: ") and "it is not on trial, and you need not confirm it.\n" in said
    assert not state(attached)["pending"]
    attached.expect(0, "policy", "confirm")
    times = state(attached)["rolled_back"] + 1
    attached.expect(0, "policy", "apply", files.default("enforce"), "--confirm", "1s")
    wait_rolled_back(attached, times)
    refused("the kernel restored the previous one")


def test_a_second_apply_in_time_goes_back_to_the_first_policy(attached, files):
    times = state(attached)["rolled_back"] + 1
    original = files.default(more="  timeouts: {syn_sent: 11s}\n")
    attached.expect(0, "policy", "apply", original)
    attached.expect(0, "policy", "apply", files.default("enforce"), "--confirm", LONG)
    second = files.services("name: a, ports: [1]", "name: b, ports: [2]", mode="enforce")
    attached.expect(0, "policy", "apply", second, "--confirm", "1s")
    assert state(attached)["service_count"] == 2
    wait_rolled_back(attached, times)
    attached.expect(0, "policy", "diff", original)
    assert not state(attached)["pending"] and not state(attached)["can_roll_back"]


def test_another_interface_is_detached_while_a_policy_waits(lab, pair, synward, files):
    other = lab.wire(pair[0].namespace, "c1", pair[1].namespace, "s1", subnet=2)
    synward.attach(pair[1], other[1], options=QUICK)
    synward.expect(0, "policy", "apply", files.default("enforce"), "--confirm", "2s")
    synward.expect(0, "detach", "s1", namespace=pair[1].namespace)
    wait_rolled_back(synward)
    assert state(synward)["mode"] == "monitor"


def test_rollback_is_at_once_and_one_step(gate, synward, files):
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes()
    done = synward.expect(0, "policy", "rollback")
    assert gate.passes() and "default.mode: enforce -> monitor" in done.stdout
    done = synward.run("policy", "rollback")
    assert done.returncode == 1 and "no earlier policy to restore" in done.stderr
    synward.expect(0, "policy", "apply", files.default("enforce"), "--confirm", LONG)
    assert not gate.passes()
    generation = state(synward)["generation"]
    synward.expect(0, "policy", "rollback")
    assert gate.passes() and not kernel_state(synward)["pending"]
    synward.expect(0, "policy", "apply", files.services("name: a, ports: [1]"))
    assert state(synward)["generation"] > generation, "no two policies have the same one"


def test_standard_input_may_be_the_file(gate, synward, files):
    text = files.default("enforce").read_text()
    done = synward.run("policy", "diff", "-", input=text)
    assert (done.returncode, done.stderr) == (DIFFERENT, "")
    assert "default.mode: monitor -> enforce" in done.stdout
    synward.expect(0, "policy", "apply", "-", input=text)
    assert not gate.passes()
    done = synward.run("policy", "apply", "-", input="version: 1\ndefault: {mode: off}\n")
    assert done.returncode == USAGE and "synward: standard input:2: default.mode" in done.stderr
    assert not gate.passes()


def test_reset_stops_drops(gate, synward, files):
    synward.expect(0, "policy", "apply", files.services("name: web, ports: [8080]",
                                                        mode="enforce"))
    assert not gate.passes()
    synward.expect(0, "policy", "reset")
    assert gate.passes() and state(synward)["service_count"] == 0
    synward.expect(0, "policy", "rollback")
    assert not gate.passes()


def test_services_decide_for_their_own(gate, synward, files):
    """The trie's rows come and go with their policy: another slot's do not linger."""
    addresses = [gate.far.address(family, NOBODY) for family in FAMILIES]
    web = f"name: web, addresses: {json.dumps(addresses)}, ports: [8080]"
    synward.expect(0, "policy", "apply", files.services(f"{web}, mode: enforce"))
    assert not gate.passes() and gate.passes(dport=8081)
    synward.expect(0, "policy", "apply", files.services(f"{web}, mode: monitor", mode="enforce"))
    assert gate.passes() and not gate.passes(dport=8081)
    for mode in ("enforce", "monitor") * 2:  # each slot is used again
        synward.expect(0, "policy", "apply", files.default(mode))
        assert gate.passes() == (mode == "monitor")
    synward.expect(0, "policy", "rollback")
    assert not gate.passes()
    rows = bpftool("map", "dump", "pinned", synward.pin_dir / "maps" / "service_nets")
    assert rows == [], "no slot's policy has an address any more"


def test_disarm_stops_drops_at_once_and_arm_undoes_it(gate, synward, files):
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes()
    synward.expect(0, "disarm")
    assert gate.passes()
    assert (state(synward)["armed"], state(synward)["mode"]) == (False, "enforce")
    assert synward.json("status")["mode"] == "monitor"
    assert "disarmed: nothing is dropped" in synward.expect(0, "status").stdout
    synward.expect(0, "arm")
    assert not gate.passes()


def test_the_line_of_bpftool_in_the_manual_disarms(gate, synward, files):
    page = (ROOT / "docs" / "operating.md").read_text()
    line, = {line.strip() for line in page.splitlines() if "bpftool map update" in line}
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes()
    run(*line.replace("/sys/fs/bpf/synward", str(synward.pin_dir)).split())
    assert gate.passes() and not state(synward)["armed"]
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes(), "apply arms"


def test_what_was_disarmed_is_disarmed_again_by_a_rollback(gate, synward, files):
    """Else a policy that harmed, and was disarmed for it, would come back with teeth."""
    enforce = files.default("enforce")
    synward.expect(0, "policy", "apply", enforce)
    synward.expect(0, "disarm")
    gentle = files.services("name: web, ports: [8080], mode: monitor", mode="enforce")
    synward.expect(0, "policy", "apply", gentle, "--confirm", "1s")
    assert state(synward)["armed"]
    wait_rolled_back(synward)
    assert gate.passes() and not state(synward)["armed"]
    synward.expect(0, "policy", "diff", enforce)
    synward.expect(0, "policy", "apply", gentle)
    synward.expect(0, "policy", "rollback")
    assert gate.passes() and not state(synward)["armed"]


@pytest.mark.parametrize("text, words", (
    ("", ("the file is empty",)),
    ("version: 1\ndefault: {mode: [}\n", (":2:",)),
    ("version: 1\ndefault:\n  mode: maybe\n", (":3:", "maybe", "enforce")),
    ("version: 1\nnonsense: 1\n", (":2:", "nonsense")),
    ("version: 1\nservices:\n  - {name: a, ports: [1]}\n  - {name: a, ports: [2]}\n", (":4:", "a")),
    ("version: 1\nservices:\n  - {name: a, addresses: [10.0.0.1/33]}\n", (":3:", "10.0.0.1/33")),
    (None, ("No such file",)),
), ids=("empty", "yaml", "value", "key", "twice", "prefix", "missing"))
def test_a_bad_file_changes_nothing(attached, files, tmp_path, text, words):
    attached.expect(0, "policy", "apply", files.default(more="  timeouts: {syn_sent: 12s}\n"))
    before = attached.expect(0, "policy", "show").stdout.splitlines()[2:]
    generation = state(attached)["generation"]
    saved = (attached.state_dir / "policy.yaml").read_text()
    path = tmp_path / "missing.yaml" if text is None else files.write(text)
    for verb in (["apply"], ["apply", "--confirm", "1s"], ["diff"]):
        done = attached.run("policy", *verb, path)
        assert done.returncode == USAGE and done.stdout == "", done
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("synward: ") and path.name in lines[0]
        assert all(word.lower() in lines[0].lower() for word in words), lines
    assert attached.expect(0, "policy", "show").stdout.splitlines()[2:] == before
    now = state(attached)
    assert (now["generation"], now["pending"]) == (generation, False)
    assert (attached.state_dir / "policy.yaml").read_text() == saved


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_show_prints_can_be_applied(attached, files, example):
    attached.expect(0, "policy", "apply", example)
    shown = files.write(attached.expect(0, "policy", "show").stdout)
    attached.expect(0, "policy", "diff", shown)
    attached.expect(0, "policy", "reset")
    attached.expect(DIFFERENT, "policy", "diff", example)
    attached.expect(0, "policy", "apply", shown)
    assert attached.expect(0, "policy", "diff", example).stdout.endswith("is the active policy\n")
    attached.expect(0, "policy", "reset")


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


def test_diff_tells_what_and_where(attached, files):
    one = files.services("name: a, ports: [1]", "name: b, ports: [2]")
    two = files.services("name: b, ports: [2], mode: enforce",
                         "name: c, ports: [3], limits: {syn_rate: {per_second: 5}}")
    attached.expect(0, "policy", "apply", one)
    assert attached.expect(0, "-j", "policy", "diff", one).stdout.count("\n") == 1
    assert json.loads(attached.expect(0, "-j", "policy", "diff", one).stdout)["same"] is True
    lines = attached.expect(DIFFERENT, "policy", "diff", two).stdout.splitlines()
    assert "- services.a" in lines and "+ services.c" in lines
    assert "~ services.b.mode: monitor -> enforce" in lines
    assert "+ services.c.limits.syn_rate.per_second: 5" in lines
    told = json.loads(attached.expect(DIFFERENT, "-j", "policy", "diff", two).stdout)
    assert told["same"] is False and str(two) == told["file"]
    assert {"kind": "changed", "path": "services.b.mode", "before": "monitor",
            "after": "enforce"} in told["changes"]
    assert attached.expect(0, "policy", "apply", two).stdout.splitlines()[:-1] == lines


def test_what_is_active_already_is_not_made_anew(attached, files):
    """Or what is known of routes, and of who is under a limit, would be forgotten for nothing."""
    path = files.default("enforce")
    attached.expect(0, "policy", "apply", path)
    before = state(attached)
    attached.expect(0, "disarm")
    attached.expect(0, "policy", "apply", path)
    assert state(attached)["generation"] == before["generation"] and state(attached)["armed"]
    attached.expect(0, "policy", "apply", files.default(), "--confirm", LONG)
    pending = state(attached)
    attached.expect(0, "policy", "apply", files.default())
    now = state(attached)
    assert (pending["pending"], now["pending"]) == (True, False)
    assert now["generation"] == pending["generation"]


def test_timeouts_of_attach_do_not_confirm_what_waits(pair, synward, files):
    synward.attach(pair[1], options=QUICK)
    synward.expect(0, "policy", "apply", files.default("enforce"), "--confirm", LONG)
    done = synward.run("attach", "s0", "--timeout", "syn_sent=5s", namespace=pair[1].namespace)
    assert done.returncode == 1 and "waits to be confirmed" in done.stderr
    assert state(synward)["pending"]
    synward.expect(0, "policy", "confirm")
    synward.attach(pair[1], options=("--timeout", "syn_sent=5s"))
    assert synward.json("status")["timeouts_ms"]["syn_sent"] == 5000
    kept = synward.expect(0, "policy", "apply", files.default(more="  timeouts: {syn_sent: 5s}\n"))
    assert kept.stderr == ""
    lost = synward.expect(0, "policy", "apply", files.default())
    assert ("synward: this policy sets timeouts back to their defaults: syn_sent from 5s to 127s. To "
            "keep them, write them into the file, under default: timeouts:\n") == lost.stderr


@pytest.mark.parametrize("argv, words", (
    (["policy"], ("verb",)),
    (["policy", "aply"], ("aply", "did you mean apply")),
    (["policy", "show", "now"], ("now",)),
    (["policy", "apply", "a", "b"], ("one FILE",)),
    (["policy", "apply", "--confirm", "0s"], ("--confirm", "1s")),
    (["policy", "apply", "--confirm", "2d"], ("--confirm", "1d")),
    (["policy", "confirm", "me"], ("me",)),
    (["disarm", "everything"], ("everything",)),
    (["arm", "legs"], ("legs",)),
), ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_usage(synward, argv, words):
    done = synward.run(*argv)
    assert done.returncode == USAGE and len(done.stderr.splitlines()) == 1, done
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.skipif(pathlib.Path("/etc/synward/synward.yaml").exists(), reason="this machine has a policy")
@pytest.mark.parametrize("verb", ("apply", "diff"))
def test_no_file_is_named(synward, verb):
    done = synward.run("policy", verb)
    assert done.returncode == USAGE and done.stderr == (
        f"synward: policy {verb}: no FILE was named, and /etc/synward/synward.yaml is not there; synward.yaml(5) shows "
        "how to write one\n")


@pytest.mark.parametrize("verb", ("show", "apply", "diff", "confirm", "rollback", "reset", "score"))
def test_nothing_is_attached(synward, files, verb):
    argv = [files.default()] if verb in ("apply", "diff") else []
    done = synward.run("policy", verb, *argv)
    assert done.returncode == 1 and "nothing is attached" in done.stderr


@pytest.mark.parametrize("verb", ("show", "diff", "apply", "confirm", "rollback", "reset", "score"))
def test_help_of_verbs(synward, verb):
    text = synward.expect(0, "help", "policy", verb).stdout
    assert text == synward.expect(0, "policy", verb, "--help").stdout
    assert f"  synward policy {verb}" in text
    assert [line for line in text.splitlines() if len(line.expandtabs()) > 80] == []
    assert f"\n  {verb} " in synward.expect(0, "policy", "--help").stdout
