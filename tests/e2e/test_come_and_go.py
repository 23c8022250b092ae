# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces are renamed, containers come and go: what is attached is known by what it is, not by what it was called."""

import json
import re
import socket

import pytest

import stopped
from causes import QUICK
from cli import BINARY, bpftool
from net import run, wait_for
from test_moved import LESS

MOST = 64  # interfaces that can be attached
PODS = 1000 if stopped.THOROUGH else 4


def names(synward, namespace):
    return [one["name"] for one in synward.json("status", namespace=namespace)["interfaces"]]


def rename(end, name):
    """Gives an end another name, as udev does: down, renamed, up."""
    end.namespace.ip("link", "set", end.name, "down")
    end.namespace.ip("link", "set", end.name, "name", name)
    end.namespace.ip("link", "set", name, "up")


def pod(lab, number):
    """A container: a network namespace with one end of a wire, whose other end is elsewhere."""
    space = lab.namespace(f"pod{number}")
    run("ip", "link", "add", "eth0", "netns", space.name, "type", "veth",
        "peer", "name", f"host{number}", "netns", lab.host.name)
    space.ip("link", "set", "eth0", "up")
    return space


@pytest.fixture
def host(lab):
    """A namespace for the other ends of the pods' wires."""
    lab.host = lab.namespace("host")
    return lab.host


def test_a_renamed_interface_has_the_name_that_it_has_now(pair, synward):
    far = pair[1]
    space = far.namespace
    synward.attach(far, options=QUICK)
    rename(far, "wan0")
    assert names(synward, space) == names(synward, None) == ["wan0"], "from elsewhere, too"
    assert "wan0" in synward.expect(0, "status", namespace=space).stdout
    assert 'interface="wan0"' in synward.expect(0, "stats", "--prometheus", namespace=space).stdout
    assert "wan0: already attached" in synward.expect(0, "attach", "wan0", namespace=space).stdout
    noted = run("setpriv", f"--inh-caps={LESS}", f"--bounding-set={LESS}", BINARY, "-j", "status", check=False,
                env=synward.environment()).stdout
    assert json.loads(noted)["interfaces"][0]["name"] == "wan0", "and now it is recorded, for whoever may not go there"
    assert synward.expect(0, "detach", "wan0", namespace=space).stdout == "wan0: detached\n"


def test_another_interface_may_have_the_old_name(pair, synward):
    """Each is detached by its own name, and no two series are the same."""
    near, far = pair
    space = far.namespace
    synward.attach(far, options=QUICK)
    rename(far, "wan0")
    run("ip", "link", "add", far.name, "netns", space.name, "type", "veth", "peer", "name", "other0",
        "netns", near.namespace.name)
    space.ip("link", "set", far.name, "up")
    refused = synward.expect(1, "detach", far.name, namespace=space).stderr
    assert f"{far.name} is not attached" in refused
    synward.expect(0, "attach", far.name, namespace=space)
    assert sorted(names(synward, space)) == sorted(names(synward, None)) == sorted([far.name, "wan0"])

    series = re.findall(r"^(\S+\{[^}]*\}|\w+) ", synward.expect(0, "stats", "--prometheus").stdout, re.M)
    assert len(series) > 100 and len(set(series)) == len(series)

    assert synward.expect(0, "detach", far.name, namespace=space).stdout == f"{far.name}: detached\n"
    assert names(synward, space) == ["wan0"]


def test_the_interface_of_a_container_is_not_taken_for_one_of_the_host(lab, host, synward):
    """A host's eth0 that is not attached, and a container's that is."""
    inside = pod(lab, 1)
    host.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    synward.expect(0, "attach", *QUICK, "eth0", namespace=inside)
    refused = synward.expect(1, "detach", "eth0", namespace=host).stderr
    assert f"network namespace {inside.inode}" in refused
    host.ip("link", "del", "eth0")
    told = synward.expect(0, "detach", "eth0", namespace=host).stdout
    assert told == f"eth0: detached in the network namespace {inside.inode}\n"


def places(synward):
    """The records in use, as the map has them: a list of rows of bytes."""
    rows = bpftool("map", "dump", "pinned", synward.pin_dir / "maps" / "interfaces")
    return [row["value"] for row in rows if any(int(byte, 16) for byte in row["value"][:4])]


def in_kernel(synward):
    """How many programs, maps and links there are of it."""
    objects = synward.objects()
    return len(objects.programs), len(objects.maps), len(objects.links)


