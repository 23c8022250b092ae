# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways that translate what they forward: each connection has two names there, and one outcome."""

import contextlib
import socket

import pytest

import tcp
from causes import QUICK
from echo import Echo, listen_to_all
from lan import line
from live import need, seen
from net import wait_for
from policies import Files
from test_gateway import Gateway, drive

PLENTY = ("--handshakes", "8192", "--connections", "8192")


@pytest.fixture
def gateway(lab):
    need("nft")
    return Gateway(lab)


def translate(gateway, hook, rule):
    gateway.router.run("nft", "-f", "-", input=f"""table inet t {{ chain c {{
    type nat hook {hook};
    {rule}
}}
}}""")


def masquerade(gateway, which='oifname "g1"'):
    translate(gateway, "postrouting priority 100", f"{which} masquerade")


@pytest.mark.parametrize("attached", ("both", "the way in", "the way out"))
def test_translated_connections_count_once(gateway, family, synward, attached):
    """As either side alone would tell."""
    ends = {"both": (gateway.g0, gateway.g1), "the way in": (gateway.g0,),
            "the way out": (gateway.g1,)}[attached]
    masquerade(gateway)
    synward.attach(*ends, options=QUICK)
    drive(gateway, family, accepted=20, rejected=5)
    stats = synward.expect_outcomes(accepted=20, rejected=5)
    assert stats["half_open"] == 0
    assert stats["tallies"]["attempts_opened"] == 25
    assert stats["latency"]["syn_to_synack"]["count"] == 20
    assert stats["latency"]["synack_to_ack"]["count"] == 20
    assert not seen(stats)


def test_the_destination_is_translated(gateway, family, synward):
    """What is behind has the router's address for those in front, and another port."""
    to = gateway.s0.address(family)
    translate(gateway, "prerouting priority -100",
              f"{'ip' if family == socket.AF_INET else 'ip6'} saddr {gateway.c0.address(family)} "
              f"tcp dport 80 dnat to {to if family == socket.AF_INET else f'[{to}]'}:{tcp.PORT}")
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    with tcp.listener(gateway.s0, family) as server:
        for _ in range(10):
            tcp.connect(gateway.client, (gateway.g0.address(family), 80), family).close()
            server.accept()[0].close()
    stats = synward.expect_outcomes(accepted=10)
    assert not seen(stats)


def from_port(gateway, port, family):
    client = gateway.client.socket(family)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((gateway.c0.address(family), port))
    client.settimeout(tcp.SECONDS)
    client.connect((gateway.s0.address(family), tcp.PORT))
    return client


def test_strict_rules_where_a_few_are_translated(gateway, family, synward, tmp_path):
    """None of them is lost, nor of those that are not; and all of them end."""
    masquerade(gateway, "tcp sport 21000-21999")
    gateway.lab.enter_context(Echo(*listen_to_all(gateway.server)))
    synward.attach(gateway.g0, gateway.g1, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", "  strict: yes\n  warm_up: 0s\n  timeouts: {closed: 500ms}\n"))
    with contextlib.ExitStack() as open_ones:
        clients = []
        for i in range(15):
            for port in (20000, 21000)[:1 + (i >= 10)]:
                clients.append(open_ones.enter_context(from_port(gateway, port + i, family)))
                line(clients[-1])
        row, = synward.json("status")["policy"]["services"]
        assert row["strict"] == "ready"
        for client in clients:
            line(client)
        assert synward.stats()["connections"] == 20 + 5, "the translated ones by both names"
    stats = synward.expect_outcomes(accepted=20)
    assert stats["conservation"]["dropped"] == 0
    assert not seen(stats)
    wait_for(lambda: synward.stats()["connections"] == 0, "all of them to have ended")
