# SPDX-License-Identifier: GPL-2.0-or-later
"""`synward replay` on every kind of file, link type and clock; needs root."""

import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

from link_types import DATA, LINKS, PADDED, QOS, SNAP  # noqa: E402
from oracle import judge_file  # noqa: E402
from packets import CLIENT, IPV4, SERVER, block, ipv4, pcap, pcapng_section, tcp  # noqa: E402

BINARY = pathlib.Path(os.environ.get("SYNWARD", ROOT / os.environ.get("B", "build") / "synward"))
HOUR = 3600


def opening(port):
    """A handshake from this port."""
    return [(True, tcp("S", 1000, sport=port)), (False, tcp("SA", 5000, 1001, sport=443, dport=port)),
            (True, tcp("A", 1001, 5001, sport=port))]


OPEN = opening(40000)


@pytest.fixture(scope="session", autouse=True)
def machine():
    if os.geteuid():
        pytest.exit("these tests need root: BPF", 1)
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: make", 1)


def packet(up, segment):
    ends = (CLIENT[IPV4], SERVER[IPV4])
    return ipv4(*(ends if up else ends[::-1]), segment)


def packets(segments=None):
    return [packet(*each) for each in segments or OPEN]


def run(tmp_path, data, *options):
    path = tmp_path / "capture"
    path.write_bytes(data)
    done = subprocess.run([BINARY, "-j", "replay", *options, path], capture_output=True,
                          text=True, check=False, timeout=300)
    return done, json.loads(done.stdout) if done.stdout else None, path


def outcomes(report):
    return {name: count for name, count in report["handshakes"].items() if count}


def replayed(tmp_path, data, *options, code=0):
    """The report, which must be the oracle's as well."""
    done, report, path = run(tmp_path, data, *options)
    assert done.returncode == code, done.stderr
    judged = judge_file(str(path))
    assert report["packets"] == judged["packets"]
    assert report["handshakes"] == judged["handshakes"]
    assert ({name: each["seen"] for name, each in report["anomalies"].items() if each["seen"]}
            == {name: each["seen"] for name, each in judged["anomalies"].items() if each["seen"]})
    return report


# Link types

def framed(name, segments=None):
    link, header = LINKS[name]
    wrap = header if callable(header) else header.__add__
    return link, [wrap(each) for each in packets(segments)]


def test_link_types(tmp_path):
    """All in one file, whose every interface has a client of its own."""
    data, heard = pcapng_section(), b""
    ports = dict(enumerate(LINKS, 20000))
    for index, (port, name) in enumerate(ports.items()):
        link, frames = framed(name, opening(port))
        data += interface(link)
        heard += b"".join(enhanced(index, 10 ** 6, each) for each in frames)
    report = replayed(tmp_path, data + heard)
    accepted = {one["sport"] for one in report["attempts"] if one["outcome"] == "accepted"}
    assert not {name for port, name in ports.items() if port not in accepted}
    assert outcomes(report) == {"accepted": len(LINKS)}


@pytest.mark.parametrize("name", ("ethernet", "raw", "802.11 qos"))
def test_the_link_type_of_a_pcap(tmp_path, name):
    link, frames = framed(name)
    data = pcap([(1 + i, frame) for i, frame in enumerate(frames)], link)
    assert outcomes(replayed(tmp_path, data)) == {"accepted": 1}


def test_radiotap_says_that_the_header_is_padded(tmp_path):
    head = PADDED + QOS + b"\0\0" + SNAP
    data = pcap([(1, head + each) for each in packets()], 127)
    assert outcomes(replayed(tmp_path, data)) == {"accepted": 1}


def test_802_11_that_is_no_packet(tmp_path):
    """Encrypted, management, a later fragment, without data, several in one."""
    heads = (b"\x08\x41" + DATA[2:] + SNAP, b"\x80" + DATA[1:] + SNAP, DATA[:22] + b"\x11\0" + SNAP,
             b"\x48" + DATA[1:] + SNAP, QOS[:-2] + b"\x80\0" + SNAP)
    data = pcap([(1, head + each) for i, head in enumerate(heads)
                 for each in packets(opening(20000 + i))], 105)
    assert outcomes(replayed(tmp_path, data)) == {}


