# SPDX-License-Identifier: GPL-2.0-or-later
"""
Segments of a handshake by cookie are lost, come twice, late or all at once: the connection comes about
all the same, as it does without cookies, and nobody is reset.
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import socket
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from floods import Crowd, answerable, defend, receive
from net import Lab
from relay import Plan, Relay, quick_ack

PIECE, PIECES = b"0123456789" * 20, 4
WHOLE = PIECE * PIECES
# Not as long as WHOLE: a late last ACK would be one of the kernel's cookies, see test_flood_late.py.
ANSWER = WHOLE[::-1][:300]
HANDSHAKE = ("syn", "synack", "ack", "data")

PLANS = {
    "nothing happens": Plan(),
    **{f"{name} is lost": Plan(lose=(name,)) for name in (*HANDSHAKE, "data1", "back")},
    **{f"{one} and {other} are lost": Plan(lose=(one, other))
       for one, other in itertools.combinations(HANDSHAKE, 2)},
    "all are lost": Plan(lose=HANDSHAKE),
    **{f"{name} comes twice": Plan(twice=(name,)) for name in (*HANDSHAKE, "data1", "back")},
    "all come twice": Plan(twice=(*HANDSHAKE, "back")),
    **{f"{one} comes after {other}": Plan(late=(one, other))
       for one, other in (("ack", "data"), ("ack", "data1"), ("ack", "data3"), ("data", "data1"),
                          ("data", "data3"))},
    "syn comes after syn1": Plan(late=("syn", "syn1")),
    "synack comes after synack1": Plan(late=("synack", "synack1")),
    "data comes with the ACK": Plan(together=2),
    "all data come with the ACK": Plan(together=5),
    "the ACK comes twice with data": Plan(together=4, twice=("ack",)),
    "data come twice with the ACK": Plan(together=5, twice=("data", "data1")),
    "data come together, without the ACK": Plan(together=3, lose=("ack",)),
}


@dataclasses.dataclass
class Result:
    """What becomes of a connection: errors by their names."""

    client: str = "did not end"
    server: str = "was not reached"
    accepted: int = 1
    resets: int = 0
    names: list = dataclasses.field(default_factory=list, compare=False)


class Hall:
    """A server, many clients at once, and between them a relay."""

    def __init__(self, lab):
        self.relay = lab.enter_context(Relay(lab, lab.namespace("client"),
                                             lab.namespace("server")).carrying())
        self.crowd = Crowd(self.relay.near, self.relay.far)
        self.results = {}

    def _serve(self, peer, address):
        with peer:
            try:
                peer.settimeout(tcp.SECONDS)
                is_whole = receive(peer, len(WHOLE)) == WHOLE
                peer.sendall(ANSWER)
                rest = receive(peer, 1)
                self.results[address].server = ("done" if is_whole and not rest else
                                                "other data than were sent")
            except OSError as error:
                self.results[address].server = type(error).__name__

    def _accept(self, server, over):
        serving = []
        server.settimeout(0.1)
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                peer, address = server.accept()
                self.results[address[0]].accepted += 1
                serving.append(threading.Thread(target=self._serve, args=(peer, address[0])))
                serving[-1].start()
        for thread in serving:
            thread.join()

    def _visit(self, client, address, waits):
        result = self.results[client.getsockname()[0]]
        with client:
            try:
                client.settimeout(tcp.SECONDS)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                quick_ack(client, not waits)
                client.connect(address)
                for _ in range(PIECES):
                    client.sendall(PIECE)
                is_answer = receive(client, len(ANSWER)) == ANSWER
                result.client = "done" if is_answer else "other data"
            except OSError as error:
                result.client = type(error).__name__

    def accepted(self):
        """How many handshakes were completed, by cookie or not, as synward counts them."""
        return self.synward.stats()["handshakes"]["accepted"]

    def run(self, family, plans=PLANS, waits=False):
        """
        All plans at the same time, each with a client of its own, which waits with its ACK until it
        has data or does not. What became of each.
        """
        over, sources, visits = threading.Event(), {}, []
        with tcp.listener(self.relay.far, family) as server:
            address = server.getsockname()[:2]
            accepting = threading.Thread(target=self._accept, args=(server, over))
            accepting.start()
            for name, plan in plans.items():
                client = self.relay.near.namespace.socket(family)
                self.crowd.join(client)
                sources[name] = client.getsockname()[0]
                self.results[sources[name]] = Result(accepted=0)
                self.relay.plan(sources[name], plan)
                visits.append(threading.Thread(target=self._visit, args=(client, address, waits)))
                visits[-1].start()
            for thread in visits:
                thread.join()
            over.set()
            accepting.join()
        for source in sources.values():
            flow = self.relay.flows[source]
            self.results[source].resets = flow.counts["rst"]
            self.results[source].names = flow.names
        return {name: self.results[source] for name, source in sources.items()}


@contextlib.contextmanager
def defended(way, bpffs, tmp_path_factory, prepare=lambda hall: None):
    with contextlib.ExitStack() as stack:
        made = Hall(stack.enter_context(Lab()))
        prepare(made)
        path = tmp_path_factory.mktemp(way)
        made.synward = stack.enter_context(fresh(bpffs / path.name, path))
        answerable(made.relay.far.peer)
        defend(made.synward, path, made.relay.far, way=way)
        yield made


@pytest.fixture(scope="module")
def hall(bpffs, tmp_path_factory):
    def run_plain(made):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made.plain = dict(zip(FAMILIES.values(), pool.map(made.run, FAMILIES.values())))
    with defended("handover", bpffs, tmp_path_factory, run_plain) as made:
        yield made


@pytest.fixture(scope="module")
def challenging_hall(bpffs, tmp_path_factory):
    with defended("challenge", bpffs, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def kernel_hall(bpffs, tmp_path_factory):
    def have_cookies(made):
        made.relay.far.namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    with defended("kernel", bpffs, tmp_path_factory, have_cookies) as made:
        yield made


def grown(hall, before):
    """By how much each tally has grown."""
    return {name: count - before[name] for name, count in hall.synward.stats()["tallies"].items()}


def test_whatever_becomes_of_the_segments(hall, family):
    before = hall.synward.stats()["tallies"]
    found = hall.run(family)
    assert found == hall.plain[family]
    assert all(result == Result("done", "done") for result in found.values())
    tallies = grown(hall, before)
    assert tallies["cookies_accepted"] == tallies["handovers"] == len(PLANS)


def test_whatever_becomes_of_the_kernels_cookies(kernel_hall, family):
    before, accepted = kernel_hall.synward.stats()["tallies"], kernel_hall.accepted()
    for name, result in kernel_hall.run(family).items():
        assert result == Result("done", "done"), (name, result.names)
    tallies = grown(kernel_hall, before)
    # one SYN a second passes and is followed
    assert 0 < tallies["cookies_accepted"] <= len(PLANS) and tallies["handovers"] == 0
    assert kernel_hall.accepted() - accepted == len(PLANS)


def test_whatever_becomes_of_a_challenge(challenging_hall, family):
    """Its SYN-ACK is the first, the client's RST answers it, and the handshake comes after that."""
    plans = {**PLANS, "the RST is lost": Plan(lose=("rst",)),
             "the RST comes twice": Plan(twice=("rst",)),
             "the RST comes after the next SYN": Plan(late=("rst", "syn1"))}
    before = challenging_hall.synward.stats()["tallies"]
    found = challenging_hall.run(family, plans)
    for name, result in found.items():
        assert (result.client, result.server, result.accepted) == ("done", "done", 1), name
        # what comes again passes: whom the challenge does not reach in time needs not prove himself
        is_late = "synack" in (*plans[name].lose, *plans[name].late[:1])
        assert is_late or result.resets >= 1, name
    tallies = grown(challenging_hall, before)
    assert tallies["challenges_sent"] >= len(plans)
    assert tallies["cookies_sent"] == tallies["handovers"] == 0


def begin_with_data(hall, family):
    """As many a client does: it has something to say at once. How many connections, and the tallies."""
    plans = {"at once": Plan(), "with all data": Plan(together=4), "lost": Plan(lose=("data",)),
             "twice": Plan(twice=("data",)), "after the next": Plan(late=("data", "data1"))}
    before = hall.synward.stats()["tallies"]
    for name, result in hall.run(family, plans, waits=True).items():
        assert result == Result("done", "done"), (name, result.names)
        assert result.names[:3] == ["syn", "synack", "data"], name
    return len(plans), grown(hall, before)


def test_the_first_data_are_the_ack(hall, family):
    count, tallies = begin_with_data(hall, family)
    assert tallies["handovers"] == count


def test_the_first_data_are_the_ack_of_the_kernels_cookie(kernel_hall, family):
    count, tallies = begin_with_data(kernel_hall, family)
    assert 0 < tallies["cookies_accepted"] <= count
