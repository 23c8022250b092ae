# SPDX-License-Identifier: GPL-2.0-or-later
"""A thousand live connections, and floods of spoofed sources ten times the size of every table."""

import contextlib
import os
import random

import pytest

import tcp
from net import wait_for
from policies import Files
from segments import ACK, FIN, MSS_1460, PSH, RST, SYN, URG, Segment
from spoofed import Flood, Strangers, flood_tool

LIVE = 1000
# The connections have room for a thousand for sure; nothing that is spoofed enters them. Of the other
# tables that of the limits' sources is the largest (SW_SOURCE_BUCKETS times SW_SOURCE_WAYS).
HANDSHAKES, CONNECTIONS, LARGEST = 4096, 65536, 16384 * 3
SPOOFED = 2 * 10 * LARGEST  # half of them SYNs
OPTIONS = ("--handshakes", HANDSHAKES, "--connections", CONNECTIONS)
ODD = (SYN | ACK, RST, FIN | ACK, 0, FIN, FIN | PSH | URG, SYN | FIN, SYN | RST, PSH)
WATCHED = 2222  # a port where nothing listens; whoever would be dropped there is a suspect
SUSPECTS, SKETCH = 16384, 2 * 512  # of the score, and of top for each CPU, in two windows
POLICY = f"""version: 1
default: {{mode: enforce, strict: yes, warm_up: 0s}}
services:
  - name: web
    ports: [8080]
    limits: {{syn_rate: {{per_second: 5000, burst: 5000}}, half_open: {{per_source: 2000}}}}
  - name: watched
    ports: [{WATCHED}]
    mode: monitor
    limits: {{half_open: {{per_service: 100}}}}
auto_block: {{enabled: yes, offences: 2, window: 1m, expiry: 1h, maximum: 1000}}
"""


@pytest.fixture
def wires(lab):
    """One of honest clients and one of floods, to the same host."""
    client, server = lab.namespace("client"), lab.namespace("server")
    return (lab.wire(client, "c0", server, "s0", subnet=1),
            lab.wire(client, "c1", server, "s1", subnet=2))


def odd_segments(end, family):
    """Of strangers, all kinds but SYN and ACK; some of them are on the block list."""
    someone, kinds = Strangers(family), random.Random(2)
    return [Segment(someone.address(), end.peer.address(family), someone.port(), tcp.PORT, flags,
                    seq=someone.number(), ack=someone.number() if flags & ACK else 0,
                    options=MSS_1460 if flags & SYN else b"")
            for flags in kinds.choices(ODD, k=2048)]


def flood(end, family, port=tcp.PORT, kind="mixed", count=SPOOFED):
    end.namespace.run(*flood_tool(end, family, port, kind, count), seconds=90)


def exchange(pairs):
    """Everybody is alive: a line each way."""
    for client, peer in pairs:
        client.sendall(b"are you there?")
    for client, peer in pairs:
        assert peer.recv(64) == b"are you there?"
        peer.sendall(b"yes")
    for client, peer in pairs:
        assert client.recv(64) == b"yes"


def connect(wire, family, open_ones):
    made = []
    near, far = wire
    with tcp.listener(far, family) as server:
        for _ in range(LIVE):
            client = tcp.connect(near.namespace, server.getsockname()[:2], family)
            peer = server.accept()[0]
            peer.settimeout(tcp.SECONDS)
            made.append((open_ones.enter_context(client), open_ones.enter_context(peer)))
    return made


def ingress(synward, name):
    return next(one["ingress"] for one in synward.stats()["interfaces"] if one["name"] == name)


def fill_score(synward, end, family):
    """The suspects: a flood that is only watched, since who is dropped is none."""
    def met():
        return synward.stats()["limits"]["half_open_service"]["would_drop"]
    while met() < 10 * SUSPECTS:
        flood(end, family, WATCHED, "syn", 10 * SUSPECTS)


def check_tables(synward):
    """Each table that strangers can enter overflowed; none that they cannot was entered."""
    stats, tables = synward.stats(), synward.json("status")["tables"]
    assert stats["tallies"]["attempts_evicted"] > HANDSHAKES
    assert tables["connections"]["used"] == LIVE and tables["connections"]["capacity"] > LIVE
    assert stats["tallies"]["connections_evicted"] == 0
    assert tables["sources"]["capacity"] == LARGEST
    assert tables["sources"]["used"] > 0.99 * LARGEST, tables
    assert tables["suspects"]["capacity"] == SUSPECTS
    assert tables["suspects"]["used"] > 0.99 * SUSPECTS, tables
    assert synward.json("policy", "score")["forgotten"] > 5 * SUSPECTS
    assert tables["proven"]["used"] == 1, "the honest client"
    assert tables["verified"]["used"] == 0, "nobody was asked for a cookie"
    assert SPOOFED > 10 * max(tables["proven"]["capacity"], tables["verified"]["capacity"])
    top = synward.json("top", "sources", "--once")["totals"]["syns"]
    assert top["count"] > 10 * SKETCH * os.cpu_count() and top["followed"] < top["count"] / 2, top


def test_a_thousand_live_connections_are_unharmed(wires, synward, tmp_path, family):
    honest, (c1, s1) = wires
    synward.attach(honest[1], s1, options=OPTIONS)
    synward.expect(0, "block", "add", "198.18.7.0/24", "2001:2::/48")
    synward.expect(0, "allow", "add", "192.0.2.0/24", "2001:db8:1::/48")
    synward.expect(0, "policy", "apply", Files(tmp_path).write(POLICY))
    with contextlib.ExitStack() as open_ones:
        pairs = connect(honest, family, open_ones)
        wait_for(lambda: synward.stats()["connections"] == LIVE, "a thousand connections")
        exchange(pairs)
        with tcp.listener(honest[1], family), Flood(c1, odd_segments(c1, family)) as odd:
            while ingress(synward, "s1")["seen"] < SPOOFED:  # the wire loses some
                flood(c1, family)
                exchange(pairs)
            wait_for(lambda: odd.sent > 20000, "the odd ones")
        exchange(pairs)
        fill_score(synward, c1, family)
        exchange(pairs)
        check_tables(synward)
        wait_for(lambda: c1.statistic("tx", "packets") <= s1.statistic("rx", "packets") +
                 s1.statistic("rx", "dropped"), "the rest of the floods")
        stats = synward.stats()
        assert ingress(synward, "s0")["dropped"] == 0, "nothing honest"
        assert stats["anomalies"]["midstream"]["dropped"] > LARGEST
        assert synward.json("status")["policy"]["auto_blocks"] == 0, "nobody spoofed is proven"


def test_connections_that_have_no_room_are_unharmed(wires, synward, tmp_path, family):
    """The kernel vouches for them each time: strict rules and auto-block must not mind."""
    honest, _ = wires
    synward.attach(honest[1], options=("--connections", 1024))
    synward.expect(0, "policy", "apply", Files(tmp_path).write(POLICY))
    with contextlib.ExitStack() as open_ones:
        pairs = connect(honest, family, open_ones)
        exchange(pairs)
        stats = synward.stats()
        assert stats["tallies"]["connections_adopted"] > 0
        assert stats["anomalies"]["midstream"]["seen"] > 0 == stats["conservation"]["dropped"]
        assert synward.json("status")["policy"]["auto_blocks"] == 0
