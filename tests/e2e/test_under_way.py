# SPDX-License-Identifier: GPL-2.0-or-later
"""While an attach is under way nothing is wrong, as status and /readyz tell it; once it was killed, something is."""

import pytest

import stopped
from causes import QUICK
from cli import BINARY
from exporter import Exporter

POLICY = "version: 1\nservices: [{name: web, ports: [8080], mode: enforce, syn_flood: always}]\n"


@pytest.fixture
def library(tmp_path):
    return stopped.build(tmp_path)


@pytest.fixture
def attached(pair, synward):
    """c0, of the same policy; s0 is to come."""
    synward.state_dir.mkdir(parents=True)
    (synward.state_dir / "policy.yaml").write_text(POLICY)
    synward.expect(0, "attach", *QUICK, "c0", namespace=pair[0].namespace)
    return pair[1]


@pytest.fixture
def exporter(lab, synward, attached):
    """Where s0 is, or it could not look at what keeps floods off there."""
    with attached.namespace.entered():
        yield Exporter(lab, synward.environment())


def creations(lines):
    """The steps before which a hook is taken: the first ones are the interface's, the last one is the hand-over's."""
    return [number for number, line in enumerate(lines, 1) if line.startswith("create")]


def test_held(attached, synward, library, exporter):
    """Before each hook that is taken, and behind the last; with THOROUGH before each step."""
    attach = stopped.Stops(library, synward, attached.namespace, ("attach", "s0"), BINARY)
    lines = attach.lines(library.parent)
    hooks = creations(lines)
    for step in range(1, len(lines) + 1) if stopped.THOROUGH else (*hooks, hooks[-1] + 1):
        synward.expect(0, "detach", "s0", namespace=attached.namespace)

        def meanwhile(step=step):
            ready = exporter.ask("/readyz")
            assert (ready.code, ready.body) == (200, "ready\n"), (step, ready)
            synward.expect(0, "status")

        assert attach.hold(step, meanwhile).returncode == 0
        assert [one["ok"] for one in synward.json("status")["interfaces"]] == [True, True], step


@pytest.mark.parametrize("which, words", ((0, "a hook is missing"), (-1, "the hand-over's hook is missing")))
def test_killed(attached, synward, library, exporter, which, words):
    """Then nobody has the lock, and both tell it the same way."""
    attach = stopped.Stops(library, synward, attached.namespace, ("attach", "s0"), BINARY)
    step = creations(attach.lines(library.parent))[which]
    synward.expect(0, "detach", "s0", namespace=attached.namespace)
    attach.kill(step)
    told = f"degraded: s0: {words}; to restore it: synward attach s0"
    ready = exporter.ask("/readyz")
    assert (ready.code, told in ready.body.splitlines()) == (503, True), ready
    assert told in synward.expect(3, "status").stdout
    synward.expect(0, "attach", "s0", namespace=attached.namespace)
    assert exporter.ask("/readyz").code == 200
