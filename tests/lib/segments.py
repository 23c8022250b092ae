# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments made by hand, for what no kernel would send: floods, scans, clients that vanish."""

import dataclasses
import socket
import struct

from net import wait_for

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ECE, CWR, AE = 0x40, 0x80, 0x100

ETH_IPV4, ETH_IPV6, ETH_ALL = 0x0800, 0x86DD, 0x0003
ETH_TAGS = (0x8100, 0x88A8)
SO_RCVBUFFORCE = 33  # Python has no name for it
MSS_1460 = b"\x02\x04\x05\xb4"


@dataclasses.dataclass
class Segment:
    """One segment; addresses as text, either family."""

    src: str
    dst: str
    sport: int
    dport: int
    flags: int
    seq: int = 0
    ack: int = 0
    window: int = 64240
    options: bytes = b""
    payload: bytes = b""
    urgent: int = 0

    def answer(self, flags, **changes):
        """A segment of the other end that acknowledges this one."""
        length = len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)
        fields = dict(src=self.dst, dst=self.src, sport=self.dport, dport=self.sport, flags=flags,
                      seq=self.ack, ack=self.seq + length & 0xFFFFFFFF)
        return Segment(**{**fields, **changes})


def checksum(data):
    """RFC 1071, over 16-bit words."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(src_mac, dst_mac, segment):
    """The bytes of an Ethernet frame, checksums and all."""
    family = socket.AF_INET6 if ":" in segment.src else socket.AF_INET
    src, dst = (socket.inet_pton(family, text) for text in (segment.src, segment.dst))
    words = 5 + len(segment.options) // 4
    length = 4 * words + len(segment.payload)
    tcp = struct.pack("!HHIIBBHHH", segment.sport, segment.dport, segment.seq & 0xFFFFFFFF,
                      segment.ack & 0xFFFFFFFF, words << 4 | segment.flags >> 8,
                      segment.flags & 0xFF, segment.window, 0, segment.urgent)
    tcp += segment.options + segment.payload
    pseudo = src + dst + struct.pack("!HH", socket.IPPROTO_TCP, length)
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    if family == socket.AF_INET:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, socket.IPPROTO_TCP, 0)
        head = head[:10] + struct.pack("!H", checksum(head + src + dst)) + src + dst
    else:
        head = struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_TCP, 64) + src + dst
    kind = ETH_IPV4 if family == socket.AF_INET else ETH_IPV6
    macs = bytes.fromhex(dst_mac.replace(":", "") + src_mac.replace(":", ""))
    return macs + struct.pack("!H", kind) + head + tcp


def parse(data):
    """The segment in a frame; None if there is none."""
    offset = 12
    while struct.unpack_from("!H", data, offset)[0] in ETH_TAGS:
        offset += 4
    kind, = struct.unpack_from("!H", data, offset)
    ip = data[offset + 2:]
    if kind == ETH_IPV4 and ip[9] == socket.IPPROTO_TCP:
        family, src, dst, tcp = socket.AF_INET, ip[12:16], ip[16:20], ip[4 * (ip[0] & 15):]
        tcp = tcp[:struct.unpack_from("!H", ip, 2)[0] - 4 * (ip[0] & 15)]
    elif kind == ETH_IPV6 and ip[6] == socket.IPPROTO_TCP:
        family, src, dst, tcp = socket.AF_INET6, ip[8:24], ip[24:40], ip[40:]
        tcp = tcp[:struct.unpack_from("!H", ip, 4)[0]]
    else:
        return None
    sport, dport, seq, ack, words, flags, window, _, urgent = struct.unpack_from("!HHIIBBHHH", tcp)
    start = 4 * (words >> 4)
    return Segment(socket.inet_ntop(family, src), socket.inet_ntop(family, dst), sport, dport,
                   flags, seq, ack, window, tcp[20:start], tcp[start:], urgent)


def raw_socket(end):
    """All frames of an interface, both ways. It has room: while a flood is answered nobody reads it."""
    frames = end.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    with end.namespace.entered():
        frames.bind((end.name, ETH_ALL))
    # of an XDP interface each frame, however short, counts as more than a page
    frames.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)
    frames.setblocking(False)
    return frames


class Port:
    """An interface as a place for raw frames; what is sent passes the TC egress hooks."""

    def __init__(self, end):
        self.end = end
        self.socket = raw_socket(end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, segment):
        self.socket.send(frame(self.end.mac, self.end.peer.mac, segment))
        return segment

    def _next(self):
        while True:
            try:
                data, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return None
            if address[2] != socket.PACKET_OUTGOING:
                return data

    def receive(self, wanted, what):
        """Waits for a segment that arrives and for which wanted(segment) holds."""
        def arrived():
            while (data := self._next()) is not None:
                segment = parse(data)
                if segment and wanted(segment):
                    return segment
            return None
        return wait_for(arrived, what)

    def exchange(self, segment, flags):
        """Sends a segment and waits for the answer to it with exactly these flags."""
        self.send(segment)
        return self.receive(lambda s: (s.src, s.sport, s.dport, s.flags & 0x3F) ==
                            (segment.dst, segment.dport, segment.sport, flags),
                            f"an answer to port {segment.dport}")
