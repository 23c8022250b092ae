# SPDX-License-Identifier: GPL-2.0-or-later
"""
Somebody takes net.ipv4.tcp_syncookies back, while the way `kernel` is on that needs it to be 2. From then
on the kernel sends cookies only when it must, and honours them only for a while: no client may be harmed.
"""

from defended import DEGRADED, HELLO, Yard
from floods import receive
from net import wait_for
from segments import ACK, PSH, RST

PROBE, WAITING = 9, 10  # a closed port, and so many clients
SYNCOOKIES = "net.ipv4.tcp_syncookies"


def sent(yard):
    tallies = yard.synward.stats()["tallies"]
    return tallies["cookies_sent"], tallies["challenges_sent"]


def expect_answers(yard, kind):
    """All of some clients get in, by answers of this kind only; one a second may pass."""
    before = sent(yard)
    yard.talks()
    grown = [now - then for now, then in zip(sent(yard), before)]
    assert grown[kind] and not grown[1 - kind], grown


def expect_heard(yard, client, server):
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(HELLO)
        assert receive(receiver, len(HELLO)) == HELLO


def test_taken_back_after_the_attach(lab, wire, synward, family, tmp_path):
    far = wire[1]
    far.namespace.sysctl(SYNCOOKIES, 2)
    yard = Yard(lab, wire, family, synward, tmp_path, policy="", way="kernel")
    wait_for(lambda: yard.talks(1) or sent(yard)[0], "a cookie")
    expect_answers(yard, 0)
    client = lab.enter_context(yard.client())
    server = lab.enter_context(yard.server.accept()[0])
    expect_heard(yard, client, server)
    waiting = [yard.ghost().knock() for _ in range(WAITING)]

    far.namespace.sysctl(SYNCOOKIES, 1)
    expect_answers(yard, 1)  # from the first on
    expect_heard(yard, client, server)
    for ghost in waiting:
        ghost.say(PSH | ACK, HELLO)
        with yard.server.accept()[0] as peer:
            assert receive(peer, len(HELLO)) == HELLO, "a cookie that was sent before is honoured"
        assert not any(flags & RST for flags in ghost.heard(PROBE))
        ghost.say(RST | ACK)
    done = synward.run("status")
    assert done.returncode == DEGRADED and f"{SYNCOOKIES} is 1 here, and it takes 2" in done.stdout
    assert "kernel no longer works here, so sources are challenged" in done.stdout

    far.namespace.sysctl(SYNCOOKIES, 2)
    before = sent(yard)[0]
    wait_for(lambda: yard.talks(1) or sent(yard)[0] > before, "cookies to be sent again")
    expect_answers(yard, 0)
    expect_heard(yard, client, server)
    assert yard.check()["times"] == 0 and synward.run("status").returncode == 0
    assert synward.stats()["limits"]["bad_cookie"]["dropped"] == 0
