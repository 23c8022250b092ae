# SPDX-License-Identifier: GPL-2.0-or-later
"""
What test_flood_abuse.py has of cookies of our own, for the other ways: what is made up, or another's, opens
nothing and proves nothing, and no flood hurts anybody.
"""

import dataclasses

import pytest

import tcp
from cli import fresh
from floods import Ghost, talk
from net import Lab, wait_for
from segments import ACK, PSH, RST, Segment
from test_flood_abuse import (FRAMES, HELLO, HONEST, OTHER, PROBE, Yard, ack, at_work, data,
                              flooded, rst, syn, synack)

ROUNDS = 5
MSS_BITS = 3  # in which another cookie of the kernel's may be a good one, too: of another MSS


@pytest.fixture(scope="module", params=("kernel", "challenge"))
def yard(request, bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("abuse")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        made = Yard(lab, synward, path, request.param)
        made.way = request.param
        yield made


def tally(yard, name):
    return yard.synward.stats()["tallies"][name]


# ---- the kernel's cookies


def answered(yard, family, port=tcp.PORT):
    """A client that has a cookie from us: one SYN a second passes."""
    def one():
        before, ghost = tally(yard, "cookies_sent"), yard.ghost(family, port).knock()
        return ghost if tally(yard, "cookies_sent") > before else None
    return wait_for(one, "a cookie")


def wrong(ghost, other, elsewhere):
    """ACKs that all bring back something else than they were given."""
    good = ghost.next()
    for bit in range(MSS_BITS, 32):
        yield ghost.next(ack=good.ack ^ 1 << bit)
        yield ghost.next(PSH | ACK, HELLO, seq=good.seq ^ 1 << bit)
    for theft in (other.next(), elsewhere.next()):
        yield Segment(*ghost.ends, ACK, theft.seq, theft.ack, options=theft.options)
        yield ghost.next(ack=theft.ack)
    for end in ({"sport": good.sport ^ 1}, {"dport": OTHER}, {"src": other.next().src}):
        yield dataclasses.replace(good, **end)


def check_cookies(yard, family):
    ghost, other, elsewhere = (answered(yard, family, port) for port in (tcp.PORT, tcp.PORT, OTHER))
    before, count = yard.bad_cookies(), 0
    for count, segment in enumerate(wrong(ghost, other, elsewhere), 1):
        yard.port.send(segment)
    assert RST not in {flags & RST for flags in ghost.heard(PROBE)}
    assert yard.accepted(family) == yard.accepted(family, OTHER) == 0
    assert yard.bad_cookies() - before == count > 60
    for one, port in ((ghost, tcp.PORT), (other, tcp.PORT), (elsewhere, OTHER)):
        one.say()
        one.heard(PROBE)
        assert yard.accepted(family, port) == 1, "the right one still does"
        one.say(RST | ACK)


# ---- challenges


def check_challenges(yard, family):
    """Nor do another's, nor that of another connection; the right one does, whatever was sent before."""
    ghost, other, elsewhere = (yard.ghost(family, port).knock()
                               for port in (tcp.PORT, tcp.PORT, OTHER))
    again = Ghost(yard.port, yard.far, family)
    again.address, again.ends = ghost.address, (ghost.address, *again.ends[1:])
    assert all(one.is_challenged() for one in (ghost, other, elsewhere))
    proven = yard.synward.stats()["limits"]["challenge_answer"]["dropped"]
    for seq in (*(ghost.synack.ack ^ 1 << bit for bit in range(32)), ghost.isn, ghost.isn + 1,
                other.synack.ack, elsewhere.synack.ack):
        yard.port.send(ghost.segment(RST, seq, options=b""))
        yard.port.send(ghost.segment(RST | ACK, seq, ghost.synack.seq + 1, options=b""))
    for ends in (again.ends, other.ends, elsewhere.ends):
        yard.port.send(Segment(*ends, RST, ghost.synack.ack))
    ghost.heard(PROBE)
    assert yard.synward.stats()["limits"]["challenge_answer"]["dropped"] == proven
    assert again.knock().is_challenged(), "its source has proven nothing"
    assert not ghost.prove().is_challenged() and not again.prove().is_challenged()
    assert yard.synward.stats()["limits"]["challenge_answer"]["dropped"] == proven + 2
    for one in (ghost, again):
        one.say(RST | ACK)


def test_what_is_wrong_does_nothing(yard, family):
    {"kernel": check_cookies, "challenge": check_challenges}[yard.way](yard, family)


# ---- floods


@pytest.mark.parametrize("make", (syn, ack, rst, synack, data), ids=lambda make: make.__name__)
def test_nobody_is_hurt_by_a_flood_of(yard, family, make):
    for port in (tcp.PORT, OTHER):
        yard.servers[family, port].settimeout(tcp.SECONDS)
    before = yard.synward.stats()
    with at_work(yard, family) as carried, flooded(yard, family, make, ROUNDS):
        already = carried()
        for _ in range(HONEST):
            talk(yard.near.namespace, yard.servers[family, tcp.PORT], HELLO * 100,
                 prepare=yard.crowd.join)
        wait_for(lambda: carried() > already, "work to go on")
    after = yard.synward.await_books()
    traffic, earlier = (one["interfaces"][0]["ingress"] for one in (after, before))
    assert traffic["seen"] - earlier["seen"] >= FRAMES * ROUNDS
    bad = after["limits"]["bad_cookie"]["dropped"] - before["limits"]["bad_cookie"]["dropped"]
    assert bad == (FRAMES * ROUNDS if yard.way == "kernel" and make in (ack, data) else 0)
    grown = {name: after["tallies"][name] - before["tallies"][name] for name in after["tallies"]}
    sent = grown["cookies_sent" if yard.way == "kernel" else "challenges_sent"]
    assert traffic["answered"] - earlier["answered"] == sent > 0
    assert yard.accepted(family) == yard.accepted(family, OTHER) == 0
