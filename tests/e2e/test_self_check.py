# SPDX-License-Identifier: GPL-2.0-or-later
"""
The flood defence watches itself: where it locks clients out it steps aside, says so, and tries again. And
who does not like it cannot talk it into that.
"""

import json
import random
import socket
import time

import pytest

import tcp
from floods import ALWAYS, Crowd, Ghost, answerable, apply, defend, talk
from live import need
from net import VANISHED, wait_for
from segments import ACK, MSS_1460, PSH, SYN, Port, Segment, frame

HELLO = b"hello"
CLIENTS = 10
FIREWALL = """table inet t { chain in {
    type filter hook input priority 0;
    tcp flags & (fin|syn|rst|ack) != syn ct state new drop
}
}"""
DEGRADED = 3


class Yard:
    """A server that is defended from now on, and clients."""

    def __init__(self, stack, pair, family, synward, path, service=ALWAYS):
        self.near, self.far = pair
        self.family, self.synward = family, synward
        self.crowd = Crowd(self.near, self.far)
        Ghost.route(self.far)
        self.port = stack.enter_context(Port(self.near))
        self.server = stack.enter_context(tcp.listener(self.far, family))
        defend(synward, path, self.far, services=(service,))

    def put_up_firewall(self):
        need("nft")
        self.far.namespace.run("nft", "-f", "-", input=FIREWALL)

    def take_down_firewall(self):
        self.far.namespace.run("nft", "delete", "table", "inet", "t")

    def flood(self):
        """Whatever `status` says of all the rest."""
        rows = json.loads(self.synward.run("-j", "status").stdout)["policy"]["services"]
        return next(row["flood"] for row in rows if row["name"] == "web")

    def check(self):
        return self.flood()["self_check"]

    def evidence(self, name):
        return self.flood()["last"]["whole"][name]

    def ghost(self, address=None):
        ghost = Ghost(self.port, self.far, self.family)
        if address:
            ghost.address, ghost.ends = address, (address, *ghost.ends[1:])
        return ghost

    def talks(self, count=CLIENTS):
        """So many honest clients, of whom none was there before, get in and are heard."""
        for _ in range(count):
            talk(self.near.namespace, self.server, HELLO, prepare=self.crowd.join)

    def knock_in_vain(self, count=CLIENTS):
        """Clients that bring their cookie back, and ask again as long as nobody answers."""
        ghosts = [self.ghost().knock() for _ in range(count)]

        def stepped_aside():
            for ghost in ghosts:
                ghost.port.send(ghost.next(PSH | ACK, HELLO))
            return self.check()["stepped_aside"]
        wait_for(stepped_aside, lambda: str(self.flood()))

    def assert_says(self, reason):
        done = self.synward.run("status")
        assert done.returncode == DEGRADED
        line = next(one for one in done.stdout.splitlines() if one.startswith("degraded: web: "))
        assert "its flood defence stepped aside" in line and "SYNs pass" in line
        lines = self.synward.expect(0, "stats", "--prometheus").stdout.splitlines()
        assert 'synward_flood_self_check{service="web",phase="aside"} 1' in lines
        assert 'synward_flood_self_check{service="web",phase="answers"} 0' in lines
        assert 'synward_flood_steps_aside_total{service="web"} 1' in lines
        own = self.events()["flood_steps_aside"]
        assert own["service"] == "web" and own["reason"] == reason and own["causes"]
        return own["found"]

    def events(self):
        """The last of each kind that are about floods."""
        lines = self.synward.expect(0, "-j", "events", "--timeout", "500ms").stdout.splitlines()
        found = [json.loads(line) for line in lines]
        return {one["event_type"]: one[one["event_type"]] for one in found
                if one["event_type"].startswith("flood_")}


@pytest.fixture
def wire(pair):
    answerable(pair[0])
    return pair


@pytest.fixture
def yard(lab, wire, family, synward, tmp_path):
    return Yard(lab, wire, family, synward, tmp_path)


def cookies(yard):
    return yard.synward.stats()["tallies"]["cookies_sent"]


def test_behind_a_firewall_that_wants_to_have_seen_the_syn(yard, tmp_path):
    yard.talks()
    assert yard.check()["phase"] == "answers" and yard.synward.run("status").returncode == 0
    yard.put_up_firewall()
    yard.knock_in_vain()
    found = yard.assert_says("unserved")
    assert found["unserved"] >= 3 and found["unserved"] > found["served"]
    sent = cookies(yard)
    yard.talks()
    assert cookies(yard) == sent, "SYNs pass"
    # a policy that is applied begins anew
    yard.take_down_firewall()
    apply(yard.synward, tmp_path, ALWAYS)
    wait_for(lambda: yard.flood()["on"], "the defence")
    yard.talks()
    assert cookies(yard) > sent
    check = yard.check()
    assert not check["stepped_aside"] and check["phase"] == "answers" and check["times"] == 1
    assert "aside_ms" not in check and check["found"] == found, "what was, is not forgotten"
    assert yard.synward.run("status").returncode == 0


