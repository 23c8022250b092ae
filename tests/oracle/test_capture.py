# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle on every way to write a capture, and on the anomalies of one segment."""

import gzip

import pytest

import packets
from names import STATEFUL, STATELESS
from packets import (CLIENT, IPV4, IPV6, OPT_TFO_COOKIE, SERVER, block, ethernet, ipv4, ipv6,
                     pcap, pcapng_interface, pcapng_packet, pcapng_section, tcp)
from test_oracle import C, CASES, OPEN, S, frames, judged, nonzero

STRAY = ({"midstream": 1}, {"midstream": 1})
NOTHING = ({}, {})
SYN_ONLY = ({"no_response": 1}, {})
HANDSHAKE = ({"accepted": 1}, {})
LOOPBACK_MACS = bytes(12)


def one(tmp_path, frame, link=1, **more):
    """What comes out of a capture of one frame."""
    return nonzero(judged(tmp_path, pcap([(1, frame)], link, **more)))


def client(segment, **more):
    return ipv4(CLIENT[IPV4], SERVER[IPV4], segment, **more)


def client6(segment, **more):
    return ipv6(CLIENT[IPV6], SERVER[IPV6], segment, **more)


def pcapng(order, tsresol, per_second):
    blocks = [pcapng_section(order), pcapng_interface(228, None, order),
              pcapng_interface(1, tsresol, order)]
    blocks += [pcapng_packet(1, int(time * per_second), frame, order)
               for time, frame in frames(IPV4, OPEN)]
    return b"".join(blocks)


EXCHANGE = list(frames(IPV6, OPEN))
FILES = {
    "little": pcap(EXCHANGE),
    "big": pcap(EXCHANGE, order=">"),
    "nano": pcap(EXCHANGE, nano=True),
    "big nano": pcap(EXCHANGE, order=">", nano=True),
    "gzip": gzip.compress(pcap(EXCHANGE)),
    "gzip members": gzip.compress(pcap(EXCHANGE)[:100]) + gzip.compress(pcap(EXCHANGE)[100:]),
    "pcapng": pcapng("<", None, 10 ** 6),
    "pcapng big": pcapng(">", None, 10 ** 6),
    "pcapng nano": gzip.compress(pcapng("<", 9, 10 ** 9)),
    "pcapng binary": pcapng("<", 0x80 | 20, 2 ** 20),
}


@pytest.mark.parametrize("name", FILES)
def test_file_formats(tmp_path, name):
    report = judged(tmp_path, FILES[name])
    assert nonzero(report) == HANDSHAKE
    assert report["packets"] == 3


def test_clock_of_every_format(tmp_path):
    steps = CASES["another syn after an attempt"][0]
    timed = list(frames(IPV4, steps))
    resolution = pcapng_section() + pcapng_interface(1, 3) + b"".join(
        pcapng_packet(0, int(time * 1000), frame) for time, frame in timed)
    for capture in (pcap(timed), pcap(timed, nano=True), resolution):
        assert nonzero(judged(tmp_path, capture))[0] == {"no_response": 2}


def test_sections_and_blocks_of_other_kinds(tmp_path):
    frame = packets.from_client(IPV4, tcp("S", C))
    capture = (pcapng_section("<") + pcapng_interface() + block(5, bytes(12))
               + block(3, len(frame).to_bytes(4, "little") + frame)
               + pcapng_packet(7, 0, frame)  # of no interface
               + pcapng_section(">") + pcapng_interface(order=">")
               + pcapng_packet(0, 1, packets.from_server(IPV4, tcp(
                   "SA", S, C + 1, sport=packets.SERVER_PORT, dport=packets.CLIENT_PORT)), ">"))
    report = judged(tmp_path, capture)
    assert nonzero(report) == ({"half_open": 1}, {})
    assert report["packets"] == 3


def test_record_cut_off_by_the_end_of_the_file(tmp_path):
    report = judged(tmp_path, pcap(EXCHANGE)[:-1])
    assert nonzero(report) == ({"half_open": 1}, {})
    assert report["packets"] == 2


SYN4, SYN6 = client(tcp("S", C)), client6(tcp("S", C))


@pytest.mark.parametrize("link, header, packet", [
    (12, b"", SYN4), (14, b"", SYN6), (101, b"", SYN6), (228, b"", SYN4), (229, b"", SYN6),
    (0, bytes([2, 0, 0, 0]), SYN4), (0, bytes([0, 0, 0, 30]), SYN6),
    (108, bytes([0, 0, 0, 24]), SYN6),
    (113, bytes(14) + b"\x08\x00", SYN4), (113, bytes(14) + b"\x81\x00\0\x05\x86\xdd", SYN6),
    (276, b"\x86\xdd" + bytes(18), SYN6), (276, b"\x81\x00" + bytes(18) + b"\0\x05\x08\0", SYN4),
])
def test_link_types(tmp_path, link, header, packet):
    assert one(tmp_path, header + packet, link) == SYN_ONLY


