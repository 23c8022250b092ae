# SPDX-License-Identifier: GPL-2.0-or-later
"""A wire that loses, repeats, delays and gathers the segments of a connection as it is told."""

import collections
import contextlib
import dataclasses
import socket
import struct
import threading

from hooks import filter_packets
from live import Crossing
from segments import ACK, FIN, RST, SYN, parse

ETH_BATCH = 0x88B5  # as in tests/e2e/batch.bpf.c


@dataclasses.dataclass(frozen=True)
class Plan:
    """
    What to do with segments. They are called syn, synack, ack (the client's without data), data, back
    (the server's data), fin and rst; the second of a kind is syn1 and so on. A RST behind the server's
    FIN is called late_rst: all is said by then, and it answers what came too late. What nothing is
    said of is handed on.
    """

    lose: tuple = ()
    twice: tuple = ()
    late: tuple = ()  # one of them, and behind which it is handed on
    together: int = 0  # so many of the client's, from its ACK on, arrive at the same moment


@dataclasses.dataclass
class Flow:
    plan: Plan
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    delayed: bytes = None
    gathered: list = dataclasses.field(default_factory=list)
    names: list = dataclasses.field(default_factory=list)
    is_over: bool = False  # the server has closed

    def name(self, segment, is_client):
        """Which segment of the connection it is."""
        if segment.flags & RST:
            kind = "late_rst" if self.is_over else "rst"
        elif segment.flags & SYN:
            kind = "synack" if segment.flags & ACK else "syn"
        elif segment.payload:
            kind = "data" if is_client else "back"
        elif segment.flags & FIN:
            kind = "fin"
        else:
            kind = "ack" if is_client else "backack"
        self.is_over |= bool(segment.flags & FIN) and not is_client
        number = self.counts[kind]
        self.counts[kind] += 1
        self.names.append(f"{kind}{number or ''}")
        return self.names[-1]


class Relay(Crossing):
    """Carries by itself while it is entered; plans and what was seen are by the client's address."""

    def __init__(self, lab, near, far):
        super().__init__(lab, near, far)
        filter_packets(self.far.peer, "egress", "batch", "send_batch")
        self.client_side, self.server_side = self.ports
        self.flows = collections.defaultdict(lambda: Flow(Plan()))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._carry)

    @contextlib.contextmanager
    def carrying(self):
        self.thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self.thread.join()

    def plan(self, client, plan):
        self.flows[client] = Flow(plan)

    def _carry(self):
        while not self.over.is_set():
            for raw, data in self._arrived(0.05):
                self._deal_with(raw, data)

    def _deal_with(self, raw, data):
        segment, is_client = parse(data), raw is self.client_side
        flow = self.flows[segment.src if is_client else segment.dst]
        name = flow.name(segment, is_client)
        plan = flow.plan
        if name in plan.lose:
            return
        if plan.late and name == plan.late[0]:
            flow.delayed = data
            return
        copies = 2 if name in plan.twice else 1
        if is_client and name != "syn" and len(flow.gathered) < plan.together:
            flow.gathered += [data] * copies
            if len(flow.gathered) >= plan.together:
                self._send_together(flow.gathered)
            return
        for _ in range(copies):
            self._hand_on(raw, data)
        if plan.late and name == plan.late[1] and flow.delayed:
            self._hand_on(raw, flow.delayed)

    def _send_together(self, frames):
        end = self.far
        macs = bytes.fromhex(end.mac.replace(":", "") + end.peer.mac.replace(":", ""))
        batch = b"".join(struct.pack("!H", len(data)) + macs + data[12:] for data in frames)
        self.server_side.send(macs + struct.pack("!H", ETH_BATCH) + batch)


def quick_ack(client, on):
    """Whether its ACK waits for the first data."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, on)
