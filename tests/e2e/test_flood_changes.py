# SPDX-License-Identifier: GPL-2.0-or-later
"""
The defence goes on and off while connections are in every state, and beside what it is not for: nobody
honest notices.
"""

import contextlib
import socket

import pytest

import tcp
from causes import QUICK
from floods import (SYNCOOKIES, Crowd, Ghost, apply, defend, flood_of, spoofed, talk,
                    wait_for_flood)
from live import connect_from
from segments import ACK, FIN, PSH, RST, SYN, Port

PROBE, ELSEWHERE = 9, 8090
WEB = "name: web, ports: [8080], syn_flood: {}"


def say(sender, receiver, words=b"still there"):
    sender.sendall(words)
    assert receiver.recv(64) == words


class Life:
    """A client's and the server's end of a connection, and what state the two are in."""

    def __init__(self, wire, server, family, port=None):
        near = wire[0]
        address = server.getsockname()[:2]
        self.client = (connect_from(near, port, address, family) if port else
                       tcp.connect(near.namespace, address, family))
        self.server = server.accept()[0]
        self.server.settimeout(tcp.SECONDS)
        say(self.client, self.server)

    def goes_on(self):
        for _ in range(3):
            say(self.client, self.server)
            say(self.server, self.client)

    def server_ends(self):
        self.server.shutdown(socket.SHUT_WR)
        assert self.client.recv(1) == b""

    def client_ends(self):
        self.client.shutdown(socket.SHUT_WR)
        assert self.server.recv(1) == b""

    def close(self):
        self.client.close()
        self.server.close()


def cookies(synward):
    return synward.stats()["tallies"]["cookies_sent"]


def answers(synward):
    return cookies(synward) + synward.stats()["tallies"]["challenges_sent"]


@pytest.mark.parametrize("way", SYNCOOKIES)
def test_every_state_survives_on_and_off(wire, synward, family, tmp_path, way):
    near, far = wire
    Ghost.route(far)
    far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[way])

    def turn(on):
        apply(synward, tmp_path, WEB.format("always" if on else "off"))
        wait_for_flood(synward, "web", on)

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(tcp.listener(far, family))
        port = stack.enter_context(Port(near))

        def live(**how):
            return stack.enter_context(contextlib.closing(Life(wire, server, family, **how)))

        older = live()
        synward.attach(far, options=(*QUICK, "--flood-way", way))
        turn(False)
        newer, server_over, client_over, reused = live(), live(), live(), live(port=25000)
        server_over.server_ends()
        client_over.client_ends()
        reused.server.close()  # the server's end waits out the time of stray segments
        reused.client.close()
        half_open = Ghost(port, far, family).knock()

        turn(True)
        before = answers(synward)
        for one in (older, newer):
            one.goes_on()
        say(server_over.client, server_over.server)
        server_over.client_ends()
        say(client_over.server, client_over.client)
        client_over.server_ends()
        half_open.say()
        half_open.say(PSH | ACK, b"data")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"data"
        assert answers(synward) == before
        reused = live(port=25000)
        reused.goes_on()
        late, silent = (Ghost(port, far, family).knock() for _ in range(2))
        # where the kernel has to be heard, one may pass
        assert answers(synward) - before in ((1, 2) if way == "kernel" else (2,))

        turn(False)
        for one in (older, newer, reused):
            one.goes_on()
        late.prove().say(PSH | ACK, b"late")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"late", "a cookie that was sent before is honoured"
        again = live()

        turn(True)
        for one in (older, newer, reused, again):
            one.goes_on()
        silent.prove().say(FIN | PSH | ACK, b"very late")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"very late"
        for ghost in (half_open, late, silent):
            ghost.say(RST | ACK)
    stats = synward.stats()
    if way == "handover":
        assert stats["tallies"]["cookies_accepted"] == stats["tallies"]["handovers"] == 2
    assert stats["limits"]["bad_cookie"]["dropped"] == 0


