# SPDX-License-Identifier: GPL-2.0-or-later
"""
Whoever listens is found, however it listens; and one that takes no more, has gone away or wants data in
the SYN is treated as the kernel treats it.
"""

import contextlib
import os
import socket
import struct
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from floods import SYNCOOKIES, Crowd, Ghost, answerable, defend, receive, talk
from hooks import tag_frames
from net import Lab, wait_for
from segments import ACK, MSS_1460, PSH, RST, SYN, Port

PROBE = 9
GROUP, CLIENTS = 4, 64
TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 23, 30


class Inn:
    def __init__(self, lab, synward, path):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        self.crowd = Crowd(self.near, self.far)
        Ghost.route(self.far)
        self.synward = synward
        for space in (self.near.namespace, self.far.namespace):
            space.sysctl("net.ipv4.tcp_fastopen", 3)
        answerable(self.near)
        defend(synward, path, self.far)

    def talk(self, server, family, data=b"hello"):
        """With somebody new, by the server's address of a family."""
        return talk(self.near.namespace, server, data, (self.far.address(family), tcp.PORT),
                    self.crowd.join)

    def tally(self, name):
        return self.synward.stats()["tallies"][name]


@pytest.fixture(scope="module")
def inn(bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("listeners")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        yield Inn(lab, synward, path)


@contextlib.contextmanager
def listening(end, family, address, options=(), backlog=4096):
    """On an address, whatever it is, with socket options."""
    with end.namespace.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            server.setsockopt(*option)
        server.bind((address, tcp.PORT))
        server.listen(backlog)
        server.settimeout(tcp.SECONDS)
        yield server


DUAL = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
ONLY = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


# ---- signed SYNs (RFC 2385, RFC 5925)

TCP_MD5SIG, KEY = 14, b"a secret"
SIGNED = {"MD5 of no length": "13020101", "MD5 too short": f"130a{'00' * 8}0101",
          "MD5": f"1312{'00' * 16}0101", "AO of no length": "1d020101", "AO without a signature": "1d040101",
          "AO": f"1d10{'00' * 14}"}


def use_key(end, address):
    """TCP_MD5SIG (tcp(7)): all segments from and to an address are signed."""
    family = end.family
    packed = socket.inet_pton(family, address)
    place = (struct.pack("=HH4s", family, 0, packed) if family == socket.AF_INET else
             struct.pack("=HHI16s", family, 0, 0, packed))
    end.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG,
                   place.ljust(128, b"\0") + struct.pack("=BBHi80s", 0, 0, len(KEY), 0, KEY))


@pytest.mark.parametrize("options", SIGNED.values(), ids=SIGNED)
def test_a_signature_that_nobody_looks_at_is_no_way_in(inn, family, options):
    with tcp.listener(inn.far, family), Port(inn.near) as port:
        ghost, before = Ghost(port, inn.far, family), inn.synward.stats()
        port.send(ghost.segment(SYN, ghost.isn, options=MSS_1460 + bytes.fromhex(options)))
        ghost.hear_synack()
        after = inn.synward.stats()
    assert after["tallies"]["cookies_sent"] - before["tallies"]["cookies_sent"] == 1
    assert after["tallies"]["attempts_opened"] == before["tallies"]["attempts_opened"]


def test_a_listener_with_keys_looks_at_them_itself(inn, family):
    """Its client would take no answer that is not signed."""
    with (listening(inn.far, family, inn.far.address(family)) as server,
          inn.near.namespace.socket(family) as client):
        before, address = inn.tally("cookies_sent"), inn.crowd.address(family)
        use_key(server, address)
        use_key(client, inn.far.address(family))
        client.settimeout(tcp.SECONDS)
        inn.crowd.join(client, address)
        client.connect(server.getsockname()[:2])
        with server.accept()[0] as peer:
            client.sendall(b"hello")
            assert receive(peer, 5) == b"hello"
        assert inn.tally("cookies_sent") == before
        assert inn.talk(server, family)
        assert inn.tally("cookies_sent") == before + 1


# ---- how it listens


@pytest.mark.parametrize("bound, options, families", (
    ("0.0.0.0", (), ("ipv4",)), ("::", (ONLY,), ("ipv6",)), ("::", (DUAL,), ("ipv4", "ipv6"))),
    ids=("any IPv4", "any IPv6", "both"))
def test_a_wildcard(inn, bound, options, families):
    kind = socket.AF_INET6 if ":" in bound else socket.AF_INET
    before = inn.tally("handovers")
    with listening(inn.far, kind, bound, options) as server:
        for name in families:
            inn.talk(server, FAMILIES[name], b"x" * 200_000)
    assert inn.tally("handovers") - before == len(families)


def test_the_more_specific_one_is_found(inn, family):
    anywhere, options = ("::", (ONLY,)) if family == socket.AF_INET6 else ("0.0.0.0", ())
    reuse = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with (listening(inn.far, family, anywhere, (*options, reuse)) as general,
          listening(inn.far, family, inn.far.address(family), (reuse,)) as server):
        inn.talk(server, family)
        general.settimeout(0)
        with pytest.raises(BlockingIOError):
            general.accept()