@pytest.mark.parametrize("tags", [(), (0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100)])
@pytest.mark.parametrize("packet", [SYN4, SYN6])
def test_vlans(tmp_path, tags, packet):
    assert one(tmp_path, ethernet(packet, tags)) == SYN_ONLY


@pytest.mark.parametrize("tags", [(), (0x88A8, 0x8100)])
@pytest.mark.parametrize("head, packet, expected", [
    (b"\x11\0\0\x01\0\x2a\0\x21", SYN4, SYN_ONLY), (b"\x11\0\0\x01\0\x3e\0\x57", SYN6, SYN_ONLY),
    (b"\x11\0\0\x01\0\x06\xc0\x21", SYN4, None), (b"\x11\xa7\0\x01\0\x2a\0\x21", SYN4, None),
    (b"\x11\0\0\x01\0\x2a\x21", SYN4, None)])
def test_pppoe(tmp_path, tags, head, packet, expected):
    frame = ethernet(head + packet, tags)
    at = 12 + 4 * len(tags)
    frame = frame[:at] + b"\x88\x64" + frame[at + 2:]
    assert one(tmp_path, frame) == (expected or ({}, {}))


DEST, HOPS, ROUTE, FRAG, AUTH = 60, 0, 43, 44, 51
ATOMIC = (FRAG, bytes(7))
EXTENSIONS = [(HOPS, bytes(7)), (DEST, b"\x01" + bytes(14)), (ROUTE, bytes(7)), ATOMIC,
              (AUTH, b"\x04" + bytes(22))]


@pytest.mark.parametrize("extensions, expected", [
    (EXTENSIONS, SYN_ONLY), ([(DEST, bytes(7))] * 8, SYN_ONLY),
    ([(DEST, bytes(7))] * 9, ({}, {"ipv6_many_extensions": 1})),
    ([(FRAG, b"\0\0\x40" + bytes(4))], NOTHING),
    ([(FRAG, b"\0\0\x10" + bytes(4))], ({}, {"frag_overlaps_header": 1})),
    ([(FRAG, b"\0\0\x01" + bytes(4))], SYN_ONLY),
])
def test_ipv6_extension_headers(tmp_path, extensions, expected):
    assert one(tmp_path, ethernet(client6(tcp("S", C), extensions=extensions))) == expected


MORE = 0x2000
OPTIONS_SYN = tcp("S", C, options=b"\x02\x04\x05\xb4" + b"\x01" * 8)


@pytest.mark.parametrize("packet, expected", [
    (client(tcp("S", C), options=b"\x01" * 40), SYN_ONLY),
    (client(tcp("S", C), total=0), SYN_ONLY),
    (client6(tcp("S", C), length=0), SYN_ONLY),
    (client(tcp("S", C)) + bytes(6), SYN_ONLY),
    (client(tcp("S", C, data=bytes(8)), fragment=5), NOTHING),
    (client(tcp("S", C, data=bytes(8)), fragment=2), ({}, {"frag_overlaps_header": 1})),
    (client(tcp("S", C)[:16], fragment=MORE),
     ({"undecodable": 1}, {"frag_tiny_first": 1})),
    (client(OPTIONS_SYN[:24], fragment=MORE), ({"no_response": 1}, {"frag_hdr_split": 1})),
    (client(OPTIONS_SYN[:24]), ({"undecodable": 1}, {"tcp_doff_past_end": 1})),
    (client(tcp("S", C)[:19]), ({"undecodable": 1}, {"tcp_short": 1})),
    (client6(b""), ({"undecodable": 1}, {"tcp_short": 1})),
    (client(tcp("S", C), total=10), NOTHING),
    (client(tcp("S", C), protocol=17), NOTHING),
])
def test_ip(tmp_path, packet, expected):
    assert one(tmp_path, ethernet(packet)) == expected


def test_undecodable_without_ports(tmp_path):
    report = judged(tmp_path, pcap([(1, ethernet(client(b"\x01\x02\x03")))]))
    assert (report["attempts"][0]["sport"], report["attempts"][0]["dport"]) == (0, 0)


@pytest.mark.parametrize("snaplen, expected", [
    (14 + 20 + 19, NOTHING), (14 + 20 + 20, SYN_ONLY), (14 + 20 + 21, SYN_ONLY), (14, NOTHING),
    (20, NOTHING),
])
def test_header_cut_off_by_the_capture_is_no_anomaly(tmp_path, snaplen, expected):
    frame = ethernet(client(tcp("S", C, options=b"\x02\x04\x05\xb4" + OPT_TFO_COOKIE)))
    assert one(tmp_path, frame, snaplen=snaplen) == expected


def flags(letters, expected, **more):
    return client(tcp(letters, 5, **more)), expected


