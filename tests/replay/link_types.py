# SPDX-License-Identifier: GPL-2.0-or-later
"""Link types: the number of each, and what is before an IPv4 packet."""

import struct

SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
MAC = bytes.fromhex("020000000001")
DATA = b"\x08\x01\0\0" + 3 * MAC + b"\x10\0"
QOS = b"\x88\x01\0\0" + 3 * MAC + b"\x10\0" + b"\0\0"
FOUR = b"\x08\x03\0\0" + 3 * MAC + b"\x10\0" + MAC
RADIOTAP = b"\0\0\x08\0\0\0\0\0"
PADDED = b"\0\0\x19\0\x03\0\0\x80" + b"\0\0\0\0" + bytes(4) + bytes(8) + b"\x20"
ETHERNET = 2 * MAC + b"\x08\0"


def nflog(order):
    def wrap(data):
        return (b"\x02\0\0\0" + struct.pack(order + "HHI", 8, 4, 1)
                + struct.pack(order + "HHB", 5, 10, 1) + bytes(3)
                + struct.pack(order + "HH", 4 + len(data), 9) + data)
    return wrap


LINKS = {
    "null": (0, struct.pack("<I", 2)), "null, other order": (0, struct.pack(">I", 2)),
    "ethernet": (1, ETHERNET), "ppp": (9, b"\0\x21"), "ppp, one byte": (9, b"\x21"),
    "ppp in hdlc": (9, b"\xff\x03\0\x21"), "fddi": (10, b"\x50" + 2 * MAC + SNAP),
    "ppp serial": (50, b"\xff\x03\0\x21"), "ppp serial of cisco": (50, b"\x0f\0\x08\0"),
    "ethernet, pppoe": (1, 2 * MAC + b"\x88\x64\x11\0\0\x01\0\x2a\0\x21"),
    "ethernet, tag, pppoe": (1, 2 * MAC + b"\x81\0\0\x05\x88\x64\x11\0\0\x01\0\x2a\0\x21"),
    "pppoe": (51, b"\x11\0\0\x01\0\x2a\0\x21"), "raw": (101, b""),
    "cisco hdlc": (104, b"\x0f\0\x08\0"), "802.11": (105, DATA + SNAP),
    "802.11 qos": (105, QOS + SNAP), "802.11 of four": (105, FOUR + SNAP),
    "loop": (108, struct.pack(">I", 2)), "enc": (109, struct.pack("<III", 2, 1, 0)),
    "sll": (113, struct.pack(">HHH8sH", 0, 1, 6, b"", 0x0800)),
    "pflog": (117, b"\x3d\x02" + bytes(62)),
    "radiotap": (127, RADIOTAP + DATA + SNAP), "ppi": (192, b"\0\0\x08\0\x01\0\0\0" + ETHERNET),
    "ppi of 802.11": (192, b"\0\0\x0c\0\x69\0\0\0" + bytes(4) + DATA + SNAP),
    "ipv4": (228, b""), "nflog": (239, nflog("<")), "nflog, other order": (239, nflog(">")),
    "sll2": (276, struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"")),
}
