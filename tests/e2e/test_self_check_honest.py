# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the flood defence takes for its own fault, and what not: servers and clients that are short, rude or
restarted; and faults that concern some of the clients, or one of several services.
"""

import contextlib
import socket
import struct
import threading

import pytest

import tcp
from defended import HELLO, Yard
from firewalls import MEMORY, ONLY_SYNS, put_up
from floods import ALWAYS
from live import need
from net import wait_for
from segments import ACK, PSH

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST
LOOKED_AT = 10
OTHER = 9090
IPV4_ONLY = pytest.mark.parametrize("family", [socket.AF_INET])


@pytest.fixture
def yard(lab, wire, family, synward, tmp_path):
    return Yard(lab, wire, family, synward, tmp_path, ALWAYS,
                f"name: other, ports: [{OTHER}], syn_flood: always")


@contextlib.contextmanager
def serving(server, how):
    """Does that with each connection as soon as it is there."""
    server.settimeout(0.1)
    over = threading.Event()

    def serve():
        while not over.is_set():
            with contextlib.suppress(OSError), server.accept()[0] as peer:
                how(peer)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        server.settimeout(tcp.SECONDS)


def is_well(yard):
    return yard.check()["phase"] == "answers" and yard.check()["times"] == 0


def come_and_go(yard, until):
    """Clients, each gone as soon as the server has done with it."""
    def one():
        with contextlib.suppress(ConnectionResetError), yard.client() as client:
            client.recv(1)
        return until()
    wait_for(one, lambda: str(yard.flood()))


def looked_at(yard):
    return yard.evidence("served") + yard.evidence("unserved") >= LOOKED_AT


@pytest.mark.parametrize("how", ("resets", "closes", "says something"))
def test_a_server_that_is_short(yard, how):
    def answer(peer):
        if how == "resets":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        elif how == "says something":
            peer.sendall(HELLO)
    with serving(yard.server, answer):
        come_and_go(yard, lambda: looked_at(yard))
    assert yard.evidence("unserved") == 0 and is_well(yard)


def test_clients_that_leave_at_once(yard):
    with serving(yard.server, lambda peer: None):
        def one():
            yard.client().close()
            return looked_at(yard)
        wait_for(one, lambda: str(yard.flood()))
    assert yard.evidence("unserved") == 0 and is_well(yard)


def test_a_listener_that_is_restarted(lab, yard):
    """With connections that it had not accepted, which its kernel resets."""
    waiting = [yard.client() for _ in range(LOOKED_AT)]
    yard.server.close()
    yard.server = lab.enter_context(tcp.listener(yard.far, yard.family))
    with serving(yard.server, lambda peer: None):
        come_and_go(yard, lambda: looked_at(yard))
    for client in waiting:
        client.close()
    assert is_well(yard)


def test_a_listener_that_is_away_for_a_moment(lab, yard):
    """Cookies come back when nobody listens; that says nothing about the defence."""
    ghosts = [yard.ghost().knock() for _ in range(LOOKED_AT)]
    yard.server.close()
    for ghost in ghosts:
        ghost.say(PSH | ACK, HELLO)
    yard.server = lab.enter_context(tcp.listener(yard.far, yard.family))
    with serving(yard.server, lambda peer: None):
        come_and_go(yard, lambda: yard.evidence("served") >= LOOKED_AT)
    assert yard.evidence("unserved") == 0 and is_well(yard)


# ---- what concerns some

def wait_until_aside(yard, client, service="web"):
    """Clients come and are left alone until that is noticed."""
    with contextlib.ExitStack() as clients:
        def stepped_aside():
            with contextlib.suppress(ConnectionResetError):
                clients.enter_context(client()).sendall(HELLO)
            return yard.check(service)["stepped_aside"]
        wait_for(stepped_aside, lambda: str(yard.flood(service)))


@IPV4_ONLY
def test_one_family_of_two(lab, yard):
    """The firewall's rules for IPv6 are others; IPv4 is well, and has more clients."""
    need("nft")
    six = lab.enter_context(tcp.listener(yard.far, socket.AF_INET6))
    put_up(yard.far.namespace, MEMORY.replace("ip saddr . tcp sport != @seen4 drop",
                                              "ip saddr 192.0.2.1 drop"))

    def client():
        yard.talks(3)
        return yard.client(socket.AF_INET6)
    wait_until_aside(yard, client)
    found = yard.check()["found"]
    assert found["family"] == "ipv6" and found["unserved"] > found["served"]
    assert "IPv6)" in yard.synward.run("status").stdout
    with yard.client(socket.AF_INET6) as client:
        client.sendall(HELLO)
        while (peer := six.accept()[0]).getpeername()[1] != client.getsockname()[1]:
            peer.close()
        with peer:
            assert peer.recv(64) == HELLO


def test_a_firewall_on_the_way_out(lab, wire, family, synward, tmp_path):
    """The server's kernel has the connection, and nothing that it says leaves."""
    need("nft")
    yard = Yard(lab, wire, family, synward, tmp_path, policy="")
    put_up(yard.far.namespace, """table inet t { chain out {
        type filter hook output priority 0;
        tcp sport 8080 tcp flags & syn == 0 drop
    }
}""")
    wait_until_aside(yard, yard.client)
    assert yard.check()["reason"] == "unserved"


def test_a_firewall_that_refuses(yard):
    need("nft")
    put_up(yard.far.namespace, MEMORY.replace(" drop", " reject with tcp reset"))
    wait_until_aside(yard, yard.client)
    assert yard.check()["reason"] == "unserved"


@IPV4_ONLY
def test_one_service_of_two(lab, yard):
    """The other one has clients all the time."""
    need("nft")
    lab.enter_context(tcp.listener(yard.far, yard.family, OTHER))
    put_up(yard.far.namespace, MEMORY.replace("8080", str(OTHER)))
    with serving(yard.server, lambda peer: peer.sendall(HELLO)):
        def client():
            for _ in range(5):
                with yard.client() as honest:
                    honest.recv(64)
            return yard.client(port=OTHER)
        wait_until_aside(yard, client, "other")
    assert yard.check()["phase"] == "answers"


@IPV4_ONLY
def test_conntrack_is_told_for_one_service_only(lab, yard):
    need("nft")
    lab.enter_context(tcp.listener(yard.far, yard.family, OTHER))
    put_up(yard.far.namespace, ONLY_SYNS.replace("tcp flags", f"tcp dport {OTHER} tcp flags"))
    with contextlib.ExitStack() as clients:
        def told():
            client = clients.enter_context(yard.client(port=OTHER))
            client.sendall(HELLO)
            return yard.check("other")["tells_conntrack"]
        wait_for(told, lambda: str(yard.flood("other")))
    assert not yard.check()["tells_conntrack"]