def test_pods_that_ended_leave_no_trace(lab, host, synward):
    """They are no fault, their places are free again, and nobody has to tidy up after them."""
    stays = pod(lab, 0)
    synward.expect(0, "attach", *QUICK, "eth0", namespace=stays)
    first = None
    for number in range(1, PODS):
        space = pod(lab, number)
        synward.expect(0, "attach", "eth0", namespace=space)
        lab.end(space)
        wait_for(lambda: len(names(synward, None)) == 1, "what has ended to be left out")
        synward.expect(0, "status")
        assert len(places(synward)) == 2, "the last one's, until somebody changes something"
        first = first or in_kernel(synward)
        wait_for(lambda: in_kernel(synward) == first, lambda: f"{first} to be all: {in_kernel(synward)}")
    series = synward.expect(0, "stats", "--prometheus").stdout
    assert set(re.findall(r'synward_packets_total\{interface="eth0",netns="(\d+)"', series)) == {
        str(stays.inode)}
    assert "detached" in synward.expect(0, "detach", "eth0", namespace=stays).stdout
    assert not synward.pin_dir.exists()


def test_a_pod_that_ends_while_it_is_looked_at_is_no_fault(lab, host, synward, tmp_path):
    """Its ingress link was there still, and its egress link had gone, when status asked for them."""
    stays, ends = pod(lab, 0), pod(lab, 1)
    for space in (stays, ends):
        synward.expect(0, "attach", *QUICK, "eth0", namespace=space)

    def end():
        lab.end(ends)
        wait_for(lambda: "host1" not in host.ip("link").stdout, "its wire to go")

    stops = stopped.Stops(stopped.build(tmp_path), synward, host, ("-j", "status"), BINARY)
    done = stops.hold("links/1/tcx", end)
    assert done.returncode == 0 and len(json.loads(done.stdout)["interfaces"]) == 1, done


def test_nothing_is_left_to_watch(lab, host, synward):
    """All namespaces have ended: status says that nothing is watched, and an attach goes on with the same tables."""
    first = pod(lab, 1)
    synward.expect(0, "attach", *QUICK, "eth0", namespace=first)
    lab.end(first)
    told = wait_for(lambda: synward.run("status").returncode == 3 and synward.run("status").stdout,
                    "status to tell")
    assert "nothing is watched" in told
    second = pod(lab, 2)
    synward.expect(0, "attach", "eth0", namespace=second)
    synward.expect(0, "status")
    lab.end(second)
    wait_for(lambda: synward.run("status").returncode == 3, "the second one to end")
    assert "not attached" in synward.expect(1, "detach", "eth0", namespace=host).stderr
    assert not synward.pin_dir.exists()


def test_interfaces_that_are_gone_make_way_when_all_places_are_taken(lab, host, synward):
    """In a namespace that goes on they are told as gone until then. Places are taken by writing their records."""
    for wire in ("a0", "a1"):
        host.ip("link", "add", wire, "type", "veth", "peer", "name", f"b{wire}")
        host.ip("link", "set", wire, "up")
    synward.expect(0, "attach", *QUICK, "a0", namespace=host)
    record = places(synward)[0]
    update = f"map update pinned {synward.pin_dir}/maps/interfaces"
    rows = (([*slot.to_bytes(4, "little")], [*(1000 + slot).to_bytes(4, "little"), *record[4:]])
            for slot in range(1, MOST))
    run("bpftool", "batch", "file", "-", input="".join(
        f"{update} key {' '.join(map(str, key))} value {' '.join(map(str, value))}\n"
        for key, value in rows))
    assert len(places(synward)) == MOST
    assert places(synward)[0] == record
    synward.expect(0, "attach", "a1", namespace=host)
    assert len(places(synward)) == MOST
    assert [one["name"] for one in synward.stats()["interfaces"]].count("a1") == 1
    synward.expect(0, "detach", "--all")


@pytest.mark.parametrize("family", (socket.AF_INET, socket.AF_INET6), ids=("IPv4", "IPv6"))
def test_a_host_may_have_any_number_of_addresses(pair, synward, family):
    """An anycast or IPVS host has thousands: attach takes it, and what is one's own stays so."""
    far = pair[1]
    space = far.namespace
    text = (lambda n: f"10.200.{n >> 8}.{n & 255}/32") if family == socket.AF_INET else (
        lambda n: f"fd00:200::{n:x}/128")
    def batch(verb, count):
        lines = (f"address {verb} {text(number)} dev lo\n" for number in range(1, count + 1))
        space.run("ip", "-batch", "-", input="".join(lines))

    batch("add", 5000)
    noted = synward.pin_dir / "maps" / "own_addresses"
    told = synward.attach(far, options=QUICK)
    assert not told.stderr
    synward.expect(0, "status", namespace=space)
    count = len(bpftool("map", "dump", "pinned", noted))
    assert count >= 5000
    batch("del", 100)
    synward.attach(far)
    assert len(bpftool("map", "dump", "pinned", noted)) == count - 100, "what has gone is forgotten"
