# SPDX-License-Identifier: GPL-2.0-or-later
"""From a captured frame to what a judge of handshakes needs: a segment or an ICMP error.

Lengths come from the IP header, what can be read comes from the capture. A header that the
capture cut off says nothing, so it decodes to None and is no anomaly.
"""

import struct

from links import LINKS, pppoe_session

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

LINK_NULL, LINK_ETHERNET, LINK_LOOP, LINK_SLL, LINK_SLL2 = 0, 1, 108, 113, 276
LINKS_RAW = (12, 14, 101)
LINK_PPI, LINK_IPV4, LINK_IPV6 = 192, 228, 229
KNOWN_LINKS = {LINK_NULL, LINK_ETHERNET, LINK_LOOP, LINK_SLL, LINK_SLL2, *LINKS_RAW, LINK_PPI,
               LINK_IPV4, LINK_IPV6, *LINKS}
ARPHRD_LOOPBACK = b"\x03\x04"

ETH_IPV4, ETH_IPV6, ETH_PPPOE = 0x0800, 0x86DD, 0x8864
ETH_VLANS = (0x8100, 0x88A8, 0x9100)
MAX_VLANS = 2
FAMILIES = {2: ETH_IPV4} | dict.fromkeys((10, 23, 24, 28, 30), ETH_IPV6)

ICMP, TCP, ICMPV6 = 1, 6, 58
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION)
MAX_EXTENSIONS = 8

TCP_HEADER = struct.Struct(">IIHHHH")  # after the ports: seq, ack, offset and flags, window, ...

OPT_END, OPT_NOP, OPT_MSS, OPT_WSCALE, OPT_SACK_OK, OPT_TIMESTAMP = 0, 1, 2, 3, 4, 8
OPT_TFO, OPT_EXPERIMENT = 34, 254
TFO_MAGIC = b"\xf9\x89"
OPT_LENGTHS = {OPT_MSS: 4, OPT_WSCALE: 3, OPT_SACK_OK: 2, OPT_TIMESTAMP: 10}


class Datagram:
    """An IP packet whose payload, `size` bytes by its header, starts at `pos` of the frame."""

    __slots__ = ("src", "dst", "protocol", "pos", "size", "offset", "more")

    def __init__(self, src, dst, protocol, pos, size, offset, more):
        self.src, self.dst, self.protocol = src, dst, protocol
        self.pos, self.size = pos, size
        self.offset, self.more = offset, more  # of a fragment


class Segment:
    """A TCP segment. `src` and `dst` are the address and the two bytes of the port.

    `unusable` names what is wrong with a header that cannot be used; then only the ends mean
    anything, and the ports are 0 where they are not there.
    """

    __slots__ = ("src", "dst", "unusable", "fragment", "seq", "ack", "bits", "window", "urgent",
                 "payload", "split", "options", "options_whole", "tfo", "loopback")

    def __init__(self, src, dst, unusable=None, fragment=False):
        self.src, self.dst = src, dst
        self.unusable, self.fragment = unusable, fragment
        self.split = self.options_whole = self.tfo = self.loopback = False
        self.options = b""
        self.payload = 0


class IcmpError:
    """A destination-unreachable error quoting a segment from `src` to `dst`."""

    __slots__ = ("src", "dst", "seq")

    def __init__(self, src, dst, seq):
        self.src, self.dst, self.seq = src, dst, seq


