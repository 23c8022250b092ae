# SPDX-License-Identifier: GPL-2.0-or-later
"""Follow every handshake of a capture to its outcome.

A flow is a 5-tuple. Its entries are attempts that have not ended yet and at most one connection.
A segment is matched to the attempt that its numbers fit, the newest first; one that fits none is
judged against the newest attempt that it could concern.
"""

import sanity
from decode import ACK, FIN, RST, SYN, IcmpError
from flow import (CLOSED, CROSSED, FIN_FIRST, MOD, ONE_SIDED, RESP_FIRST, SYN_RECEIVED, SYN_SENT,
                  Connection, Flows, within)
from names import ANOMALIES

ILLEGAL = {"flags_null", "flags_xmas", "flags_fin_noack", "flags_no_syn_ack_rst",
           "flags_syn_fin", "flags_syn_rst", "flags_fin_rst"}


class Judge:
    def __init__(self):
        self.flows = Flows()
        self.seen = dict.fromkeys(ANOMALIES, 0)
        self.found = set()  # the anomalies of the segment at hand

    def feed(self, time, packet):
        """One record: its time in ns if it has one, what it decodes to if anything."""
        if time is not None and time > self.flows.now:
            self.flows.now = time
        if packet is None:
            return
        if isinstance(packet, IcmpError):
            self.icmp_error(packet)
            return
        if packet.fragment:
            self.found = {packet.unusable} if packet.unusable else set()
        else:
            self.segment(packet)
        for name in self.found:
            self.seen[name] += 1

    def segment(self, segment):
        self.found, tracked = sanity.endpoints(segment)
        if segment.unusable:
            self.found.add(segment.unusable)
        else:
            self.found |= sanity.header(segment)
        bits = segment.bits if not segment.unusable else 0
        fin_synack = bits & (SYN | FIN | ACK) == SYN | FIN | ACK
        if not tracked:
            if fin_synack:
                self.found.add("flags_syn_fin")
            return
        flow = self.flows.find(segment)
        entries = flow.attempts or flow.connection
        if fin_synack and not flow.tfo():
            self.found.add("flags_syn_fin")
        if segment.unusable:
            if not entries and not flow.undecodable:
                flow.undecodable = True
                self.flows.tell(segment.src, segment.dst, "undecodable")
        elif self.found and self.found & ILLEGAL:
            self.illegal(flow, segment)
        elif bits & SYN:
            if not bits & ACK:
                self.syn(flow, segment)
            elif entries:
                self.synack(flow, segment)
            else:
                self.unsolicited(flow, segment)
        elif entries:
            (self.rst if bits & RST else self.plain)(flow, segment)
        else:
            self.midstream(flow, segment)
        flow.last = self.flows.now

    def illegal(self, flow, segment):
        if not flow.attempts and not flow.connection:
            self.flows.first(flow, "illegal_first", segment.src, segment.dst)
        elif segment.bits & 0x3F == FIN:
            attempt = flow.newest()
            if attempt:
                attempt.fin = True
                attempt.show(FIN_FIRST)

    # Without an entry

    def unsolicited(self, flow, segment):
        self.found.add("unsolicited_synack")
        self.flows.first(flow, "unsolicited_synack", segment.dst, segment.src)
        # Only one direction can be the answer that the flow began with.
        if flow.synack is None or flow.synack.src == segment.src:
            flow.synack = segment

    def midstream(self, flow, segment):
        if segment.bits & RST:
            self.found.add("rst_no_session")
        elif self.picks_up(flow, segment):
            synack, flow.synack, flow.first = flow.synack, None, None
            self.flows.tell(segment.src, segment.dst, "synack_pickup")
            flow.connection = Connection(self.flows.birth(), segment.src, segment.dst,
                                         synack.ack - 1 & MOD, [synack.seq], self.flows.now)
            self.in_connection(flow.connection, segment)
            return
        else:
            self.found.add("midstream")
        self.flows.first(flow, "midstream", segment.src, segment.dst)

    def picks_up(self, flow, segment):
        synack = flow.synack
        return (synack is not None and flow.first.outcome == "unsolicited_synack"
                and segment.src == synack.dst and segment.seq == synack.ack
                and within(segment.ack, synack.seq + 1, synack.payload))

    # SYN

    def syn(self, flow, segment):
        connection = flow.connection
        established = connection is not None and not connection.closed
        if established:
            self.found.add("syn_on_established")
        if self.syn_again(flow, segment) or established and self.old_syn(connection, segment):
            self.found.add("syn_retransmit")
            return
        if established and segment.src == connection.responder:
            self.found.add("syn_from_responder")
        for attempt in reversed(flow.attempts):
            if (segment.src == attempt.responder and attempt.state == SYN_SENT
                    and not attempt.closed):
                self.found.add("simultaneous_open")
                attempt.last = self.flows.now
                attempt.crossed_by(segment)
                return
        self.syn_after(flow, segment)
        if connection and not established:
            flow.connection = None
        attempt = self.flows.open(flow, segment)
        synack = flow.synack
        if (synack and synack.dst == segment.src and segment.seq == synack.ack - 1 & MOD):
            flow.synack = None
            if flow.first.outcome == "unsolicited_synack":
                flow.first = None
            attempt.answered(synack.seq, synack.window, synack.payload, False)

    def syn_again(self, flow, segment):
        for attempt in flow.attempts:
            if segment.src == attempt.opener and segment.seq == attempt.isn:
                attempt.syn_again(segment)
            elif not (attempt.state == CROSSED and segment.src == attempt.responder
                      and segment.seq == attempt.peer_isn):
                continue
            attempt.last = self.flows.now
            return True
        if (segment.src, segment.seq) in flow.told:
            flow.told[segment.src, segment.seq] = self.flows.now + CLOSED
            return True
        return False

    def old_syn(self, connection, segment):
        opener = segment.src == connection.opener and segment.seq == connection.isn
        other = (connection.crossed and segment.src == connection.responder
                 and segment.seq in connection.servers)
        if opener or other:
            connection.last = self.flows.now
        return opener or other

    def syn_after(self, flow, segment):
        """What a SYN that opens another attempt says of the entries before it."""
        if any(segment.src == attempt.responder and attempt.state != SYN_SENT
               and not attempt.closed for attempt in flow.attempts):
            self.found.add("syn_from_responder")
        attempt = flow.newest()
        if attempt:
            if attempt.closed:
                self.found.add("syn_reuse")
            elif attempt.opener == segment.src:
                self.found.add("syn_isn_changed")
        elif flow.connection and flow.connection.closed:
            self.found.add("syn_reuse")

    # SYN-ACK

    def synack(self, flow, segment):
        for attempt in reversed(flow.attempts):
            if attempt.state == CROSSED:
                if self.crossed_ack(flow, attempt, segment):
                    return
            elif segment.src == attempt.responder and attempt.acks_syn(segment.ack):
                attempt.last = self.flows.now
                anomaly = attempt.answered(segment.seq, segment.window, segment.payload,
                                           segment.bits & FIN)
                if anomaly:
                    self.found.add(anomaly)
                return
        connection = flow.connection
        if connection and self.synack_in_connection(connection, segment):
            return
        attempt = flow.newest()
        if attempt is None:
            return
        attempt.last = self.flows.now
        if attempt.state == CROSSED:
            self.found.add("simopen_bad_ack")
        elif segment.src == attempt.responder:
            self.found.add("synack_bad_ack")
            attempt.bad_synack = True
            attempt.stray_ack = segment.ack
        else:
            self.found.add("synack_from_originator")
            attempt.opener_acked = True

    def synack_in_connection(self, connection, segment):
        """Whether the SYN-ACK belongs to the connection."""
        self.in_connection(connection, segment)
        src = segment.src
        if src == connection.responder:
            isns, ours = connection.servers, within(segment.ack, connection.isn + 1,
                                                    connection.data)
        elif connection.crossed:
            isns, ours = [connection.isn], segment.ack - 1 & MOD in connection.servers
        else:
            if not connection.closed:
                self.found.add("synack_from_originator")
            return False
        if segment.seq not in isns and not ours:
            return False
        if not connection.closed:
            if segment.seq not in isns:
                self.found.add("synack_isn_changed")
            elif not connection.crossed or src in connection.synacked:
                self.found.add("synack_retransmit")
        connection.synacked.add(src)
        return True

    def crossed_ack(self, flow, attempt, segment):
        """A SYN-ACK or ACK after crossed SYNs: whether it acknowledges the other end's ISN."""
        src = segment.src
        other = attempt.peer_isn if src == attempt.opener else attempt.isn
        if segment.ack != other + 1 & MOD:
            return False
        attempt.last = self.flows.now
        attempt.acked.add(src)
        if segment.bits & SYN:
            if src in attempt.synacked:
                self.found.add("synack_retransmit")
            attempt.synacked.add(src)
        if segment.bits & FIN:
            attempt.fins.add(src)
        if len(attempt.acked) == 2:
            self.complete(flow, attempt, segment)
        elif segment.bits & FIN:
            self.early_fin(attempt)
        return True

    def early_fin(self, attempt):
        self.found.add("fin_in_handshake")
        attempt.fin = True

    # RST

    def rst(self, flow, segment):
        attempts = list(reversed(flow.attempts))
        if not any(self.rst_fits(attempt, segment) for attempt in attempts):
            self.rst_astray(flow, segment)
        if flow.connection:
            flow.connection.resets.add(segment.src)
            flow.connection.last = self.flows.now

    def rst_fits(self, attempt, segment):
        """Let a RST end an attempt, if its numbers fit."""
        if segment.src == attempt.responder:
            if segment.bits & ACK and attempt.acks_syn(segment.ack):
                if attempt.state == SYN_SENT:
                    attempt.rejected = True
                else:
                    attempt.aborted = attempt.aborted or "aborted_resp"
                attempt.last = self.flows.now
                return True
            if attempt.state != SYN_SENT and attempt.responder_rst(segment.seq):
                attempt.aborted = attempt.aborted or "aborted_resp"
                attempt.last = self.flows.now
                return True
        if segment.src == attempt.opener:
            valid, exact = attempt.opener_rst(segment.seq)
            if attempt.state == SYN_SENT:
                if segment.seq - attempt.isn & MOD > 1:
                    return False
                # Or the answer to a stray segment: with its ack, or of an opener that believes in a
                # connection.
                if not attempt.opener_acked and segment.seq != attempt.stray_ack:
                    attempt.cancelled = True
                    attempt.last = self.flows.now
                return True
            if valid:
                if not exact:
                    self.found.add("rst_bad_seq")
                attempt.aborted = attempt.aborted or "aborted_orig"
                attempt.last = self.flows.now
                return True
        return False

    def rst_astray(self, flow, segment):
        attempt = flow.newest()
        if attempt is None:
            return
        if segment.src == attempt.responder:
            if attempt.state == SYN_SENT:
                self.found.add("rst_not_acking_syn")
                attempt.unverified = True
                attempt.last = self.flows.now
            else:
                self.found.add("rst_bad_seq")
        elif flow.connection is None and any(each.opener == segment.src and each.state != SYN_SENT
                                             for each in flow.attempts):
            self.found.add("rst_bad_seq")

    # ACK, data, FIN

    def plain(self, flow, segment):
        fin = segment.bits & FIN
        for attempt in reversed(flow.attempts):
            if attempt.state == CROSSED:
                if self.crossed_ack(flow, attempt, segment):
                    return
            elif attempt.state == SYN_RECEIVED:
                if (segment.src == attempt.opener
                        and not attempt.final_ack(segment.seq, segment.ack)):
                    self.complete(flow, attempt, segment)
                    return
                if segment.src == attempt.responder:
                    attempt.responder_sent(segment.seq, segment.payload, fin)
        attempt = flow.newest()
        if attempt:
            if segment.src == attempt.responder:
                self.responder_early(flow, attempt, segment)
                if not flow.connection:
                    attempt.last = self.flows.now
            elif not flow.connection:
                self.opener_early(flow, attempt, segment)
        if flow.connection:
            self.in_connection(flow.connection, segment)

    def responder_early(self, flow, attempt, segment):
        attempt.responder_seen = True
        fin = segment.bits & FIN
        if attempt.state == CROSSED:
            self.found.add("simopen_bad_ack")
        elif attempt.state == SYN_SENT:
            self.found.add("resp_segment_in_syn_sent")
            attempt.stray_ack = segment.ack
            attempt.show(RESP_FIRST)
        elif (fin or segment.payload) and not attempt.tfo:
            self.found.add("resp_data_before_final_ack")
        if fin and not (flow.connection and attempt.state == SYN_SENT):
            self.early_fin(attempt)

    def opener_early(self, flow, attempt, segment):
        answered = [each for each in flow.attempts
                    if each.opener == segment.src and each.state == SYN_RECEIVED]
        if attempt.state == CROSSED:
            self.found.add("simopen_bad_ack")
        elif answered:
            attempt = answered[-1]
            self.found.add(attempt.final_ack(segment.seq, segment.ack))
        else:
            attempt.opener_acked = True
            attempt.show(FIN_FIRST if segment.bits & FIN else ONE_SIDED)
        attempt.last = self.flows.now
        if segment.bits & FIN:
            self.early_fin(attempt)

    def in_connection(self, connection, segment):
        """A segment that is no RST: the end that sends it is alive."""
        connection.last = self.flows.now
        connection.resets.discard(segment.src)
        if segment.bits & FIN:
            connection.fins.add(segment.src)

    def complete(self, flow, attempt, segment):
        flow.attempts.remove(attempt)
        if attempt.closed:
            self.found.add("completed_after_rst")
        self.flows.end(attempt, "accepted_simopen" if attempt.state == CROSSED else "accepted")
        flow.connection = Connection.of(attempt, self.flows.now)
        self.in_connection(flow.connection, segment)

    # ICMP

    def icmp_error(self, error):
        for attempt in self.flows.find(error).attempts:
            if (attempt.opener == error.src and attempt.state == SYN_SENT
                    and attempt.isn == error.seq):
                attempt.rejected = True
