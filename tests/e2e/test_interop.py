# SPDX-License-Identifier: GPL-2.0-or-later
"""What real kernels do beside the plain handshake: none of it is suspicious, all of it is known."""

import contextlib
import errno
import socket
import struct

import pytest

import tcp
from causes import FAMILIES, QUICK
from live import Crossing, connect_from, events, need, seen, suspicious, syn_of
from net import wait_for
from segments import ACK, MSS_1460, SYN, Port, Segment
from test_gateway import BITS, Gateway

ECE, CWR, AE = 0x40, 0x80, 0x100
MPTCP = 262  # IPPROTO_MPTCP, which Python 3.11 does not name
TCP_MD5SIG, TCP_FASTOPEN, MSG_FASTOPEN = 14, 23, 0x20000000


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
    ports = (30000, 40000)
    with connecting(near, family, far, ports) as client, \
            connecting(far, family, near, ports[::-1]) as server:
        crossing.cross(SYN)
        crossing.cross(SYN | ACK)
        crossing.carry(lambda: is_connected(client, server))
        client.sendall(b"hello")
        crossing.carry(lambda: server_has(server))
        stats = synward.expect_outcomes(accepted_simopen=1)
    assert seen(stats) == {"simultaneous_open": 1}
    assert stats["tallies"]["attempts_opened"] == stats["connections"] == 1


def server_has(server):
    try:
        return server.recv(64) == b"hello"
    except BlockingIOError:
        return False


def fast_open(client, address, family, data):
    opener = client.socket(family)
    try:
        opener.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 3)  # blocks, but not for ever
        opener.sendto(data, MSG_FASTOPEN, address)
    except OSError:
        opener.close()
        raise
    return opener


def test_fast_open_between_two_kernels(watched):
    """The first connection asks for a cookie; the others bring it, and data in the SYN."""
    stage, synward = watched
    for end in (stage.near, stage.far):
        end.namespace.sysctl("net.ipv4.tcp_fastopen", 3)
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


def wait_state(namespace, state, port):
    """Until a socket of a local port is in that state: TIME-WAIT has none to ask."""
    wait_for(lambda: namespace.run("ss", "-Htan", "state", state, "sport", "=", port).stdout,
             f"port {port} to be in {state}")


@pytest.mark.parametrize("waiting, port", (("client", 25000), ("server", 25001)))
def test_ports_that_are_reused_while_in_time_wait(watched, waiting, port):
    """Whoever closes first waits; the same 5-tuple again is an ordinary connection."""
    stage, synward = watched
    near, far = stage.near.namespace, stage.far.namespace
    near.sysctl("net.ipv4.tcp_tw_reuse", 1)
    with contextlib.suppress(FileNotFoundError):  # since Linux 6.14; before, it is a second
        near.sysctl("net.ipv4.tcp_tw_reuse_delay", 10)
    with tcp.listener(stage.far, stage.family) as server:
        for _ in range(5):
            def again():
                with contextlib.suppress(OSError):  # the port is not free before the delay is over
                    return connect_from(stage.near, port, stage.server(), stage.family)
            client = wait_for(again, "the port to be free again")
            accepted, _ = server.accept()
            with client, accepted:
                talk(client, accepted)
                first, second = (client, accepted) if waiting == "client" else (accepted, client)
                first.shutdown(socket.SHUT_WR)
                assert second.recv(1) == b""
                second.close()
                assert first.recv(1) == b""
            wait_state(near if waiting == "client" else far, "time-wait",
                       port if waiting == "client" else tcp.PORT)
    assert seen(synward.expect_outcomes(accepted=5)) == {"syn_reuse": 4}


class Variants(contextlib.ExitStack):
    """Ways to prepare both ends' sockets; each returns what the SYN then must look like."""

    def __init__(self, stage):
        super().__init__()
        self.stage, self.protocol = stage, 0

    def sysctl(self, name, value):
        """At both ends, until this is over."""
        for space in (self.stage.near.namespace, self.stage.far.namespace):
            before = space.read_sysctl(name)
            space.sysctl(name, value)
            self.callback(space.sysctl, name, before)

    def ecn(self, server):
        self.sysctl("net.ipv4.tcp_ecn", 1)
        return lambda syn: syn.flags & (ECE | CWR | AE) == ECE | CWR

    def accecn(self, server):
        try:
            self.sysctl("net.ipv4.tcp_ecn", 3)
        except OSError:
            pytest.skip("this kernel has no AccECN")
        # the AE bit is the lowest of the byte before the flags
        return lambda syn: syn.flags & (ECE | CWR) == ECE | CWR

    def mptcp(self, server):
        self.protocol = MPTCP
        try:
            self.stage.near.namespace.sysctl("net.mptcp.enabled", 1)
        except OSError:
            pytest.skip("this kernel has no MPTCP")
        return lambda syn: b"\x1e" in syn.options

    def md5(self, server):
        self.key(server, self.stage.near)
        return lambda syn: b"\x13\x12" in syn.options

    def key(self, one, peer):
        """RFC 2385: a key for the peer, in the kernel's struct tcp_md5sig."""
        family = self.stage.family
        address = socket.inet_pton(family, peer.address(family))
        where = (struct.pack("=HH4s", family, 0, address) if family == socket.AF_INET else
                 struct.pack("=HHI16sI", family, 0, 0, address, 0))
        try:
            one.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG,
                           struct.pack("=128sBBHi80s", where, 0, 0, 6, 0, b"secret"))
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise
            pytest.skip("this kernel has no TCP-MD5")


