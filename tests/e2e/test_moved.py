# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces are moved to other network namespaces, or are in one that cannot be entered."""

import json

import pytest

from causes import QUICK
from hooks import xdp_program
from net import run
from versions import another_version

@pytest.fixture
def others(lab):
    """The far ends of two wires, in namespaces of their own."""
    client = lab.namespace("client")
    return [lab.wire(client, f"c{number}", lab.namespace(f"n{number}"), f"s{number}", subnet=number)[1]
            for number in (1, 2)]


def index_of(end):
    return json.loads(end.namespace.ip("-j", "link", "show", end.name).stdout)[0]["ifindex"]


def move(end, space):
    end.namespace.ip("link", "set", end.name, "netns", space.name)


@pytest.mark.parametrize("tc", ("tcx", "clsact"))
def test_an_upgrade_reaches_what_was_moved(lab, others, synward, tmp_path, tc):
    """Its programs went with it, and nobody else's upgrade fails for it."""
    for end in others:
        synward.attach(end, options=(*QUICK, "--tc", tc))
    move(others[0], lab.namespace("elsewhere"))
    other = another_version(tmp_path / "other")
    done = run(other, "upgrade", env=synward.environment())
    moved, stayed = done.stdout.splitlines()
    assert moved.startswith("s1: upgraded (ingress") and ("egress" in moved) == (tc == "tcx")
    assert stayed.startswith("s2: upgraded (ingress") and "egress" in stayed
    assert "already at this version" in run(other, "upgrade", env=synward.environment()).stdout
    assert "s1: the interface was moved" in synward.expect(3, "status").stdout


def test_an_index_that_is_used_again(lab, others, synward):
    """The link has an interface of that index still, but elsewhere: whoever has it here is not watched."""
    far = others[0]
    space, index = far.namespace, index_of(far)
    synward.attach(far, options=QUICK)
    move(far, lab.namespace("elsewhere"))
    space.ip("link", "add", far.name, "index", index, "type", "veth", "peer", "name", "p0", "index", 77)
    space.ip("link", "set", far.name, "up")
    assert index_of(far) == index
    interface, = json.loads(synward.expect(3, "-j", "status").stdout)["interfaces"]
    assert [interface[hook]["health"] for hook in ("ingress", "egress")] == ["moved", "moved"]
    assert "repaired" in synward.attach(far).stdout
    assert xdp_program(far)
    synward.expect(0, "status")
