# SPDX-License-Identifier: GPL-2.0-or-later
"""What is remembered of a 5-tuple: attempts without an end, a connection, a first segment."""

from capture import NS
from names import OUTCOMES

MOD = 0xFFFFFFFF

SYN_SENT, SYN_RECEIVED, CROSSED = range(3)

TIMEOUTS = {SYN_SENT: 127 * NS, SYN_RECEIVED: 63 * NS, CROSSED: 63 * NS}
IDLE = 432_000 * NS
CLOSED = 120 * NS

REMEMBERED_ATTEMPTS = 2

# What an attempt in SYN-SENT can show first, named as the outcome that it leads to.
ONE_SIDED, FIN_FIRST, RESP_FIRST = "one_sided", "fin_in_handshake", "resp_no_synack"


def within(value, low, span):
    """value in [low, low + span], modulo 2^32."""
    return value - low & MOD <= span


class ServerIsn:
    """An ISN of the responder and the highest sequence number it has used after it."""

    __slots__ = ("isn", "high")

    def __init__(self, isn, high):
        self.isn, self.high = isn, high


class Attempt:
    __slots__ = ("birth", "opener", "responder", "isn", "data", "tfo", "window", "state", "last",
                 "servers", "server_window", "fins", "peer_isn", "acked", "synacked",
                 "rejected", "cancelled", "aborted", "bad_synack", "unverified", "first", "fin",
                 "opener_acked", "responder_seen", "stray_ack")

    def __init__(self, birth, segment, now):
        self.birth = birth
        self.opener, self.responder = segment.src, segment.dst
        self.isn, self.data, self.tfo = segment.seq, segment.payload, segment.tfo
        self.window = segment.window
        self.state, self.last = SYN_SENT, now
        self.servers = []  # at most two, the latest first
        self.server_window = 0
        self.fins = set()  # the ends that sent one where a connection would count it
        self.peer_isn = None  # of a crossed SYN
        self.acked, self.synacked = set(), set()  # the ends that have, once SYNs crossed
        self.rejected = self.cancelled = self.bad_synack = self.unverified = self.fin = False
        self.aborted = self.first = None
        self.opener_acked = self.responder_seen = False
        self.stray_ack = None  # of the responder's last segment that does not answer the SYN

    @property
    def closed(self):
        return self.rejected or self.cancelled or self.aborted is not None

    def acks_syn(self, ack):
        return within(ack, self.isn + 1, self.data)

    def syn_again(self, segment):
        self.data = max(self.data, segment.payload)
        self.window = max(self.window, segment.window)
        self.tfo = self.tfo or segment.tfo

    def crossed_by(self, segment):
        self.state, self.responder_seen = CROSSED, True
        self.peer_isn, self.server_window = segment.seq, segment.window

    def answered(self, isn, window, payload, fin):
        """A valid SYN-ACK: the anomaly that it is, if any."""
        self.server_window = window
        if fin:
            self.fins.add(self.responder)
        known = [server for server in self.servers if server.isn == isn]
        again = bool(self.servers)
        if known:
            self.servers.remove(known[0])
        server = known[0] if known else ServerIsn(isn, isn + 1 & MOD)
        self.servers = [server] + self.servers[:1]
        end = isn + 1 + payload + fin & MOD
        if not within(end, isn + 1, server.high - isn - 1 & MOD):
            server.high = end
        self.state = SYN_RECEIVED
        if known:
            return "synack_retransmit"
        return "synack_isn_changed" if again else None

    def responder_sent(self, seq, payload, fin):
        """Move the highest sequence number of the ISN that the segment must belong to."""
        if not self.servers:
            return
        server = min(self.servers, key=lambda each: seq - each.isn - 1 & MOD)
        start = seq - server.isn - 1 & MOD
        if start < 1 << 31 and start + payload + fin > server.high - server.isn - 1 & MOD:
            server.high = seq + payload + fin & MOD
        if fin:
            self.fins.add(self.responder)

    def final_ack(self, seq, ack):
        """None if (seq, ack) completes the handshake, else the anomaly."""
        if not any(within(ack, each.isn + 1, each.high - each.isn - 1 & MOD)
                   for each in self.servers):
            return "final_ack_bad"
        if not within(seq, self.isn + 1, self.data + self.server_window):
            return "final_ack_bad_seq"
        return None

    def opener_rst(self, seq):
        """In SYN-RECEIVED: (valid, exact)."""
        valid = within(seq, self.isn, 1 + self.data + self.server_window)
        return valid, seq - self.isn & MOD in (0, 1, 1 + self.data)

    def responder_rst(self, seq):
        """In SYN-RECEIVED, by sequence number alone."""
        if self.state == CROSSED:
            return within(seq, self.peer_isn + 1, self.window)
        return any(within(seq, each.isn + 1, (each.high - each.isn - 1 & MOD) + self.window)
                   for each in self.servers)

    def show(self, what):
        if self.first is None:
            self.first = what

    def outcome(self):
        """How it ended, if nothing more comes."""
        if self.rejected:
            return "rejected"
        if self.cancelled:
            return "cancelled"
        if self.state != SYN_SENT:
            return self.aborted or ("fin_in_handshake" if self.fin else "half_open")
        if self.bad_synack:
            return "bad_synack"
        if self.unverified:
            return "rejected_unverified"
        if self.first == ONE_SIDED and self.responder_seen:
            return RESP_FIRST
        return self.first or "no_response"


