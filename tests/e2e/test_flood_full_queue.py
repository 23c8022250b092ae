# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that speaks first, and accepts nobody for a while: whose SYN found its queue full gets in later."""

import contextlib
import socket
import threading

import pytest

import tcp
from defended import Yard
from floods import receive
from net import wait_for

BANNER, GUESTS = b"220 hi\r\n", 6
UNACKED = 24  # where struct tcp_info has it: of a listener how many wait to be accepted


@pytest.fixture
def yard(wire, family, synward, tmp_path):
    """Whoever answers without having heard the listener does not ask for its queue, either."""
    with contextlib.ExitStack() as stack:
        made = Yard(stack, wire, family, synward, tmp_path, policy="")
        made.talks(1)  # it was heard
        yield made


def waiting(server):
    return server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)[UNACKED]


def fill(yard, stack):
    """With one more than the backlog, as Linux counts. Waits until a SYN has noticed."""
    yard.server.listen(1)
    for count in (1, 2):
        stack.enter_context(yard.client())
        wait_for(lambda: waiting(yard.server) == count, "a connection to be there")

    def is_noticed():
        before = full(yard)
        yard.ghost().syn()
        return full(yard) > before
    wait_for(is_noticed, lambda: str(yard.synward.stats()["limits"]))


def full(yard):
    return yard.synward.stats()["limits"]["accept_queue"]["dropped"]


def visit(yard, heard):
    with contextlib.closing(yard.client()) as client:
        heard.append(receive(client, len(BANNER)))


@pytest.mark.parametrize("disarmed", (False, True), ids=("armed", "disarmed meanwhile"))
def test_whose_syn_was_dropped_gets_in(yard, disarmed):
    """All hear the server, none of them twice; and of the time before a disarm nothing is left."""
    heard = []
    threads = [threading.Thread(target=visit, args=(yard, heard)) for _ in range(GUESTS)]
    with contextlib.ExitStack() as stack:
        fill(yard, stack)
        dropped = full(yard)
        for thread in threads:
            thread.start()
        wait_for(lambda: full(yard) - dropped >= GUESTS, "a SYN of each to be dropped")
        if disarmed:
            yard.synward.expect(0, "disarm")
        before = yard.synward.stats()
        yard.server.listen(4096)
        for _ in range(2 + GUESTS):
            stack.enter_context(yard.server.accept()[0]).sendall(BANNER)
        for thread in threads:
            thread.join()
    assert heard == [BANNER] * GUESTS
    after = yard.synward.stats()
    assert after["handshakes"]["accepted"] - before["handshakes"]["accepted"] == GUESTS
    assert after["tallies"]["handovers_failed"] == 0
    if disarmed:
        assert full(yard) == before["limits"]["accept_queue"]["dropped"]
        assert after["tallies"]["cookies_sent"] == before["tallies"]["cookies_sent"]
        yard.synward.expect(0, "arm")
    yard.talks()
    assert yard.synward.stats()["tallies"]["handovers_failed"] == 0