@pytest.mark.parametrize("variant", ("ecn", "accecn", "mptcp", "md5"))
def test_extensions_of_tcp_are_ordinary(watched, variant):
    stage, synward = watched
    with Variants(stage) as variants, contextlib.ExitStack() as sockets:
        plain = sockets.enter_context(tcp.listener(stage.far, stage.family))
        looks_right = getattr(variants, variant)(plain)
        server = plain
        if variants.protocol:
            plain.close()
            server = sockets.enter_context(stage.far.namespace.socket(stage.family,
                                                                      protocol=MPTCP))
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(stage.server())
            server.listen()
        port = sockets.enter_context(Port(stage.far))
        for _ in range(3):
            client = sockets.enter_context(stage.near.namespace.socket(
                stage.family, protocol=variants.protocol))
            client.settimeout(tcp.SECONDS)
            if variant == "md5":
                variants.key(client, stage.far)
            client.connect(stage.server())
            accepted = sockets.enter_context(server.accept()[0])
            talk(client, accepted)
            syn = syn_of(port)
            assert looks_right(syn), syn
            accepted.close()
            client.close()
    stats = synward.expect_outcomes(accepted=3)
    assert not set(seen(stats)) & suspicious(synward), seen(stats)


REFUSALS = {
    "route": None,
    "nft": {socket.AF_INET: "icmp type host-prohibited",
            socket.AF_INET6: "icmpv6 type port-unreachable"},
}


@pytest.mark.parametrize("end", ("c0", "g0"))
@pytest.mark.parametrize("how", REFUSALS)
def test_a_router_that_answers_by_icmp(lab, synward, how, end):
    """Destination unreachable, of a route and of a firewall; seen by the client and the router."""
    gateway = Gateway(lab)
    router, targets = gateway.router, {family: gateway.s0.address(family) for family in BITS}
    gateway.tell_all_errors()
    if how == "nft":
        need("nft")
        router.run("nft", "add table inet t; add chain inet t f { type filter hook forward priority 0; }; "
                   + "; ".join(f"add rule inet t f meta nfproto {name} tcp dport 8080 reject with "
                               f"{REFUSALS[how][family]}" for name, family in FAMILIES.items()))
    else:
        for family, target in targets.items():
            router.ip("route", "add", "unreachable", target + BITS[family])
    synward.attach(getattr(gateway, end), options=QUICK)
    with events(synward) as read:
        for count, (family, target) in enumerate(targets.items(), 1):
            for _ in range(4):
                tcp.unanswered(gateway.client, (target, tcp.PORT), family, 1)
            synward.expect_outcomes(rejected=4 * count)
            ended = read(lambda those: len(those) >= 4 * count)[-4:]
            assert [one["handshake"]["outcome"] for one in ended] == ["rejected"] * 4
            assert [one["handshake"]["reason"] for one in ended] == ["icmp"] * 4
            assert {one["dest_ip"] for one in ended} == {target}
    assert seen(synward.stats()) == {}


def forge_syn(stage, client):
    """A SYN into a connection, as if of its client. Returns the server's answer."""
    here, there = client.getsockname()[:2], stage.server()
    with Port(stage.near) as port:
        return port.exchange(Segment(here[0], there[0], here[1], there[1], SYN, seq=1,
                                     options=MSS_1460), ACK)


@pytest.fixture
def connection(stage, synward):
    """Both ends' sockets of one that was accepted."""
    synward.attach(stage.far, options=QUICK)
    with tcp.listener(stage.far, stage.family) as server:
        client = tcp.connect(stage.near.namespace, stage.server(), stage.family)
        accepted, _ = server.accept()
        with client, accepted:
            talk(client, accepted)
            yield client, accepted


CHALLENGED = {"syn_on_established": 1, "resp_segment_in_syn_sent": 1}


def test_a_challenge_ack_is_known_and_the_connection_lives_on(stage, connection, synward):
    """A SYN forged into a connection: the server asks back (RFC 5961 4.2), and life goes on."""
    assert forge_syn(stage, connection[0]).payload == b""
    stats = synward.expect_outcomes(accepted=1, resp_no_synack=1)
    assert seen(stats) == CHALLENGED
    assert stats["connections"] == 1
    talk(*connection)
    assert synward.stats()["connections"] == 1
    assert synward.outcomes() == {"accepted": 1, "resp_no_synack": 1}


def test_what_a_connection_says_later_answers_no_forged_syn(stage, connection, synward):
    """That SYN's attempt is over: the server's next data are not a second answer to it."""
    forge_syn(stage, connection[0])
    synward.expect_outcomes(accepted=1, resp_no_synack=1)
    for _ in range(5):
        talk(*connection)
    assert seen(synward.stats()) == CHALLENGED
