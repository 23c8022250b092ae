# SPDX-License-Identifier: GPL-2.0-or-later
"""Scanners against a server: each kind of scan is visible under its own name."""

import collections
import contextlib
import socket

import pytest

import tcp
from live import ethernet, hping3, need, nmap, seen
from net import VANISHED, wait_for
from segments import ACK, SYN, Port

inet = pytest.importorskip("scapy.layers.inet")
inet6 = pytest.importorskip("scapy.layers.inet6")

OPEN, CLOSED = (8080, 8090), (8081, 8091)
SCANNED = ",".join(map(str, OPEN + CLOSED))
IPV4, IPV6 = (pytest.mark.parametrize("shared", [name], indirect=True) for name in ("ipv4", "ipv6"))


@pytest.fixture
def stage(watched):
    return watched[0]


@pytest.fixture
def synward(watched):
    return watched[1]


@pytest.fixture
def scanner(stage):
    """With one source port, a probe that nmap repeats is of the same flow. Each test has its own."""
    return next(stage.ports)


@pytest.fixture
def servers(stage):
    with contextlib.ExitStack() as listeners:
        yield [listeners.enter_context(tcp.listener(stage.far, stage.family, port))
               for port in OPEN]


def scan(stage, *argv):
    need("nmap")
    return nmap(stage.near.namespace, stage.family, "-p", SCANNED, *argv, stage.server()[0])


def states(of_open, of_closed):
    return {**dict.fromkeys(OPEN, of_open), **dict.fromkeys(CLOSED, of_closed)}


def test_a_syn_scan_aborts_where_a_port_is_open(stage, servers, synward, scanner):
    """The scanner's kernel, which knows nothing of the SYN, resets what the server has begun."""
    assert scan(stage, "-sS", "-g", scanner) == states("open", "closed")
    assert seen(synward.expect_outcomes(aborted_orig=2, rejected=2)) == {}


def test_a_connect_scan_is_ordinary_and_unharmed(stage, servers, synward):
    assert scan(stage, "-sT") == states("open", "closed")
    assert seen(synward.expect_outcomes(accepted=2, rejected=2)) == {}


@pytest.mark.parametrize("how, name", (("-sN", "flags_null"), ("-sF", "flags_fin_noack"),
                                       ("-sX", "flags_xmas")))
def test_a_scan_by_illegal_flags_has_its_own_name(stage, servers, synward, scanner, how, name):
    """
    Closed ports answer by RST, open ones not at all: so these are asked twice. The flows are four.
    """
    assert scan(stage, how, "-g", scanner) == states("open|filtered", "closed")
    stats = synward.expect_outcomes(illegal_first=4)
    assert seen(stats) == {name: 6, "rst_no_session": 2}
    assert stats["anomalies"][name]["would_drop"] == 6


@pytest.mark.parametrize("how, state", (("-sA", "unfiltered"), ("-sW", "closed"),
                                        ("-sM", "closed")))
def test_a_scan_by_segments_of_no_connection_is_midstream(stage, servers, synward, scanner, how, state):
    """ACK and window scans are the same on the wire, a Maimon scan is FIN+ACK: RST answers all."""
    assert scan(stage, how, "-g", scanner) == states(state, state)
    assert seen(synward.expect_outcomes(midstream=4)) == {"midstream": 4, "rst_no_session": 4}


def test_fingerprinting_shows_all_its_odd_probes(stage, servers, synward):
    """
    nmap -O, first a SYN scan: six SYNs with odd options, one with ECN, a reserved bit and an urgent
    pointer, and T2 to T7: no flags, SYN+FIN+PSH+URG, ACKs, FIN+PSH+URG. It may repeat them.
    """
    assert scan(stage, "-O", "--max-os-tries", 1) == states("open", "closed")
    wait_for(lambda: not synward.stats()["half_open"], "the probes to end")
    stats = synward.stats()
    found = seen(stats)
    probes = {"flags_null", "flags_xmas", "flags_syn_fin", "flags_syn_urg", "urgptr_without_urg",
              "ack_field_without_ack", "midstream", "rst_no_session"}
    if stage.family == socket.AF_INET:
        probes.add("reserved_bits")  # over IPv6 its ECN probe has none set
    assert set(found) == probes
    outcomes = stats["handshakes"]
    # the scan and the probes: 2 + 7 SYNs to an open port, 2 + T5 to a closed one
    assert outcomes["aborted_orig"] >= 9 and outcomes["rejected"] >= 3
    assert outcomes["illegal_first"] >= 3 and outcomes["midstream"] >= 2
    assert outcomes["accepted"] == 0


FILLED = {"ack_field_without_ack": 3}  # hping3 fills it at random
RESET = {"rst_no_session": 3}  # by the server, which answers all but RST

