# SPDX-License-Identifier: GPL-2.0-or-later
"""What real kernels do beside the plain handshake: none of it is suspicious, all of it is known."""

import contextlib
import errno
import pathlib
import socket
import struct

import pytest

import tcp
from causes import FAMILIES, QUICK, Stage
from live import Crossing, connect_from, events, need, seen, suspicious, syn_of
from net import wait_for
from segments import ACK, MSS_1460, SYN, Port, Segment
from test_gateway import Gateway

ECE, CWR, AE = 0x40, 0x80, 0x100
MPTCP = 262  # IPPROTO_MPTCP, which Python 3.11 does not name
TCP_MD5SIG, TCP_FASTOPEN, MSG_FASTOPEN = 14, 23, 0x20000000


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def stage(pair, family):
    return Stage(*pair, family)


def talk(client, server):
    """Both ends hear each other."""
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"hello")
        assert receiver.recv(64) == b"hello"


def connecting(end, family, peer, ports):
    """A socket that connects from one port to another, and does not wait for it."""
    waiting = end.namespace.socket(family)
    waiting.bind((end.address(family), ports[0]))
    waiting.setblocking(False)
    assert waiting.connect_ex((peer.address(family), ports[1])) == errno.EINPROGRESS
    return waiting


def is_connected(*sockets):
    """Also fails as soon as one of them cannot be connected any more."""
    for one in sockets:
        error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert not error, errno.errorcode[error]
        try:
            one.getpeername()
        except OSError:
            return False
    return True


@pytest.mark.parametrize("where", ("near", "far"))
def test_two_kernels_that_connect_to_each_other_at_once(lab, family, synward, where):
    """Their SYNs cross on the wire, so both answer SYN by SYN-ACK (RFC 9293 figure 8)."""
    crossing = Crossing(lab, lab.namespace("client"), lab.namespace("server"))
    near, far = crossing.near, crossing.far
    synward.attach(getattr(crossing, where), options=QUICK)
    for number in range(3):
        ports = (30000 + number, 40000 + number)
        with connecting(near, family, far, ports) as client, \
                connecting(far, family, near, ports[::-1]) as server:
            assert [syn.flags & 0x3F for syn in crossing.cross(SYN)] == [SYN, SYN]
            assert [one.flags & 0x3F for one in crossing.cross(SYN | ACK)] == [SYN | ACK] * 2
            crossing.carry(lambda: is_connected(client, server))
            client.sendall(b"hello")
            crossing.carry(lambda: server_has(server))
    stats = synward.expect_outcomes(accepted_simopen=3)
    assert seen(stats) == {"simultaneous_open": 3}
    assert stats["tallies"]["attempts_opened"] == stats["connections"] == 3


def server_has(server):
    try:
        return server.recv(64) == b"hello"
    except BlockingIOError:
        return False


def fast_open(client, address, family, data):
    opener = client.socket(family)
    opener.settimeout(tcp.SECONDS)
    opener.sendto(data, MSG_FASTOPEN, address)
    return opener


def test_fast_open_between_two_kernels(stage, synward):
    """The first connection asks for a cookie; the others bring it, and data in the SYN."""
    for end in (stage.near, stage.far):
        end.namespace.sysctl("net.ipv4.tcp_fastopen", 3)
    synward.attach(stage.far, options=QUICK)
    with tcp.listener(stage.far, stage.family) as server:
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        for number in range(4):
            data = b"early %d" % number
            with fast_open(stage.near.namespace, stage.server(), stage.family, data) as client, \
                    server.accept()[0] as accepted:
                assert accepted.recv(64) == data
                talk(client, accepted)
    stats = synward.expect_outcomes(accepted=4)
    assert stage.far.namespace.counter("TcpExt", "TCPFastOpenPassive") == 3, "no Fast Open here"
    assert seen(stats) == {"syn_data_tfo": 3}


def test_a_fast_open_server_may_answer_before_the_handshake_is_complete(lab, family, synward):
    """Its data and FIN come before the final ACK, which acknowledges them, too."""
    crossing = Crossing(lab, lab.namespace("client"), lab.namespace("server"))
    near, far = crossing.near, crossing.far
    for end in (near, far):
        end.namespace.sysctl("net.ipv4.tcp_fastopen", 3)
    synward.attach(far, options=QUICK)
    address = (far.address(family), tcp.PORT)
    with tcp.listener(far, family) as server:
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        server.setblocking(False)
        for _ in range(2):
            with near.namespace.socket(family) as client:
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    client.sendto(b"early", MSG_FASTOPEN, address)
                accepted = crossing.carry(lambda: accept(server))
                # what the client says now stays in the middle until the server is done
                with accepted:
                    crossing.carry(lambda: received(accepted) or client.getsockopt(
                        socket.SOL_SOCKET, socket.SO_ERROR))
