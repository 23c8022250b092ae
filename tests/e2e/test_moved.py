# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces are moved to other network namespaces, or are in one that cannot be entered."""

import json

import pytest

from causes import QUICK
from cli import BINARY
from hooks import xdp_program
from net import run
from versions import another_version

# what the capabilities of fewer needs leave out: other network namespaces, and whose they are
LESS = "-all,+bpf,+net_admin,+perfmon,+chown"


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


@pytest.mark.parametrize("mode", ("native", "tc"))
def test_attach_where_it_was_moved_to(lab, others, synward, mode):
    """Its old record is of the same interface, and goes."""
    far, elsewhere = others[0], lab.namespace("elsewhere")
    for end in others:
        synward.attach(end, options=(*QUICK, "--mode", mode))
    move(far, elsewhere)
    synward.expect(3, "status")
    done = synward.expect(0, "attach", "s1", "--mode", mode, namespace=elsewhere)
    assert "s1: attached" in done.stdout
    rows = json.loads(synward.expect(0, "-j", "status").stdout)["interfaces"]
    assert {row["name"]: row["netns"] for row in rows} == {"s1": elsewhere.inode,
                                                           "s2": others[1].namespace.inode}


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


def test_a_filter_out_of_reach_is_not_left_behind(others, synward):
    """Who may not look into its namespace cannot tell whether it is well, nor take it off."""
    far = others[0]
    synward.attach(far, options=(*QUICK, "--tc", "clsact"))
    less = ("setpriv", f"--bounding-set={LESS}", f"--inh-caps={LESS}", BINARY)
    told = run(*less, "status", check=False, env=synward.environment())
    assert told.returncode == 3 and "egress unknown" in told.stdout
    done = run(*less, "detach", "--all", check=False, env=synward.environment())
    assert done.returncode == 1 and "s1: cannot enter its network namespace" in done.stderr
    synward.expect(0, "status")
    synward.expect(0, "detach", "--all")
    assert not xdp_program(far)
    assert not far.namespace.run("tc", "filter", "show", "dev", far.name, "egress").stdout


def test_an_upgrade_of_a_filter_in_a_namespace_that_cannot_be_found(lab, others, synward, tmp_path):
    """It is told why; one whose namespace has ended keeps nobody from an upgrade, whatever is left of its pins."""
    hidden, stays = others
    for end in others:
        synward.attach(end, options=(*QUICK, "--tc", "clsact"))
    other = another_version(tmp_path / "other")
    done = run("unshare", "--mount", "sh", "-c", 'umount "$0" && exec "$@"', hidden.namespace.path, other, "upgrade",
               check=False, env=synward.environment())
    assert done.returncode == 1 and "cannot be found" in done.stderr and "detach --all --force" in done.stderr, done
    synward.expect(0, "status")
    (synward.pin_dir / "links" / "0" / "xdp").unlink()
    lab.end(hidden.namespace)
    done = run(other, "upgrade", env=synward.environment())
    assert f"{stays.name}: upgraded" in done.stdout, done
    synward.expect(0, "status")


def test_filters_alone(lab, others, synward, tmp_path):
    """No link tells of them. They do not go along with an interface, nor keep a namespace's end from the others' upgrade."""
    far, elsewhere = others[0], lab.namespace("elsewhere")
    filters = ("--mode", "tc", "--tc", "clsact")
    synward.attach(far, options=(*QUICK, *filters))
    move(far, elsewhere)
    assert "or was moved, and no filter goes along. To watch it where it is now: synward attach s1" in synward.expect(
        3, "status").stdout
    synward.expect(0, "detach", "s1")
    synward.expect(0, "attach", *QUICK, *filters, "s1", namespace=elsewhere)
    synward.attach(others[1])
    lab.end(elsewhere)

    told = synward.expect(3, "status").stdout
    assert "cannot be found from here. If it has ended: synward detach s1" in told
    assert [row["hidden"] for row in json.loads(synward.expect(3, "-j", "status").stdout)["interfaces"]] == [
        True, False]
    done = run(another_version(tmp_path / "other"), "upgrade", check=False, env=synward.environment())
    ended, goes_on = done.stdout.splitlines()
    assert done.returncode == 3 and "so its filters keep the programs" in done.stderr
    assert ended == "s1: skipped (its network namespace cannot be found)"
    assert goes_on.startswith("s2: upgraded (ingress")
    synward.expect(0, "detach", "s1")
    synward.expect(0, "status")
