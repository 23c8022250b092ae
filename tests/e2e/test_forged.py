# SPDX-License-Identifier: GPL-2.0-or-later
"""
A third host sends in the names of two others, knowing their addresses and ports and none of their numbers: no
connection suffers, nothing looks like a handshake, nobody is blocked, and strict rules stay as they are.
"""

import pytest

import tcp
from causes import FAMILIES
from echo import Echo, listen_to_all
from floods import wait_for_flood
from lan import Forger, Lan, line, visit
from net import wait_for
from policies import Files
from segments import ACK, FIN, MSS_1460, RST, SYN, Port, Segment, frame
from test_gateway import subnet, traffic

PLENTY = ("--handshakes", "8192", "--connections", "8192")
STRICT = "  strict: yes\n  warm_up: 0s\n"
MADE_UP = 0x12345678, 0x0ABCDEF0  # numbers of either end
HALF = 1 << 31


class Host:
    """client c0, server s0 and forger f0 on a switch; s0 is attached."""

    wrong = "martian_source"  # what is said in the server's name

    def __init__(self, lab):
        self.client, self.server = lab.namespace("client"), lab.namespace("server")
        lan = Lan(lab)
        self.c0, self.s0 = lan.join(self.client, "c0"), lan.join(self.server, "s0")
        self.ends, self.entry = (self.s0,), self.s0
        self.finish(lab, lan)

    def finish(self, lab, lan):
        self.forger = Forger(lab, lan, self.entry)
        lab.enter_context(Echo(*listen_to_all(self.server)))

    def service(self, family):
        return self.s0.address(family), tcp.PORT

    def visit(self, family):
        return visit(self.client, self.service(family), family)


class Router(Host):
    """client c0, forger f0 and a router's g0 on a switch; router g1 - s0 server. g0 and g1 are attached."""

    wrong = "wrong_side"

    def __init__(self, lab):
        self.client, self.router, self.server = map(lab.namespace, ("client", "gw", "server"))
        for version in ("ipv4", "ipv6"):
            self.router.sysctl(f"net.{version}.conf.all.forwarding", 1)
        lan = Lan(lab)
        self.c0, self.g0 = lan.join(self.client, "c0"), lan.join(self.router, "g0")
        self.g1, self.s0 = lab.wire(self.router, "g1", self.server, "s0", subnet=2)
        for family in FAMILIES.values():
            self.c0.route(subnet(self.s0, family), self.g0.address(family))
            self.s0.route(subnet(self.c0, family), self.g1.address(family))
        self.ends, self.entry = (self.g0, self.g1), self.g0
        self.finish(lab, lan)


PLACES = {"host": Host, "router": Router}


@pytest.fixture
def host(lab):
    return Host(lab)


@pytest.fixture
def router(lab):
    return Router(lab)


@pytest.fixture(params=PLACES)
def place(lab, request):
    return PLACES[request.param](lab)


def ends_of(client):
    """As segments from it have them: source, destination, and their ports."""
    (src, sport), (dst, dport) = client.getsockname()[:2], client.getpeername()[:2]
    return src, dst, sport, dport


def back(ends):
    src, dst, sport, dport = ends
    return dst, src, dport, sport


class Arrivals:
    """Waits until what was sent to an attached interface has been looked at."""

    def __init__(self, synward, end):
        self.synward, self.end = synward, end
        self.expected = self.seen()

    def seen(self):
        kinds = traffic(self.synward.stats(), self.end.name)["ingress"]["kinds"]
        return kinds["tcp"] + kinds["undecodable"]

    def wait(self, count=1):
        self.expected += count
        wait_for(lambda: self.seen() >= self.expected, "what was forged to arrive")


def strict(synward):
    return synward.json("status")["policy"]["services"][0]["strict"]


def closed(synward):
    return synward.stats()["tallies"]["connections_closed"]


# ---- live connections


def test_a_live_connection_survives_a_forged_handshake(place, synward, tmp_path):
    """A SYN and a SYN-ACK of nobody's numbers: then the connection's own are not wrong."""
    synward.attach(*place.ends, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).default("enforce"))
    for count, family in enumerate(FAMILIES.values(), 1):
        with place.visit(family) as client:
            ends, (mine, theirs) = ends_of(client), MADE_UP
            arrivals = Arrivals(synward, place.entry)
            place.forger.send(*ends, flags=SYN, seq=mine, options=MSS_1460)
            arrivals.wait()
            line(client)
            arrivals = Arrivals(synward, place.entry)
            place.forger.send(*back(ends), flags=SYN | ACK, seq=theirs, ack=mine + 1,
                              options=MSS_1460)
            arrivals.wait()
            for _ in range(3):
                line(client)
            stats = synward.stats()
            assert stats["handshakes"]["accepted"] == count
            assert stats["anomalies"][place.wrong] == {"seen": count, "would_drop": 0, "dropped": 0}
            assert stats["conservation"]["dropped"] == 0


