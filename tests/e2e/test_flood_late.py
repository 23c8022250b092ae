# SPDX-License-Identifier: GPL-2.0-or-later
"""
The last ACK of a connection comes once more when its server has forgotten it. The server knows as little
of its flow as of a handshake by cookie: is it taken for one?
"""

import pytest

import tcp
from cli import fresh
from defended import Yard
from floods import Crowd, answerable, defend, receive
from net import Lab, wait_for
from segments import ACK, FIN, PSH, RST, Port

# How floods are kept off, what net.ipv4.tcp_syncookies is, and how many connections such an ACK opens.
# The kernel's cookies hold on while both ends go on by equally much: with us or without us.
WAYS = {"the kernel alone": (None, 2, 1), "kernel": ("kernel", 2, 1), "handover": ("handover", 1, 0)}


class Street:
    def __init__(self, lab, syncookies):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        self.far.namespace.sysctl("net.ipv4.tcp_syncookies", syncookies)
        self.crowd = Crowd(self.near, self.far)
        self.near_port, self.far_port = (lab.enter_context(Port(end))
                                         for end in (self.near, self.far))
        answerable(self.near)

    def visit(self, server, data=b"as much there as back"):
        """A connection of somebody new, closed by both ends. Its last segment, and its address."""
        with self.near.namespace.socket(server.family) as client:
            client.settimeout(tcp.SECONDS)
            self.crowd.join(client)
            client.connect(server.getsockname()[:2])
            address = client.getsockname()[:2]
            client.sendall(data)
            peer = server.accept()[0]
            with peer:
                peer.settimeout(tcp.SECONDS)
                peer.sendall(receive(peer, len(data)))
                assert receive(client, len(data)) == data
                client.close()
                assert receive(peer, 1) == b""
        return self._last_ack(address), address

    def _last_ack(self, address):
        fin = self.far_port.receive(
            lambda s: (s.src, s.sport, s.flags & FIN) == (*address, FIN), "the client's FIN")
        last = self.far_port.receive(
            lambda s: ((s.src, s.sport, s.flags, s.seq) ==
                       (*address, ACK, (fin.seq + len(fin.payload) + 1) % 2**32)), "the last ACK")
        wait_for(lambda: not self.far.namespace.run("ss", "-Htn", "dst", f"[{address[0]}]").stdout,
                 "the server to forget the connection")
        return last

    def opened(self, server, address):
        """How many connections of a client have come before that of the next one."""
        with self.near.namespace.socket(server.family) as client:
            client.settimeout(tcp.SECONDS)
            self.crowd.join(client)
            client.connect(server.getsockname()[:2])
            client.sendall(b"it is me")
            count = 0
            while True:
                peer, source = server.accept()
                peer.close()
                if source[:2] == client.getsockname()[:2]:
                    return count
                assert source[:2] == address
                count += 1


@pytest.fixture(scope="module", params=WAYS)
def street(request, bpffs, tmp_path_factory):
    way, syncookies, expected = WAYS[request.param]
    path = tmp_path_factory.mktemp("late")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        made = Street(lab, syncookies)
        made.expected = expected
        if way:
            defend(synward, path, made.far, way=way)
        yield made


def test_the_last_ack_comes_again(street, family):
    with tcp.listener(street.far, family) as server:
        last, address = street.visit(server)
        street.near_port.send(last)
        assert street.opened(server, address) == street.expected


def test_what_comes_behind_the_servers_end(lab, wire, synward, family, tmp_path):
    """The kernel has no socket of it any more, and says so; nobody holds that back."""
    yard = Yard(lab, wire, family, synward, tmp_path)
    ghost = yard.ghost().knock()

    def is_refused():
        ghost.port.receive(lambda s: s.dst == ghost.address and s.flags & RST, "a RST")
    ghost.say(PSH | ACK, b"unread")
    yard.server.accept()[0].close()
    is_refused()
    assert yard.check()["times"] == 0  # by now it is not a moment ago that it was handed over
    ghost.say(PSH | ACK, b"more")
    is_refused()
    assert synward.stats()["tallies"]["handovers_held_back"] == 0
