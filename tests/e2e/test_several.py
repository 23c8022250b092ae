# SPDX-License-Identifier: GPL-2.0-or-later
"""Several interfaces of one command: their programs are loaded at a time, and each has its own."""

import signal
import socket

import pytest

import stopped
from causes import QUICK
from cli import BINARY
from hooks import put_on_xdp, xdp_program
from lists import refuse
from net import run
from tcp import CLOSED_PORT, rejected
from versions import another_version

FAMILIES = (socket.AF_INET, socket.AF_INET6)


@pytest.fixture
def wires(lab):
    client, server = lab.namespace("client"), lab.namespace("server")
    return [lab.wire(client, f"c{number}", server, f"s{number}", subnet=number + 1) for number in range(4)]


def attach_all(synward, wires):
    return synward.run("attach", *QUICK, *(far.name for _, far in wires), namespace=wires[0][1].namespace)


def knock(wires):
    """On each wire another number of SYNs, which are refused: of all of TCP there, that is half."""
    for number, (near, far) in enumerate(wires, 1):
        family = FAMILIES[number % 2]
        rejected(near.namespace, (far.address(family), CLOSED_PORT), family, number)


def expect_knocks(synward, times):
    counted = {one["name"]: (one["ingress"]["kinds"]["tcp"], one["egress"]["kinds"]["tcp"])
               for one in synward.json("stats")["interfaces"]}
    assert counted == {f"s{number}": (times * (number + 1),) * 2 for number in range(4)}


def test_each_has_its_own_programs(wires, synward, tmp_path):
    """Among them one that is attached already, and has a slot out of their order."""
    synward.attach(wires[2][1], options=QUICK)
    done = attach_all(synward, wires)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert ["already" in line for line in lines] == [False, False, True, False]
    slots = {one["name"]: one["slot"] for one in synward.json("status")["interfaces"]}
    assert slots == {"s2": 0, "s0": 1, "s1": 2, "s3": 3}
    knock(wires)
    expect_knocks(synward, 1)
    other = another_version(tmp_path / "other")
    lines = run(other, "upgrade", env=synward.environment()).stdout.splitlines()
    assert len(lines) == 4 and all("upgraded" in line for line in lines), lines
    knock(wires)
    expect_knocks(synward, 2)


def test_an_interrupted_attach_is_taken_back_and_told(wires, synward, tmp_path):
    """As with any other failure; what was attached before goes on."""
    names = [far.name for _, far in wires]
    stops = stopped.Stops(stopped.build(tmp_path), synward, wires[0][1].namespace, ("attach", *QUICK, *names), BINARY)
    lines = stops.lines(tmp_path)
    first, second, last = (next(number for number, line in enumerate(lines, 1) if line.endswith(f"links/{slot}/xdp"))
                           for slot in (0, 1, 3))
    synward.expect(0, "detach", "--all")
    for how, step in ((signal.SIGINT, first), (signal.SIGTERM, last), (signal.SIGHUP, second)):
        refuse(stops.hold(step, interrupt=how), 1, "interrupted: none of these interfaces was attached")
        assert not synward.pin_dir.exists() and not any(xdp_program(far) for _, far in wires), how
    synward.attach(wires[2][1], options=QUICK)
    refuse(stops.hold(first, interrupt=signal.SIGINT), 1, "interrupted")
    assert [one["name"] for one in synward.json("status")["interfaces"]] == ["s2"]
    done = run("sh", "-c", "trap '' INT HUP; kill -INT $$; \"$@\"", "-", *wires[0][1].namespace.command(*stops.command),
               env=synward.environment())
    assert len(done.stdout.splitlines()) == 4, "signals that are ignored stay so"


def test_one_that_fails_leaves_nothing_of_those_loaded_with_it(wires, synward):
    put_on_xdp(wires[2][1])
    refuse(attach_all(synward, wires), 1, "s2", "count_tags")
    assert [xdp_program(wire[1]) is None for wire in wires] == [True, True, False, True]
    assert not synward.pin_dir.exists()
