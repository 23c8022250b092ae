# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/world: what a command leaves is named, and what is killed leaves nothing."""

import os
import re
import signal
import subprocess

import pytest

from hooks import bpf_object
from made import cause, changed_world, children, ended
from net import wait_for

WORLD = "tests/world"
LO_PROGRAM = f"""
    bpftool prog load {bpf_object('ports')} /sys/fs/bpf/one
    bpftool net attach xdpgeneric pinned /sys/fs/bpf/one dev lo
    rm /sys/fs/bpf/one
    """
PIN = "bpftool map create /sys/fs/bpf/left type array key 4 value 4 entries 1 name left"

# what a shell does, and the words for each thing that it leaves
LEAVES = {
    "nothing": ("ip netns add x; ip netns del x; mkdir /sys/fs/bpf/x; rmdir /sys/fs/bpf/x", ()),
    "a namespace": ("ip netns add left", ("network namespace left",)),
    "a pin": (PIN, ("pin /sys/fs/bpf/left",)),
    "a directory": ("mkdir /sys/fs/bpf/left", ("pin /sys/fs/bpf/left",)),
    "a mount": ("mkdir /tmp/left; mount -t tmpfs x /tmp/left", ("mount /tmp/left",)),
    "a bpffs": ("mkdir /run/left; mount -t bpf x /run/left", ("mount /run/left",)),
    "a wire": ("ip link add near type veth peer name far",
               ("network device far@near", "network device near@far")),
    "a program": (LO_PROGRAM, (r"network device lo with prog/xdp id \d+",)),
    "all of them": (f"ip netns add left; {PIN}; {LO_PROGRAM}",
                    ("network namespace left", "pin /sys/fs/bpf/left",
                     r"network device lo with prog/xdp id \d+")),
}
SLEEPER = 'setsid sleep infinity & until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done'


def complaints(text):
    return [re.fullmatch(r"world: the command left behind: (.*)", line)[1]
            for line in text.splitlines()]


@pytest.mark.parametrize("what", LEAVES)
def test_what_is_left_is_named(tree, what):
    command, words = LEAVES[what]
    said = complaints(tree.run(WORLD, "sh", "-ec", command, code=int(bool(words))))
    assert len(said) == len(words) and all(map(re.fullmatch, words, said)), said


@pytest.mark.parametrize("options", ((), ("--machine",)), ids=" ".join)
def test_a_process_that_is_left_is_named_and_ends(tree, options):
    impatient = changed_world("world.DYING = 0", *options, "sh", "-c", SLEEPER)
    said, = complaints(tree.run(*impatient, code=1))
    assert re.fullmatch(r"process \d+ \(sleep infinity\)", said)
    tree.wait_until_gone()


def test_a_process_that_is_just_ending_is_not_left(tree):
    assert not tree.run(WORLD, "sh", "-c", f"{SLEEPER}; kill -9 $!")
    assert not tree.run(WORLD, "sh", "-c", "setsid sleep 0.1 &")


@pytest.mark.parametrize("code", (0, 3, 77))
def test_the_exit_code_is_the_commands(tree, code):
    tree.run(WORLD, "sh", "-c", f"exit {code}", code=code)


@pytest.mark.parametrize("code", (3, 77))
def test_what_is_left_matters_more_than_the_exit_code(tree, code):
    """Also of one that says that it cannot be run here."""
    assert complaints(tree.run(WORLD, "sh", "-c", f"mkdir /sys/fs/bpf/left; exit {code}", code=1))


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGSEGV))
def test_a_command_that_crashed_has_the_code_of_its_signal(tree, number):
    tree.run(WORLD, "sh", "-c", f"kill -{number:d} $$", code=128 + number)


def test_it_can_be_asked_to_end(tree):
    """By the second signal the command is known to have begun: it has got the first."""
    waits = "trap 'echo hangup' HUP; trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"
    with tree.started(WORLD, "sh", "-c", waits) as world:
        assert world.stdout.readline() == "ready\n"
        world.send_signal(signal.SIGHUP)
        assert world.stdout.readline() == "hangup\n"
        world.terminate()
        assert ended(world) == 7