def test_any_cut_of_the_header_is_survived(tmp_path):
    """Of each link type; what comes behind it is whole."""
    data, heard, cuts = pcapng_section(), b"", 0
    for index, name in enumerate(LINKS):
        link, frames = framed(name, opening(20000 + index))
        data += interface(link)
        cuts += len(frames[0])
        heard += b"".join(enhanced(index, 10 ** 6, frames[0][:size]) for size in range(len(frames[0])))
        heard += b"".join(enhanced(index, 10 ** 6, each) for each in frames)
    report = replayed(tmp_path, data + heard)
    assert report["packets"] == cuts + 3 * len(LINKS)
    assert outcomes(report)["accepted"] == len(LINKS)


@pytest.mark.parametrize("link, head", [
    (113, struct.pack(">HHH8sH", 0, 772, 6, b"", 0x0800)),
    (276, struct.pack(">HHIHBB8s", 0x0800, 0, 1, 772, 0, 6, b""))])
@pytest.mark.parametrize("loopback", [True, False])
def test_cooked_loopback_is_no_land_attack(tmp_path, link, head, loopback):
    if not loopback:
        head = head.replace(b"\x03\x04", b"\0\x01")
    data = pcap([(1, head + ipv4(CLIENT[IPV4], CLIENT[IPV4], tcp("S", 1)))], link)
    anomalies = replayed(tmp_path, data)["anomalies"]
    assert anomalies["land_addr_only"]["seen"] == (not loopback)


def test_unsupported_link_type(tmp_path):
    done, _, _ = run(tmp_path, pcap([(1, b"x")], 226))
    assert done.returncode == 1 and "(226) is not supported" in done.stderr


# pcapng

def interface(link=1, snaplen=0, tsresol=None, tsoffset=None, order="<"):
    body = struct.pack(order + "HHI", link, 0, snaplen)
    if tsresol is not None:
        body += struct.pack(order + "HHB3x", 9, 1, tsresol)
    if tsoffset is not None:
        body += struct.pack(order + "HHq", 14, 8, tsoffset)
    return block(1, body, order)


def enhanced(index, units, data, order="<"):
    return block(6, struct.pack(order + "IIIII", index, units >> 32, units & 0xFFFFFFFF,
                                len(data), len(data)) + data, order)


def old(index, units, data, order="<"):
    return block(2, struct.pack(order + "HHIIII", index, 0, units >> 32, units & 0xFFFFFFFF,
                                len(data), len(data)) + data, order)


def simple(data, order="<"):
    return block(3, struct.pack(order + "I", len(data)) + data, order)


UNKNOWN = block(0xBAD, b"what else there is") + block(5, bytes(12))


def two_interfaces(order="<"):
    _, raw = framed("raw")
    _, ethernet = framed("ethernet")
    return (pcapng_section(order) + interface(101, 96, order=order)
            + interface(1, 65535, order=order) + enhanced(0, 10 ** 6, raw[0], order)
            + enhanced(1, 10 ** 6, ethernet[1], order) + old(1, 10 ** 6, ethernet[2], order))


@pytest.mark.parametrize("order", "<>")
def test_interfaces_of_two_types_and_lengths(tmp_path, order):
    assert outcomes(replayed(tmp_path, two_interfaces(order))) == {"accepted": 1}


def test_gzip(tmp_path):
    data = gzip.compress(two_interfaces())
    assert outcomes(replayed(tmp_path, data)) == {"accepted": 1}


def test_sections_have_their_own_order_and_interfaces(tmp_path):
    _, ethernet = framed("ethernet")
    _, raw = framed("raw")
    data = (pcapng_section("<") + interface(1) + enhanced(0, 10 ** 6, ethernet[0])
            + pcapng_section(">") + interface(101, order=">")
            + enhanced(0, 10 ** 6, raw[1], ">") + pcapng_section("<") + UNKNOWN
            + interface(101) + simple(raw[2]))
    assert outcomes(replayed(tmp_path, data)) == {"accepted": 1}


