# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever a spoofed SYN has around and in its TCP header, under a flood it does not reach its listener's queue."""

import contextlib
import dataclasses
import socket

import pytest

from defended import Yard
from segments import MSS_1460, SYN, frame

PROBE = 9
DESTINATION_OPTIONS, TCP_PROTOCOL = 60, 6
NOP = b"\1"
ETHERNET, IPV4_HEADER, IPV6_HEADER = 14, 20, 40
MOST_OPTIONS = 40
SIGNATURES = {"MD5": 19, "AO": 29}
BEFORE = 20  # SYNs


@pytest.fixture
def yard(wire, family, synward, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Yard(stack, wire, family, synward, tmp_path)


def behind_headers(data, count):
    """A frame of IPv6 with so many destination options headers before its TCP header, which say nothing."""
    chain = b"".join(bytes((DESTINATION_OPTIONS if left else TCP_PROTOCOL, 0, 1, 4, 0, 0, 0, 0))
                     for left in reversed(range(count)))
    length = int.from_bytes(data[ETHERNET + 4:ETHERNET + 6], "big") + len(chain)
    start = ETHERNET + IPV6_HEADER
    return (data[:ETHERNET + 4] + length.to_bytes(2, "big") + bytes((DESTINATION_OPTIONS,)) +
            data[ETHERNET + 7:start] + chain + data[start:])


def folded(data):
    total = sum(int.from_bytes(data[at:at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def behind_options(data, count):
    """A frame of IPv4 with so many words of options in its IP header, which say nothing."""
    head = bytearray(data[ETHERNET:ETHERNET + IPV4_HEADER] + NOP * 4 * count)
    head[0] += count
    head[2:4] = (int.from_bytes(head[2:4], "big") + 4 * count).to_bytes(2, "big")
    head[10:12] = bytes(2)
    head[10:12] = folded(head).to_bytes(2, "big")
    return data[:ETHERNET] + bytes(head) + data[ETHERNET + IPV4_HEADER:]


def a_syn(yard, options=MSS_1460):
    """Of somebody whose answers nobody hears."""
    ghost = yard.ghost()
    return frame(yard.near.mac, yard.near.peer.mac,
                 ghost.segment(SYN, ghost.isn, options=options + NOP * (-len(options) % 4)))


def queued(yard):
    """How many SYNs wait in the listener's queue, when all that was sent has arrived."""
    yard.ghost().heard(PROBE)
    found = yard.far.namespace.run("ss", "-Htn", "state", "syn-recv")
    return len(found.stdout.splitlines())


def tallies(yard):
    return yard.synward.stats()["tallies"]


@dataclasses.dataclass
class Sent:
    """What came of SYNs."""

    cookies: int
    opened: int
    queued: int


def send(yard, frames):
    waiting, before = queued(yard), tallies(yard)
    for data in frames:
        yard.port.socket.send(data)
    waiting = queued(yard) - waiting
    after = tallies(yard)
    return Sent(after["cookies_sent"] - before["cookies_sent"],
                after["attempts_opened"] - before["attempts_opened"] - 1, waiting)  # of queued()


def test_headers_before_tcp_are_no_way_in(yard, family):
    """Linux takes any number of them; whoever looks behind eight only must not let the rest pass."""
    make, counts = ((behind_options, range(11)) if family == socket.AF_INET else
                    (behind_headers, (*range(1, 18), 60, 150)))
    yard.synward.expect(0, "disarm")
    assert send(yard, (make(a_syn(yard), max(counts)) for _ in range(BEFORE))).queued == BEFORE, \
        "they would be as good as any"
    yard.synward.expect(0, "arm")
    sent = send(yard, (make(a_syn(yard), count) for count in counts for _ in range(BEFORE)))
    understood = BEFORE * sum(family == socket.AF_INET or count <= 8 for count in counts)
    assert sent == Sent(cookies=understood, opened=0, queued=0)
    dropped = yard.synward.stats()["anomalies"]["ipv6_many_extensions"]["dropped"]
    assert dropped == BEFORE * len(counts) - understood
    yard.talks()


@pytest.mark.parametrize("kind", SIGNATURES.values(), ids=SIGNATURES)
def test_signatures_of_any_length_are_no_way_in(yard, kind):
    """The kernel looks for one of the right length only, or for none, and takes the others for unsigned SYNs."""
    lengths = range(2, MOST_OPTIONS - len(MSS_1460) + 1)
    sent = send(yard, (a_syn(yard, MSS_1460 + bytes((kind, length)) + bytes(length - 2))
                       for length in lengths for _ in range(BEFORE)))
    assert sent == Sent(cookies=BEFORE * len(lengths), opened=0, queued=0)
    torn = [a_syn(yard, MSS_1460 + bytes((kind, length)) + bytes(2)) for length in (0, 1, 5, 36, 255)]
    sent = send(yard, torn)
    assert (sent.opened, sent.queued) == (0, 0), "nor if their length is none"
    yard.talks()