def test_whatever_takes_the_defence_away(wire, synward, family, tmp_path):
    """Who came by a cookie stays, and gets one again when the defence is back; meanwhile SYNs pass."""
    near, far = wire
    Ghost.route(far)
    defend(synward, tmp_path, far)

    def put_back():
        apply(synward, tmp_path, WEB.format("always"))
        wait_for_flood(synward, "web", True)

    ways = {"disarm": (("disarm",), lambda: synward.expect(0, "arm")),
            "reset": (("policy", "reset"), put_back),
            "detach": (("detach", "--all"), lambda: (
                synward.attach(far, options=(*QUICK, "--flood-way", "handover")), put_back()))}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(tcp.listener(far, family))
        port = stack.enter_context(Port(near))

        def come():
            """Somebody new, who stays."""
            ghost = Ghost(port, far, family).knock()
            ghost.say(PSH | ACK, b"hello")
            peer = stack.enter_context(server.accept()[0])
            assert peer.recv(64) == b"hello"
            lives.append((ghost, peer))

        def go_on():
            for ghost, peer in lives:
                ghost.say(PSH | ACK, b"still there")
                assert peer.recv(64) == b"still there"

        lives = []
        for way, (take_away, bring_back) in ways.items():
            before = cookies(synward)
            come()
            assert cookies(synward) == before + 1, way
            waiting = Ghost(port, far, family).knock()
            synward.expect(0, *take_away)
            go_on()
            come()
            if way != "detach":  # then nobody knows of it any more
                assert cookies(synward) == before + 2, way
                waiting.say(PSH | ACK, b"late")
                with server.accept()[0] as peer:
                    assert peer.recv(64) == b"late", way
            bring_back()
            go_on()
        come()
        assert far.namespace.counter("Tcp", "OutRsts") == 0
        for ghost, _ in lives:
            ghost.say(RST | ACK)
    assert cookies(synward) == 1 and synward.stats()["limits"]["bad_cookie"]["dropped"] == 0


def test_a_repeated_syn_that_was_there_before_the_flood(wire, synward, family, tmp_path):
    """Its server remembers it, and would reset whoever brings back another number."""
    near, far = wire
    Ghost.route(far)
    synward.attach(far, options=(*QUICK[:4], "--flood-way", "handover"))
    apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: adaptive, flood: {half_open: 50}")
    with tcp.listener(far, family) as server, Port(near) as port:
        early = Ghost(port, far, family).knock()
        spoofed(near, far, family, SYN, 100)
        wait_for_flood(synward, "web", True)
        asked = early.synack.seq
        early.knock()
        assert early.synack.seq == asked
        early.say()
        early.say(PSH | ACK, b"data")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"data"
        assert not any(flags & RST for flags in early.heard(PROBE))
        newcomer = Ghost(port, far, family).knock()
        newcomer.say()
        server.accept()[0].close()
        for ghost in (early, newcomer):
            ghost.say(RST | ACK)
    assert synward.stats()["tallies"]["cookies_sent"] >= 1


@pytest.mark.parametrize("policy", ("same", "other"))
def test_a_cookie_of_the_kernel_from_before_the_flood(wire, synward, family, tmp_path, policy):
    """The server has kept nothing of that SYN, so it is we who know of it."""
    near, far = wire
    Ghost.route(far)
    synward.attach(far, options=(*QUICK[:4], "--flood-way", "handover"))
    adaptive = "name: web, ports: [8080], syn_flood: adaptive, flood: {half_open: 50}"
    if policy == "same":
        apply(synward, tmp_path, adaptive)
    with tcp.listener(far, family) as server, Port(near) as port:
        server.listen(4)
        spoofed(near, far, family, SYN, 10)
        early = Ghost(port, far, family).knock()
        assert far.namespace.counter("TcpExt", "SyncookiesSent") >= 1
        if policy == "other":
            apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: always")
        else:
            spoofed(near, far, family, SYN, 100)
        wait_for_flood(synward, "web", True)
        early.say()
        early.say(PSH | ACK, b"data")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"data"
        assert not any(flags & RST for flags in early.heard(PROBE))
        early.say(RST | ACK)
    assert synward.stats()["limits"]["bad_cookie"]["dropped"] == 0


def test_it_minds_its_own_service(wire, synward, family, tmp_path):
    """Other services, who is on the allow list, and the host's own connections get no cookie."""
    near, far = wire
    crowd = Crowd(near, far)
    defend(synward, tmp_path, far)
    allowed = crowd.address(family)
    synward.expect(0, "allow", "add", allowed)
    with (tcp.listener(far, family) as server, tcp.listener(far, family, ELSEWHERE) as other,
          tcp.listener(near, family) as outside):
        talk(near.namespace, other, b"hello", prepare=crowd.join)
        talk(near.namespace, server, b"hello", prepare=lambda one: crowd.join(one, allowed))
        for _ in range(3):
            talk(far.namespace, outside, b"hello")
        assert cookies(synward) == 0
        talk(near.namespace, server, b"hello", prepare=crowd.join)
        assert cookies(synward) == 1
    assert synward.expect_outcomes(accepted=6)["limits"]["bad_cookie"]["dropped"] == 0