def numbers_of(place, family):
    """A connection that has said something, and the numbers that its ends say next."""
    with Port(place.c0) as wire:
        client = place.visit(family)
        echo = wire.receive(lambda s: s.payload and s.dport == client.getsockname()[1], "an echo")
    return client, echo.ack, echo.seq + len(echo.payload)


@pytest.mark.parametrize("off", (HALF, 1 << 20), ids=("far", "near by chance"))
def test_idle_connections_are_not_forgotten(router, synward, tmp_path, off):
    """
    By strict rules, for a RST or FINs of somebody who guesses. The server has taken none of it, and those who
    really close later are forgotten first.
    """
    synward.attach(*router.ends, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", STRICT + "  timeouts: {closed: 500ms}\n"))
    for family in list(FAMILIES.values()) * 5:
        router.visit(family).close()
    control = router.visit(family)
    idle = {(flags, family): numbers_of(router, family)
            for flags in (RST, FIN | ACK) for family in FAMILIES.values()}
    arrivals = Arrivals(synward, router.g0)
    for (flags, _), (client, mine, theirs) in idle.items():
        ends = ends_of(client)
        router.forger.send(*ends, flags=flags, seq=mine + off, ack=theirs + off)
        router.forger.send(*back(ends), flags=flags, seq=theirs + off, ack=mine + off)
    arrivals.wait(8)
    control.close()
    wait_for(lambda: closed(synward) >= 11, "those that have closed to be forgotten")
    for client, *_ in idle.values():
        line(client)
        client.close()
    assert synward.stats()["anomalies"]["midstream"]["dropped"] == 0


# ---- handshakes that never were


def forge_handshake(place, family, port):
    """All three segments from outside, and none of them is true."""
    nobody, (mine, theirs) = place.forger.nobody(family), MADE_UP
    ends = (nobody, place.s0.address(family), port, tcp.PORT)
    place.forger.send(*ends, flags=SYN, seq=mine, options=MSS_1460)
    place.forger.send(*back(ends), flags=SYN | ACK, seq=theirs, ack=mine + 1, options=MSS_1460)
    place.forger.send(*ends, flags=ACK, seq=mine + 1, ack=theirs + 1)


def test_a_flood_is_noticed(host, family, synward, tmp_path):
    """Although each of its SYNs seems to be answered and taken."""
    synward.attach(*host.ends, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).services(
        f"name: web, ports: [{tcp.PORT}], syn_flood: adaptive, flood: {{half_open: 50, calm: 1h}}",
        mode="enforce"))
    for port in range(2000, 2200):
        forge_handshake(host, family, port)
    wait_for_flood(synward, "web", True)
    assert not synward.outcomes()


def test_nobody_is_blocked_in_whose_name_it_is_sent(host, family, synward, tmp_path):
    synward.attach(*host.ends, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", "auto_block: {enabled: yes, offences: 10, window: 1m, expiry: 1m}\n"))
    arrivals = Arrivals(synward, host.s0)
    forge_handshake(host, family, 2000)
    arrivals.wait(3)
    for port in range(3000, 3020):
        host.forger.send(host.forger.nobody(family), host.s0.address(family), port, tcp.PORT,
                         flags=0)
    arrivals.wait(20)
    stats = synward.stats()
    assert stats["tallies"]["auto_blocks"] == 0
    assert stats["anomalies"]["flags_null"]["dropped"] == 20
    assert not synward.outcomes()


def spoiled(data):
    """The frame of a bare segment with a wrong TCP checksum, which a kernel drops without a word."""
    at = len(data) - 4
    return data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1:]


def test_strict_rules_are_not_suspended_by_two_segments(host, family, synward, tmp_path):
    """A SYN, and an ACK as if it had been answered by a route that is not seen."""
    synward.attach(*host.ends, options=PLENTY)
    synward.expect(0, "policy", "apply", Files(tmp_path).default(
        "enforce", STRICT + "  timeouts: {syn_sent: 300ms, syn_received: 300ms}\n"))
    for _ in range(50):
        host.visit(family).close()
    wait_for(lambda: strict(synward) == "ready", "strict rules to be in force")
    forger, (mine, theirs) = host.forger, MADE_UP
    ends = (forger.nobody(family), host.s0.address(family), 2000, tcp.PORT)
    for flags, seq, ack in ((SYN, mine, 0), (ACK, mine + 1, theirs)):
        data = frame(forger.end.mac, host.s0.mac, Segment(*ends, flags, seq=seq, ack=ack))
        forger.port.socket.send(spoiled(data))
    synward.wait_settled(51)
    assert strict(synward) == "ready"
    arrivals = Arrivals(synward, host.s0)
    forger.send(*ends[:2], 2001, tcp.PORT, flags=ACK, seq=mine, ack=theirs)
    arrivals.wait()
    assert synward.stats()["anomalies"]["midstream"]["dropped"] == 1