def decode(link, frame, wire_len):
    """The Segment or IcmpError in `frame`, None if there is neither."""
    if link == LINK_PPI:
        size = int.from_bytes(frame[2:4], "little")
        inner = int.from_bytes(frame[4:8], "little")
        if not 8 <= size <= len(frame) or inner == LINK_PPI:
            return None
        return decode(inner, frame[size:], wire_len - size)
    wire_len = max(wire_len, len(frame))
    pos, ethertype = link_layer(link, frame)
    if ethertype == ETH_PPPOE:
        pos, ethertype = pppoe_session(frame, pos)
        wire_len = pos + (40 if ethertype == ETH_IPV6 else 0)  # a length of 0 means 0 there
    if ethertype == ETH_IPV4:
        datagram = ipv4(frame, pos, wire_len)
    elif ethertype == ETH_IPV6:
        datagram = ipv6(frame, pos, wire_len)
    else:
        return None
    if datagram is None:
        return None
    if datagram.protocol == TCP:
        segment = tcp(frame, datagram)
        if segment is not None and datagram.src == datagram.dst:
            segment.loopback = is_loopback(link, frame, datagram.src)
        return segment
    if datagram.offset == 0:
        if len(datagram.src) == 16 and datagram.protocol in EXTENSIONS:
            return Segment(datagram.src + b"\0\0", datagram.dst + b"\0\0", "ipv6_many_extensions",
                           fragment=True)
        if datagram.protocol == ICMP and len(datagram.src) == 4:
            return icmp_error(frame, datagram, ipv4)
        if datagram.protocol == ICMPV6 and len(datagram.src) == 16:
            return icmp_error(frame, datagram, ipv6)
    return None


def u16(frame, pos):
    return frame[pos] << 8 | frame[pos + 1]


def link_layer(link, frame):
    """Where the network header starts, and its ethertype (0: not IP)."""
    size = len(frame)
    if link == LINK_ETHERNET:
        return vlans(frame, 12)
    if link in LINKS_RAW:
        version = frame[0] >> 4 if size else 0
        return 0, {4: ETH_IPV4, 6: ETH_IPV6}.get(version, 0)
    if link == LINK_IPV4:
        return 0, ETH_IPV4
    if link == LINK_IPV6:
        return 0, ETH_IPV6
    if link == LINK_SLL:
        return vlans(frame, 14)
    if link == LINK_SLL2:
        ethertype = u16(frame, 0) if size >= 20 else 0
        return vlans(frame, 22, 1) if ethertype in ETH_VLANS else (20, ethertype)
    if link in (LINK_NULL, LINK_LOOP) and size >= 4:
        # In the byte order of the machine that captured, which need not be this one.
        family = int.from_bytes(frame[:4], "little")
        if family > 0xFFFF:
            family = int.from_bytes(frame[:4], "big")
        return 4, FAMILIES.get(family, 0)
    if link in LINKS:
        return LINKS[link](frame)
    return 0, 0


def vlans(frame, pos, seen=0):
    """Skip VLAN tags from the ethertype at `pos` on."""
    while pos + 2 <= len(frame):
        ethertype = u16(frame, pos)
        pos += 2
        if ethertype not in ETH_VLANS or seen == MAX_VLANS:
            return pos, ethertype
        pos += 2
        seen += 1
    return 0, 0


def is_loopback(link, frame, address):
    if link in (LINK_NULL, LINK_LOOP):
        return True
    if link == LINK_ETHERNET and frame[:12] == bytes(12):
        return True
    if (link == LINK_SLL and frame[2:4] == ARPHRD_LOOPBACK
            or link == LINK_SLL2 and frame[8:10] == ARPHRD_LOOPBACK):
        return True
    if len(address) == 4:
        return address[0] == 127
    return address == bytes(15) + b"\x01"


def ipv4(frame, pos, wire_len):
    if pos + 20 > len(frame) or frame[pos] >> 4 != 4:
        return None
    header = (frame[pos] & 0x0F) * 4
    # Segmentation offload leaves the length 0 inside a host.
    total = u16(frame, pos + 2) or wire_len - pos
    if header < 20 or total < header:
        return None
    fragment = u16(frame, pos + 6)
    return Datagram(frame[pos + 12:pos + 16], frame[pos + 16:pos + 20], frame[pos + 9],
                    pos + header, total - header,
                    (fragment & 0x1FFF) * 8, fragment & 0x2000 != 0)


