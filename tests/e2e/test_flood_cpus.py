# SPDX-License-Identifier: GPL-2.0-or-later
"""
Segments of one client come to several CPUs, one after the other or at the same moment, as a card with more
than one queue and routes of different length have it: by each of the ways it is one connection, whole.
"""

import contextlib
import itertools
import os
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import bpftool, fresh
from floods import SYNCOOKIES, Ghost, answerable, defend
from net import Lab, wait_for
from segments import ACK, PSH, RST, Port, frame

CPUS = (min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0)))
FIRST, SECOND = b"this comes first, ", b"that comes second"
WHOLE = FIRST + SECOND
RACES = 60  # of each kind and family

pytestmark = pytest.mark.skipif(CPUS[0] == CPUS[1], reason="it takes two CPUs")


@contextlib.contextmanager
def pinned():
    """Yields a function that puts this thread on a CPU; a veth has it receive what it sends."""
    before = os.sched_getaffinity(0)
    try:
        yield lambda cpu: os.sched_setaffinity(0, {cpu})
    finally:
        os.sched_setaffinity(0, before)


class Crossroads:
    def __init__(self, lab, synward, path, way):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        Ghost.route(self.far)
        self.port, self.synward = lab.enter_context(Port(self.near)), synward
        self.far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[way])
        answerable(self.near)
        defend(synward, path, self.far, way=way)
        self.servers = {family: lab.enter_context(tcp.listener(self.far, family))
                        for family in FAMILIES.values()}

    def ghost(self, family):
        return Ghost(self.port, self.far, family)

    def received(self):
        """How many frames each of the two CPUs has received."""
        pin = self.synward.pin_dir / "maps" / "traffic"
        found = bpftool("map", "lookup", "pinned", pin, "key", *[0] * 4)["formatted"]["values"]
        seen = {one["cpu"]: one["value"]["directions"][0]["seen"] for one in found}
        return [seen[cpu] for cpu in CPUS]

    def _take(self, server, peers):
        """What has come until now, by the client's address: its connection, and what that has said."""
        with contextlib.suppress(BlockingIOError):
            while True:
                peer, source = server.accept()
                self.open.enter_context(peer).setblocking(False)
                assert source[0] not in peers, "one connection of each"
                peers[source[0]] = peer, bytearray()
        for peer, said in peers.values():
            with contextlib.suppress(BlockingIOError):
                said += peer.recv(64)

    def expect_whole(self, family, ghosts):
        """Each has one connection, on which all has come; nobody was reset."""
        peers, server = {}, self.servers[family]
        server.setblocking(False)

        def is_whole():
            self._take(server, peers)
            missing = [ghost for ghost in ghosts
                       if len(peers.get(ghost.address, (None, b""))[1]) < len(WHOLE)]
            for ghost in missing:
                for segment in segments(ghost):
                    self.port.send(segment)
            return not missing

        with contextlib.ExitStack() as self.open:
            wait_for(is_whole, lambda: f"all of what these say: {peers}")
            assert {address: bytes(said) for address, (_, said) in peers.items()} == {
                ghost.address: WHOLE for ghost in ghosts}
            assert self.far.namespace.counter("Tcp", "OutRsts") == 0
            for ghost in ghosts:
                self.port.send(ghost.next(RST | ACK, at=len(WHOLE)))


def segments(ghost):
    """Those that a client's kernel sends when it has heard the SYN-ACK."""
    return (ghost.next(), ghost.next(PSH | ACK, FIRST), ghost.next(PSH | ACK, SECOND, at=len(FIRST)))


@pytest.fixture(scope="module", params=SYNCOOKIES)
def roads(request, bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("cpus")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        yield Crossroads(lab, synward, path, request.param)


def test_one_after_the_other(roads, family):
    """SYN, the answer to a challenge and the next SYN, ACK, data and more data: each on every CPU."""
    before, ghosts = roads.received(), []
    with pinned() as go_to:
        for where in itertools.product(CPUS, repeat=6):
            go_to(where[0])
            ghost = roads.ghost(family).knock()
            go_to(where[1])
            ghosts.append(ghost.prove(lambda: go_to(where[2])))
            for cpu, segment in zip(where[3:], segments(ghost)):
                go_to(cpu)
                roads.port.send(segment)
    roads.expect_whole(family, ghosts)
    assert all(now - then > len(ghosts) for now, then in zip(roads.received(), before))


def test_at_the_same_moment(roads, family):
    """Each of the three is overtaken by another, or it is not."""
    ghosts = [roads.ghost(family).knock().prove() for _ in range(3 * RACES)]
    frames = [[frame(roads.near.mac, roads.far.mac, one) for one in segments(ghost)]
              for ghost in ghosts]
    ready = threading.Barrier(len(CPUS))

    def send(number):
        with pinned() as go_to:
            go_to(CPUS[number])
            for alone, three in zip(itertools.cycle(range(3)), frames):
                ready.wait(tcp.SECONDS)
                for i, data in enumerate(three):
                    if (i == alone) == bool(number):
                        roads.port.socket.send(data)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(CPUS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roads.expect_whole(family, ghosts)
