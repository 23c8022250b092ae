# SPDX-License-Identifier: GPL-2.0-or-later
"""Strict rules where answers take another way: not in force, told as such, and no harm to anybody."""

import contextlib

import pytest

import tcp
from causes import QUICK
from net import wait_for
from policies import Files
from test_gateway import Gateway, subnet

CONNECTIONS = 20
PLENTY = ("--handshakes", "8192", "--connections", "8192")


class Detour(Gateway):
    """Of which the server may answer past the router: client c1 - s1 server."""

    def __init__(self, lab, family):
        super().__init__(lab)
        self.family = family
        self.c1, self.s1 = lab.wire(self.client, "c1", self.server, "s1", subnet=3)
        self.s1.neighbour(self.c0.address(family), self.c1.mac)

        self.c1.neighbour(self.s0.address(family), self.s1.mac)
        self.bits = "/32" if subnet(self.c0, family).endswith("/24") else "/128"

    def answer_past_the_router(self):
        self.s1.route(self.c0.address(self.family) + self.bits)

    def ask_past_the_router(self, verb):
        """add or del: what the client sends takes the other way, too."""
        self.client.ip("route", verb, self.s0.address(self.family) + self.bits, "dev", "c1",
                       "src", self.c0.address(self.family))

    def connect(self, open_ones):
        """Connections that stay, as pairs of sockets."""
        made = []
        with tcp.listener(self.s0, self.family) as server:
            for _ in range(CONNECTIONS):
                client = tcp.connect(self.client, server.getsockname()[:2], self.family)
                made.append(tuple(open_ones.enter_context(one)
                                  for one in (client, server.accept()[0])))
        return made


def talk(pairs):
    """Everybody says something and is heard, both ways."""
    for client, peer in pairs:
        peer.settimeout(tcp.SECONDS)
        for sender, receiver in ((client, peer), (peer, client)):
            sender.sendall(b"how are you?")
            assert receiver.recv(64) == b"how are you?"


@pytest.fixture
def detour(lab, family):
    return Detour(lab, family)


def enforce(synward, tmp_path, warm_up):
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", f"  strict: yes\n  warm_up: {warm_up}\n  timeouts: {{syn_sent: 1s}}\n"))


def strict(synward):
    row, = synward.json("status")["policy"]["services"]
    return row["strict"]


def expect_harmless(synward):
    """All that was strange has passed."""
    stats = synward.stats()
    assert stats["conservation"]["dropped"] == 0
    assert stats["anomalies"]["midstream"]["seen"] >= CONNECTIONS, "strangers were looked at"


def test_strict_rules_never_begin_where_one_side_is_seen(detour, synward, tmp_path):
    detour.answer_past_the_router()
    synward.attach(detour.g0, detour.g1, options=QUICK)
    enforce(synward, tmp_path, "0s")
    with contextlib.ExitStack() as open_ones:
        detour.ask_past_the_router("add")
        strangers = detour.connect(open_ones)  # who are all of it past us, so far
        detour.ask_past_the_router("del")
        pairs = detour.connect(open_ones)
        talk(pairs)
        synward.expect_outcomes(one_sided=CONNECTIONS)
        talk(pairs + strangers)
        assert strict(synward) == "suspended"
        expect_harmless(synward)


def test_strict_rules_stop_when_answers_begin_to_take_another_way(detour, synward, tmp_path):
    synward.attach(detour.g0, detour.g1, options=QUICK)
    enforce(synward, tmp_path, "1s")
    with contextlib.ExitStack() as open_ones:
        older = detour.connect(open_ones)
        wait_for(lambda: strict(synward) == "ready", "strict rules to be in force")
        detour.answer_past_the_router()
        talk(older)
        detour.ask_past_the_router("add")
        strangers = detour.connect(open_ones)
        detour.ask_past_the_router("del")
        newer = detour.connect(open_ones)
        talk(newer)
        wait_for(lambda: strict(synward) == "suspended", "a handshake to be found one-sided")
        text = synward.expect(0, "status").stdout
        assert "one-sided handshakes" in text
        assert synward.json("policy", "score")["anomalies"]["midstream"]["dropped"] == 0
        wait_for(lambda: synward.stats()["handshakes"]["one_sided"] == CONNECTIONS, "all of them")
        talk(newer + older + strangers)
        expect_harmless(synward)


def limit(synward, tmp_path):
    """Fewer unfinished handshakes than there are connections."""
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", "  limits: {half_open: {per_source: 15}}\n"))


def connect_and_talk(detour, open_ones):
    """One after the other, each of which stays."""
    with tcp.listener(detour.s0, detour.family) as server:
        for _ in range(CONNECTIONS):
            client = open_ones.enter_context(
                tcp.connect(detour.client, server.getsockname()[:2], detour.family))
            talk([(client, open_ones.enter_context(server.accept()[0]))])


def test_the_kernel_knows_connections_that_answer_another_way(detour, synward, tmp_path):
    """A server of two wires, of which one is attached: SYNs come by it, and nothing leaves."""
    detour.answer_past_the_router()
    synward.attach(detour.s0, options=PLENTY)
    limit(synward, tmp_path)
    with contextlib.ExitStack() as open_ones:
        connect_and_talk(detour, open_ones)
        stats = synward.expect_outcomes(one_sided=CONNECTIONS)
        assert stats["half_open"] == 0
        assert stats["tallies"]["connections_adopted"] == CONNECTIONS
        assert stats["limits"]["half_open_source"]["seen"] == 0
        assert stats["conservation"]["dropped"] == 0


def test_connections_that_are_seen_from_one_side_take_no_place(detour, synward, tmp_path):
    """Of a router nobody knows whose they are. It takes half a second, so a SYN may have to come again."""
    detour.answer_past_the_router()
    synward.attach(detour.g0, detour.g1, options=PLENTY)
    limit(synward, tmp_path)
    with contextlib.ExitStack() as open_ones:
        connect_and_talk(detour, open_ones)
        stats = synward.expect_outcomes(one_sided=CONNECTIONS)
        assert stats["half_open"] == 0
        assert stats["tallies"]["attempts_opened"] == CONNECTIONS
        assert not stats["anomalies"]["midstream"]["seen"]