@pytest.mark.parametrize("family", [socket.AF_INET])
def test_it_tries_again(yard):
    yard.put_up_firewall()
    yard.knock_in_vain()
    before = yard.check()
    assert 0 < before["tries_again_ms"] <= 30000 and before["phase"] == "aside"
    yard.take_down_firewall()

    def resumed():
        yard.talks(1)
        return not yard.check()["stepped_aside"]
    wait_for(resumed, lambda: str(yard.check()), seconds=120)
    assert yard.check()["times"] == 1
    assert yard.synward.run("status").returncode == 0
    assert yard.events()["flood_resumes"]["aside_ms"] >= 30000
    sent = cookies(yard)
    yard.talks()
    assert cookies(yard) >= sent + CLIENTS


@pytest.mark.parametrize("family", [socket.AF_INET])
def test_answers_that_never_arrive(lab, pair, family, synward, tmp_path):
    """The other end of the veth takes nothing from XDP."""
    yard = Yard(lab, pair, family, synward, tmp_path)
    ends = [lab.enter_context(tcp.begin(yard.near.namespace, yard.server.getsockname()[:2], family))
            for _ in range(CLIENTS)]
    wait_for(lambda: yard.check()["stepped_aside"], lambda: str(yard.flood()))
    assert yard.assert_says("unanswered")["repeated"] >= 3
    for _ in ends:
        yard.server.accept()[0].close()
    yard.talks()


def test_not_if_the_policy_does_not_want_it(lab, wire, family, synward, tmp_path):
    yard = Yard(lab, wire, family, synward, tmp_path, f"{ALWAYS}, flood: {{self_check: no}}")
    yard.put_up_firewall()
    ghosts = [yard.ghost().knock() for _ in range(CLIENTS)]

    def found_out():
        for ghost in ghosts:
            ghost.port.send(ghost.next(PSH | ACK, HELLO))
        return yard.evidence("unserved") >= 3
    wait_for(found_out, lambda: str(yard.flood()))
    looks = yard.evidence("syns")
    yard.ghost().knock()
    wait_for(lambda: yard.evidence("syns") > looks, "another look")
    assert yard.check() is None
    assert synward.run("status").returncode == 0


# ---- who wants it to step aside

def made_up(yard, count):
    numbers = random.Random(8)
    return [Segment(yard.near.address(yard.family, VANISHED), yard.far.address(yard.family),
                    1024 + n, tcp.PORT, SYN, seq=numbers.getrandbits(32), options=MSS_1460)
            for n in range(count)]


def test_spoofed_syns_that_come_again_while_somebody_gets_in(yard):
    """Half a second later, as a client's: what honest clients do takes that long."""
    segments = made_up(yard, 20)

    def counted():
        for segment in segments:
            yard.port.send(segment)
        started = time.monotonic()
        while time.monotonic() - started < 0.7:
            yard.talks(1)
        return yard.evidence("repeated") >= 60
    wait_for(counted, lambda: str(yard.flood()))
    assert yard.check()["phase"] == "answers" and yard.check()["times"] == 0


def spoil(yard, ghost):
    """Brings the cookie back in a segment that the server throws away: its checksum is wrong."""
    segment = ghost.next(PSH | ACK, HELLO)
    data = bytearray(frame(yard.near.mac, yard.near.peer.mac, segment))
    data[14 + (20 if yard.family == socket.AF_INET else 40) + 16] ^= 1
    yard.port.socket.send(bytes(data))


def test_one_real_source_that_wants_to_be_unserved(yard):
    address = yard.ghost().address
    for _ in range(50):
        spoil(yard, yard.ghost(address).knock())
    before = yard.evidence("served")
    wait_for(lambda: yard.talks(1) or yard.evidence("served") >= before + 10,
             lambda: str(yard.flood()))
    assert 1 <= yard.evidence("unserved") <= 2
    assert yard.check()["phase"] == "answers" and yard.check()["times"] == 0


def test_more_real_sources_than_honest_ones(yard):
    """They can: who has so many real addresses fills the accept queue, too. Clients get in meanwhile."""
    ghosts = [yard.ghost().knock() for _ in range(CLIENTS)]

    def stepped_aside():
        for ghost in ghosts:
            spoil(yard, ghost)
        return yard.check()["stepped_aside"]
    wait_for(stepped_aside, lambda: str(yard.flood()))
    yard.talks()
