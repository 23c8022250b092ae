# SPDX-License-Identifier: GPL-2.0-or-later
"""
The flood defence watches itself: where it locks clients out it steps aside, says so, and tries again. And
who does not like it cannot talk it into that.
"""

import random
import socket
import time

import pytest

import tcp
from defended import CLIENTS, HELLO, Yard
from firewalls import ONLY_SYNS
from floods import ALWAYS, SACK, WINDOW_SCALE, apply, talk
from hooks import filter_packets
from net import VANISHED, wait_for
from segments import ACK, MSS_1460, PSH, SYN, Segment, frame

ANOTHER = "name: another, ports: [1]"


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


STRICT = """table inet t { chain in {
    type filter hook input priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    tcp dport 8080 tcp flags & (fin|syn|rst|ack) == syn ct state new accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
}
chain out {
    type filter hook output priority 0;
    ct state invalid drop
}
}"""


@pytest.mark.parametrize("rules", (ONLY_SYNS, STRICT), ids=("only SYNs", "strict"))
def test_conntrack_is_told(yard, rules, tmp_path):
    """By entries of its own: then there is no reason to step aside, and much data pass both ways."""
    yard.put_up_firewall(rules)
    yard.far.namespace.sysctl("net.netfilter.nf_conntrack_tcp_loose",
                              int(rules == ONLY_SYNS))
    ghosts = yard.insist(lambda: yard.check()["tells_conntrack"])
    for ghost in ghosts:  # they are served after all
        ghost.port.send(ghost.next(PSH | ACK, HELLO))
        yard.server.accept()[0].close()
    before = yard.synward.stats()["tallies"]
    for _ in range(5):
        infos = talk(yard.near.namespace, yard.server, prepare=yard.crowd.join)
        assert not infos.client.options & WINDOW_SCALE and infos.client.options & SACK
    after = yard.synward.stats()["tallies"]
    assert after["handovers"] - before["handovers"] >= 4, "one may have been let through, to be heard"
    assert yard.check()["phase"] == "answers" and yard.check()["times"] == 0
    done = yard.synward.expect(0, "status")
    assert "note: web: clients were not served, so synward now tells conntrack" in done.stdout
    entries = yard.far.namespace.run("conntrack", "-L", "-p", "tcp", "--dport", "8080").stdout
    assert entries.count("[UNREPLIED]") == 0
    # a policy that is applied begins anew: here with nothing to do, since the firewall is gone
    yard.take_down_firewall()
    apply(yard.synward, tmp_path, ALWAYS, ANOTHER)
    wait_for(lambda: yard.flood()["on"], "the defence")
    assert not yard.check()["tells_conntrack"]
    infos = talk(yard.near.namespace, yard.server, prepare=yard.crowd.join)
    assert infos.client.options & WINDOW_SCALE


def test_the_hook_of_the_hand_over_is_gone(yard):
    """Whoever has taken it: XDP goes on sending cookies, and the kernel resets whoever brings one back."""
    yard.talks(3)
    assert yard.synward.stats()["tallies"]["handovers"]
    yard.far.namespace.run("bpftool", "link", "detach", "pinned",
                           yard.synward.pin_dir / "links" / "0" / "handover")

    def another_is_refused():
        """The first few have conntrack told, which is no help here."""
        ghost = yard.ghost().knock()
        ghost.port.send(ghost.next(PSH | ACK, HELLO))
        return yard.check()["stepped_aside"]
    wait_for(another_is_refused, lambda: str(yard.flood()))
    yard.assert_says("unserved")
    assert "the hand-over's hook is detached" in yard.synward.run("status").stdout
    yard.server.close()  # and with it whoever of these has come through since
    with tcp.listener(yard.far, yard.family) as yard.server:
        yard.talks()


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
    """The other end of the veth takes nothing from XDP, and a program of somebody else's nothing from TC."""
    filter_packets(pair[1], "egress", "loss", "lose_what_turns")
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
    yard.insist(lambda: yard.evidence("unserved") >= 3)
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
