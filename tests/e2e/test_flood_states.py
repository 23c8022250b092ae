# SPDX-License-Identifier: GPL-2.0-or-later
"""
However a connection ends, after or amid a handshake under a flood, by each of the ways: the server's
program and its clients see what they see without a defence.
"""

import contextlib
import socket
import struct

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from floods import SYNCOOKIES, Ghost, answerable, defend
from net import Lab
from segments import ACK, FIN, PSH, RST, SYN, Port

PROBE = 9  # a closed port


def reads(peer):
    """What the client says, until it ends."""
    said = peer.recv(4096)
    while more := peer.recv(4096):
        said += more
    return [said.decode(), "end"]


def answers_an_end(peer):
    """Goes on talking to a client that has said all."""
    said = reads(peer)
    peer.sendall(b"good bye")
    return said


def closes_its_half(peer):
    peer.shutdown(socket.SHUT_WR)
    return reads(peer)


def closes(_):
    return []


def resets(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return []


SERVERS = {8080 + i: how for i, how in
           enumerate((reads, answers_an_end, closes_its_half, closes, resets))}
PORTS = {how: port for port, how in SERVERS.items()}
WEB = f"name: web, ports: [{min(SERVERS)}-{max(SERVERS)}], syn_flood: always"


def say(*steps):
    """A client that says these, one after the other: flags, data, and how far ahead of its turn."""
    def client(ghost):
        for step in steps:
            ghost.say(*step)
    return client


def goes_unheard(ghost):
    """Its RST is lost, its ACK is late."""
    ghost.say(RST, b"", 1 << 30)
    ghost.say(ACK)
    ghost.say(FIN | ACK)


def begins_anew(ghost):
    """A SYN on its connection, which the server must not take for a new one (RFC 5961)."""
    ghost.say(ACK)
    ghost.syn()
    ghost.say(FIN | ACK)


def overtakes_itself(ghost):
    """Its end comes before its data, and both before its ACK."""
    ghost.port.send(ghost.next(FIN | ACK, at=4))
    ghost.say(PSH | ACK, b"data")
    ghost.say(FIN | ACK)


def comes_twice(ghost):
    """Everything it sends does."""
    for flags, data in ((ACK, b""), (PSH | ACK, b"data"), (FIN | ACK, b"")):
        ghost.port.send(ghost.next(flags, data))
        ghost.say(flags, data)


CLIENTS = {
    "resets the SYN-ACK": (reads, say((RST,))),
    "resets the SYN-ACK with an ACK": (reads, say((RST | ACK,))),
    "resets another number": (reads, goes_unheard),
    "resets after the ACK": (reads, say((ACK,), (RST,))),
    "resets after the ACK by an ACK": (reads, say((ACK,), (RST | ACK,))),
    "resets after data": (reads, say((ACK,), (PSH | ACK, b"data"), (RST | ACK,))),
    "resets after data without an ACK": (reads, say((PSH | ACK, b"data"), (RST | ACK,))),
    "ends with the ACK": (reads, say((FIN | ACK,))),
    "ends right after the ACK": (reads, say((ACK,), (FIN | ACK,))),
    "ends with the first data": (reads, say((ACK,), (FIN | PSH | ACK, b"data"))),
    "ends with the ACK and data": (reads, say((FIN | PSH | ACK, b"data"))),
    "ends and resets": (reads, say((ACK,), (FIN | ACK,), (RST,))),
    "begins anew": (reads, begins_anew),
    "overtakes itself": (reads, overtakes_itself),
    "comes twice": (reads, comes_twice),
    "hears the end last": (reads, say((ACK,), (PSH | ACK, b"data"), (FIN | ACK,))),
    "ends its half": (answers_an_end, say((ACK,), (PSH | ACK, b"data"), (FIN | ACK,))),
    "ends its half with the ACK": (answers_an_end, say((FIN | PSH | ACK, b"data"))),
    "hears the end first": (closes_its_half, say((ACK,), (PSH | ACK, b"data"), (FIN | ACK,))),
    "is not wanted": (closes, say((ACK,))),
    "is not wanted with its data": (closes, say((ACK,), (PSH | ACK, b"data"))),
    "is not wanted with the first data": (closes, say((PSH | ACK, b"data"))),
    "is reset": (resets, say((ACK,))),
    "is reset with its data": (resets, say((PSH | ACK, b"data"))),
}

# What clients do when the server has closed: the states of the kernel's end from FIN-WAIT-1 to TIME-WAIT.


def hears(*steps):
    """As say(), but each acknowledges the server's end, too."""
    def client(ghost):
        for flags in steps:
            ghost.say(flags, ack=ghost.synack.seq + 2)
    return client


LATER = {
    "resets the end": ("is not wanted", say((RST,))),
    "ends at the same time": ("is not wanted", say((FIN | ACK,))),
    "ends at the same time and resets": ("is not wanted", say((FIN | ACK,), (RST,))),
    "ends at the same time and acknowledges": ("is not wanted", lambda ghost: (
        ghost.say(FIN | ACK), hears(ACK)(ghost))),
    "acknowledges the end": ("is not wanted", hears(ACK)),
    "acknowledges the end and resets": ("is not wanted", hears(ACK, RST)),
    "answers the end": ("is not wanted", hears(FIN | ACK)),
    "answers the end and resets": ("is not wanted", hears(FIN | ACK, RST)),
    "answers the end twice": ("is not wanted", lambda ghost: (
        ghost.port.send(ghost.next(FIN | ACK, ack=ghost.synack.seq + 2)), hears(FIN | ACK)(ghost))),
    "resets the last end": ("hears the end last", say((RST | ACK,))),
    "repeats its end": ("hears the end last", lambda ghost: (
        ghost.port.send(ghost.next(FIN | ACK, at=-1)))),
}


class House:
    """Servers that behave differently, and clients made by hand."""

    def __init__(self, lab):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        Ghost.route(self.far)
        self.port = lab.enter_context(Port(self.near))
        self.servers = {(family, port): lab.enter_context(tcp.listener(self.far, family, port))
                        for family in FAMILIES.values() for port in SERVERS}

    def _program(self, server, how):
        """What the server's program sees of the client that has come, if any."""
        server.settimeout(0)
        try:
            peer = server.accept()[0]
        except BlockingIOError:
            return ["nobody"]
        with peer:
            peer.settimeout(tcp.SECONDS)
            try:
                return ["somebody", *how(peer)]
            except ConnectionError as error:
                return ["somebody", type(error).__name__]

    def _later(self, ghost, later):
        """What a client hears when the server has closed, and in what state the server's end is then."""
        later(ghost)
        heard = {flags for flags in ghost.heard(PROBE) if not flags & FIN}  # that one is repeated
        sockets = self.far.namespace.run("ss", "-Htan", "dst", f"[{ghost.address}]").stdout
        return heard, sockets.split()[:1]

    def visit(self, family, name):
        """What the server's program sees, which ends the client does, and what is later."""
        first, later = LATER.get(name, (name, None))
        how, client = CLIENTS[first]
        ghost = Ghost(self.port, self.far, family, PORTS[how]).knock().prove()
        client(ghost)
        heard = ghost.heard(PROBE)
        seen = self._program(self.servers[family, PORTS[how]], how)
        heard += ghost.heard(PROBE)
        late = later and self._later(ghost, later)
        ghost.say(RST | ACK)  # leaves nothing that would be repeated
        return seen, {flags & (FIN | SYN | RST) for flags in heard} - {0}, late


ALL = (*CLIENTS, *LATER)


@pytest.fixture(scope="module", params=SYNCOOKIES)
def house(request, bpffs, tmp_path_factory):
    way = request.param
    with contextlib.ExitStack() as stack:
        made = House(stack.enter_context(Lab()))
        made.plain = {family: {name: made.visit(family, name) for name in ALL}
                      for family in FAMILIES.values()}
        path = tmp_path_factory.mktemp("states")
        made.way, made.synward = way, stack.enter_context(fresh(bpffs / path.name, path))
        answerable(made.near)
        made.far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[way])
        defend(made.synward, path, made.far, way=way, services=(WEB,))
        yield made


def test_every_end(house, family):
    before = house.synward.stats()["tallies"]
    found = {name: house.visit(family, name) for name in ALL}
    assert found == house.plain[family]
    after = house.synward.stats()["tallies"]
    grown = {name: after[name] - before[name] for name in after}
    taken = sum(seen != ["nobody"] for seen, *_ in found.values())
    assert taken == len(ALL) - 2
    if house.way == "handover":
        assert grown["cookies_sent"] == len(ALL)
        assert grown["cookies_accepted"] == grown["handovers"] == taken
    elif house.way == "kernel":
        assert grown["cookies_accepted"] > 0 and grown["handovers"] == 0
    else:
        assert grown["challenges_sent"] == len(ALL) and grown["cookies_sent"] == 0