# what hping3 sends three times to a closed port, from three ports; outcomes; anomalies
ODD = {
    "SF": ("-S -F", {"illegal_first": 3}, {"flags_syn_fin": 3, **FILLED, **RESET}),
    "SR": ("-S -R", {"illegal_first": 3}, {"flags_syn_rst": 3, **FILLED}),
    "FR": ("-F -R", {"illegal_first": 3}, {"flags_fin_rst": 3, **FILLED}),
    "SU": ("-S -U", {"rejected": 3}, {"flags_syn_urg": 3, **FILLED}),
    "P": ("-P", {"illegal_first": 3}, {"flags_no_syn_ack_rst": 3, **FILLED, **RESET}),
    "PU": ("-P -U", {"illegal_first": 3}, {"flags_no_syn_ack_rst": 3, **FILLED, **RESET}),
    "ECE": ("-X", {"illegal_first": 3}, {"flags_null": 3, **FILLED, **RESET}),
    "FPU": ("-F -P -U", {"illegal_first": 3}, {"flags_xmas": 3, **FILLED, **RESET}),
    "all": ("-S -F -R -P -A -U", {"illegal_first": 3},
            {"flags_syn_fin": 3, "flags_syn_rst": 3, "flags_fin_rst": 3, "flags_syn_urg": 3}),
    "R": ("-R", {"midstream": 3}, {**FILLED, **RESET}),
    "A": ("-A", {"midstream": 3}, {"midstream": 3, **RESET}),
    "SA": ("-S -A", {"unsolicited_synack": 3}, {"unsolicited_synack": 3, **RESET}),
    "SEC": ("-S -X -Y", {"rejected": 3}, FILLED),
    "doff4": ("-S -O 4", {"undecodable": 3}, {"tcp_bad_doff": 3}),
    "doff15": ("-S -O 15", {"undecodable": 3}, {"tcp_doff_past_end": 3}),
    "land": ("-S -k -s 8081 -a 10.77.1.2", {}, {"land": 3, **FILLED}),
    "land_addr_only": ("-S -a 10.77.1.2", {"no_response": 3}, {"land_addr_only": 3, **FILLED}),
    # the server's RST comes from port 0, too
    "to_port_0": ("-S -p 0", {}, {"port_zero": 6, **FILLED}),
    "from_port_0": ("-S -k -s 0", {}, {"port_zero": 6, **FILLED}),
    # its pieces hold 16 bytes: the first too few for a header, the second begins inside it. The
    # server puts them together and resets; that RST is the first of its flow that can be read.
    "fragments": ("-S -f", {"undecodable": 3, "midstream": 3},
                  {"frag_tiny_first": 3, "frag_overlaps_header": 3, **RESET}),
}


@IPV4
@pytest.mark.parametrize("what", ODD)
def test_hping3(stage, synward, what):
    need("hping3")
    argv, outcomes, anomalies = ODD[what]
    sport = min(next(stage.ports) for _ in range(3))  # it counts up from there
    hping3(stage.near, "-p", CLOSED[0], "-s", sport, *argv.split(), stage.server()[0])
    assert seen(synward.expect_outcomes(**outcomes)) == anomalies


