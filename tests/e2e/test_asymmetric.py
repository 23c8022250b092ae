# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where answers take another way, or either of two: strict rules are not in force, told as such, or see both ways; and no
harm to anybody.
"""

import contextlib

import pytest

import tcp
from causes import FAMILIES, QUICK
from firewalls import put_up
from live import need, seen
from net import wait_for
from policies import Files
from test_gateway import Gateway, subnet, traffic

CONNECTIONS = 20
PLENTY = ("--handshakes", "8192", "--connections", "8192")


# conntrack is there where a rule wants it.
TRACKED = """table inet t { chain forward {
    type filter hook forward priority 0; ct state established accept
}
}"""


def bits(family):
    return "/32" if family == FAMILIES["ipv4"] else "/128"


class Detour(Gateway):
    """Of which the server may answer past the router: client c1 - s1 server."""

    def __init__(self, lab, family):
        super().__init__(lab)
        self.family = family
        self.c1, self.s1 = lab.wire(self.client, "c1", self.server, "s1", subnet=3)
        self.s1.neighbour(self.c0.address(family), self.c1.mac)

        self.c1.neighbour(self.s0.address(family), self.s1.mac)
        self.bits = bits(family)

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


@pytest.mark.parametrize("where", ("a router", "a host"))
def test_only_the_answers_come_by(lab, synward, family, tmp_path, where):
    """The kernel knows the connections all the same, so each is remembered from its first data on."""
    if where == "a host":
        detour = Detour(lab, family)
        detour.answer_past_the_router()
        attached = detour.c1
    else:
        need("nft")
        detour = Gateway(lab)
        put_up(detour.router, TRACKED)
        attached, s1 = lab.wire(detour.router, "g2", detour.server, "s1", subnet=3)
        s1.route(detour.c0.address(family) + bits(family), attached.address(family))
    synward.attach(attached, options=QUICK)
    enforce(synward, tmp_path, "0s")
    with contextlib.ExitStack() as open_ones, tcp.listener(detour.s0, family) as server:
        for _ in range(CONNECTIONS):
            client = open_ones.enter_context(
                tcp.connect(detour.client, server.getsockname()[:2], family))
            talk([(client, open_ones.enter_context(server.accept()[0]))] * 2)
        stats = synward.stats()
        assert stats["tallies"]["connections_adopted"] == stats["connections"] == CONNECTIONS
        assert stats["conservation"]["dropped"] == 0
        assert seen(stats) == {"unsolicited_synack": CONNECTIONS, "midstream": CONNECTIONS}


class Uplinks(Gateway):
    """Of which two lead to the server, and each direction of a connection takes either: g1 - s0, g2 - s1."""

    def __init__(self, lab):
        super().__init__(lab)
        self.g2, self.s1 = lab.wire(self.router, "g2", self.server, "s1", subnet=3)
        for namespace in (self.router, self.server):
            for version in ("ipv4", "ipv6"):
                namespace.sysctl(f"net.{version}.fib_multipath_hash_policy", 1)
        for family in FAMILIES.values():
            self.balance(self.router, self.s0, family, (self.g1, self.g2))
            self.balance(self.server, self.c0, family, (self.s0, self.s1),
                         "src", self.s0.address(family))

    @staticmethod
    def balance(namespace, target, family, ends, *more):
        hops = (word for end in ends for word in
                ("nexthop", "via", end.peer.address(family), "dev", end.name))
        namespace.ip("route", "replace", target.address(family) + bits(family), *more, *hops)


def test_either_of_two_uplinks(lab, synward, tmp_path):
    """Whoever opens, and whichever of them what it says and what is answered go by."""
    uplinks = Uplinks(lab)
    synward.attach(uplinks.g0, uplinks.g1, uplinks.g2, options=QUICK)
    enforce(synward, tmp_path, "0s")
    for family in FAMILIES.values():
        for near, far in ((uplinks.c0, uplinks.s0), (uplinks.s0, uplinks.c0)):
            with tcp.listener(far, family) as server:
                for _ in range(CONNECTIONS):
                    with tcp.connect(near.namespace, server.getsockname()[:2], family) as client, \
                            server.accept()[0] as peer:
                        talk([(client, peer)])
    stats = synward.expect_outcomes(accepted=4 * CONNECTIONS)
    assert not seen(stats)
    assert stats["conservation"]["dropped"] == 0
    assert strict(synward) == "ready"
    for name in ("g1", "g2"):
        one = traffic(stats, name)
        assert one["ingress"]["kinds"]["tcp"] and one["egress"]["forwarded"], name
