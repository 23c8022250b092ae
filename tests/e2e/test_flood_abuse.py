# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is sent to get past the cookies, or to hurt by means of them: nothing gets in that should not, nobody
honest notices, and nothing is lost from the books.
"""

import contextlib
import dataclasses
import errno
import random
import socket
import struct
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from cookies import Secrets
from floods import SYNCOOKIES, Crowd, Ghost, answerable, defend, receive, talk
from net import VANISHED, Lab, wait_for
from segments import ACK, FIN, MSS_1460, PSH, RST, SYN, Port, Segment, frame

PROBE, OTHER, CLOSED = 9, 8081, 8082
WEB = f"name: web, ports: [{tcp.PORT}-{CLOSED}], syn_flood: always"
FRAMES, ROUNDS = 1000, 20  # so many different ones, so often each
HONEST = 20
EPOCH_BITS = 16  # what is below them in a timestamp is nothing that a cookie has to prove
HELLO = b"hello"


class Yard:
    def __init__(self, lab, synward, path, way="handover"):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        self.crowd = Crowd(self.near, self.far)
        Ghost.route(self.far)
        self.port = lab.enter_context(Port(self.near))
        self.synward = synward
        answerable(self.near)
        self.far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[way])
        defend(synward, path, self.far, way=way, services=(WEB,))
        self.servers = {(family, port): lab.enter_context(tcp.listener(self.far, family, port))
                        for family in FAMILIES.values() for port in (tcp.PORT, OTHER)}

    def ghost(self, family, port=tcp.PORT):
        return Ghost(self.port, self.far, family, port)

    def accepted(self, family, port=tcp.PORT):
        """How many connections wait for the server's program; they are closed."""
        server, count = self.servers[family, port], 0
        server.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                server.accept()[0].close()
                count += 1
        return count

    def bad_cookies(self):
        return self.synward.stats()["limits"]["bad_cookie"]["dropped"]