@pytest.mark.parametrize("tsresol, units", [
    (None, 10 ** 6), (0, 1), (3, 10 ** 3), (6, 10 ** 6), (9, 10 ** 9), (10, 10 ** 10),
    (0x80, 1), (0x80 | 10, 2 ** 10), (0x80 | 30, 2 ** 30)])
def test_units_of_time(tmp_path, tsresol, units):
    """
    A SYN-ACK half an hour late is unsolicited by then; one in time is not. Three interfaces whose clocks
    begin elsewhere tell of the same moments, each of a client of its own on time and of a late one.
    """
    offsets = (None, 0, 1_600_000_000)
    data, at = pcapng_section(), 1_700_000_000
    for offset in offsets:
        data += interface(101, 0, tsresol, offset)
    for late, first in ((0, True), (2, False), (HOUR // 2, False)):
        for index, offset in enumerate(offsets):
            for sport, comes in ((20000 + index, 2), (30000 + index, HOUR // 2)):
                frames = packets(opening(sport))
                for each in frames[:1] if first else frames[1:] if late == comes else ():
                    data += enhanced(index, (at + late - (offset or 0)) * units, each)
    report = replayed(tmp_path, data)
    assert outcomes(report) == {"accepted": 3, "no_response": 3, "synack_pickup": 3}
    for one in report["attempts"]:
        assert [one[name] for name in ("src_ip", "src_port", "dest_ip", "dest_port")] == [
            one[name] for name in ("src", "sport", "dst", "dport")]
    begun = [one["time"] for one in report["attempts"] if one["outcome"] != "synack_pickup"]
    assert len(begun) == 6 and all(time.startswith("2023-11-14T22:13:20") for time in begun)


def test_an_interface_of_unknown_type(tmp_path):
    _, raw = framed("raw")
    data = (pcapng_section() + interface(226) + interface(101) + enhanced(0, 1, b"x")
            + b"".join(enhanced(1, 10 ** 6, each) for each in raw) + enhanced(0, 2, b"y"))
    done, report, _ = run(tmp_path, data)
    assert done.returncode == 0
    assert report["packets"] == 5 and report["unsupported"] == 2
    assert outcomes(report) == {"accepted": 1}
    assert len(done.stderr.splitlines()) == 1
    assert "2 packets are not judged: link type" in done.stderr
    assert "(226) is not supported" in done.stderr


def test_one_of_a_kind(tmp_path):
    """Words for one packet as for several."""
    _, raw = framed("raw")
    path = tmp_path / "capture"
    path.write_bytes(pcapng_section() + interface(226) + interface(101) + enhanced(0, 1, b"x")
                     + enhanced(1, 10 ** 6, raw[0]) + b"torn")
    done = subprocess.run([BINARY, "replay", path], capture_output=True, text=True, check=False,
                          timeout=300)
    assert done.returncode == 3
    assert f"{path}: incomplete after 2 packets: " in done.stderr
    assert f"{path}: 1 packet is not judged: link type" in done.stderr
    assert done.stdout.startswith(f"{path}: 2 packets, 1 of them TCP")
    path.write_bytes(pcapng_section() + interface(101) + enhanced(0, 1, raw[0]) + b"torn")
    done = subprocess.run([BINARY, "replay", path], capture_output=True, text=True, check=False,
                          timeout=300)
    assert f"{path}: incomplete after 1 packet: " in done.stderr
    assert done.stdout.startswith(f"{path}: 1 packet, 1 of them TCP")


def test_what_did_not_begin_with_a_syn_stands_apart(tmp_path):
    """As text; in JSON all that there were are attempts, in their order."""
    link, frames = framed("raw", [(True, tcp("A", 7, 7, sport=1)), *OPEN, (True, tcp("A", 7, 7, sport=2)),
                                  (True, tcp("S", 1, sport=3))])
    data = pcap([(1 + i, frame) for i, frame in enumerate(frames)], link)
    report, path = replayed(tmp_path, data), tmp_path / "capture"
    assert [one["outcome"] for one in report["attempts"]] == [
        "midstream", "accepted", "midstream", "no_response"]

    def lines(*options):
        done = subprocess.run([BINARY, "replay", *options, path], capture_output=True, text=True,
                              check=True, timeout=300)
        return [" ".join(line.split()) for line in done.stdout.splitlines()]
    text = lines()
    at = text.index("OUTCOME HANDSHAKES SHARE")
    assert text[at + 1:at + 5] == ["accepted 1 50.0%", "no_response 1 50.0%", "OTHER FLOWS COUNT",
                                   "midstream 2"]
    listed = [line.split()[:3] for line in text[at + 5:] if line[0].isdigit() or line.startswith("AT ")]
    assert [row[1] for row in listed] == ["OUTCOME", "accepted", "no_response", "OTHER", "midstream",
                                          "midstream"]
    assert text[-1].startswith("4.000 midstream ")
    assert lines("--limit", "3")[-1] == "and 1 more: --all shows them"
    assert lines("--limit", "2")[-1] == "and 2 more: --all shows them"


def test_no_interface_of_known_type(tmp_path):
    done, _, _ = run(tmp_path, pcapng_section() + interface(226) + enhanced(0, 1, b"x"))
    assert done.returncode == 1 and "(226) is not supported; expected" in done.stderr


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_cut_file(tmp_path, compress):
    data = compress(two_interfaces())
    done, report, _ = run(tmp_path, data[:-12])
    assert done.returncode == 3 and "breaks off" in done.stderr
    if compress is bytes:
        assert report["packets"] == 2 and not report["complete"]
        assert outcomes(report) == {"half_open": 1}


START = pcapng_section() + interface(101)
BAD = {
    "impossible length, 13": struct.pack("<II", 6, 13),
    "impossible length, 8": struct.pack("<II", 6, 8),
    "another length, 16": struct.pack("<IIII", 9, 20, 0, 0) + struct.pack("<I", 16),
    "of interface 1, but 1 is": enhanced(1, 1, b"x"),
    "claims 99 bytes of a packet and has 4": block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99) + b"x"),
    "expected at most": struct.pack("<II", 6, 0xFFFFFFF0),
    "without a byte order": struct.pack("<III", 0x0A0D0D0A, 28, 0) + bytes(16),
    "too short for a packet": block(6, bytes(8)),
    "too short for an interface": block(1, bytes(4)),
}


@pytest.mark.parametrize("said", BAD)
def test_damage_is_told_with_its_place(tmp_path, said):
    for data, code in ((START + BAD[said], 1),
                       (START + enhanced(0, 1, packets()[0]) + BAD[said], 3)):
        done, report, _ = run(tmp_path, data)
        assert done.returncode == code
        at = len(data) - len(BAD[said])
        assert f"the block at byte {at} " in done.stderr and said in done.stderr
        assert code == 1 or outcomes(report) == {"no_response": 1}


# The clock

def at(times, segment, up=True):
    return [(time, packet(up, segment)) for time in times]


def test_a_jump_of_14_years(tmp_path):
    """More than 2^32 ms, eight times: nothing from before is left."""
    years = 14 * 365 * 24 * HOUR
    for jump in (years, 2 ** 32 // 1000 + 1, 2 ** 31 // 1000 + 60):
        data = pcap(at([1], tcp("S", 1000))
                    + at([1 + jump], tcp("SA", 5000, 1001, sport=443, dport=40000), False), 101)
        report = replayed(tmp_path, data)
        assert outcomes(report) == {"no_response": 1, "unsolicited_synack": 1}


def test_the_same_number_again_after_a_jump(tmp_path):
    for jump in (HOUR, 2 * HOUR, 30 * 24 * HOUR):
        data = pcap(at([1, 1 + jump], tcp("S", 1000)), 101)
        assert outcomes(replayed(tmp_path, data)) == {"no_response": 2}


def test_a_refused_client_that_goes_on_trying(tmp_path):
    """A port scan by connect() on Windows: the same SYN twice a second, and once more when all seems over."""
    refused = [(True, tcp("S", 1000)),
               (False, tcp("RA", 0, 1001, sport=443, dport=40000))]
    frames = packets(refused)
    times = [0.0, 0.5, 1.0, 1.5, 21.5, 41.5, 61.5]
    records = [(when + i / 1000, frame) for when in times for i, frame in enumerate(frames)]
    report = replayed(tmp_path, pcap(records, 101))
    assert outcomes(report) == {"rejected": 1}
    assert report["anomalies"]["syn_retransmit"]["seen"] == len(times) - 1


def test_hourly_packets_of_a_midstream_flow(tmp_path):
    """It never falls silent for long enough to be another flow, and the SYN of the start does."""
    hours = [HOUR * i for i in range(24 * 60)]
    other = packet(True, tcp("S", 1, sport=1234))
    later = 24 * 40  # days that look like a time before the SYN, modulo 2^32 ms
    flow = at(hours, tcp("A", 7, 7))
    data = pcap([(0, other)] + flow[:later] + [(hours[later], other)] + flow[later:], 101)
    assert outcomes(replayed(tmp_path, data)) == {"midstream": 1, "no_response": 2}


def test_a_connection_lives_through_hourly_sweeps(tmp_path):
    frames = [(1, each) for each in packets()]
    frames += at([HOUR * i for i in range(1, 24 * 20)], tcp("A", 1001, 5001))
    assert outcomes(replayed(tmp_path, pcap(frames, 101))) == {"accepted": 1}


def test_a_sweep_ends_nothing_that_lasts(tmp_path):
    """A SYN just before the hour is full, its answer just after."""
    frames = packets()
    data = pcap([(0, packet(True, tcp("S", 1, sport=1234))), (HOUR - 1, frames[0]),
                 (HOUR + 1, frames[1]), (HOUR + 2, frames[2])], 101)
    assert outcomes(replayed(tmp_path, data)) == {"accepted": 1, "no_response": 1}


def test_a_pipe_holds_as_many_flows_as_it_may(tmp_path):
    """Its tables are larger than the default, all of them."""
    frames = [(1, packet(True, tcp("S", 1, sport=1024 + i))) for i in range(1000)]
    path = tmp_path / "capture"
    path.write_bytes(pcap(frames, 101))
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        done = subprocess.run([BINARY, "-j", "replay", "-"], stdin=cat.stdout, check=True,
                              capture_output=True, text=True, timeout=300)
    assert outcomes(json.loads(done.stdout)) == {"no_response": 1000}


# Checksums

def total(data):
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return ~value & 0xFFFF


def summed(bad_ip=0, bad_tcp=0, payload=b""):
    whole = bytearray(packet(True, tcp("S", 1, data=payload)))
    segment = bytes(whole[20:])
    pseudo = bytes(whole[12:20]) + struct.pack(">HH", 6, len(segment))
    struct.pack_into(">H", whole, 36, total(pseudo + segment) ^ bad_tcp)
    struct.pack_into(">H", whole, 10, total(bytes(whole[:20])) ^ bad_ip)
    return bytes(whole)


@pytest.mark.parametrize("bad, options, expected", [
    ({}, ["--checksums"], (0, 0)),
    ({"bad_ip": 1}, ["--checksums"], (1, 0)),
    ({"bad_tcp": 1}, ["--checksums"], (0, 1)),
    ({"bad_ip": 1, "bad_tcp": 1}, [], (0, 0)),
    ({"bad_tcp": 1, "payload": bytes(400)}, ["--checksums"], (0, 1)),
    ({"bad_tcp": 1, "payload": bytes(600)}, ["--checksums"], (0, 0)),
    ({"payload": b"odd"}, ["--checksums"], (0, 0)),
])
def test_checksums(tmp_path, bad, options, expected):
    done, report, _ = run(tmp_path, pcap([(1, summed(**bad))], 101), *options)
    assert done.returncode == 0, done.stderr
    anomalies = report["anomalies"]
    assert (anomalies["bad_ip_csum"]["seen"], anomalies["bad_tcp_csum"]["seen"]) == expected
