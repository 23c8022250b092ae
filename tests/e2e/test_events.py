# SPDX-License-Identifier: GPL-2.0-or-later
"""Events: for any number of readers, however slow."""

import json
import signal
import socket
import subprocess

import pytest

from causes import QUICK, Stage
from cli import BINARY
from net import wait_for
from segments import ACK, Segment
from spoofed import Flood

KEPT = 8192


@pytest.fixture
def stage(pair):
    return Stage(*pair, socket.AF_INET)


def follow(lab, synward, *options):
    return lab.process([BINARY, "-j", "events", *options], env=synward.environment(),
                       stdout=subprocess.PIPE)


def event(line):
    """But for the time of day, in which two readers may differ by a microsecond."""
    one = json.loads(line)
    assert one.pop("timestamp")
    return one


def told(synward, *options):
    lines = synward.expect(0, "-j", "events", "--timeout", "0", *options).stdout.splitlines()
    return [event(line) for line in lines]


def test_each_reader_has_all_events_once(stage, lab, synward):
    """Also one that comes late; reading takes nothing away."""
    synward.attach(stage.far, options=QUICK)
    readers = [follow(lab, synward, "--count", 15) for _ in range(2)]
    stage.accepted(10)
    stage.rejected(5)
    heard = [[event(line) for line in reader.communicate(timeout=40)[0].splitlines()]
             for reader in readers]
    assert heard[0] == heard[1] and len(heard[0]) == 15
    assert len({one["src_port"] for one in heard[0]}) == 15
    assert told(synward) == told(synward) == heard[0]
    assert told(synward, "--new") == []


def test_a_slow_reader_is_told_exactly_what_it_has_missed(stage, lab, synward):
    synward.attach(stage.far, options=(*QUICK, "--events-per-second", 0))
    reader = follow(lab, synward)
    stage.rejected(1)
    first = event(reader.stdout.readline())
    assert first["handshake"]["outcome"] == "rejected"
    reader.send_signal(signal.SIGSTOP)
    flood = Flood(stage.near, [
        Segment(f"198.18.{i >> 8}.{i & 255}", stage.far.address(socket.AF_INET), 1024, 443, ACK)
        for i in range(KEPT + 2000)])
    with flood.port:
        flood.run()
    sent = wait_for(lambda: all_sent(synward, flood.sent + 1), "the events of the flood")
    assert sent > KEPT + 1
    reader.send_signal(signal.SIGCONT)
    missed = event(reader.stdout.readline())
    assert missed["event_type"] == "missed" and "src_ip" not in missed
    assert missed["missed"] == {"count": sent - 1 - KEPT}
    rest = [event(reader.stdout.readline()) for _ in range(KEPT)]
    assert {one["event_type"] for one in rest} == {"handshake"}
    assert len({one["src_ip"] for one in rest}) == KEPT
    assert rest == told(synward)
    text = synward.expect(0, "events", "--timeout", "0").stdout
    assert text.count("\n") == KEPT, "a newcomer misses nothing that it could have had"


def all_sent(synward, count):
    tallies = synward.stats()["tallies"]
    assert tallies["events_lost"] == tallies["events_suppressed"] == 0
    return tallies["events_sent"] if tallies["events_sent"] >= count else None