def test_a_group_shares_its_clients(inn, family):
    """SO_REUSEPORT: each of the sockets gets some, and all that are its own can be used."""
    reuse = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    before = inn.tally("handovers")
    with contextlib.ExitStack() as stack:
        group = [stack.enter_context(listening(inn.far, family, inn.far.address(family), (reuse,)))
                 for _ in range(GROUP)]
        for i in range(CLIENTS):
            client = stack.enter_context(inn.near.namespace.socket(family))
            client.settimeout(tcp.SECONDS)
            inn.crowd.join(client)
            client.connect((inn.far.address(family), tcp.PORT))
            client.sendall(f"{i:4}".encode())
        words = {server: [] for server in group}
        for server, said in words.items():
            server.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    peer = stack.enter_context(server.accept()[0])
                    peer.settimeout(tcp.SECONDS)
                    said.append(int(receive(peer, 4)))
    assert all(words.values())
    assert sorted(sum(words.values(), [])) == list(range(CLIENTS))
    assert inn.tally("handovers") - before == CLIENTS


def test_one_that_has_gone_away(inn, family):
    """Between the SYN and the ACK: its kernel resets the client, as ever."""
    with Port(inn.near) as port:
        with tcp.listener(inn.far, family):
            ghost = Ghost(port, inn.far, family).knock()
        before = inn.tally("handovers")
        ghost.say(PSH | ACK, b"data")
        assert RST in ghost.heard(PROBE)
        assert inn.tally("handovers") == before
        with tcp.listener(inn.far, family) as server:
            other = Ghost(port, inn.far, family).knock()
            other.say(PSH | ACK, b"data")
            with server.accept()[0] as peer:
                assert peer.recv(64) == b"data", "another one in its place"
        other.say(RST | ACK)


def test_one_that_takes_no_more(inn, family):
    """
    Nobody is reset: they try again until there is room, and what they said more is counted, also if it
    comes to another CPU than what they said first.
    """
    failed, held, count = inn.tally("handovers_failed"), inn.tally("handovers_held_back"), 6
    said, done = [], []
    first, last = ({end(os.sched_getaffinity(0))} for end in (min, max))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(tcp.listener(inn.far, family, backlog=1))

        def visit(number):
            os.sched_setaffinity(0, first)
            with inn.near.namespace.socket(family) as client:
                client.settimeout(tcp.SECONDS)
                inn.crowd.join(client)
                client.connect((inn.far.address(family), tcp.PORT))
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for part in (b"%02d" % number, b" %d" % number):
                    client.sendall(part)
                    os.sched_setaffinity(0, last)
                done.append(receive(client, 4))

        threads = [threading.Thread(target=visit, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        wait_for(lambda: inn.tally("handovers_failed") - failed >= count - 2, "a full queue")
        for _ in range(count):
            peer = stack.enter_context(server.accept()[0])
            said.append(receive(peer, 4))
            peer.sendall(said[-1])
        for thread in threads:
            thread.join()
    assert sorted(said) == sorted(done) == [b"%02d %d" % (number, number) for number in range(count)]
    assert inn.tally("handovers_held_back") - held >= count - 2


def test_fast_open_waits_for_proof(inn, family):
    """
    Data in the SYN of an unknown source prove nothing and are sent again; once it has brought a cookie
    back, its SYNs pass, and TCP Fast Open is the kernel's own affair.
    """
    fast = (socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    source = inn.crowd.address(family)

    def prepare(client):
        inn.crowd.join(client, source)
        client.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)

    def used():
        return inn.far.namespace.counter("TcpExt", "TCPFastOpenPassive")

    address = inn.far.address(family)
    with listening(inn.far, family, address, (fast,)) as server:
        sent, before = inn.tally("cookies_sent"), used()
        for _ in range(4):
            talk(inn.near.namespace, server, b"hello" * 1000, (address, tcp.PORT), prepare)
        assert inn.tally("cookies_sent") - sent == 1
        assert used() > before, "in the end data in the SYN were taken"


def leave_room(client):
    """For the tags, in what a veth carries."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)


@pytest.mark.parametrize("way", SYNCOOKIES)
@pytest.mark.parametrize("tags", (1, 2), ids=("VLAN", "QinQ"))
def test_tagged(lab, synward, tmp_path, tags, way):
    near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
    tag_frames((near, far), tags)
    answerable(near)
    crowd = Crowd(near, far)
    far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[way])
    defend(synward, tmp_path, far, way=way)

    def prepare(client):
        crowd.join(client)
        leave_room(client)

    for family in FAMILIES.values():
        with tcp.listener(far, family) as server:
            for _ in range(3):  # where the kernel has to be heard, one may pass
                talk(near.namespace, server, b"x" * 100_000, prepare=prepare)
    tallies = synward.expect_outcomes(accepted=6)["tallies"]
    if way == "handover":
        assert tallies["cookies_sent"] == tallies["handovers"] == 6
    elif way == "kernel":
        assert tallies["cookies_sent"] == tallies["cookies_accepted"] > 0 and not tallies["handovers"]
    else:
        assert tallies["challenges_sent"] == 6 and not tallies["cookies_sent"]
