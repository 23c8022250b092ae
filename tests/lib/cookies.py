# SPDX-License-Identifier: GPL-2.0-or-later
"""
Cookies of any epoch, made by whoever knows the secrets: as include/synward/cookie.h says, and by another
hand than bpf/core/.
"""

import dataclasses
import ipaddress

from cli import bpftool

EPOCHS, MASK = 4, (1 << 64) - 1


def _rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def _round(a, b, c, d):
    a, c = (a + b) & MASK, (c + d) & MASK
    b, d = _rotate(b, 13) ^ a, _rotate(d, 16) ^ c
    a = _rotate(a, 32)
    c, a = (c + b) & MASK, (a + d) & MASK
    b, d = _rotate(b, 17) ^ c, _rotate(d, 21) ^ a
    return a, b, _rotate(c, 32), d


def siphash(key, data):
    """SipHash-2-4 of bytes, under a key of two numbers."""
    state = [key[i % 2] ^ int.from_bytes(word, "big") for i, word in
             enumerate((b"somepseu", b"dorandom", b"lygenera", b"tedbytes"))]
    padded = data + bytes(7 - len(data) % 8) + bytes((len(data) % 256,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        state[3] ^= word
        state = [*_round(*_round(*state))]
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(4):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


@dataclasses.dataclass(frozen=True)
class Secrets:
    """Those that are in the kernel."""

    secrets: tuple
    epoch: int

    @classmethod
    def of(cls, synward):
        keys = bpftool("map", "lookup", "pinned", synward.pin_dir / "maps" / "cookie_keys",
                       "key", *(["0"] * 4))["formatted"]["value"]
        return cls(tuple(map(tuple, keys["secrets"])), (keys["coming"] - 1) % 2**16)

    def cookie(self, ends, isn, age):
        """
        The number in which a SYN without a timestamp, and with the least MSS, was answered so many epochs
        ago; ends: source, destination and their ports.
        """
        epoch = (self.epoch - age) % 2**16
        src, dst, sport, dport = ends
        source, destination = (ipaddress.ip_address(end).packed for end in (src, dst))
        purpose = (epoch & 0x3FF).to_bytes(2, "little")
        of_port = destination + dport.to_bytes(2, "little") + purpose
        of_client = source + isn.to_bytes(4, "little")
        if len(source) == 16:
            of_port, of_client = of_port + bytes(3) + b"\x80", of_client + bytes(4)
        said = (of_port + of_client + bytes(4) + sport.to_bytes(2, "little") +
                bytes(((epoch >> 10 & 31) << 3,)))
        return (epoch % EPOCHS) << 30 | siphash(self.secrets[epoch % EPOCHS], said) & (1 << 27) - 1
