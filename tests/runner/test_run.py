# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/run: whatever is wrong with a test program makes the run red, and is said."""

import os
import re
import sys
import types

import pytest

import runner

from made import FAILS, PASSES, Tree, cause, children, ended
from net import wait_for
from programs import Program, count_cmocka
from runner import SURE, Run, may_begin, run_all

RUN = "tests/run"
ONCE = f"[ -e tried ] || {{ touch tried; {FAILS.strip()}; }}\n{PASSES}"  # fails the first time
LEFT = "world: the command left behind: "

# Programs of which not one is good, but for the first; what the run says of each at its end, and
# what their logs say.
MIXED = {
    "test_good": (PASSES, None, "PASSED"),
    "test_bad": (f"echo >>tries\n{FAILS}", "the case", "[  FAILED  ] the case"),
    "test_namespace": (f"{PASSES}ip netns add left\n", "exit code 1",
                       f"{LEFT}network namespace left"),
    "test_pin": (f"{PASSES}mkdir /sys/fs/bpf/left\n", "exit code 1", f"{LEFT}pin /sys/fs/bpf/left"),
    "test_wire": (f"{PASSES}ip link add near type veth peer name far\n", "exit code 1",
                  f"{LEFT}network device near@far"),
    "test_crash": (f"{PASSES}kill -SEGV $$\n", "exit code 139", "PASSED"),
    "test_code": (f"{PASSES}exit 9\n", "exit code 9", "PASSED"),
    "test_not_here": (f"{PASSES}exit 77\n", "exit code 77", "PASSED"),
    "test_silent": ("exit 0\n", "it ran no test", ""),
    "test_no_cases": ("echo '[  PASSED  ] 0 test(s).'\n", "it ran no test", "PASSED"),
    "test_not_built": (None, "it ran no test", "No such file"),
}

CASES = """
import pytest

@pytest.mark.parametrize("word", ("v4", "two words - x"))
def test_twice(word):
    assert word == "v4", "behind a dash - [or so]"

@pytest.fixture
def broken():
    raise OSError("no")

def test_broken(broken):
    pass

@pytest.mark.skip
def test_skipped():
    pass
"""


def lines_of_programs(said):
    """(suite/name, word) of each, in their order."""
    return [(f"{suite}/{name}", word) for suite, name, word in
            re.findall(r"^(\S+) +(\S+) +(ok|failed|flaky|FAILED) ", said, re.M)]


