# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/soak: what fails in some of many runs is counted, and half of them are busy."""

import os
import re
import signal
import subprocess

import pytest

from made import FAILS, PASSES, ended
from net import wait_for

SOAK = "tests/soak"
EVERY_SECOND = f"echo >>tries; [ $(($(wc -l <tries) % 2)) = 1 ] || {{ {FAILS.strip()}; }}\n{PASSES}"
LOOPS = b"while :"

# one that says that it runs and waits until it may end
HELD = f"""
    number=$(($(cat begun 2>/dev/null | wc -l) + 1))
    echo >>begun
    until [ -e end$number ]; do sleep 0.01; done
    {PASSES}
    """


def table(said):
    return said[said.index("\n\n") + 2:]


def test_what_fails_in_every_second_run_is_counted(tree):
    tree.script("test_good", PASSES)
    tree.script("test_it", EVERY_SECOND)
    tree.script("test_left", f"{PASSES}mkdir /sys/fs/bpf/left\n")
    said = tree.run(SOAK, "3", "prog", code=1)
    assert table(said).splitlines() == ["prog/test_it::the case        idle 0 of 2   busy 1 of 1",
                                        "prog/test_left::exit code 1   idle 2 of 2   busy 1 of 1"]
    assert tree.read("build/soak.txt") == table(said)
    runs = re.findall(r"^run (\d+)  (\w+) +[\d.]+ s +(\d+) passed, (\d+) failed  (.*)$", said, re.M)
    left = "prog/test_left::exit code 1"
    assert runs == [("01", "idle", "3", "1", left),
                    ("02", "busy", "2", "2", f"prog/test_it::the case, {left}"),
                    ("03", "idle", "3", "1", left)]
    logs = {str(path.relative_to(tree.top)) for path in (tree.top / "build/soak").rglob("*.log")}
    assert logs == {"build/soak/run-02/prog-test_it.log",
                    *(f"build/soak/run-0{number}/prog-test_left.log" for number in (1, 2, 3))}
    assert tree.lines("tries") == 3  # nothing was tried again


def test_what_never_fails_is_green_and_old_logs_are_gone(tree):
    tree.script("test_it", PASSES)
    old = tree.top / "build/soak/run-09"
    old.mkdir(parents=True)
    (old / "prog-test_it.log").touch()
    said = tree.run(SOAK, "3", "prog/test_it")
    assert table(said) == tree.read("build/soak.txt") == "no test failed in 3 runs (1 busy)\n"
    assert not list((tree.top / "build/soak").iterdir())


def test_without_names_it_runs_e2e_and_prog(tree):
    tree.script("test_it", PASSES)
    assert "no test failed" not in tree.run(SOAK, "1", code=2)  # there is no e2e
    tree.pytest("test_it", "def test_this():\n    assert False\n")
    said = tree.run(SOAK, "1", code=1)
    assert table(said) == "e2e/test_it::test_this   idle 1 of 1   busy 0 of 0\n"
    assert "1 passed, 1 failed" in said


def test_every_second_run_is_busy_from_its_beginning_to_its_end(tree):
    tree.script("test_it", HELD)
    with tree.started(SOAK, "3", "prog") as process:
        for number, loops in ((1, 0), (2, os.cpu_count()), (3, 0)):
            wait_for(lambda: tree.lines("begun") == number, f"run {number}")
            assert len(tree.processes(LOOPS)) == loops
            (tree.top / f"end{number}").touch()
        assert ended(process) == 0


@pytest.mark.parametrize("how", (signal.SIGINT, signal.SIGTERM, signal.SIGKILL),
                         ids=lambda how: how.name)
def test_one_that_is_interrupted_says_what_it_knows_and_leaves_nothing(tree, how):
    tree.script("test_bad", FAILS)
    tree.script("test_it", HELD)
    (tree.top / "end1").touch()
    with tree.started(SOAK, "3", "prog") as process:
        wait_for(lambda: tree.lines("begun") == 2, "the second run")
        wait_for(lambda: tree.processes(LOOPS), "its loops")
        process.send_signal(how)
        assert ended(process) == (128 + how if how == signal.SIGKILL else 130)
        tree.wait_until_gone()
        known = "prog/test_bad::the case   idle 1 of 1   busy 0 of 0\n"
        assert tree.read("build/soak.txt") == known
        assert how == signal.SIGKILL or process.stdout.read().endswith(f"\n\n{known}")


def test_one_that_was_interrupted_goes_on(tree):
    tree.script("test_bad", FAILS)
    tree.script("test_it", HELD)
    (tree.top / "end1").touch()
    with tree.started(SOAK, "3", "prog") as process:
        wait_for(lambda: tree.lines("begun") == 2, "the second run")
        process.send_signal(signal.SIGINT)
        assert ended(process) == 130
    for number in (3, 4):
        (tree.top / f"end{number}").touch()
    said = tree.run(SOAK, "3", "--go-on", "prog", code=1)
    assert re.findall(r"^run (\d+)  (\w+)", said, re.M) == [("02", "busy"), ("03", "idle")]
    assert table(said) == "prog/test_bad::the case   idle 2 of 2   busy 1 of 1\n"
    assert len(list((tree.top / "build/soak").glob("run-*/prog-test_bad.log"))) == 3
    assert tree.run(SOAK, "--go-on", "3", "prog", code=1) == f"\n{table(said)}"  # none was left to run


def test_one_that_goes_on_tells_its_commits_apart(tree):
    def commit(text):
        tree.script("test_it", text)
        for words in (("add", "tests"), ("-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x",
                                       "--allow-empty")):
            subprocess.run(("git", *words), cwd=tree.top, check=True)
        return subprocess.run(("git", "rev-parse", "--short", "HEAD"), cwd=tree.top, check=True,
                              capture_output=True, text=True).stdout.strip()

    subprocess.run(("git", "init", "-q"), cwd=tree.top, check=True)
    bad = commit(FAILS)
    tree.run(SOAK, "1", "prog", code=1)
    good = commit(PASSES)
    said = tree.run(SOAK, "3", "--go-on", "prog", code=1)
    assert table(said).splitlines()[1:] == [
        f"commit {bad}: 1 runs (0 busy), 1 with a test that failed",
        f"commit {good}: 2 runs (1 busy), 0 with a test that failed"]


@pytest.mark.parametrize("words", ((), ("prog",), ("0", "prog"), ("2", "nonsense"),
                                   ("-j", "0", "2", "prog")), ids=" ".join)
def test_a_wrong_call_runs_nothing(tree, words):
    tree.script("test_it", f"touch ran\n{PASSES}")
    assert tree.run(SOAK, *words, code=2)
    assert not (tree.top / "ran").exists()
