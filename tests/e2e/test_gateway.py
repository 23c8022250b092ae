# SPDX-License-Identifier: GPL-2.0-or-later
"""A router between a client and a server: what is forwarded passes its hooks twice, counts once."""

import contextlib

import pytest

import tcp
from causes import FAMILIES, QUICK
from net import NEAR


# Of an address by itself. Most tests here attach once for both families.
BITS = {FAMILIES["ipv4"]: "/32", FAMILIES["ipv6"]: "/128"}


class Gateway:
    """client c0 - g0 router g1 - s0 server."""

    def __init__(self, lab):
        self.lab = lab
        self.client, self.router, self.server = map(lab.namespace, ("client", "gw", "server"))
        self.router.sysctl("net.ipv4.conf.all.forwarding", 1)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.c0, self.g0 = lab.wire(self.client, "c0", self.router, "g0", subnet=1)
        self.g1, self.s0 = lab.wire(self.router, "g1", self.server, "s0", subnet=2)
        for family in FAMILIES.values():
            self.c0.route(subnet(self.s0, family), self.g0.address(family))
            self.s0.route(subnet(self.c0, family), self.g1.address(family))

    def tell_all_errors(self):
        """
        By ICMP. Of IPv4 no kind is limited: a rate of 0 would take away, if a tick passes in between,
        what the limit of routes (five at once) has saved up for this client.
        """
        self.router.sysctl("net.ipv4.icmp_ratemask", 0)
        self.router.sysctl("net.ipv6.icmp.ratelimit", 0)


def subnet(end, family):
    return end.address(family, 0) + ("/24" if family == FAMILIES["ipv4"] else "/64")


@pytest.fixture
def gateway(lab):
    return Gateway(lab)


def drive(gateway, family, accepted, rejected):
    with tcp.listener(gateway.s0, family) as server:
        tcp.accepted(gateway.client, server, accepted)
    tcp.rejected(gateway.client, (gateway.s0.address(family), tcp.CLOSED_PORT), family, rejected)


def traffic(stats, name):
    return next(one for one in stats["interfaces"] if one["name"] == name)


@pytest.mark.parametrize("name, attached", (("ipv4", "both"), ("ipv6", "both"),
                                            ("ipv4", "the way in"), ("ipv6", "the way out")))
def test_a_forwarded_handshake_counts_once(gateway, synward, name, attached):
    """Whichever of the router's interfaces are attached, all of them or one."""
    family = FAMILIES[name]
    ends = {"both": (gateway.g0, gateway.g1), "the way in": (gateway.g0,),
            "the way out": (gateway.g1,)}[attached]
    synward.attach(*ends, options=QUICK)
    drive(gateway, family, accepted=50, rejected=10)
    stats = synward.expect_outcomes(accepted=50, rejected=10)
    assert stats["tallies"]["attempts_opened"] == 60
    assert not any(one["seen"] for one in stats["anomalies"].values()), "seen twice, one repeats"
    if attached == "both":
        for name in ("g0", "g1"):
            assert traffic(stats, name)["egress"]["forwarded"] > 100, name
            assert traffic(stats, name)["egress"]["kinds"]["tcp"] == 0, name
    else:
        assert all(one["egress"]["forwarded"] == 0 for one in stats["interfaces"])


def test_an_answer_by_another_interface_counts_once(gateway, synward):
    """SYN in by g0, SYN-ACK in by g2: the tables are one for all interfaces."""
    g2, s1 = gateway.lab.wire(gateway.router, "g2", gateway.server, "s1", subnet=3)
    for family, bits in BITS.items():
        s1.route(gateway.c0.address(family) + bits, g2.address(family, NEAR))
    synward.attach(gateway.g0, gateway.g1, g2, options=QUICK)
    for count, family in enumerate(BITS, 1):
        drive(gateway, family, accepted=50, rejected=10)
        stats = synward.expect_outcomes(accepted=50 * count, rejected=10 * count)
        assert traffic(stats, "g2")["ingress"]["kinds"]["tcp"] >= 100 * count, "the way back is not this one"
        assert traffic(stats, "g1")["ingress"]["kinds"]["tcp"] == 0


def test_an_answer_that_does_not_pass_leaves_it_one_sided(gateway, synward):
    """SYN by the router, SYN-ACK past it: only the opener is ever seen here."""
    c1, s1 = gateway.lab.wire(gateway.client, "c1", gateway.server, "s1", subnet=3)
    for family, bits in BITS.items():
        s1.neighbour(gateway.c0.address(family), c1.mac)
        s1.route(gateway.c0.address(family) + bits)
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    for count, family in enumerate(BITS, 1):
        drive(gateway, family, accepted=20, rejected=0)
        stats = synward.expect_outcomes(one_sided=20 * count)
        assert traffic(stats, "g1")["ingress"]["kinds"]["tcp"] == 0


def test_the_routers_own_connections_count_too(gateway, synward):
    """They leave by an attached interface and came in by none."""
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    for count, family in enumerate(BITS, 1):
        with tcp.listener(gateway.s0, family) as server:
            tcp.accepted(gateway.router, server, 20)
        stats = synward.expect_outcomes(accepted=20 * count)
        assert traffic(stats, "g1")["egress"]["forwarded"] == 0


def test_an_icmp_error_that_quotes_the_syn_is_a_rejection(gateway, synward):
    """The router refuses to forward, by ICMP; the client gives up before it tries again."""
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    gateway.tell_all_errors()
    for count, family in enumerate(BITS, 1):
        gateway.router.ip("route", "add", "prohibit", gateway.s0.address(family, 50))
        tcp.unanswered(gateway.client, (gateway.s0.address(family, 50), tcp.PORT), family, 3)
        stats = synward.expect_outcomes(rejected=3 * count)
        assert traffic(stats, "g0")["egress"]["kinds"]["icmp_error"] == 3 * count


def test_forwarded_connections_older_than_the_attach(gateway, synward):
    """No socket here vouches for them: they are remembered as strays, so each counts once."""
    with contextlib.ExitStack() as open_ones:
        pairs = []
        for family in BITS:
            with tcp.listener(gateway.s0, family) as server:
                client = open_ones.enter_context(tcp.connect(gateway.client, server.getsockname()[:2], family))
                pairs.append((client, open_ones.enter_context(server.accept()[0])))
        synward.attach(gateway.g0, gateway.g1, options=QUICK)
        for count, pair in enumerate(pairs, 1):
            for sender, receiver in (pair, pair[::-1]) * 10:
                sender.sendall(b"on my way")
                assert receiver.recv(64) == b"on my way"
            stats = synward.expect_outcomes(midstream=count)
    assert stats["connections"] == stats["tallies"]["connections_adopted"] == 0
