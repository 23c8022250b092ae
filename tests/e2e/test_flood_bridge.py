# SPDX-License-Identifier: GPL-2.0-or-later
"""A host behind a bridge's port, where br_netfilter takes from segments the listener that they were handed over to."""

import dataclasses
import json

import pytest

import tcp
from causes import FAMILIES
from defended import Yard
from firewalls import call_netfilter, has_br_netfilter
from floods import UNHEARD, Crowd, defend, talk

CLIENTS, HELLO = 5, b"hello"
DEGRADED = 3


def flood(synward, code=0):
    return json.loads(synward.expect(code, "-j", "status").stdout)["interfaces"][0]["flood"]


def put_into_bridge(port):
    """Its addresses go to the bridge, which is the host's end from now on."""
    space = port.namespace
    space.ip("link", "add", "br0", "address", port.mac, "type", "bridge")
    space.ip("link", "set", "br0", "addrgenmode", "none")
    space.ip("link", "set", port.name, "master", "br0")
    space.ip("link", "set", "br0", "up")
    space.ip("addr", "flush", "dev", port.name)
    bridge = dataclasses.replace(port, name="br0")
    for family, bits in zip(FAMILIES.values(), ("24", "64")):
        space.ip("addr", "add", f"{port.address(family)}/{bits}", "dev", "br0",
                 *(["nodad"] if bits == "64" else []))
        bridge.neighbour(port.peer.address(family), port.peer.mac)
    return bridge


@pytest.fixture
def bridged(pair):
    if not has_br_netfilter():
        pytest.skip("no br_netfilter here")
    return pair[0], pair[1], put_into_bridge(pair[1])


def all_are_served(near, host, crowd):
    for family in FAMILIES.values():
        with tcp.listener(host, family) as server:
            for _ in range(CLIENTS):
                talk(near.namespace, server, HELLO, prepare=crowd.join)


def test_with_netfilter_nothing_is_handed_over(bridged, synward, tmp_path):
    near, port, host = bridged
    space, crowd = host.namespace, Crowd(near, host)
    call_netfilter(space, True)
    defend(synward, tmp_path, port, way="auto", policy=UNHEARD)
    all_are_served(near, host, crowd)
    tallies = synward.stats()["tallies"]
    assert tallies["challenges_sent"] >= CLIENTS and tallies["handovers"] == 0
    found = flood(synward)
    assert found["way"] == "challenge" and "br_netfilter" in found["lacks"]["handover"]
    assert "no handover: br_netfilter undoes it on the bridge br0; attach br0 instead" in " ".join(
        synward.expect(0, "status").stdout.split())
    advice = synward.run("doctor", port.name, namespace=space).stdout
    assert "goes through the bridge br0, and br_netfilter is on" in " ".join(advice.split())

    # it is told when it changes, and another attach takes what works by then
    call_netfilter(space, False)
    assert flood(synward, DEGRADED)["changed"] == ["way"]
    synward.attach(port)
    all_are_served(near, host, crowd)
    assert flood(synward)["way"] == "handover" and synward.stats()["tallies"]["handovers"] >= CLIENTS
    space.ip("link", "set", "br0", "type", "bridge", "nf_call_iptables", 1)
    assert flood(synward, DEGRADED)["changed"] == ["way"], "the bridge's own setting"

    space.ip("link", "set", port.name, "nomaster")
    assert flood(synward)["way"] == "handover"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_netfilter_that_comes_later_is_found_out(lab, bridged, family, synward, tmp_path):
    """Nobody asks for it at each SYN: clients who prove themselves in vain tell, and status and doctor know why."""
    near, port, host = bridged
    call_netfilter(host.namespace, False)
    yard = Yard(lab, (near, host), family, synward, tmp_path, attached=port)
    yard.talks(3)
    assert synward.stats()["tallies"]["handovers"], "the first one may have been let through, to be heard"
    call_netfilter(host.namespace, True)
    yard.knock_in_vain()
    yard.assert_says("unserved")
    yard.talks()
    assert flood(synward, DEGRADED)["changed"] == ["way"]
    said = " ".join(synward.run("status").stdout.split())
    assert "this is a port of a bridge with br_netfilter on" in said, said
    advice = synward.run("doctor", port.name, namespace=host.namespace).stdout
    assert "goes through the bridge br0, and br_netfilter is on" in " ".join(advice.split())
