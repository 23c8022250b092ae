# SPDX-License-Identifier: GPL-2.0-or-later
"""
Honest connections where a router does not see all there is to see: both ends are on one side, it translates
addresses between its own interfaces, its table has pushed them out, it was away, or another router had them before.
"""

import contextlib
import socket

import pytest

import tcp
from causes import FAMILIES, QUICK
from cli import fresh
from echo import Echo, listen_to_all
from lan import Lan, line, visit
from live import need, seen
from net import NOBODY, wait_for
from policies import Files
from segments import ACK, FIN, MSS_1460, RST, SYN, Port, Segment
from test_gateway import Gateway, drive

STRICT = "  strict: yes\n  warm_up: 0s\n"
PLENTY = ("--handshakes", "8192", "--connections", "8192")
MASQUERADE = """table inet t { chain out {
    type nat hook postrouting priority 100;
    oifname "g1" masquerade
}
}"""


@pytest.fixture
def gateway(lab):
    made = Gateway(lab)
    lab.enter_context(Echo(*listen_to_all(made.server)))
    return made


def apply(synward, tmp_path, more):
    synward.expect(0, "policy", "apply", Files(tmp_path).default("enforce", more))


def all_speak(clients):
    """All at once: who hears nothing keeps nobody waiting."""
    silent = set(clients)
    for client in clients:
        client.setblocking(False)
        client.sendall(b"x")

    def hear():
        for client in list(silent):
            with contextlib.suppress(BlockingIOError):
                if client.recv(16) == b"x":
                    silent.discard(client)
        return not silent
    wait_for(hear, lambda: f"{len(silent)} of {len(clients)} connections to be answered")


@pytest.mark.parametrize("attached", ("the way in", "the way out"))
def test_translated_connections_count_once(lab, synward, attached):
    """By the name that it has on one side of the router."""
    need("nft")
    gateway = Gateway(lab)
    end = {"the way in": gateway.g0, "the way out": gateway.g1}[attached]
    gateway.router.run("nft", "-f", "-", input=MASQUERADE)
    synward.attach(end, options=QUICK)
    for count, family in enumerate(FAMILIES.values(), 1):
        drive(gateway, family, accepted=20, rejected=5)
        stats = synward.wait_settled(25 * count)
        told = {name: number for name, number in stats["handshakes"].items() if number}
        assert told == {"accepted": 20 * count, "rejected": 5 * count}
        assert stats["latency"]["syn_to_synack"]["count"] == 20 * count
        assert not seen(stats)


def begin_and_vanish(gateway, count):
    """So many handshakes that nobody ends, of each family one half."""
    with Port(gateway.c0) as port:
        for number in range(count):
            family = list(FAMILIES.values())[number % 2]
            port.send(Segment(gateway.c0.address(family), gateway.s0.address(family, NOBODY),
                              10000 + number, tcp.PORT, SYN, options=MSS_1460))


