# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporter's events: those of the command, to many at once, to who comes back, and to who does not read."""

import contextlib
import json
import socket

import pytest

from causes import QUICK, Stage
from exporter import HOST, Exporter, parse, said
from net import wait_for
from segments import ACK, Segment
from spoofed import Flood

PATH = "/api/v1/events"
STREAMS = 16
PEAK_KIB = 32 * 1024
TURN = 2000  # events at once; 3,072 are kept


class Follower:
    """Who follows, and what he has been told until now."""

    def __init__(self, exporter, query="", last_id=None, room=None, family=socket.AF_INET, version="1.1"):
        more = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.peer = exporter.connect(family, room)
        self.peer.sendall(f"GET {PATH}{query} HTTP/{version}\r\n{HOST}{more}\r\n".encode())
        self.peer.setblocking(False)
        self.chunked = version == "1.1"
        self.raw = b""
        self.ended = False

    def read(self, most=1 << 20):
        with contextlib.suppress(BlockingIOError):
            try:
                part = self.peer.recv(most)
            except ConnectionResetError:
                part = b""
            self.ended = not part
            self.raw += part
        return self

    def text(self):
        """The stream without its head, and without what HTTP has put between."""
        head, _, body = self.raw.partition(b"\r\n\r\n")
        assert not head or b"text/event-stream" in head, head
        if not self.chunked:
            return body.decode()
        text = b""
        while b"\r\n" in body:
            length, _, body = body.partition(b"\r\n")
            text, body = text + body[:int(length, 16)], body[int(length, 16) + 2:]
        return text.decode()

    def messages(self):
        """[(its kind, its id, its data)], of those that are whole."""
        found = []
        for block in self.read().text().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "data" in fields:
                found.append((fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])))
        return found

    def events(self):
        return [data for kind, _, data in self.messages() if kind == "message"]

    def kinds(self):
        return [kind for kind, _, _ in self.messages() if kind != "message"]

    def last_id(self):
        return [name for kind, name, _ in self.messages() if kind == "message"][-1]

    def close(self):
        self.peer.close()


@pytest.fixture
def exporter(pair, synward, lab):
    return Exporter(lab, synward.environment())


def of_command(synward):
    return [json.loads(line) for line in synward.expect(0, "-j", "events", "--timeout", "0").stdout.splitlines()]


def timeless(events):
    return [{name: value for name, value in event.items() if name != "timestamp"} for event in events]


def test_it_tells_what_the_command_tells(pair, synward, exporter):
    """In both families, in both versions of HTTP, on resuming, with and without what happened before."""
    near, far = pair
    synward.attach(far)
    for family in (socket.AF_INET, socket.AF_INET6):
        Stage(near, far, family).accepted(3)
    synward.expect_outcomes(accepted=6)
    followers = [Follower(exporter), Follower(exporter, family=socket.AF_INET6), Follower(exporter, version="1.0")]
    expected = of_command(synward)
    for follower in followers:
        wait_for(lambda f=follower: len(f.events()) >= len(expected), "all that was before")
        assert timeless(follower.events()) == timeless(expected) and follower.kinds() == ["up"]
    first = followers[0].messages()
    resumed = Follower(exporter, last_id=[name for _, name, _ in first if name][1])
    newest = Follower(exporter, "?last=2")
    new = Follower(exporter, "?last=0")
    wait_for(lambda: new.kinds() == ["up"], "who wants only new ones to be told that there are some")
    Stage(near, far, socket.AF_INET6).accepted(1)
    later = wait_for(lambda: of_command(synward)[len(expected):], "another event")
    wait_for(new.events, "the new one")
    for follower, theirs in ((resumed, expected[2:] + later), (newest, expected[-2:] + later), (new, later)):
        wait_for(lambda f=follower, t=theirs: len(f.events()) >= len(t), "the new one")
        assert timeless(follower.events()) == timeless(theirs)
    for nonsense in ("x", "-", "1-2-3", "0-0", "99999999999999999999-1", f"{first[1][1]}9999999999"):
        follower = Follower(exporter, last_id=nonsense)
        wait_for(lambda f=follower: len(f.events()) >= len(expected + later), f"all of them for {nonsense}")
        follower.close()


