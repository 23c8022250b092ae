# SPDX-License-Identifier: GPL-2.0-or-later
"""
Strict rules and connections of which a router knows nothing, or one direction only: they lose a segment or two and
go on, also if a stranger has said something in their name before.
"""

import contextlib
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from echo import Echo, listen_to_all
from lan import line, visit
from net import wait_for
from segments import ACK
from test_asymmetric import Detour
from test_forged import Arrivals, Router, back, ends_of, strict
from test_honest import PLENTY, STRICT, Standby, apply

SECONDS = 30  # to recover in: of a connection that goes on, nearly all of it is left


@pytest.mark.parametrize("forged", (None, "the client", "the server"))
def test_a_connection_from_before(lab, synward, tmp_path, forged):
    """One of each family."""
    place = Router(lab)
    old_ones = [place.visit(family) for family in FAMILIES.values()]
    synward.attach(*place.ends, options=PLENTY)
    apply(synward, tmp_path, STRICT)
    for family in list(FAMILIES.values()) * 6:
        place.visit(family).close()
    assert strict(synward) == "ready"
    for count, old in enumerate(old_ones, 1):
        old.settimeout(SECONDS)
        if forged:
            arrivals = Arrivals(synward, place.entry)
            ends = ends_of(old) if forged == "the client" else back(ends_of(old))
            place.forger.send(*ends, flags=ACK, seq=12345, ack=54321)
            arrivals.wait()
        line(old)
        line(old)
        assert synward.stats()["tallies"]["connections_adopted"] >= count


class Transfers:
    """Of a few connections one end sends all the time, and the other one only listens."""

    def __init__(self, pairs):
        self.pairs, self.heard, self.stopped = pairs, [0] * len(pairs), False
        for pair in pairs:
            for end in pair:
                end.settimeout(.01)
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.stopped:
            for number, (speaker, listener) in enumerate(self.pairs):
                with contextlib.suppress(TimeoutError):
                    speaker.send(b"x" * 500)
                with contextlib.suppress(TimeoutError):
                    self.heard[number] += len(listener.recv(65536))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()

    def go_on(self):
        before = list(self.heard)
        wait_for(lambda: all(now > then + 5000 for now, then in zip(self.heard, before)),
                 lambda: f"all to hear more than {before}: {self.heard}")


@pytest.mark.parametrize("first", ("client", "server"))
@pytest.mark.parametrize("speaker", ("client", "server"))
def test_a_transfer_through_a_take_over(lab, synward, bpffs, tmp_path, speaker, first):
    """Whatever the other router sees first: data, or what acknowledges them."""
    with fresh(bpffs / f"{synward.pin_dir.name}b", tmp_path / "other") as other:
        routers = Standby(lab)
        lab.enter_context(Echo(*listen_to_all(routers.server)))
        other.attach(routers.b0, routers.b1, options=PLENTY)
        apply(other, tmp_path, STRICT)
        routers.take_over("replace")
        for family in list(FAMILIES.values()) * 6:
            visit(routers.client, (routers.s0.address(family), tcp.PORT), family).close()
        assert strict(other) == "ready"
        routers.take_over("del")
        with contextlib.ExitStack() as open_ones:
            pairs = []
            for family in FAMILIES.values():
                listener = open_ones.enter_context(tcp.listener(routers.s0, family, tcp.PORT + 1))
                for _ in range(4):
                    client = open_ones.enter_context(
                        tcp.connect(routers.client, listener.getsockname()[:2], family))
                    server = open_ones.enter_context(listener.accept()[0])
                    pairs.append((client, server) if speaker == "client" else (server, client))
            with Transfers(pairs) as transfers:
                transfers.go_on()
                routers.take_over(first=first)
                transfers.go_on()
                transfers.go_on()


def test_answers_that_take_another_way(lab, family, synward, tmp_path):
    """A few among many others, and for longer than their attempt is remembered."""
    detour = Detour(lab, family)
    lab.enter_context(Echo(*listen_to_all(detour.server)))
    service = detour.s0.address(family), tcp.PORT
    synward.attach(detour.g0, detour.g1, options=PLENTY)
    apply(synward, tmp_path, STRICT + "  timeouts: {syn_sent: 1s, closed: 500ms}\n")
    for _ in range(20):
        visit(detour.client, service, family).close()
    detour.answer_past_the_router()
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(visit(detour.client, service, family))
                   for _ in range(3)]
        synward.expect_outcomes(accepted=20, one_sided=3)
        told = synward.stats()["age_ms"]
        wait_for(lambda: synward.stats()["age_ms"] > told + 2000, "their attempts to be forgotten")
        for client in clients:
            line(client)
            line(client)
        assert strict(synward) == "ready"
        assert synward.stats()["conservation"]["dropped"] == 0
