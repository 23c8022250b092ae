# SPDX-License-Identifier: GPL-2.0-or-later
"""Causes each outcome of a handshake so many times, by real kernels as far as they can."""

import itertools
import socket

import tcp
from net import NOBODY, VANISHED
from segments import ACK, MSS_1460, RST, SYN, Port, Segment

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

# Options of attach. Short enough for a test to wait for, far longer than what happens on a wire in
# between; and a table that the sweeper can look through in one go.
QUICK = ("--handshakes", "8192", "--connections", "8192",
         "--timeout", "syn_sent=1s", "--timeout", "syn_received=1s",
         "--timeout", "rst_grace=300ms")


class Stage:
    """A client's and a server's end of a wire, or of two with a router between them."""

    def __init__(self, near, far, family, on_each=lambda: None):
        self.near, self.far, self.family = near, far, family
        self.ports = itertools.count(20000)
        self.isns = itertools.count(0xFFFFF000, 997)  # they wrap around
        self.on_each = on_each
        # a server that repeats its SYN-ACK would bring a forgotten attempt back to mind
        far.namespace.sysctl("net.ipv4.tcp_synack_retries", 0)

    def server(self):
        return (self.far.address(self.family), tcp.PORT)

    def _segment(self, src, dst, flags, **fields):
        return Segment(src, dst, next(self.ports), tcp.PORT, flags, seq=next(self.isns) % 2**32,
                       options=MSS_1460, **fields)

    def _syn(self, number, to=None):
        """A SYN of the client's wire: from VANISHED nobody goes on, from the client its kernel."""
        dst = self.far.address(self.family) if to is None else self.far.address(self.family, to)
        return self._segment(self.near.address(self.family, number), dst, SYN)

    def accepted(self, count):
        with tcp.listener(self.far, self.family) as server:
            tcp.accepted(self.near.namespace, server, count, progress=self.on_each)

    def rejected(self, count):
        tcp.rejected(self.near.namespace, (self.server()[0], tcp.CLOSED_PORT), self.family, count,
                     progress=self.on_each)

    def no_response(self, count):
        tcp.unanswered(self.near.namespace, (self.far.address(self.family, NOBODY), tcp.PORT),
                       self.family, count, progress=self.on_each)

    def half_open(self, count):
        """Clients that are gone when the server's SYN-ACK comes."""
        with tcp.listener(self.far, self.family), Port(self.near) as port:
            for _ in range(count):
                port.exchange(self._syn(VANISHED), SYN | ACK)
                self.on_each()

    def aborted_orig(self, count):
        """A SYN scan: the scanner's kernel knows nothing of it and answers the SYN-ACK by RST."""
        with tcp.listener(self.far, self.family), Port(self.near) as port:
            for _ in range(count):
                port.exchange(self._syn(self.near.number), SYN | ACK)
                self.on_each()

    def aborted_resp(self, count):
        with tcp.listener(self.far, self.family), Port(self.near) as port, Port(self.far) as back:
            for _ in range(count):
                syn = self._syn(VANISHED)
                synack = port.exchange(syn, SYN | ACK)
                back.send(syn.answer(RST | ACK, seq=synack.seq + 1 & 0xFFFFFFFF))
                self.on_each()

    def cancelled(self, count):
        with Port(self.near) as port:
            for _ in range(count):
                syn = port.send(self._syn(VANISHED, to=NOBODY))
                port.send(Segment(syn.src, syn.dst, syn.sport, syn.dport, RST,
                                  seq=syn.seq + 1 & 0xFFFFFFFF))
                self.on_each()

    def unsolicited_synack(self, count):
        """Backscatter; the server answers each by RST."""
        with Port(self.near) as port:
            for _ in range(count):
                port.exchange(self._segment(self.near.address(self.family, VANISHED),
                                            self.server()[0], SYN | ACK, ack=next(self.isns)), RST)
                self.on_each()