@pytest.mark.parametrize("percent", (30, 60, 90, 120))
def test_whoever_was_pushed_out_goes_on(gateway, synward, tmp_path, percent):
    """
    Both tables are that full. Nobody is pushed out while there is room; and a router holds no socket that vouches for
    anybody.
    """
    count = 1024 * percent // 100
    synward.attach(gateway.g0, gateway.g1, options=("--handshakes", "1024",
                                                    "--connections", "1024"))
    apply(synward, tmp_path, STRICT)
    begin_and_vanish(gateway, count)
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(
            tcp.connect(gateway.client, (gateway.s0.address(family), tcp.PORT), family))
            for family in FAMILIES.values() for _ in range(count // 2)]
        wait_for(lambda: synward.stats()["tallies"]["connections_opened"] == len(clients),
                 "all of them")
        for _ in range(2):
            all_speak(clients)
        stats = synward.stats()
        assert stats["conservation"]["dropped"] == 0
        if not 60 < percent < 100:
            assert (stats["tallies"]["connections_evicted"] > 0) == (percent > 100)


class Standby(Gateway):
    """With a second way: client c1 - b0 other router b1 - s1 server."""

    def __init__(self, lab):
        super().__init__(lab)
        self.other = lab.namespace("gw2")
        for version in ("ipv4", "ipv6"):
            self.other.sysctl(f"net.{version}.conf.all.forwarding", 1)
        self.c1, self.b0 = lab.wire(self.client, "c1", self.other, "b0", subnet=3)
        self.b1, self.s1 = lab.wire(self.other, "b1", self.server, "s1", subnet=4)
        for family in FAMILIES.values():
            self.b0.route(self._host(self.c0, family), self.c1.address(family))
            self.b1.route(self._host(self.s0, family), self.s1.address(family))

    @staticmethod
    def _host(end, family):
        return end.address(family) + ("/32" if family == socket.AF_INET else "/128")

    def take_over(self, verb="replace", first="client"):
        """The other router has both ends' traffic from now on; or, to del, no more."""
        ways = (self.c1, self.c0, self.s0), (self.s1, self.s0, self.c0)
        for end, own, to in ways if first == "client" else reversed(ways):
            for family in FAMILIES.values():
                end.namespace.ip("route", verb, self._host(to, family),
                                 "via", end.peer.address(family), "dev", end.name,
                                 "src", own.address(family))


def expect_lines(clients):
    for client in clients:
        client.settimeout(tcp.SECONDS)
        line(client)


def test_another_router_takes_over(lab, synward, bpffs, tmp_path):
    """Both are strict, and both have seen enough to be so."""
    with fresh(bpffs / f"{synward.pin_dir.name}b", tmp_path / "other") as other:
        routers = Standby(lab)
        lab.enter_context(Echo(*listen_to_all(routers.server)))
        synward.attach(routers.g0, routers.g1, options=PLENTY)
        other.attach(routers.b0, routers.b1, options=PLENTY)
        for one in (synward, other):
            apply(one, tmp_path, STRICT)
        for one, verb in ((synward, None), (other, "replace"), (synward, "del")):
            if verb:
                routers.take_over(verb)
            for family in FAMILIES.values():
                for _ in range(5):
                    visit(routers.client, (routers.s0.address(family), tcp.PORT), family).close()
        for one in (synward, other):
            assert one.stats()["handshakes"]["accepted"] >= 10
        with contextlib.ExitStack() as open_ones:
            clients, later = ([open_ones.enter_context(
                visit(routers.client, (routers.s0.address(family), tcp.PORT), family))
                for family in FAMILIES.values() for _ in range(count)] for count in (10, 3))
            routers.take_over()
            all_speak(clients)
            expect_lines(clients)
            assert other.stats()["tallies"]["connections_adopted"] >= len(clients)
            # so many tell that there are more, who lose nothing any more
            status, = other.json("status")["policy"]["services"]
            assert status["strict"] == "suspended" and status["moved_ms"] < 3600000
            assert "connections from elsewhere" in other.expect(0, "status").stdout
            dropped = other.stats()["conservation"]["dropped"]
            all_speak(later)
            for verb in ("del", "replace", "del"):
                routers.take_over(verb)
                expect_lines(clients + later)
            assert other.stats()["conservation"]["dropped"] == dropped
            assert synward.stats()["conservation"]["dropped"] == 0


def test_a_router_that_was_away(gateway, synward, tmp_path):
    """A third interface keeps the tables, while megabytes pass that nobody sees."""
    other = gateway.router
    other.ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
    synward.attach(gateway.g0, gateway.g1, options=PLENTY)
    with other.entered():
        synward.expect(0, "attach", "d0")
    apply(synward, tmp_path, STRICT + "  timeouts: {closed: 500ms}\n")
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(
            visit(gateway.client, (gateway.s0.address(family), tcp.PORT), family))
            for family in FAMILIES.values() for _ in range(4)]
        for around in (3, 5, 3):
            if around == 5:
                with other.entered():
                    synward.expect(0, "detach", "g0", "g1")
            for client in clients:
                client.settimeout(tcp.SECONDS)
                for _ in range(around * 16):
                    client.sendall(b"x" * 65536)
                    left = 65536
                    while left:
                        left -= len(client.recv(left))
            if around == 5:
                with other.entered():
                    synward.expect(0, "attach", "g0", "g1")
    wait_for(lambda: synward.stats()["connections"] == 0, "all entries to go")
    assert synward.stats()["conservation"]["dropped"] == 0