class Connection:
    __slots__ = ("birth", "opener", "responder", "isn", "data", "tfo", "servers", "crossed",
                 "synacked", "fins", "resets", "last")

    def __init__(self, birth, opener, responder, isn, servers, now):
        self.birth, self.opener, self.responder = birth, opener, responder
        self.isn, self.servers, self.last = isn, servers, now
        self.data, self.tfo, self.crossed = 0, False, False
        self.synacked = set()
        self.fins, self.resets = set(), set()  # the ends that sent one

    @classmethod
    def of(cls, attempt, now):
        servers = [each.isn for each in attempt.servers]
        if attempt.state == CROSSED:
            servers = [attempt.peer_isn]
        self = cls(attempt.birth, attempt.opener, attempt.responder, attempt.isn, servers, now)
        self.data, self.tfo = attempt.data, attempt.tfo
        self.crossed, self.synacked = attempt.state == CROSSED, attempt.synacked
        self.fins = set(attempt.fins)
        return self

    @property
    def closed(self):
        return bool(self.resets) or len(self.fins) == 2


class FirstSegment:
    """The outcome of a flow whose first segment opened nothing; it is told once."""

    __slots__ = ("outcome", "src", "dst")

    def __init__(self, outcome, src, dst):
        self.outcome, self.src, self.dst = outcome, src, dst


class Flow:
    __slots__ = ("attempts", "told", "connection", "first", "synack", "undecodable", "last")

    def __init__(self):
        self.attempts = []  # oldest first, at most two
        self.told = {}  # attempts of the past by opener and ISN: until when a SYN is a straggler
        self.connection = None
        self.first = None
        self.synack = None  # the latest SYN-ACK that came without an entry
        self.undecodable = False
        self.last = 0

    def newest(self):
        """The newest attempt, unless the connection is newer still."""
        if not self.attempts:
            return None
        attempt = self.attempts[-1]
        if self.connection and self.connection.birth > attempt.birth:
            return None
        return attempt

    def tfo(self):
        return (any(attempt.tfo for attempt in self.attempts)
                or self.connection is not None and self.connection.tfo)


class Flows:
    """All flows at the time `now` (ns), and the outcomes of what they forgot."""

    def __init__(self):
        self.table = {}
        self.now = 0
        self.births = 0
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.ended = []  # (src, dst, outcome)

    def find(self, packet):
        """The flow of a packet, without what has timed out."""
        key = packet.src + packet.dst if packet.src < packet.dst else packet.dst + packet.src
        flow = self.table.get(key)
        if flow is None:
            flow = self.table[key] = Flow()
            return flow
        now = self.now
        for attempt in [each for each in flow.attempts if now - each.last > TIMEOUTS[each.state]]:
            flow.attempts.remove(attempt)
            self.end(attempt, attempt.outcome())
            flow.told[attempt.opener, attempt.isn] = attempt.last + TIMEOUTS[attempt.state] + CLOSED
        flow.told = {key: until for key, until in flow.told.items() if now <= until}
        connection = flow.connection
        if connection and now - connection.last > (CLOSED if connection.closed else IDLE):
            flow.connection = None
        if now - flow.last > IDLE:
            self.forget_first(flow)
        return flow

    def birth(self):
        self.births += 1
        return self.births

    def open(self, flow, segment):
        if len(flow.attempts) == REMEMBERED_ATTEMPTS:
            oldest = flow.attempts.pop(0)
            self.end(oldest, oldest.outcome())
        attempt = Attempt(self.birth(), segment, self.now)
        flow.attempts.append(attempt)
        return attempt

    def end(self, attempt, outcome):
        self.tell(attempt.opener, attempt.responder, outcome)

    def tell(self, src, dst, outcome):
        self.outcomes[outcome] += 1
        self.ended.append((src, dst, outcome))

    def first(self, flow, outcome, src, dst):
        """What the first segment of a flow without an entry means; told once."""
        if flow.first:
            return
        flow.first = FirstSegment(outcome, src, dst)
        if outcome != "unsolicited_synack":  # which may still become something else
            self.tell(src, dst, outcome)

    def forget_first(self, flow):
        if flow.first and flow.first.outcome == "unsolicited_synack":
            self.tell(flow.first.src, flow.first.dst, flow.first.outcome)
        flow.first = flow.synack = None
        flow.undecodable = False

    def finish(self):
        """The capture is over: what has no end yet is judged as if silence followed."""
        for flow in self.table.values():
            self.forget_first(flow)
            for attempt in flow.attempts:
                self.end(attempt, attempt.outcome())
            flow.attempts = []