def last_line(said):
    return said.splitlines()[-1]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A run with many faults: the tree, and what is said."""
    tree = Tree(tmp_path_factory.mktemp("mixed"))
    for name, (text, _, _) in MIXED.items():
        if text is None:
            tree.source(name)
        else:
            tree.script(name, text)
    return tree, tree.run(RUN, "prog", code=1)


@pytest.mark.parametrize("name", MIXED)
def test_what_is_wrong_is_red_and_said(mixed, name):
    tree, said = mixed
    _, words, logged = MIXED[name]
    log = f"build/test-logs/prog-{name}.log"
    judged = [word for path, word in lines_of_programs(said) if path == f"prog/{name}"]
    end = said[said.rindex("\n\n"):]
    assert logged in tree.read(log)
    if words is None:
        assert judged == ["ok"] and name not in end
    else:
        assert judged == ["failed", "FAILED"]
        assert f"\nfailed: prog/{name}: {words}: {log[:-4]}-again.log\n" in end
        assert all(f"        {line}\n" in said for line in tree.read(log).splitlines())


def test_what_is_wrong_is_counted(mixed):
    tree, said = mixed
    good = sum((text or "").startswith(PASSES) for text, _, _ in MIXED.values())
    assert last_line(said) == f"{good} passed, {len(MIXED) - 1} failed"
    assert tree.read("build/flaky.txt") == ""
    assert tree.lines("tries") == 2


def test_what_fails_once_is_flaky_and_red_where_that_is_asked_for(tree):
    log = "build/test-logs/prog-test_it.log"
    tree.script("test_good", PASSES)
    tree.script("test_it", ONCE)
    said = tree.run(RUN, "prog")
    assert lines_of_programs(said) == [("prog/test_good", "ok"), ("prog/test_it", "failed"),
                                       ("prog/test_it", "flaky")]
    where = f"prog/test_it: the case: {log}"
    assert said.endswith(f"\nflaky: {where}\n2 passed, 0 failed\n")
    assert tree.read("build/flaky.txt") == f"{where}\n"
    assert "[  FAILED  ] the case" in tree.read(log)

    (tree.top / "tried").unlink()
    said = tree.run(RUN, "prog/test_it", code=1, STRICT="1")
    assert f"\nflaky: {where}\n" in said and last_line(said) == "1 passed, 1 failed"

    assert last_line(tree.run(RUN, "prog/test_it", STRICT="1")) == "1 passed, 0 failed"
    assert tree.read("build/flaky.txt") == ""


def test_what_programs_note_is_said_in_the_end_each_line_once(tree):
    for one in "ab":
        tree.script(f"test_{one}", f"echo 'note: head'; echo 'note: {one}'; {PASSES}")
    said = tree.run(RUN, "prog")
    assert said.endswith("\n\nhead\na\nb\n\n2 passed, 0 failed\n")
    assert tree.read("build/notes.txt") == "head\na\nb\n"
    tree.run(RUN, "-v", "prog/test_b")
    assert tree.read("build/notes.txt") == "head\nb\n"
    tree.script("test_b", PASSES)
    assert tree.run(RUN, "prog/test_b").endswith(" s\n\n1 passed, 0 failed\n")


def test_the_test_cases_of_pytest_are_counted_and_named(tree):
    tree.pytest("test_it", CASES)
    tree.pytest("test_nothing", "")
    said = tree.run(RUN, "e2e", code=1)
    assert re.search(r"^e2e +test_it +failed +1 passed, 2 failed, 1 skipped ", said, re.M)
    assert re.search(r"^failed: e2e/test_nothing: it ran no test: build/", said, re.M)
    names = re.search(r"^failed: e2e/test_it: (.*): build/", said, re.M)[1]
    assert sorted(names.split(", ")) == ["test_broken", "test_twice[two words - x]"]
    assert last_line(said) == "1 passed, 3 failed, 1 skipped"


def test_so_many_run_at_a_time_and_lines_keep_their_order(tree):
    for one in "abc":
        tree.script(f"test_{one}", f"touch begun-{one}\n"
                    f"until [ -e end-{one} ]; do sleep 0.01; done\n{PASSES}")

    def begun(one):
        wait_for((tree.top / f"begun-{one}").exists, f"{one} to begin")

    with tree.started(RUN, "-j", "2", "prog") as run:
        begun("a")
        begun("b")
        assert len(children(run.pid)) == 2
        (tree.top / "end-b").touch()
        begun("c")
        (tree.top / "end-c").touch()
        wait_for(lambda: len(children(run.pid)) == 1, "all but the first to end")
        (tree.top / "end-a").touch()
        assert ended(run) == 0
        assert lines_of_programs(run.stdout.read()) == [(f"prog/test_{one}", "ok") for one in "abc"]


@pytest.mark.parametrize("idle", (True, False))
def test_who_has_no_place_for_sure_begins_while_processors_are_idle(idle):
    processors = types.SimpleNamespace(are_idle=lambda: idle)
    begin = [may_begin(shell(PASSES), [None] * count, SURE + 2, processors) for count in range(SURE + 4)]
    assert begin == [True] * SURE + [idle] * 2 + [False] * 2
    assert not may_begin(shell(PASSES), [None], 1, processors)


def test_processors_are_idle_if_a_tenth_of_them_was(monkeypatch, tmp_path):
    """In the time since that was asked last, if it is a second."""
    stat, clock = tmp_path / "stat", types.SimpleNamespace(now=0, monotonic=lambda: clock.now)
    counted = {"busy": 1000, "idle": 5000}

    def pass_time(idle, busy, seconds=1):
        counted["busy"] += busy
        counted["idle"] += idle
        stat.write_text(f"cpu  {counted['busy']} 0 0 {counted['idle']} 0 0 0 0 0 0\ncpu0 1\n")
        clock.now += seconds
    pass_time(0, 0)
    monkeypatch.setattr(runner, "time", clock)
    monkeypatch.setattr(runner, "pathlib", types.SimpleNamespace(Path=lambda _: stat))
    processors = runner.Processors()
    for idle, busy, expected in ((21, 179, True), (19, 181, False), (200, 0, True), (0, 200, False)):
        pass_time(idle, busy)
        assert processors.are_idle() == expected
    pass_time(200, 0, seconds=0.5)
    assert not processors.are_idle(), "too soon to tell"
    pass_time(0, 0, seconds=0.5)
    assert processors.are_idle()


def test_programs_run_in_the_order_of_the_call(tree):
    tree.script("test_a", PASSES)
    tree.script("test_b", PASSES)
    said = tree.run(RUN, "-j", "1", "prog/test_b", "prog/test_a", "prog")
    assert lines_of_programs(said) == [("prog/test_b", "ok"), ("prog/test_a", "ok")]


def test_what_takes_too_long_is_stopped(tree):
    tree.script("test_it", f"{PASSES}sleep infinity\n")
    said = tree.run(RUN, "prog", code=1, TEST_SECONDS="0")
    assert re.search(r"^        stopped after \d+ s$", said, re.M)
    assert "\nfailed: prog/test_it: stopped after 0 s: build/" in said
    assert not tree.processes()


def shell(text, count=count_cmocka):
    return Program("prog", "test_it", ("sh", "-c", text), count, world=())


def test_what_was_stopped_is_red_even_if_it_ends_well(tmp_path):
    waits = f"trap 'exit 0' TERM; {PASSES} touch ready; while :; do sleep 0.01; done"
    run = Run(shell(f"cd {tmp_path}; {waits}"), tmp_path / "log", False)
    wait_for((tmp_path / "ready").exists, "the program to be ready")
    run.stop()
    result = wait_for(run.poll, "the program to end")
    assert run.process.returncode == 0 and result.counts.passed == 1
    assert not result.ok and "stopped after" in result.counts.failures[0]


def test_what_has_just_ended_can_be_stopped(tmp_path):
    run = Run(shell(PASSES), tmp_path / "log", False)
    os.waitid(os.P_PID, run.process.pid, os.WEXITED | os.WNOWAIT)
    run.stop()
    assert run.poll().counts.passed == 1


def test_a_run_is_interrupted_also_while_it_notes_an_end(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all([shell(PASSES, interrupt)], 1, False, print, logs=tmp_path)


@pytest.mark.parametrize("words", (("nonsense",), ("prog/test_nonsense",), (), ("-j", "0", "prog"),
                                   ("prog", "oracle")), ids=" ".join)
def test_a_wrong_call_runs_nothing(tree, words):
    tree.script("test_it", f"touch ran\n{PASSES}")
    said = tree.run(RUN, *words, code=2)
    assert (" ".join(words[-1:]) or "no suite") in said
    assert not (tree.top / "ran").exists()


def test_a_killed_run_leaves_nothing(tree):
    for name in ("test_a", "test_b"):
        tree.script(name, cause(tree.mark))
    with tree.started(RUN, "-j", "2", "prog") as process:
        wait_for(lambda: tree.lines("ready") == 2, "two programs to be ready")
        wires = tree.take_wires()
        assert len(wires) == 2
        process.kill()
        tree.wait_until_gone(wires)


def test_a_run_that_is_to_end_ends_its_programs(tree):
    tree.script("test_it", "trap 'touch asked; exit' TERM\necho ready >>ready\n"
                "while :; do sleep 0.01; done\n")
    with tree.started(RUN, "prog") as process:
        wait_for(lambda: tree.lines("ready"), "the program to be ready")
        process.terminate()
        assert ended(process) == 130
        assert (tree.top / "asked").exists() and not tree.processes()


def test_a_child_whose_parent_was_killed_too_early_does_not_live(tree):
    """The kernel tells it only if it was asked to before."""
    orphan = """
import os, sys
sys.path.insert(0, "tests/lib")
from runner import dies_with_us
parent, prepare = os.getpid(), dies_with_us()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    pass
prepare()
open("alive", "w").close()
"""
    with tree.started(sys.executable, "-c", orphan) as process:
        assert ended(process) == 0
        tree.wait_until_gone()
    assert not (tree.top / "alive").exists()