def ipv6(frame, pos, wire_len):
    if pos + 40 > len(frame) or frame[pos] >> 4 != 6:
        return None
    src, dst = frame[pos + 8:pos + 24], frame[pos + 24:pos + 40]
    end = pos + 40 + (u16(frame, pos + 4) or wire_len - pos - 40)
    protocol = frame[pos + 6]
    pos += 40
    offset, more = 0, False
    for _ in range(MAX_EXTENSIONS):
        if protocol not in EXTENSIONS:
            break
        if pos + 8 > len(frame) or pos + 8 > end:
            return None
        kind, protocol = protocol, frame[pos]
        if kind == FRAGMENT:
            fragment = u16(frame, pos + 2)
            offset, more = fragment & 0xFFF8, fragment & 1 != 0
            pos += 8
            if offset:
                break
        elif kind == AUTHENTICATION:
            pos += (frame[pos + 1] + 2) * 4
        else:
            pos += (frame[pos + 1] + 1) * 8
    if pos > end:
        return None
    return Datagram(src, dst, protocol, pos, end - pos, offset, more)


def tcp(frame, datagram):
    src, dst, pos, size = datagram.src, datagram.dst, datagram.pos, datagram.size
    if datagram.offset:
        unusable = "frag_overlaps_header" if datagram.offset < 20 else None
        return Segment(src + b"\0\0", dst + b"\0\0", unusable, fragment=True)
    readable = min(len(frame), pos + size)
    ports = frame[pos:pos + 4] if pos + 4 <= readable else bytes(4)
    src, dst = src + ports[:2], dst + ports[2:]
    if size < 20:
        return Segment(src, dst, "frag_tiny_first" if datagram.more else "tcp_short")
    if pos + 20 > readable:
        return None
    seq, ack, bits, window, _, urgent = TCP_HEADER.unpack_from(frame, pos + 4)
    header = (bits >> 12) * 4
    if header < 20:
        return Segment(src, dst, "tcp_bad_doff")
    if header > size and not datagram.more:
        return Segment(src, dst, "tcp_doff_past_end")
    segment = Segment(src, dst)
    segment.seq, segment.ack, segment.bits = seq, ack, bits
    segment.window, segment.urgent = window, urgent
    segment.split = header > size
    segment.payload = max(0, size - header)
    if header > 20:
        segment.options = frame[pos + 20:min(pos + header, readable)]
        segment.options_whole = pos + header <= readable
        if bits & SYN:
            segment.tfo = any(is_tfo(kind, value) for kind, value in options(segment.options))
    return segment


def options(data):
    """(kind, value) of every option, up to the first that is not whole: (kind, None)."""
    pos = 0
    while pos < len(data):
        kind = data[pos]
        if kind == OPT_END:
            return
        if kind == OPT_NOP:
            pos += 1
            continue
        length = data[pos + 1] if pos + 1 < len(data) else 0
        if length < 2 or pos + length > len(data):
            yield kind, None
            return
        yield kind, data[pos + 2:pos + length]
        pos += length


def is_tfo(kind, value):
    if value is None:
        return False
    return kind == OPT_TFO or kind == OPT_EXPERIMENT and value[:2] == TFO_MAGIC


def icmp_error(frame, datagram, network):
    """Type 3 except "fragmentation needed", ICMPv6 type 1: the errors that end an attempt."""
    pos = datagram.pos
    end = min(len(frame), pos + datagram.size)
    if pos + 8 > end:
        return None
    kind, code = frame[pos], frame[pos + 1]
    if network is ipv4:
        if kind != 3 or code == 4:
            return None
    elif kind != 1:
        return None
    quoted = network(frame[:end], pos + 8, end)
    if quoted is None or quoted.protocol != TCP or quoted.offset or quoted.size < 8:
        return None
    if quoted.pos + 8 > end:
        return None
    at = quoted.pos
    seq = struct.unpack_from(">I", frame, at + 4)[0]
    return IcmpError(quoted.src + frame[at:at + 2], quoted.dst + frame[at + 2:at + 4], seq)