@pytest.mark.parametrize("packet, expected", [
    flags("", "flags_null"), flags("EC", "flags_null"), flags("FPU", "flags_xmas"),
    flags("FPUE", "flags_xmas"), flags("F", "flags_fin_noack"), flags("FP", "flags_fin_noack"),
    flags("P", "flags_no_syn_ack_rst"), flags("U", "flags_no_syn_ack_rst"),
    flags("SF", "flags_syn_fin"), flags("SFA", "flags_syn_fin", ack=1),
    flags("SR", "flags_syn_rst"), flags("SFR", "flags_syn_fin flags_syn_rst flags_fin_rst"),
    flags("FRA", "flags_fin_rst"), flags("SU", "flags_syn_urg"),
    flags("S", "", reserved=0x100), flags("S", "reserved_bits", reserved=0x800),
    flags("S", "port_zero", sport=0), flags("S", "port_zero", dport=0),
    flags("S", "syn_data_no_tfo", data=b"x"),
    flags("S", "syn_data_tfo", data=b"x", options=OPT_TFO_COOKIE),
    flags("SA", "synack_data unsolicited_synack", data=b"x"),
    flags("R", "rst_data rst_no_session", data=b"x"),
    flags("S", "ack_field_without_ack", ack=1), flags("S", "urgptr_without_urg", urgent=1),
    flags("S", "opt_bad_len", options=b"\x02\x03\x05\x01"),
    flags("S", "opt_bad_len", options=b"\x1c\x01\x01\x01"),
    flags("A", "opt_bad_len midstream", options=b"\x01\x01\x01\x08"),
    flags("A", "opt_bad_len midstream", options=b"\x01\x01\x08\x0a"),
    flags("S", "", options=b"\x00\x02\x01\x01"),
    flags("S", "mss_tiny", options=b"\x02\x04\x00\x3f"),
    flags("SA", "unsolicited_synack", options=b"\x02\x04\x00\x3f"),
    flags("S", "", options=b"\x02\x04\x00\x40"),
    flags("S", "wscale_big", options=b"\x03\x03\x0f\x00"),
    flags("SA", "wscale_big unsolicited_synack", options=b"\x03\x03\x0f\x00"),
    flags("S", "", options=b"\x03\x03\x0e\x00"),
    (ipv4(CLIENT[IPV4], CLIENT[IPV4], tcp("S", C, sport=7, dport=7)), "land"),
    (ipv4(CLIENT[IPV4], CLIENT[IPV4], tcp("S", C)), "land_addr_only"),
    (ipv6("2001:db8::1", "2001:db8::1", tcp("S", C, sport=7, dport=7)), "land"),
    (ipv4("127.0.0.1", "127.0.0.1", tcp("S", C, sport=7, dport=7)), ""),
    (ipv6("::1", "::1", tcp("S", C)), ""),
    (ipv4(CLIENT[IPV4], "224.0.0.1", tcp("S", C)), "multicast"),
    (ipv4(CLIENT[IPV4], "255.255.255.255", tcp("S", C)), "multicast"),
    (ipv4("239.1.1.1", SERVER[IPV4], tcp("S", C)), "multicast"),
    (ipv6(CLIENT[IPV6], "ff02::1", tcp("S", C)), "multicast"),
])
def test_anomalies_of_one_segment(tmp_path, packet, expected):
    outcomes, anomalies = one(tmp_path, ethernet(packet))
    assert anomalies == dict.fromkeys(expected.split(), 1)
    only_counted = {"port_zero", "land", "multicast"} & set(anomalies)
    assert sum(outcomes.values()) == (0 if only_counted else 1)


@pytest.mark.parametrize("frame, link", [
    (ethernet(ipv4(CLIENT[IPV4], CLIENT[IPV4], tcp("S", C)), macs=LOOPBACK_MACS), 1),
    (b"\x02\0\0\0" + ipv4(CLIENT[IPV4], CLIENT[IPV4], tcp("S", C)), 0),
])
def test_equal_addresses_on_a_loopback_device(tmp_path, frame, link):
    assert one(tmp_path, frame, link) == SYN_ONLY


@pytest.mark.parametrize("family, code, expected", [
    (IPV4, 1, "rejected"), (IPV4, 4, "no_response"), (IPV6, 4, "rejected"),
])
def test_icmp_codes(tmp_path, family, code, expected):
    syn = tcp("S", C)
    quoted = packets.ip(family, CLIENT[family], SERVER[family], syn)
    capture = pcap([(1, packets.from_client(family, syn)),
                    (2, packets.unreachable(family, quoted[:-12], code))])
    assert nonzero(judged(tmp_path, capture)) == ({expected: 1}, {})


def test_every_stateless_name_is_counted(tmp_path):
    assert set(judged(tmp_path, pcap([]))["anomalies"]) == set(STATELESS) | set(STATEFUL)


def test_a_stray_frame_is_midstream(tmp_path):
    assert one(tmp_path, ethernet(client(tcp("A", 5, 6)))) == STRAY
