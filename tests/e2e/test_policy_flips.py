# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies that change under a flood and under live transfers: no packet meets half of one."""

import contextlib

import pytest

import tcp
from causes import FAMILIES, QUICK
from net import wait_for
from policies import Files, wait_rolled_back
from segments import MSS_1460, SYN, Segment
from spoofed import Flood, Strangers
from transfers import Transfer

URG = 0x20
TARGET, LIVE = 7000, tcp.PORT
FLIPS = 24
BOTH = ("flags_syn_urg", "ack_field_without_ack")  # what each segment of the flood shows


def segments(end, family, count=2048):
    """From many sources, each with both anomalies, of which each policy drops another one."""
    someone = Strangers(family)
    return [Segment(someone.address(), end.peer.address(family), someone.port(), TARGET, SYN | URG,
                    seq=someone.number(), ack=someone.number() | 1, options=MSS_1460)
            for _ in range(count)]


def policies(files):
    """
    Two that differ in which anomaly drops, in the name of the service, and in its number: who took
    one of these from the one and another from the other would be seen.
    """
    strict = "mode: enforce, strict: yes, warm_up: 0s"
    live = f"name: live, ports: [{LIVE}], {strict}"
    drops = [f"actions: {{{one}: drop, {other}: count}}" for one, other in (BOTH, BOTH[::-1])]
    return (files.services(f"name: first, ports: [{TARGET}], mode: enforce, {drops[0]}", live,
                           "name: second, ports: [1]"),
            files.services("name: unused, ports: [2]", "name: first, ports: [1]", live,
                           f"name: second, ports: [{TARGET}], mode: enforce, {drops[1]}"))


class Witness:
    """What the counters say of the flood."""

    def __init__(self, synward):
        self.synward = synward

    def read(self):
        stats = self.synward.stats()
        services = {one["name"]: one["dropped"] for one in stats["services"]}
        return stats, [stats["anomalies"][name] for name in BOTH], services

    def dropped(self, which):
        return self.synward.stats()["anomalies"][BOTH[which]]["dropped"]

    def wait_for_drops(self, which):
        """The policy is in force: the flood meets it."""
        before = self.dropped(which)
        wait_for(lambda: self.dropped(which) > before, f"drops by {BOTH[which]}")

    def expect_one_policy_each(self, sent):
        """Each segment was dropped once, by one policy's anomaly and for that one's service."""
        stats, (one, other), services = self.read()
        assert one["seen"] == other["seen"] == sent
        assert one["dropped"] + other["dropped"] == sent
        assert one["would_drop"] == other["would_drop"] == 0
        assert one["dropped"] > 1000 < other["dropped"], "the flood was under both"
        assert (services["first"], services["second"]) == (one["dropped"], other["dropped"])
        assert sum(services.values()) == sent == stats["conservation"]["dropped"]


@pytest.fixture
def wires(lab):
    """One of live transfers and one of the flood, between the same hosts."""
    client, server = lab.namespace("client"), lab.namespace("server")
    return (lab.wire(client, "c0", server, "s0", subnet=1),
            lab.wire(client, "c1", server, "s1", subnet=2))


def warm_up(synward, near, far):
    """Both sides are seen often enough for strict rules."""
    with tcp.listener(far, FAMILIES["ipv4"]) as server:
        tcp.accepted(near.namespace, server, 8)
    rows = {row["name"]: row["strict"] for row in synward.json("status")["policy"]["services"]}
    assert rows["live"] == "ready"


def flips(synward, files, made):
    """By each way there is, in turn. Yields which of the two is in force then."""
    first, second = made
    for turn in range(FLIPS // 4):
        synward.expect(0, "policy", "apply", second)
        yield 1
        synward.expect(0, "policy", "rollback")
        yield 0
        waits = turn == 0  # one is taken back by the kernel itself, and one is confirmed
        synward.expect(0, "policy", "apply", second, "--confirm", "1s" if waits else "60s")
        yield 1
        if waits:
            wait_rolled_back(synward)
        else:
            synward.expect(0, "policy", "confirm")
            synward.expect(0, "policy", "apply", first)
        yield 0


def test_no_packet_meets_a_mixture_and_no_segment_is_lost(wires, synward, tmp_path):
    (near, far), (c1, s1) = wires
    files = Files(tmp_path)
    made = policies(files)
    synward.attach(far, s1, options=QUICK)
    synward.expect(0, "policy", "apply", made[0])
    warm_up(synward, near, far)
    witness = Witness(synward)
    floods = [Flood(c1, segments(c1, family)) for family in FAMILIES.values()]
    with contextlib.ExitStack() as going_on:
        transfers = [going_on.enter_context(Transfer(near, far, family, LIVE))
                     for family in FAMILIES.values()]
        for flood in floods:
            going_on.enter_context(flood)
        witness.wait_for_drops(0)
        for which in flips(synward, files, made):
            before = [one.bytes for one in transfers]
            witness.wait_for_drops(which)
            wait_for(lambda: all(one.bytes > so_far for one, so_far in zip(transfers, before)),
                     "the transfers to go on")
        for transfer in transfers:
            transfer.expect_whole()
    wait_for(lambda: c1.statistic("tx", "packets") == s1.statistic("rx", "packets"), "the rest")
    witness.expect_one_policy_each(sum(flood.sent for flood in floods))