def test_the_same_name_stays_under_its_flood(wire, synward, family, tmp_path):
    """A policy that leaves the service what it is gives the flood no moment to go on in."""
    near, far = wire
    Ghost.route(far)
    rules = "name: web, ports: [8080], syn_flood: adaptive, flood: {half_open: 50, calm: 1d}"
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path, rules)
    with tcp.listener(far, family) as server, Port(near) as port:
        spoofed(near, far, family, SYN, 100)
        wait_for_flood(synward, "web", True)
        # it is another row, too
        apply(synward, tmp_path, "name: first, ports: [80], syn_flood: adaptive", rules)
        before = cookies(synward)
        ghost = Ghost(port, far, family).knock()
        assert cookies(synward) == before + 1
        flood = flood_of(synward, "web")
        assert (flood["on"], flood["floods"], flood["reason"]) == (True, 1, "half_open")
        assert not flood_of(synward, "first")["on"]
        ghost.say()
        ghost.say(PSH | ACK, b"data")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"data"
        ghost.say(RST | ACK)
    assert synward.stats()["limits"]["bad_cookie"]["dropped"] == 0


OTHERS = {
    "renamed": ("name: shop, ports: [8080], syn_flood: always",),
    "renamed, adaptive": ("name: shop, ports: [8080], syn_flood: adaptive",),
    "renamed, not defended": ("name: shop, ports: [8080], syn_flood: off",),
    "renamed, strict": ("name: shop, ports: [8080], syn_flood: off, strict: yes, warm_up: 0s",),
    "with other ports": ("name: web, ports: [8000-8090], syn_flood: off",),
    "merged": ("name: all, ports: [1-65535], syn_flood: adaptive",),
    "split": ("name: web, ports: [8081], syn_flood: always", "name: b, ports: [8080]"),
    "removed": ("name: other, ports: [8081], syn_flood: always",),
    "removed, as all are": (),
}


def test_another_name_loses_no_cookie(wire, synward, family, tmp_path):
    """Whatever becomes of a service by another policy, who was answered under its name gets in."""
    near, far = wire
    Ghost.route(far)
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    with tcp.listener(far, family) as server, Port(near) as port:
        for count, (how, services) in enumerate(OTHERS.items(), 1):
            apply(synward, tmp_path, WEB.format("always"))
            wait_for_flood(synward, "web", True)
            ghost, silent = (Ghost(port, far, family).knock() for _ in range(2))
            if services:
                apply(synward, tmp_path, *services)
            else:
                synward.expect(0, "policy", "reset")
            ghost.say()
            ghost.say(PSH | ACK, b"data")
            silent.say(PSH | ACK, b"data")
            for _ in range(2):
                with server.accept()[0] as peer:
                    assert peer.recv(64) == b"data", how
            assert far.namespace.counter("Tcp", "OutRsts") == 0, how
            for one in (ghost, silent):
                one.say(RST | ACK)
            tallies = synward.stats()["tallies"]
            assert tallies["cookies_accepted"] == tallies["handovers"] == 2 * count, how
    stats = synward.stats()
    assert stats["limits"]["bad_cookie"]["dropped"] == stats["conservation"]["dropped"] == 0


def test_what_was_counted_before_is_no_flood(wire, synward, family, tmp_path):
    """A policy comes again in a place that has counted before, and finds its own old SYNs there."""
    near, far = wire
    quiet = WEB.format("adaptive, flood: {{half_open: 100000, syn_rate: {}}}")
    synward.attach(far, options=QUICK)
    apply(synward, tmp_path, quiet.format(1000000))
    spoofed(near, far, family, SYN, 400)
    for rate in (1000000, 999999, 1000, 999, 1000):
        apply(synward, tmp_path, quiet.format(rate), "name: mark, ports: [1], syn_flood: always")
        wait_for_flood(synward, "mark", True)
        assert flood_of(synward, "web")["floods"] == 0, rate
        apply(synward, tmp_path, quiet.format(rate), "name: none, ports: [1]")