@pytest.fixture(scope="module")
def yard(bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("abuse")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        yield Yard(lab, synward, path)


# ---- cookies


def wrong(ghost, yard, family):
    """ACKs that all bring back something else than they were given."""
    good = ghost.next()
    other = yard.ghost(family).knock().next()
    elsewhere = yard.ghost(family, OTHER).knock().next()
    for bit in range(32):
        yield ghost.next(ack=good.ack ^ 1 << bit)
        yield ghost.next(ack=good.ack ^ 1 << bit, options=b"")
        yield ghost.next(seq=good.seq ^ 1 << bit)
    for bit in range(EPOCH_BITS, 32):
        yield ghost.next(tsecr=int.from_bytes(good.options[8:12], "big") ^ 1 << bit)
    yield ghost.next(PSH | ACK, b"data that come", at=1)
    yield ghost.next(FIN | ACK, at=1)
    for theft in (other, elsewhere):
        yield Segment(*ghost.ends, ACK, theft.seq, theft.ack, options=theft.options)
        yield ghost.next(ack=theft.ack)
    for end in ({"sport": good.sport ^ 1}, {"dport": OTHER}, {"src": other.src}):
        yield dataclasses.replace(good, **end)


def test_a_wrong_cookie_opens_nothing(yard, family):
    ghost = yard.ghost(family).knock()
    before = yard.bad_cookies()
    count = 0
    for count, segment in enumerate(wrong(ghost, yard, family), 1):
        yard.port.send(segment)
    assert RST not in {flags & RST for flags in ghost.heard(PROBE)}
    assert yard.accepted(family) == yard.accepted(family, OTHER) == 0
    assert yard.bad_cookies() - before == count > 100
    ghost.say()
    ghost.heard(PROBE)
    assert yard.accepted(family) == 1, "the right one still does"
    ghost.say(RST | ACK)


def test_where_nobody_listens_no_cookie_is_bad(yard, family):
    """Such a flow may be one that goes on to somebody else; here the kernel refuses it."""
    ghost, before = yard.ghost(family, CLOSED), yard.bad_cookies()
    yard.port.send(ghost.segment(ACK, ghost.isn, 7))
    assert ghost.heard(PROBE) == [RST]
    assert yard.bad_cookies() == before


def test_a_client_may_leave_out_its_timestamp(yard, family):
    """It has asked for one and got one; plain Linux takes what it says without."""
    ghost = yard.ghost(family).knock()
    ghost.say(options=b"")
    ghost.say(PSH | ACK, HELLO, options=b"")
    with yard.servers[family, tcp.PORT].accept()[0] as peer:
        peer.settimeout(tcp.SECONDS)
        assert receive(peer, len(HELLO)) == HELLO
        peer.sendall(HELLO)
        answer = yard.port.receive(lambda s: s.dst == ghost.address and s.payload, "what it is told")
        assert (answer.payload, answer.options) == (HELLO, b"")
    ghost.say(RST | ACK)


def test_a_cookie_does_once(yard, family):
    """Repeated, it belongs to its connection, while that is there."""
    ghost = yard.ghost(family).knock()
    handovers = yard.synward.stats()["tallies"]["handovers"]
    ack = ghost.say()
    for _ in range(3):
        yard.port.send(ack)
    ghost.say(PSH | ACK, b"data")
    for _ in range(3):
        yard.port.send(ack)
    ghost.heard(PROBE)
    assert yard.synward.stats()["tallies"]["handovers"] - handovers == 1
    assert yard.accepted(family) == 1
    ghost.say(RST | ACK)


def of_epochs(yard, family, ages):
    """Who gets in with a cookie of so many epochs ago; None if another epoch began meanwhile."""
    secrets, let_in = Secrets.of(yard.synward), []
    for age in ages:
        ghost, before = yard.ghost(family), yard.bad_cookies()
        cookie = secrets.cookie(ghost.ends, ghost.isn, age)
        yard.port.send(ghost.segment(PSH | ACK, ghost.isn + 1, cookie + 1, payload=b"data",
                                     options=b""))
        ghost.heard(PROBE)
        let_in.append(yard.accepted(family))
        if let_in[-1]:
            yard.port.send(ghost.segment(RST | ACK, ghost.isn + 5, cookie + 1, options=b""))
        elif Secrets.of(yard.synward).epoch == secrets.epoch:
            assert yard.bad_cookies() - before == 1
    return let_in if Secrets.of(yard.synward).epoch == secrets.epoch else None


def test_a_cookie_of_another_epoch(yard, family):
    """This one's and those of the two before are honoured; older ones are not, nor is the coming one's."""
    ages = (0, 1, 2, 3, 4, 5, 8, -1)
    assert (of_epochs(yard, family, ages) or of_epochs(yard, family, ages)) == [1] * 3 + [0] * 5


def ends(ghost, server):
    """The client goes first, so that its server keeps nothing of it."""
    ghost.say(FIN | ACK)
    server.close()
    ghost.port.receive(lambda s: s.dst == ghost.address and s.flags & FIN, "the server's end")
    ghost.say(ack=ghost.synack.seq + 1 + len(HELLO) + 1)


def is_reset(_, server):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()


def resets(ghost, server):
    ghost.say(RST | ACK)
    server.close()


@pytest.mark.parametrize("end", (ends, is_reset, resets), ids=lambda end: end.__name__)
def test_a_cookie_opens_no_second_connection(yard, family, end):
    """When its own is over, it is worth nothing; but whoever begins anew, from the same port, gets in."""
    listener = yard.servers[family, tcp.PORT]
    listener.settimeout(tcp.SECONDS)
    before = yard.synward.stats()["tallies"]
    ghost = yard.ghost(family).knock()
    ack = ghost.say()
    data = ghost.say(PSH | ACK, b"data")
    with listener.accept()[0] as server:
        assert server.recv(64) == b"data"
        server.sendall(HELLO)
        end(ghost, server)
    ghost.heard(PROBE)

    def replayed():
        yard.port.send(ack)
        yard.port.send(data)
        assert ghost.heard(PROBE).count(RST) == 2
        assert yard.accepted(family) == 0
        return yard.synward.stats()["tallies"]["handovers_replayed"] - before["handovers_replayed"]

    wait_for(lambda: replayed() >= 2, "so much time that it is not of the same list any more")
    assert yard.synward.stats()["tallies"]["handovers"] - before["handovers"] == 1
    ghost.isn, ghost.sent = (ghost.isn + 2**20) % 2**32, 0
    ghost.knock().say()
    ghost.heard(PROBE)
    assert yard.accepted(family) == 1
    ghost.say(RST | ACK)


TCP_OPTIONS = {"none": b"", "an MSS": MSS_1460, "a timestamp": b"\1\1\10\12" + bytes(8),
               "SACK and a scale": b"\4\2\1\3\3\7\1\1",
               "all in a strange order": b"\3\3\7\10\12" + bytes(8) + b"\4\2\2\4\5\xb4\0"}


def test_no_answer_is_longer_than_its_syn(yard, family):
    """Or whoever sends SYNs in somebody's name would do more harm than by himself."""
    for name, options in TCP_OPTIONS.items():
        for payload in (b"", b"GET /"):
            ghost = yard.ghost(family)
            yard.port.send(ghost.segment(SYN, ghost.isn, options=options, payload=payload))
            ghost.hear_synack()
            assert len(ghost.synack.options) <= len(options), name
            assert ghost.synack.payload == b"", name
            assert ghost.synack.ack == (ghost.isn + 1) % 2**32, name


# ---- floods


def syn(source, number):
    return Segment(*source, SYN, seq=number, options=MSS_1460)


def ack(source, number):
    return Segment(*source, ACK, seq=number, ack=number * 7 % 2**32)


def rst(source, number):
    return Segment(*source, RST, seq=number)


def synack(source, number):
    """Answers to SYNs that somebody has sent elsewhere in the name of this host."""
    return Segment(*source, SYN | ACK, seq=number, ack=number * 7 % 2**32, options=MSS_1460)


def data(source, number):
    return Segment(*source, PSH | ACK, seq=number, ack=number * 7 % 2**32, payload=b"GET /")


def send_surely(raw, data):
    """Also if the other end's ring is full just now."""
    while True:
        try:
            return raw.send(data)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


@contextlib.contextmanager
def flooded(yard, family, make, rounds=ROUNDS):
    """Sends a flood meanwhile, if only some thousand segments; then waits until all have been counted."""
    numbers, near, far = random.Random(5), yard.near, yard.far
    frames = [frame(near.mac, far.mac, make(
        (near.address(family, VANISHED), far.address(family), numbers.randrange(1024, 65536),
         tcp.PORT), numbers.getrandbits(32))) for _ in range(FRAMES)]
    begun = threading.Event()

    def send():
        for _ in range(rounds):
            for one in frames:
                send_surely(yard.port.socket, one)
            begun.set()

    yard.port.socket.setblocking(True)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        begun.wait()
        yield
    finally:
        thread.join()
        yard.port.socket.setblocking(False)


@contextlib.contextmanager
def at_work(yard, family):
    """A connection that goes on working meanwhile. Yields a function: how much it has carried."""
    over, carried = threading.Event(), [0]
    with (tcp.connect(yard.near.namespace, yard.servers[family, OTHER].getsockname()[:2],
                      family) as client, yard.servers[family, OTHER].accept()[0] as server):
        server.settimeout(tcp.SECONDS)

        def work():
            while not over.is_set():
                client.sendall(b"x" * 5000)
                carried[0] += len(receive(server, 5000))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield lambda: carried[0]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("make", (syn, ack, rst, synack, data), ids=lambda make: make.__name__)
def test_nobody_is_hurt_by_a_flood_of(yard, family, make):
    yard.servers[family, OTHER].settimeout(tcp.SECONDS)
    yard.servers[family, tcp.PORT].settimeout(tcp.SECONDS)
    before = yard.synward.stats()
    with at_work(yard, family) as carried, flooded(yard, family, make):
        already = carried()
        for _ in range(HONEST):
            talk(yard.near.namespace, yard.servers[family, tcp.PORT], b"hello" * 100,
                 prepare=yard.crowd.join)
        wait_for(lambda: carried() > already, "work to go on")
    after = yard.synward.await_books()
    traffic, earlier = (one["interfaces"][0]["ingress"] for one in (after, before))
    assert traffic["seen"] - earlier["seen"] >= FRAMES * ROUNDS
    bad = after["limits"]["bad_cookie"]["dropped"] - before["limits"]["bad_cookie"]["dropped"]
    assert bad == (FRAMES * ROUNDS if make in (ack, data) else 0)
    answered = traffic["answered"] - earlier["answered"]
    cookies = after["tallies"]["cookies_sent"] - before["tallies"]["cookies_sent"]
    assert answered == cookies >= (FRAMES * ROUNDS if make is syn else 0) + HONEST
    assert cookies <= (FRAMES * ROUNDS if make is syn else 0) + HONEST + 1
    assert (after["tallies"]["handovers"] - before["tallies"]["handovers"] ==
            after["tallies"]["cookies_accepted"] - before["tallies"]["cookies_accepted"] >= HONEST)