# The first process of a world waits, until the test lets it, before it does anything; and it is
# known when a signal was passed on.
LATE = """
before = world.first_process
def first_process(*arguments):
    open("child", "w").close()
    sys.stdin.read()
    return before(*arguments)
world.first_process = first_process

tell = world.tell
def told(*arguments):
    tell(*arguments)
    open("told", "w").close()
world.tell = told
"""


def test_it_can_be_asked_to_end_before_it_has_begun(tree):
    """A process that is the first of a world is never told what it does not handle."""
    with tree.started(*changed_world(LATE, "sleep", "infinity"), stdin=subprocess.PIPE) as world:
        wait_for((tree.top / "child").exists, "the child")
        world.terminate()
        wait_for((tree.top / "told").exists, "the signal to be passed on")
        world.stdin.close()
        assert ended(world) == 128 + signal.SIGTERM


@pytest.mark.parametrize("victim", ("who began it", "its first process", "its command"))
def test_a_killed_world_leaves_nothing(tree, victim):
    impatient = changed_world("world.DYING = 0", "sh", "-ec", cause(tree.mark))
    with tree.started(*impatient) as world:
        wait_for(lambda: tree.lines("ready"), "the command to be ready")
        wire, = tree.take_wires()
        first, = children(world.pid)
        command, = children(first)
        os.kill({"who began it": world.pid, "its first process": first,
                 "its command": command}[victim], signal.SIGKILL)
        tree.wait_until_gone([wire])


def test_whoever_began_it_is_killed_before_it_is_a_world(tree):
    """The kernel tells a child of that only if it was asked to before."""
    held, mine = os.pipe()
    with tree.started(*changed_world(LATE, "touch", "began"), stdin=held) as world:
        os.close(held)
        wait_for((tree.top / "child").exists, "the child")
        world.kill()
        world.wait()
        assert tree.processes()
        os.close(mine)
        tree.wait_until_gone()
    assert not (tree.top / "began").exists()


def own(*kinds):
    return {os.readlink(f"/proc/self/ns/{kind}") for kind in kinds}


SEE_NAMESPACES = "readlink /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/net"


def test_it_sees_nothing_of_what_is_around_it(tree):
    around = ("/tmp/around", "/run/around", "/dev/shm/around", "/sys/fs/bpf/around", "/var/lib/synward/around")
    for place in around:
        os.mkdir(place)
    try:
        seen = tree.run(WORLD, "sh", "-c", f"ls -d {' '.join(around)} 2>/dev/null; "
                        f"ls /sys/class/net; {SEE_NAMESPACES}").split()
    finally:
        for place in around:
            os.rmdir(place)
    assert seen[0] == "lo" and len(seen) == 4, seen
    assert not own("mnt", "pid", "net").intersection(seen)


def test_it_knows_no_mount_that_it_has_hidden(tree):
    """Who looks for a bpffs in /proc/mounts finds the world's, and not another run's."""
    tree.run("sh", "-ec", """
        mkdir -p "$1/run x" /run/other; mount -t bpf bpf "$1/run x"; mount -t bpf bpf /run/other
        trap 'umount "$1/run x" /run/other' EXIT
        "$2" sh -c 'test "$(grep -cw bpf /proc/mounts)" = 1; ! grep /run/other /proc/mounts'
        """, "sh", tree.top, WORLD)


def test_with_machine_it_sees_network_and_processes(tree):
    seen = set(tree.run(WORLD, "--machine", "sh", "-c", SEE_NAMESPACES).split())
    assert seen & own("mnt", "pid", "net") == own("pid", "net")


@pytest.mark.parametrize("drop", (("--reuid=65534", "--regid=65534", "--clear-groups"),
                                  ("--bounding-set=-all", "--inh-caps=-all")),
                         ids=("not root", "root without capabilities"))
def test_without_privileges_there_is_no_world(drop, everyones_tree):
    said = everyones_tree.run("setpriv", *drop, WORLD, "true", code=125)
    assert said.startswith("world: ") and said.count("\n") == 1


@pytest.mark.parametrize("words", ((), ("--machine",), ("--nonsense", "true")), ids=str)
def test_a_wrong_call_is_told_how(tree, words):
    assert "tests/world [--machine] COMMAND" in tree.run(WORLD, *words, code=2)


def test_a_command_that_is_not_there(tree):
    assert "nonsense" in tree.run(WORLD, "tests/nonsense", code=125)
