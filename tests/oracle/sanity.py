# SPDX-License-Identifier: GPL-2.0-or-later
"""The anomalies that one segment shows by itself."""

from decode import (ACK, FIN, OPT_LENGTHS, OPT_MSS, OPT_WSCALE, PSH, RST, SYN, URG, options)

MSS_FLOOR = 64
WSCALE_CEILING = 14
RESERVED = 0x0E00
TIMESTAMP_ONLY = b"\x01\x01\x08\x0a"  # how nearly every segment's options begin


def is_multicast(address):
    if len(address) == 4:
        return 224 <= address[0] <= 239 or address == b"\xff\xff\xff\xff"
    return address[0] == 0xFF


def endpoints(segment):
    """Anomalies of the addresses and ports, and whether they leave a flow to follow."""
    src, dst = segment.src, segment.dst
    found = set()
    if is_multicast(src[:-2]) or is_multicast(dst[:-2]):
        found.add("multicast")
    if segment.unusable:
        return found, not found
    if src[-2:] == b"\0\0" or dst[-2:] == b"\0\0":
        found.add("port_zero")
    if src[:-2] == dst[:-2] and not segment.loopback:
        found.add("land" if src == dst else "land_addr_only")
    return found, not found & {"multicast", "port_zero", "land"}


def flags(bits):
    """Flag anomalies, but for SYN+FIN+ACK: that depends on the flow's SYN."""
    low = bits & 0x3F
    found = set()
    if not low & (SYN | ACK | RST):
        if not low:
            found.add("flags_null")
        elif low == FIN | PSH | URG:
            found.add("flags_xmas")
        elif low & FIN:
            found.add("flags_fin_noack")
        else:
            found.add("flags_no_syn_ack_rst")
    if low & SYN:
        if low & FIN and not low & ACK:
            found.add("flags_syn_fin")
        if low & RST:
            found.add("flags_syn_rst")
        if low & URG:
            found.add("flags_syn_urg")
    if low & FIN and low & RST:
        found.add("flags_fin_rst")
    if bits & RESERVED:
        found.add("reserved_bits")
    return found


PLAIN = {bits: flags(bits) for bits in range(0x1000)}


def header(segment):
    """Anomalies of a usable TCP header."""
    bits = segment.bits
    found = set(PLAIN[bits & 0xFFF])
    if not bits & ACK and segment.ack:
        found.add("ack_field_without_ack")
    if not bits & URG and segment.urgent:
        found.add("urgptr_without_urg")
    if segment.split:
        found.add("frag_hdr_split")
    if segment.payload and bits & (SYN | RST):
        if bits & RST:
            found.add("rst_data")
        if bits & SYN:
            if bits & ACK:
                found.add("synack_data")
            else:
                found.add("syn_data_tfo" if segment.tfo else "syn_data_no_tfo")
    if segment.options:
        option_anomalies(segment, found)
    return found


def option_anomalies(segment, found):
    data, bits = segment.options, segment.bits
    if len(data) == 12 and data[:4] == TIMESTAMP_ONLY:
        return
    for kind, value in options(data):
        length = None if value is None else len(value) + 2
        if length is None or OPT_LENGTHS.get(kind, length) != length:
            if segment.options_whole:
                found.add("opt_bad_len")
        elif kind == OPT_MSS and bits & SYN and not bits & ACK:
            if int.from_bytes(value, "big") < MSS_FLOOR:
                found.add("mss_tiny")
        elif kind == OPT_WSCALE and bits & SYN and value[0] > WSCALE_CEILING:
            found.add("wscale_big")
