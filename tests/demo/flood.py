# SPDX-License-Identifier: GPL-2.0-or-later
"""The spoofed SYN flood of the demo."""

import contextlib
import itertools
import random
import socket

import tcp
from segments import MSS_1460, SYN, Port, Segment, frame

FLOOD = 20000
UNNOTICED = 1000  # of its SYNs come before any client does: then a queue is full, or a guard awake
NETWORK = "198.18.0.0/15"  # for benchmarks, says RFC 2544: nobody lives there
FIRST = int.from_bytes(socket.inet_aton("198.18.0.0"), "big")
SIZE = 1 << 17


def lead_nowhere(near, far):
    """Every answer to the flood has a way, on which it is lost."""
    far.route(NETWORK, near.address(socket.AF_INET))
    near.namespace.ip("route", "add", "blackhole", NETWORK)


def spoofed(near, far):
    """Sends a SYN from an address that is not ours each time it is asked for the next; none comes twice."""
    address = far.address(socket.AF_INET)
    with Port(near) as port:
        port.socket.setblocking(True)
        for number, source in enumerate(random.sample(range(SIZE), SIZE), 1):
            src = socket.inet_ntoa((FIRST + source).to_bytes(4, "big"))
            port.socket.send(frame(near.mac, far.mac, Segment(
                src, address, random.randrange(1024, 65536), tcp.PORT, SYN,
                seq=random.getrandbits(32), options=MSS_1460)))
            yield number


def spoof(near, far, each):
    """The flood; each(number) is called behind every SYN."""
    with contextlib.closing(spoofed(near, far)) as numbers:
        for number in itertools.islice(numbers, FLOOD):
            each(number)