class Forge:
    """Packets of a client that hears no answer, made by scapy."""

    def __init__(self, stage):
        self.stage, self.family, self.id = stage, stage.family, next(stage.ports)
        self.src = stage.near.address(stage.family, VANISHED)
        self.dst = stage.server()[0]

    def segment(self, flags="S", data=b"", **fields):
        fields = {"sport": next(self.stage.ports), "dport": tcp.PORT, "seq": 1000, **fields}
        return inet.TCP(flags=flags, **fields) / data

    def packet(self, *layers):
        """One of this segment, with extension headers before it."""
        head = (inet.IP if self.family == socket.AF_INET else inet6.IPv6)(src=self.src,
                                                                        dst=self.dst)
        for layer in layers:
            head = head / layer
        return head

    def checked(self, segment):
        """The bytes of a segment with its checksum: what fragments are cut from."""
        whole = self.packet(segment)
        return bytes(whole)[len(whole) - len(whole[inet.TCP]):]

    def fragment(self, data, at, more):
        if self.family == socket.AF_INET:
            return inet.IP(src=self.src, dst=self.dst, id=self.id, proto=6, frag=at // 8,
                           flags="MF" if more else 0) / data
        return self.packet(inet6.IPv6ExtHdrFragment(id=self.id, nh=6, offset=at // 8, m=int(more)),
                           data)

    def send(self, *packets):
        with Port(self.stage.near) as port:
            for packet in packets:
                port.socket.send(ethernet(self.stage.near, packet))


@pytest.fixture
def forge(stage, synward):
    with tcp.listener(stage.far, stage.family):
        yield Forge(stage)


def test_a_first_fragment_too_small_for_a_header(forge, synward):
    forge.send(forge.fragment(forge.checked(forge.segment())[:16], 0, True))
    stats = synward.expect_outcomes(undecodable=1)
    assert seen(stats) == {"frag_tiny_first": 1}


def kinds(stats):
    return stats["interfaces"][0]["ingress"]["kinds"]


def shows(forge, synward, syn):
    """What anomalies one more SYN shows."""
    before = synward.stats()
    forge.send(forge.packet(syn))
    opened = before["tallies"]["attempts_opened"] + 1
    wait_for(lambda: synward.stats()["tallies"]["attempts_opened"] == opened, "the SYN")
    counted = collections.Counter(seen(synward.stats()))
    counted.subtract(seen(before))
    return {name: count for name, count in counted.items() if count}


def test_fragments_that_overlap_the_header(forge, synward):
    """Those at 8 and 16 do, the one at 24 does not."""
    forge.send(*(forge.fragment(b"\x02" * 24, at, False) for at in (8, 16, 24)))
    wait_for(lambda: kinds(synward.stats())["fragment"] == 3, "the fragments")
    stats = synward.expect_outcomes()
    assert seen(stats) == {"frag_overlaps_header": 2}


def test_a_first_fragment_with_half_of_the_options(forge, synward):
    """Its SYN can be read; the server waits in vain for the rest of it."""
    segment = forge.segment(options=[("MSS", 1460), ("Timestamp", (1, 0)), ("WScale", 7)])
    forge.send(forge.fragment(forge.checked(segment)[:24], 0, True))
    assert seen(synward.expect_outcomes(no_response=1)) == {"frag_hdr_split": 1}


def test_honest_fragments_are_none_of_these(forge, synward):
    """The neighbour: the header is whole and the next fragment begins behind it."""
    data = forge.checked(forge.segment(data=b"x" * 36, options=[("MSS", 1460)]))
    assert len(data) == 60
    forge.send(forge.fragment(data[:24], 0, True), forge.fragment(data[24:], 24, False))
    stats = synward.expect_outcomes(half_open=1)
    assert seen(stats) == {}
    assert kinds(stats)["fragment"] == 1


# Too long for the header, below two, wrong for the kind; and neighbours that are right.
LENGTHS = {
    "02030500": True, "03040700": True, "04030100": True, "080a0000": True, "01010102": True,
    "05000000": True, "05010000": True, "1e080000": True,
    "01010101020405b4": False, "01010100": False, "fd040101": False, "020405b4": False}


def test_option_lengths(forge, synward):
    """Each by itself; the server's kernel takes them all and answers."""
    for options, bad in LENGTHS.items():
        words = bytes.fromhex(options)
        found = shows(forge, synward, forge.segment(data=words, dataofs=5 + len(words) // 4))
        assert found == ({"opt_bad_len": 1} if bad else {}), options
    synward.expect_outcomes(half_open=len(LENGTHS))


CARRIED = (
    ([("MSS", 63)], b"", "mss_tiny"), ([("MSS", 64)], b"", None),
    ([("WScale", 15)], b"", "wscale_big"), ([("WScale", 14)], b"", None),
    ([], b"GET /", "syn_data_no_tfo"), ([(34, b"12345678")], b"GET /", "syn_data_tfo"),
    ([(254, b"\xf9\x8912345678")], b"GET /", "syn_data_tfo"))


def test_what_a_syn_may_carry(forge, synward):
    for options, data, anomaly in CARRIED:
        found = shows(forge, synward, forge.segment(options=options, data=data))
        assert found == ({anomaly: 1} if anomaly else {}), options
    # ECN (RFC 3168) and AccECN (RFC 9768), whose AE bit scapy still calls N
    for flags in ("SEC", "SECN"):
        assert shows(forge, synward, forge.segment(flags)) == {}, flags
    synward.expect_outcomes(half_open=len(CARRIED) + 2)


HEADERS = {
    "hop_by_hop": lambda: [inet6.IPv6ExtHdrHopByHop(options=[inet6.PadN(optdata=b"\0" * 4)])],
    "destination": lambda: [inet6.IPv6ExtHdrDestOpt(options=[inet6.HBHOptUnknown(
        otype=0x1E, optdata=b"experiment 1")])],
    "routing": lambda: [inet6.IPv6ExtHdrRouting(type=2, segleft=0, addresses=["fd77:1::2"])],
    "atomic_fragment": lambda: [inet6.IPv6ExtHdrFragment(id=1, offset=0, m=0)],
}
HEADERS["all"] = lambda: [layer for name in ("hop_by_hop", "destination", "atomic_fragment")
                          for layer in HEADERS[name]()]


@IPV6
@pytest.mark.parametrize("which", HEADERS)
def test_a_handshake_behind_extension_headers(stage, synward, which):
    """The server's kernel takes it; and so does synward."""
    forge = Forge(stage)
    with tcp.listener(stage.far, stage.family) as server, Port(stage.near) as port:
        syn = forge.segment()
        port.socket.send(ethernet(stage.near, forge.packet(*HEADERS[which](), syn)))
        synack = port.receive(lambda s: s.flags == SYN | ACK and s.dport == syn.sport, "a SYN-ACK")
        ack = forge.segment("A", sport=syn.sport, seq=1001, ack=synack.seq + 1 & 0xFFFFFFFF)
        port.socket.send(ethernet(stage.near, forge.packet(*HEADERS[which](), ack)))
        with server.accept()[0]:
            stats = synward.expect_outcomes(accepted=1)
    assert seen(stats) == {}
