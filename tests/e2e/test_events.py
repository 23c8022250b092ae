# SPDX-License-Identifier: GPL-2.0-or-later
"""Events: for any number of readers, however slow."""

import base64
import hashlib
import json
import re
import shutil
import signal
import socket
import struct
import subprocess

import pytest

import stopped
from causes import QUICK, Stage
from cli import BINARY, ROOT
from net import run, wait_for
from segments import ACK, Port, Segment, frame
from spoofed import Flood

KEPT = 3072


@pytest.fixture
def stage(pair):
    return Stage(*pair, socket.AF_INET)


def follow(lab, synward, *options):
    return lab.process([BINARY, "-j", "events", *options], env=synward.environment(),
                       stdout=subprocess.PIPE)


def event(line):
    """But for the time of day, in which two readers may differ by a microsecond."""
    one = json.loads(line)
    assert one.pop("timestamp") and one.pop("timestamp_unix_ms")
    return one


def told(synward, *options):
    lines = synward.expect(0, "-j", "events", "--timeout", "0", *options).stdout.splitlines()
    return [one for one in map(event, lines) if one["event_type"] != "interface"]


def test_each_reader_has_all_events_once(stage, lab, synward):
    """Also one that comes late; reading takes nothing away."""
    synward.attach(stage.far, options=QUICK)
    readers = [follow(lab, synward, "--count", 16) for _ in range(2)]
    stage.accepted(10)
    stage.rejected(5)
    heard = [[event(line) for line in reader.communicate(timeout=40)[0].splitlines()]
             for reader in readers]
    first, *ends = heard[0]
    assert heard[0] == heard[1] and first["event_type"] == "interface"
    assert len({one["src_port"] for one in ends}) == 15
    assert told(synward) == told(synward) == ends
    assert told(synward, "--new") == []


def test_a_slow_reader_is_told_exactly_what_it_has_missed(stage, lab, synward):
    synward.attach(stage.far, options=(*QUICK, "--events-per-second", 0))
    reader = follow(lab, synward, "--new")
    wait_for(lambda: reads(reader), "the reader to begin")
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


def test_an_idle_reader_asks_the_kernel_little(pair, synward, tmp_path):
    """Four times a second, beside some twenty times when it begins."""
    synward.attach(pair[1], options=QUICK)
    environment = synward.environment(LD_PRELOAD=str(stopped.build(tmp_path, "asked")))
    done = run(BINARY, "events", "--new", "--timeout", "2s", env=environment)
    assert int(re.fullmatch(r"asked (\d+) times, 0 for a link\n", done.stderr)[1]) < 40


def test_events_are_not_of_whoever_has_the_slot_now(pair, lab, synward):
    """Nor of nobody, to a reader that has known the interface."""
    near, far = pair
    far.namespace.ip("link", "add", "s1", "type", "veth", "peer", "name", "s2")
    stage = Stage(near, far, socket.AF_INET)
    synward.attach(far, options=QUICK)
    reader = follow(lab, synward, "--count", 5)
    stage.accepted(1)
    heard = [event(reader.stdout.readline()) for _ in range(2)]
    reader.send_signal(signal.SIGSTOP)
    stage.accepted(1)
    synward.expect(0, "attach", "lo", "--mode", "generic", namespace=far.namespace)
    synward.expect(0, "detach", "s0", namespace=far.namespace)
    reader.send_signal(signal.SIGCONT)
    heard += [event(line) for line in reader.communicate(timeout=20)[0].splitlines()]
    assert [one.get("in_iface") for one in heard] == [None, "s0", "s0", None, None]
    synward.expect(0, "attach", "s1", namespace=far.namespace)
    assert {one.get("in_iface") for one in told(synward)} == {None}


def all_sent(synward, count):
    tallies = synward.stats()["tallies"]
    assert tallies["events_lost"] == tallies["events_suppressed"] == 0
    return tallies["events_sent"] if tallies["events_sent"] >= count else None


def reads(reader):
    """Has it found its place? It sleeps then."""
    with open(f"/proc/{reader.pid}/wchan", encoding="utf-8") as file:
        return "nanosleep" in file.read()


def community_id(family, ends):
    """As the specification of Community ID, version 1, has it, of ends that are (address, port)."""
    (a, a_port), (b, b_port) = sorted((socket.inet_pton(family, address), port)
                                      for address, port in ends)
    hashed = struct.pack("!H", 0) + a + b + struct.pack("!BBHH", 6, 0, a_port, b_port)
    return "1:" + base64.b64encode(hashlib.sha1(hashed).digest()).decode()


@pytest.mark.parametrize("tags", ((), (7,), (4094, 0)), ids=("untagged", "802.1Q", "QinQ"))
def test_events_have_what_others_join_them_by(pair, synward, tags):
    near, far = pair
    synward.attach(far, options=QUICK)
    ends = {family: ((near.address(family), 4711), (far.address(family), 443))
            for family in (socket.AF_INET, socket.AF_INET6)}
    with Port(near) as port:
        for (src, sport), (dst, dport) in ends.values():
            data = frame(near.mac, far.mac, Segment(src, dst, sport, dport, ACK))
            words = b"".join(struct.pack("!HH", 0x8100, 0xE000 | tag) for tag in tags)
            port.socket.send(data[:12] + words + data[12:])
    found = wait_for(lambda: len(told(synward)) == 2 and told(synward), "both events")
    assert [one["community_id"] for one in found] == [community_id(*one) for one in ends.items()]
    assert [one.get("vlan") for one in found] == [list(tags) or None] * 2
    assert len({one["flow_id"] for one in found}) == 2
    assert all(0 < one["flow_id"] < 1 << 51 and one["in_iface"] == "s0" for one in found)


def test_what_people_change_is_told(pair, lab, synward, tmp_path):
    synward.attach(pair[1], options=QUICK)
    reader = follow(lab, synward)
    policy = tmp_path / "synward.yaml"
    shutil.copy(ROOT / "docs" / "examples" / "web-server.yaml", policy)
    for words in (("block", "add", "192.0.2.7"), ("block", "add", "192.0.2.8", "2001:db8::/32"),
                  ("allow", "add", "198.51.100.0/24"), ("block", "del", "192.0.2.7"),
                  ("block", "del", "--all"), ("arm",), ("disarm",), ("disarm",), ("arm",), ("arm",),
                  ("policy", "apply", policy, "--confirm", "1h"), ("policy", "confirm"),
                  ("policy", "rollback"), ("policy", "apply", policy), ("policy", "reset"), ("policy", "reset"),
                  ("detach", "--all")):
        synward.expect(0, *words)
    out, _ = reader.communicate(timeout=20)
    assert reader.returncode == 0
    deeds = []
    for one in map(event, out.splitlines()):
        own = one.pop(one["event_type"])
        assert own.pop("uid") == 0 and list(one) == ["event_type"]
        own.pop("login_uid", None)
        deeds.append((one["event_type"], *own.values()))
    assert deeds == [
        ("interface", "attached", "s0"), ("list", 1, "added", "block", "192.0.2.7"),
        ("list", 2, "added", "block"), ("list", 1, "added", "allow", "198.51.100.0/24"),
        ("list", 1, "removed", "block", "192.0.2.7"), ("list", 2, "removed", "block"),
        ("arming", "disarmed"), ("arming", "armed"), ("policy", "applied"), ("policy", "confirmed"),
        ("policy", "rolled_back"), ("policy", "applied"), ("policy", "reset"), ("interface", "detached", "s0")]
