# SPDX-License-Identifier: GPL-2.0-or-later
"""SYN floods: real clients get in by each of the ways, with their options, and nobody else does."""

import random
import socket
import threading

import pytest

import tcp
from causes import QUICK
from hooks import put_on_xdp
from net import VANISHED, wait_for
from policies import Files
from segments import ACK, MSS_1460, SYN, Port, Segment
from test_gateway import Gateway

SIZE = 2_000_000
ALL_OPTIONS = 1 | 2 | 4  # TCP_INFO: timestamps, SACK, window scale
TCP_INFO_OPTIONS = 5
ELSEWHERE = 8090


@pytest.fixture
def wire(pair):
    """A veth hands on what is answered from the driver only to an end that has a program, too."""
    put_on_xdp(pair[0])
    return pair


def apply(synward, tmp_path, *services):
    synward.expect(0, "policy", "apply", Files(tmp_path).services(*services, mode="enforce"))


def flood_of(synward, name):
    rows = synward.json("status")["policy"]["services"]
    return next(row["flood"] for row in rows if row["name"] == name)


def wait_for_flood(synward, name, on):
    wait_for(lambda: flood_of(synward, name)["on"] == on, lambda: str(flood_of(synward, name)))


def echo(server):
    """Takes as much as a client sends, then sends it back."""
    peer = server.accept()[0]
    with peer:
        peer.settimeout(tcp.SECONDS)
        data = bytearray()
        while len(data) < SIZE:
            data += peer.recv(1 << 16)
        peer.sendall(data)


def talk(namespace, server, data):
    """A connection with data both ways, the first of it right behind the ACK. Its TCP options."""
    thread = threading.Thread(target=echo, args=(server,))
    thread.start()
    with tcp.connect(namespace, server.getsockname()[:2], server.family) as client:
        client.sendall(data)
        back = bytearray()
        while len(back) < SIZE:
            back += client.recv(1 << 16)
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    thread.join()
    assert back == data
    return info[TCP_INFO_OPTIONS]


def test_a_host_hands_over(wire, synward, family, tmp_path):
    near, far = wire
    data = random.Random(1).randbytes(SIZE)
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: always")
    wait_for_flood(synward, "web", True)
    with tcp.listener(far, family) as server:
        for _ in range(3):
            assert talk(near.namespace, server, data) == ALL_OPTIONS
    stats = synward.expect_outcomes(accepted=3)
    tallies = stats["tallies"]
    assert tallies["cookies_sent"] == tallies["cookies_accepted"] == tallies["handovers"] > 0
    assert tallies["handovers_failed"] == tallies["cookies_unsent"] == 0
    assert stats["conservation"]["answered"] == tallies["cookies_sent"]
    assert stats["anomalies"]["midstream"]["seen"] == 0


def test_the_kernel_checks_its_own(wire, synward, family, tmp_path):
    near, far = wire
    data = random.Random(2).randbytes(SIZE)
    refused = synward.attach(far, options=(*QUICK, "--flood-way", "kernel"), code=1)
    assert "tcp_syncookies" in refused.stderr
    far.namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    synward.attach(far, options=(*QUICK, "--flood-way", "kernel"))
    apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: always")
    wait_for_flood(synward, "web", True)
    with tcp.listener(far, family) as server:
        for _ in range(3):
            talk(near.namespace, server, data)
    tallies = synward.expect_outcomes(accepted=3)["tallies"]
    assert tallies["cookies_sent"] == tallies["cookies_accepted"] > 0
    assert tallies["handovers"] == 0


def test_a_gateway_challenges(lab, synward, family, tmp_path):
    gateway = Gateway(lab)
    put_on_xdp(gateway.c0)
    data = random.Random(3).randbytes(SIZE)
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: always")
    wait_for_flood(synward, "web", True)
    with tcp.listener(gateway.s0, family) as server:
        for _ in range(3):
            assert talk(gateway.client, server, data) == ALL_OPTIONS
    stats = synward.expect_outcomes(accepted=3)
    assert stats["tallies"]["challenges_sent"] == 1, "its source is known from then on"
    assert stats["limits"]["challenge_answer"]["dropped"] == 1
    assert stats["tallies"]["cookies_sent"] == 0


def spoofed(near, far, family, flags, count, port=tcp.PORT, **fields):
    numbers = random.Random(4)
    sender = Port(near)
    for _ in range(count):
        sender.send(Segment(near.address(family, VANISHED), far.address(family),
                            numbers.randrange(1024, 65535), port, flags,
                            seq=numbers.getrandbits(32), options=MSS_1460 if flags == SYN else b"",
                            **fields))


def test_on_with_a_flood_and_off_with_calm(wire, synward, family, tmp_path):
    near, far = wire
    data = random.Random(5).randbytes(SIZE)
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path,
          "name: web, ports: [8080], syn_flood: adaptive, flood: {half_open: 50, calm: 1s}",
          f"name: other, ports: [{ELSEWHERE}], syn_flood: adaptive")
    with tcp.listener(far, family) as server, tcp.listener(far, family, ELSEWHERE) as other:
        assert talk(near.namespace, server, data) == ALL_OPTIONS
        assert synward.stats()["tallies"]["cookies_sent"] == 0, "there is no flood"
        spoofed(near, far, family, SYN, 100)
        wait_for(lambda: flood_of(synward, "web")["floods"] == 1, "the flood to be noticed")
        assert flood_of(synward, "web")["reason"] == "half_open"
        assert flood_of(synward, "other")["floods"] == 0
        assert talk(near.namespace, other, data) == ALL_OPTIONS
        wait_for_flood(synward, "web", False)
        before = synward.stats()["tallies"]["cookies_sent"]
        assert talk(near.namespace, server, data) == ALL_OPTIONS
        assert synward.stats()["tallies"]["cookies_sent"] == before
        assert flood_of(synward, "web")["floods"] == 1, "what it left is no new flood"
    assert synward.outcomes()["accepted"] == 3


def test_acks_without_a_cookie_die(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: always")
    wait_for_flood(synward, "web", True)
    with tcp.listener(far, family) as server:
        spoofed(near, far, family, ACK, 50, ack=12345)
        wait_for(lambda: synward.stats()["limits"]["bad_cookie"]["dropped"] == 50,
                 lambda: str(synward.stats()["limits"]["bad_cookie"]))
        tcp.accepted(near.namespace, server, 1)
    stats = synward.expect_outcomes(accepted=1)
    assert stats["limits"]["bad_cookie"]["dropped"] == 50
