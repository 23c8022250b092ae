# SPDX-License-Identifier: GPL-2.0-or-later
"""Build frames and captures for the oracle's tests. Checksums are left 0: nobody here looks."""

import socket
import struct

FLAGS = {letter: 1 << bit for bit, letter in enumerate("FSRPAUECN")}
MACS = bytes.fromhex("020000000002" "020000000001")
IPV4, IPV6 = 4, 6
CLIENT = {IPV4: "192.0.2.1", IPV6: "2001:db8::1"}
SERVER = {IPV4: "198.51.100.7", IPV6: "2001:db8::7"}
CLIENT_PORT, SERVER_PORT = 40000, 443

OPT_TFO_COOKIE = b"\x22\x0a12345678\x01\x01"
OPT_TFO_EXPERIMENT = b"\xfe\x04\xf9\x89"


def tcp(flags, seq, ack=0, data=b"", options=b"", window=8192, sport=CLIENT_PORT,
        dport=SERVER_PORT, doff=None, urgent=0, reserved=0):
    bits = sum(FLAGS[letter] for letter in flags) | reserved
    bits |= (5 + len(options) // 4 if doff is None else doff) << 12
    return struct.pack(">HHIIHHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, bits,
                       window, 0, urgent) + options + data


def ipv4(src, dst, payload, protocol=6, fragment=0, options=b"", total=None):
    """`fragment` is the flags and offset field."""
    header = 20 + len(options)
    return struct.pack(">BBHHHBBH4s4s", 0x40 | header // 4, 0,
                       header + len(payload) if total is None else total, 1, fragment, 64,
                       protocol, 0, socket.inet_aton(src), socket.inet_aton(dst)
                       ) + options + payload


def ipv6(src, dst, payload, protocol=6, extensions=(), length=None):
    """`extensions` are (protocol number, body after the next-header byte) in order."""
    kinds = [kind for kind, _ in extensions] + [protocol]
    chain = b"".join(bytes([after]) + body
                     for (_, body), after in zip(extensions, kinds[1:]))
    body = chain + payload
    return struct.pack(">IHBB16s16s", 6 << 28, len(body) if length is None else length, kinds[0],
                       64, socket.inet_pton(socket.AF_INET6, src),
                       socket.inet_pton(socket.AF_INET6, dst)) + body


def ip(family, src, dst, payload, **more):
    return (ipv4 if family == IPV4 else ipv6)(src, dst, payload, **more)


def ethernet(packet, tags=(), macs=MACS):
    ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    vlans = b"".join(struct.pack(">HH", tag, 100) for tag in tags)
    return macs + vlans + struct.pack(">H", ethertype) + packet


def from_client(family, segment):
    return ethernet(ip(family, CLIENT[family], SERVER[family], segment))


def from_server(family, segment):
    return ethernet(ip(family, SERVER[family], CLIENT[family], segment))


def unreachable(family, quoted, code=1):
    """The ICMP or ICMPv6 destination-unreachable error that the server's side sends."""
    kind, protocol = (3, 1) if family == IPV4 else (1, 58)
    body = struct.pack(">BBHI", kind, code, 0, 0) + quoted
    return ethernet(ip(family, SERVER[family], CLIENT[family], body, protocol=protocol))


def pcap(frames, link=1, order="<", nano=False, snaplen=None):
    """A capture of (time in seconds, frame)."""
    magic, unit = (0xA1B23C4D, 10 ** 9) if nano else (0xA1B2C3D4, 10 ** 6)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen or 262144, link)]
    for time, frame in frames:
        part = frame[:snaplen]
        out.append(struct.pack(order + "IIII", int(time), round(time % 1 * unit), len(part),
                               len(frame)) + part)
    return b"".join(out)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def pcapng_section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def pcapng_interface(link=1, tsresol=None, order="<"):
    body = struct.pack(order + "HHI", link, 0, 0)
    if tsresol is not None:
        body += struct.pack(order + "HHB3xHH", 9, 1, tsresol, 0, 0)
    return block(1, body, order)


def pcapng_packet(interface, units, frame, order="<"):
    return block(6, struct.pack(order + "IIIII", interface, units >> 32, units & 0xFFFFFFFF,
                                len(frame), len(frame)) + frame, order)
