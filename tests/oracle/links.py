# SPDX-License-Identifier: GPL-2.0-or-later
"""Link types whose header is more than a table: where the packet starts, and its ethertype."""

IPV4, IPV6 = 0x0800, 0x86DD
PPP = {0x21: IPV4, 0x57: IPV6}
FAMILIES = {2: IPV4} | dict.fromkeys((10, 23, 24, 28, 30), IPV6)
NOTHING = (0, 0)


def u16(frame, pos, order="big"):
    return int.from_bytes(frame[pos:pos + 2], order) if pos + 2 <= len(frame) else 0


def chdlc(frame, pos=0):
    return pos + 4, u16(frame, pos + 2)


def ppp(frame, pos=0):
    if frame[pos:pos + 2] in (b"\x0f\0", b"\x8f\0"):
        return chdlc(frame, pos)
    if frame[pos:pos + 2] == b"\xff\x03":
        pos += 2
    return ppp_protocol(frame, pos)


def ppp_protocol(frame, pos):
    if frame[pos:pos + 1] and frame[pos] & 1:
        return pos + 1, PPP.get(frame[pos], 0)
    return pos + 2, PPP.get(u16(frame, pos), 0)


def pppoe(frame):
    return ppp_protocol(frame, 6) if len(frame) > 6 and frame[1] == 0 else NOTHING


def pppoe_session(frame, pos):
    """What follows the ethertype of one; no protocol field of one byte is read there."""
    if frame[pos:pos + 2] != b"\x11\0" or pos + 8 > len(frame):
        return NOTHING
    return pos + 8, PPP.get(u16(frame, pos + 6), 0)


def snap(frame, pos):
    head = frame[pos:pos + 8]
    if len(head) == 8 and head[:6] in (b"\xaa\xaa\3\0\0\0", b"\xaa\xaa\3\0\0\xf8"):
        return pos + 8, u16(head, 6)
    return NOTHING


def fddi(frame):
    return snap(frame, 13) if frame and frame[0] >> 4 == 5 else NOTHING


def wireless(frame, start=0, padded=False):
    head = frame[start:]
    if len(head) < 24:
        return NOTHING
    version, kind, subtype = head[0] & 3, head[0] >> 2 & 3, head[0] >> 4
    encrypted, fragment = head[1] & 0x40, head[22] & 15
    if version or kind != 2 or subtype & 4 or encrypted or fragment:
        return NOTHING
    size = 30 if head[1] & 3 == 3 else 24
    if subtype & 8:
        if head[size:size + 1] == b"" or head[size] & 0x80:
            return NOTHING
        size += 6 if head[1] & 0x80 else 2
    if padded:
        size += -size % 4
    return snap(frame, start + size)


def radiotap(frame, start=0):
    head = frame[start:]
    length = u16(head, 2, "little")
    if len(head) < length or length < 8 or head[0]:
        return NOTHING
    words = [int.from_bytes(head[4:8], "little")]
    while words[-1] >> 31 and 4 * len(words) + 8 <= length:
        at = 4 + 4 * len(words)
        words.append(int.from_bytes(head[at:at + 4], "little"))
    at = 4 + 4 * len(words)
    if words[0] & 1:
        at += -at % 8 + 8
    padded = bool(words[0] & 2 and at < length and head[at] & 0x20)
    return wireless(frame, start + length, padded)


def nflog(frame):
    for order in ("little", "big"):
        pos = 4
        while pos + 4 <= len(frame):
            size, kind = u16(frame, pos, order), u16(frame, pos + 2, order) & 0x7FFF
            if size < 4:
                break
            if kind == 9:
                return pos + 4, FAMILIES.get(frame[0], 0)
            pos += size + -size % 4
    return NOTHING


def family32(frame, size):
    if len(frame) < size:
        return NOTHING
    family = int.from_bytes(frame[:4], "little")
    return size, FAMILIES.get(family if family < 65536 else int.from_bytes(frame[:4], "big"), 0)


def enc(frame):
    return family32(frame, 12)


def pflog(frame):
    return (frame[0] + 3 & ~3, FAMILIES.get(frame[1], 0)) if len(frame) > 1 else NOTHING


LINKS = {9: ppp, 10: fddi, 50: ppp, 51: pppoe, 104: chdlc, 105: wireless, 109: enc, 117: pflog,
         127: radiotap, 239: nflog}