def test_it_goes_on_through_detach_and_attach(pair, synward, exporter):
    near, far = pair
    follower = Follower(exporter)
    wait_for(lambda: follower.kinds() == ["down"], "it to tell that nothing is attached")
    assert follower.messages()[0][2]["failure"] == "not_attached"
    for turn in range(2):
        synward.attach(far)
        Stage(near, far, socket.AF_INET).accepted(1)
        wait_for(lambda turn=turn: sum("handshake" in event for event in follower.events()) == turn + 1, "its event")
        synward.expect(0, "detach", "--all")
        wait_for(lambda turn=turn: follower.kinds() == ["down"] + ["up", "down"] * (turn + 1), "it to be told")
    interface = [event["interface"]["action"] for event in follower.events() if "interface" in event]
    assert interface == ["attached", "detached"] * 2
    before = follower.last_id()
    synward.attach(far)
    again = Follower(exporter, last_id=before)
    wait_for(again.events, "the events of another instance, whose numbers begin anew")
    assert again.events()[0]["interface"]["action"] == "attached"


def test_no_more_than_so_many_follow_and_a_place_is_free_at_once(exporter):
    followers = [Follower(exporter) for _ in range(STREAMS)]
    for follower in followers:
        wait_for(follower.kinds, "it to begin")
    refused = exporter.ask(PATH)
    assert refused.code == 503 and "16 follow" in json.loads(refused.body)["error"]
    assert exporter.ask(PATH, method="HEAD").code == 503
    followers.pop().close()
    wait_for(lambda: exporter.ask(PATH, method="HEAD").code == 200, "a place to be free")
    with exporter.connect() as peer:  # who says that he is done is done
        peer.sendall(f"GET {PATH} HTTP/1.1\r\n{HOST}\r\n".encode())
        peer.shutdown(socket.SHUT_WR)
        assert parse(said(peer)).code == 200
    followers.append(Follower(exporter))
    wait_for(followers[-1].kinds, "another one to have the place")
    assert exporter.ask("/healthz").body == "alive\n"


@pytest.mark.parametrize("query", ("?last=3073", "?last=x", "?limit=1", "?last=-1"))
def test_queries_that_make_no_sense(exporter, query):
    assert exporter.ask(PATH + query).code == 400


def test_who_does_not_read_is_told_what_he_has_missed(pair, synward, exporter):
    """What waits for him is bounded; what was overwritten meanwhile he knows exactly, and others miss nothing."""
    near, far = pair
    synward.attach(far, options=(*QUICK, "--events-per-second", 0))
    slow = [Follower(exporter, room=16384) for _ in range(STREAMS - 1)]
    quick = Follower(exporter)
    for turn in range(3):
        flood = Flood(near, [Segment(f"198.18.{i >> 8}.{i & 255}", far.address(socket.AF_INET), 1024, 443, ACK)
                             for i in range(TURN * turn, TURN * (turn + 1))])
        with flood.port:
            flood.run()
        sent = wait_for(lambda turn=turn: kept(synward, TURN * (turn + 1)), "the events")
        wait_for(lambda sent=sent: quick.read().raw.count(b'"timestamp"') > sent, "the quick one to have them")
    assert all("missed" not in event for event in quick.events())
    assert exporter.peak_kib() < PEAK_KIB
    last = quick.last_id().encode()
    wait_for(lambda: last in slow[0].read().raw, "the slow one to have the last one")
    told = slow[0].events()
    assert sum(event["missed"]["count"] if "missed" in event else 1 for event in told) == sent + 1
    assert any("missed" in event for event in told)


def kept(synward, least):
    """How many events were caused by packets: the first of all says that an interface was attached."""
    tallies = synward.stats()["tallies"]
    assert tallies["events_lost"] == tallies["events_suppressed"] == 0
    return tallies["events_sent"] if tallies["events_sent"] >= least else None


def test_who_sends_on_is_not_read_and_who_never_takes_anything_makes_room(exporter):
    followers = [Follower(exporter) for _ in range(STREAMS)]
    followers[0].peer.setblocking(True)
    followers[0].peer.settimeout(1)
    with contextlib.suppress(OSError):
        followers[0].peer.sendall(bytes(2 * PEAK_KIB * 1024))
    assert exporter.peak_kib() < PEAK_KIB and exporter.ask("/healthz").body == "alive\n"
    assert exporter.end() == (0, "")