class OneArmed:
    """A router whose one interface has two networks behind it: client and server are not in the router's own."""

    def __init__(self, lab):
        lan = Lan(lab)
        self.router, self.client, self.server = (lab.namespace(name)
                                                 for name in ("router", "client", "server"))
        self.arm = lan.join(self.router, "e0")
        for version in ("ipv4", "ipv6"):
            self.router.sysctl(f"net.{version}.conf.all.forwarding", 1)
        self.router.sysctl("net.ipv4.conf.all.send_redirects", 0)
        self.router.sysctl("net.ipv4.conf.e0.send_redirects", 0)
        for number, namespace in enumerate((self.client, self.server), 1):
            host = lan.join(namespace, "e0")
            for family in FAMILIES.values():
                self.arm.neighbour(self._address(number, 2, family), host.mac)
                host.neighbour(self._address(number, 1, family), self.arm.mac)
                size = 24 if family == socket.AF_INET else 64
                for whose, last in ((self.router, 1), (namespace, 2)):
                    nodad = ("nodad",) if size == 64 else ()
                    whose.ip("addr", "add", f"{self._address(number, last, family)}/{size}",
                             "dev", "e0", *nodad)
                namespace.ip("route", "add", self._address(3 - number, 0, family) + f"/{size}",
                             "via", self._address(number, 1, family), "dev", "e0",
                             "src", self._address(number, 2, family))

    @staticmethod
    def _address(network, last, family):
        return f"10.78.{network}.{last}" if family == socket.AF_INET else f"fd78:{network}::{last}"

    def target(self, family):
        return self._address(2, 2, family), tcp.PORT


@pytest.mark.parametrize("others", (False, True), ids=("one arm", "and a side of its own"))
def test_both_ends_behind_one_interface(lab, synward, tmp_path, others):
    """Whether or not the router has sent handshakes of its own there, and something else comes by it."""
    place = OneArmed(lab)
    lab.enter_context(Echo(*listen_to_all(place.server)))
    synward.attach(place.arm, options=(*QUICK, *PLENTY))
    apply(synward, tmp_path, STRICT)
    for count, family in enumerate(FAMILIES.values(), 1):
        if others:
            visit(place.router, place.target(family), family).close()
        for _ in range(12):
            client = visit(place.client, place.target(family), family)
            line(client)
            client.close()
        stats = synward.wait_settled(count * (12 + others))
        assert synward.outcomes() == {"accepted": count * (12 + others)}
        assert not seen(stats)
    row, = synward.json("status")["policy"]["services"]
    assert row["strict"] == "ready"


def mirrored(port, first_port, count):
    """Handshakes of others, both of whose directions come in."""
    client, server = "192.0.2.1", "198.51.100.1"
    for number in range(first_port, first_port + count):
        there, back = (client, server, number, 443), (server, client, 443, number)
        port.send(Segment(*there, SYN, seq=1000, options=MSS_1460))
        port.send(Segment(*back, SYN | ACK, seq=9000, ack=1001, options=MSS_1460))
        port.send(Segment(*there, ACK, seq=1001, ack=9001))
        port.send(Segment(*there, ACK, seq=1001, ack=9001, payload=b"xx"))
        port.send(Segment(*back, ACK | FIN, seq=9001, ack=1003))
        port.send(Segment(*there, ACK | FIN, seq=1003, ack=9002))


def test_a_mirror_port(lab, synward, tmp_path):
    """Also when who watches there has reset something by it."""
    near, far = lab.wire(lab.namespace("switch"), "n0", lab.namespace("watcher"), "m0")
    synward.attach(far, options=QUICK)
    apply(synward, tmp_path, STRICT)
    with Port(near) as switch, Port(far) as watcher:
        mirrored(switch, 2000, 10)
        synward.expect_outcomes(accepted=10)
        watcher.send(Segment("192.0.2.1", "198.51.100.1", 1999, 443, RST, seq=1))
        mirrored(switch, 3000, 10)
        synward.expect_outcomes(accepted=20, midstream=1)
    assert seen(synward.stats()).keys() == {"rst_no_session"}
