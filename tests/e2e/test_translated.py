# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways that translate what they forward: each connection has two names there, and one outcome."""

import contextlib

import pytest

import tcp
from causes import FAMILIES, QUICK
from firewalls import put_up, take_down
from live import need, seen
from lan import Lan
from net import wait_for
from spoofed import flooded
from policies import Files
from test_gateway import Gateway, drive

CONNECTIONS = 20
PUBLISHED = 80
UNREACHABLE = 8082  # of the server, which says so by ICMP
FLOODED = 8083  # of the router, which drops what comes there
SOON = "timeouts: {syn_sent: 1s, syn_received: 1s, rst_grace: 300ms, closed: 1s}"
BOTH = tuple(FAMILIES.values())


@pytest.fixture
def gateway(lab):
    need("nft")
    return Gateway(lab)


def destination(server, family):
    address, name = server.address(family), "ip" if family == FAMILIES["ipv4"] else "ip6"
    return (f"tcp dport {PUBLISHED} dnat {name} to "
            f"{address if name == 'ip' else f'[{address}]'}:{tcp.PORT}")


SOURCE = "chain out { type nat hook postrouting priority 100; masquerade; }"
ALL = (SOURCE, "chain in { type nat hook prerouting priority -100; PUBLISHED\n}")


def translate(router, server, chains):
    """Whoever goes out has the router's address; what is published there is at the server's own port."""
    published = "\n".join(destination(server, family) for family in BOTH)
    put_up(router, "\n".join(("table inet t {", *chains, "}")).replace("PUBLISHED", published))


def strict(synward, tmp_path):
    synward.expect(0, "policy", "apply",
                   Files(tmp_path).default("enforce", f"  strict: yes\n  warm_up: 0s\n  {SOON}\n"))


def talk(client, peer):
    peer.settimeout(tcp.SECONDS)
    for sender, receiver in ((client, peer), (peer, client)) * 3:
        sender.sendall(b"how are you?")
        assert receiver.recv(64) == b"how are you?"


def converse(client, server, address, count=CONNECTIONS):
    """They say something both ways, stay for a while, and close, now the one first and now the other."""
    with contextlib.ExitStack() as open_ones:
        pairs = []
        for _ in range(count):
            made = open_ones.enter_context(tcp.connect(client, address, server.family))
            pairs.append((made, open_ones.enter_context(server.accept()[0])))
        for pair in pairs:
            talk(*pair)
        for i, pair in enumerate(pairs):
            for one in pair[::-1] if i % 2 else pair:
                one.close()


def expect_as_the_clients_saw(synward, **outcomes):
    stats = synward.expect_outcomes(**outcomes)
    assert not seen(stats)
    assert stats["conservation"]["dropped"] == 0
    assert stats["half_open"] == 0
    assert stats["tallies"]["attempts_opened"] == sum(outcomes.values())
    assert stats["tallies"]["connections_opened"] == outcomes["accepted"]
    for name in ("syn_to_synack", "synack_to_ack"):
        assert stats["latency"][name]["count"] == outcomes["accepted"], name
    row, = synward.json("status")["policy"]["services"]
    assert row["strict"] == "ready"


def test_with_both_sides_attached_as_with_one(gateway, synward, tmp_path):
    """Whatever is translated, the source or the destination; and an ICMP error quotes the other name."""
    translate(gateway.router, gateway.s0, ALL)
    put_up(gateway.server, f"""table inet t {{ chain in {{
        type filter hook input priority 0
        tcp dport {UNREACHABLE} reject with icmpx port-unreachable
    }}
}}""")
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    strict(synward, tmp_path)
    for family in BOTH:
        with tcp.listener(gateway.s0, family) as server:
            converse(gateway.client, server, server.getsockname()[:2])
            converse(gateway.client, server, (gateway.g0.address(family), PUBLISHED))
        drive(gateway, family, accepted=0, rejected=5)
        tcp.unanswered(gateway.client, (gateway.s0.address(family), UNREACHABLE), family, 1)
    expect_as_the_clients_saw(synward, accepted=4 * CONNECTIONS, rejected=12)
    take_down(gateway.router)
    translate(gateway.router, gateway.s0, ALL[1:])
    synward.begin()
    for family in BOTH:
        with tcp.listener(gateway.s0, family) as server:
            converse(gateway.client, server, (gateway.g0.address(family), PUBLISHED))
    stats = synward.expect_outcomes(accepted=2 * CONNECTIONS)
    assert not seen(stats)
    wait_for(lambda: synward.stats()["connections"] == 0, "all of them to have ended")


@pytest.mark.parametrize("family", BOTH, ids=FAMILIES)
def test_in_a_flood_that_is_only_watched(gateway, synward, family):
    """
    Both names of a handshake are found when nothing of it was entered. The table is as large as usual: of a smaller one
    so fast a flood pushes out what is kept of a handshake before its SYN-ACK, and no socket here vouches for that.
    """
    translate(gateway.router, gateway.s0, (*ALL, f"""chain early {{
        type filter hook prerouting priority raw
        tcp dport {FLOODED} drop
}}"""))
    synward.attach(gateway.g0, gateway.g1)

    def tallies():
        return synward.stats()["tallies"]
    made = 0
    with tcp.listener(gateway.s0, family) as server, flooded(gateway.c0, family, FLOODED):
        wait_for(lambda: tallies()["attempts_unfollowed"] > 10000, "a flood")
        while made < 40 or tallies()["attempts_recognised"] < 10:
            converse(gateway.client, server, server.getsockname()[:2], 10)
            converse(gateway.client, server, (gateway.g0.address(family), PUBLISHED), 10)
            made += 20
    stats = synward.stats()
    assert stats["handshakes"]["accepted"] == made, stats["handshakes"]
    assert stats["tallies"]["connections_opened"] == made
    assert stats["conservation"]["holds"] and not seen(stats)


def test_a_router_with_one_arm(lab, synward, tmp_path):
    """The server is where its clients are, and both know each other by the router's address only."""
    need("nft")
    lan = Lan(lab)
    client, arm, there = (lan.join(lab.namespace(name), end) for name, end in
                          (("client", "c0"), ("gw", "g0"), ("server", "s0")))
    for version in ("ipv4", "ipv6"):
        arm.namespace.sysctl(f"net.{version}.conf.all.forwarding", 1)
    translate(arm.namespace, there, ALL)
    synward.attach(arm, options=QUICK)
    strict(synward, tmp_path)
    for family in BOTH:
        with tcp.listener(there, family) as server:
            converse(client.namespace, server, (arm.address(family), PUBLISHED))
    expect_as_the_clients_saw(synward, accepted=2 * CONNECTIONS)
