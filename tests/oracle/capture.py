# SPDX-License-Identifier: GPL-2.0-or-later
"""Read pcap and pcapng captures, plain or gzipped, record by record."""

import struct
import zlib
from typing import Iterator, NamedTuple

NS = 1_000_000_000
NO_LINK = -1  # the record names an interface that was never described

SECTION_HEADER = 0x0A0D0D0A
INTERFACE = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6

OPT_END = 0
OPT_TSRESOL = 9
OPT_TSOFFSET = 14

# magic as read in little endian -> (byte order, ns per fraction, record header size)
PCAP_MAGICS = {
    0xA1B2C3D4: ("<", 1000, 16), 0xD4C3B2A1: (">", 1000, 16),
    0xA1B23C4D: ("<", 1, 16), 0x4D3CB2A1: (">", 1, 16),
    0xA1B2CD34: ("<", 1000, 24), 0x34CDB2A1: (">", 1000, 24),
}


class CaptureError(Exception):
    """The file is no capture that this reader knows."""


class Record(NamedTuple):
    """One captured frame: `time` in ns (None if the record has none), `wire_len` as sent."""

    time: int | None
    link: int
    frame: bytes
    wire_len: int


class Interface(NamedTuple):
    link: int
    snaplen: int
    units: int  # timestamp units in a second
    offset: int  # seconds to add


def records(path: str) -> Iterator[Record]:
    """Every record of the capture at `path` but for one that the file's end cuts off."""
    data = load(path)
    if len(data) < 4:
        raise CaptureError("too short for a capture")
    magic = struct.unpack_from("<I", data)[0]
    if magic == SECTION_HEADER:
        return pcapng_records(data)
    if magic in PCAP_MAGICS:
        return pcap_records(data, *PCAP_MAGICS[magic])
    raise CaptureError("neither pcap nor pcapng")


def load(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] != b"\x1f\x8b":
        return data
    parts = []
    while data[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(data))
        except zlib.error as error:
            raise CaptureError(f"gzip: {error}") from error
        data = member.unused_data
    return b"".join(parts)


def pcap_records(data: bytes, order: str, unit: int, header_len: int) -> Iterator[Record]:
    if len(data) < 24:
        raise CaptureError("pcap header cut off")
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    header = struct.Struct(order + "IIII")
    pos = 24
    while pos + header_len <= len(data):
        seconds, fraction, captured, wire_len = header.unpack_from(data, pos)
        pos += header_len
        if pos + captured > len(data):
            return
        yield Record(seconds * NS + fraction * unit, link, data[pos:pos + captured], wire_len)
        pos += captured


def pcapng_records(data: bytes) -> Iterator[Record]:
    order = "<"
    interfaces: list[Interface] = []
    pos = 0
    while pos + 12 <= len(data):
        if struct.unpack_from("<I", data, pos)[0] == SECTION_HEADER:
            order = section_order(data, pos)
            interfaces = []
        kind, length = struct.unpack_from(order + "II", data, pos)
        if length < 12 or length % 4 or pos + length > len(data):
            return
        body = data[pos + 8:pos + length - 4]
        pos += length
        if kind == INTERFACE and len(body) >= 8:
            interfaces.append(read_interface(body, order))
        elif kind in (ENHANCED_PACKET, OLD_PACKET) and len(body) >= 20:
            yield timed_packet(kind, body, order, interfaces)
        elif kind == SIMPLE_PACKET and len(body) >= 4:
            yield simple_packet(body, order, interfaces)


def section_order(data: bytes, pos: int) -> str:
    mark = data[pos + 8:pos + 12]
    if mark == b"\x4d\x3c\x2b\x1a":
        return "<"
    if mark == b"\x1a\x2b\x3c\x4d":
        return ">"
    raise CaptureError("pcapng section without a byte-order mark")


def read_interface(body: bytes, order: str) -> Interface:
    link, _, snaplen = struct.unpack_from(order + "HHI", body)
    units, offset = 1_000_000, 0
    pos = 8
    while pos + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, pos)
        value = body[pos + 4:pos + 4 + length]
        if code == OPT_END:
            break
        if code == OPT_TSRESOL and len(value) == 1:
            exponent = value[0] & 0x7F
            units = 2 ** exponent if value[0] & 0x80 else 10 ** exponent
        elif code == OPT_TSOFFSET and len(value) == 8:
            offset = struct.unpack(order + "q", value)[0]
        pos += 4 + (length + 3 & ~3)
    return Interface(link, snaplen, units, offset)


def timed_packet(kind: int, body: bytes, order: str, interfaces: list[Interface]) -> Record:
    if kind == ENHANCED_PACKET:
        index, high, low, captured, wire_len = struct.unpack_from(order + "IIIII", body)
    else:
        index, _, high, low, captured, wire_len = struct.unpack_from(order + "HHIIII", body)
    frame = body[20:20 + captured]
    if index >= len(interfaces):
        return Record(None, NO_LINK, frame, wire_len)
    interface = interfaces[index]
    time = (high << 32 | low) * NS // interface.units + interface.offset * NS
    return Record(time, interface.link, frame, wire_len)


def simple_packet(body: bytes, order: str, interfaces: list[Interface]) -> Record:
    wire_len = struct.unpack_from(order + "I", body)[0]
    if not interfaces:
        return Record(None, NO_LINK, body[4:], wire_len)
    interface = interfaces[0]
    captured = min(wire_len, interface.snaplen) if interface.snaplen else wire_len
    return Record(None, interface.link, body[4:4 + captured], wire_len)
