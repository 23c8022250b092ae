/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_TRACK_H
#define SYNWARD_CORE_TRACK_H

/*
 * What one segment does to one attempt: the state machine of a handshake as a box on the path sees
 * it (RFC 9293 section 3.5, with the initiator's and the responder's state side by side).
 */

#include "../../include/synward/anomaly.h"
#include "../../include/synward/config.h"
#include "../../include/synward/event.h"
#include "../../include/synward/outcome.h"
#include "../../include/synward/tables.h"
#include "classify.h"
#include "judge.h"
#include "packet.h"

/* The time of a packet. us is exact and modulo 2^32, 0 when nobody took it. */
struct sw_now {
	__u32 ms;
	__u32 us;
};

/* x in [low, low + span] modulo 2^32: sequence numbers wrap. */
static __always_inline bool seq_within(__u32 x, __u32 low, __u32 span)
{
	return x - low <= span;
}

/* Does ack acknowledge the attempt's SYN, and of its data (TFO) any part? */
static __always_inline bool acks_syn(const struct sw_attempt *attempt, __u32 ack)
{
	return seq_within(ack, attempt->isn_orig + 1, attempt->syn_length);
}

static __always_inline bool acks_resp(const struct sw_attempt *attempt, __u32 isn, __u32 ack)
{
	return seq_within(ack, isn + 1, sw_resp_length(attempt));
}

/* For every remembered ISN of the responder: SYN cookies change theirs with each SYN. */
static __always_inline bool acks_any_resp(const struct sw_attempt *attempt, __u32 ack)
{
	return acks_resp(attempt, attempt->isn_resp[0], ack) ||
	       (attempt->seen & SW_HAS_TWO_RESP_ISNS &&
		acks_resp(attempt, attempt->isn_resp[1], ack));
}

/* Lengths and windows are kept in 16 bits: more than that no handshake has. */
static __always_inline __u16 clamp16(__u32 x)
{
	return x > 0xffff ? 0xffff : x;
}

static __always_inline void set_resp_length(struct sw_attempt *attempt, __u32 length)
{
	attempt->extra = length < SW_MANY_BYTES ? length : SW_MANY_BYTES;
}

/*
 * The responder said something in SYN-SENT that is no answer to the SYN. The opener answers it with
 * a RST whose seq is that segment's ack (RFC 9293 section 3.10.7.3), which must not look like a
 * cancel: the ack is kept where no ISN of the responder is yet.
 */
static __always_inline void saw_stray_answer(struct sw_attempt *attempt,
					     const struct sw_packet *packet, __u16 evidence)
{
	attempt->seen |= evidence;
	attempt->isn_resp[1] = packet->ack;
}

static __always_inline bool answers_stray(const struct sw_attempt *attempt,
					  const struct sw_packet *rst)
{
	return attempt->seen & (SW_SAW_BAD_SYNACK | SW_SAW_RESP_OTHER) &&
	       rst->seq == attempt->isn_resp[1];
}

/* Evidence of which the first counts: what came of the two ends before any SYN-ACK. */
static __always_inline void saw_fin(struct sw_attempt *attempt)
{
	if (attempt->phase == SW_PHASE_SYN_RECEIVED ||
	    !(attempt->seen & (SW_SAW_ORIG_ACK | SW_SAW_RESP_OTHER)))
		attempt->seen |= SW_SAW_FIN;
}

static __always_inline void remember_resp_isn(struct sw_attempt *attempt, __u32 isn)
{
	attempt->isn_resp[1] = attempt->isn_resp[0];
	attempt->isn_resp[0] = isn;
	attempt->seen |= SW_HAS_TWO_RESP_ISNS;
}

/* In a simultaneous open: the sender acknowledges the other's SYN. Returns anomalies. */
static __always_inline __u64 cross_ack(struct sw_attempt *attempt, const struct sw_packet *packet,
				       bool from_orig)
{
	if (from_orig) {
		if (!acks_any_resp(attempt, packet->ack))
			return SW_BIT(SIMOPEN_BAD_ACK);
		attempt->seen |= SW_SAW_ORIG_ACK_RESP;
	} else {
		if (!acks_syn(attempt, packet->ack))
			return SW_BIT(SIMOPEN_BAD_ACK);
		attempt->seen |= SW_SAW_RESP_ACK_ORIG;
	}
	return 0;
}

/* Of a simultaneous open: does the responder say the number again with which its SYN crossed the opener's? */
static __always_inline bool is_crossed_isn(const struct sw_attempt *attempt, __u32 seq)
{
	return seq == attempt->isn_resp[0] ||
	       (attempt->seen & SW_HAS_TWO_RESP_ISNS && seq == attempt->isn_resp[1]);
}

static __always_inline bool both_acked(const struct sw_attempt *attempt)
{
	return (attempt->seen & (SW_SAW_ORIG_ACK_RESP | SW_SAW_RESP_ACK_ORIG)) ==
	       (SW_SAW_ORIG_ACK_RESP | SW_SAW_RESP_ACK_ORIG);
}

/* The first valid SYN-ACK, or one that came before its SYN. */
static __always_inline void enter_syn_received(struct sw_attempt *attempt,
					       const struct sw_packet *packet,
					       const struct sw_now *now)
{
	attempt->phase = SW_PHASE_SYN_RECEIVED;
	attempt->isn_resp[0] = packet->seq;
	attempt->resp_window = packet->window;
	set_resp_length(attempt, packet->payload + !!(packet->flags & WIRE_TCP_FIN));
	attempt->synack_us = now->us;
}

static __always_inline __u64 track_synack(struct sw_attempt *attempt,
					  const struct sw_packet *packet, bool from_orig,
					  const struct sw_now *now)
{
	bool valid = acks_syn(attempt, packet->ack);

	/* RFC 7413 section 4.2.2 lets only the answer to a fast open close at once */
	if (packet->flags & WIRE_TCP_FIN && !(attempt->seen & SW_SAW_FASTOPEN))
		return SW_BIT(FLAGS_SYN_FIN);
	if (attempt->phase == SW_PHASE_SIMULTANEOUS) {
		if (!valid || from_orig || is_crossed_isn(attempt, packet->seq))
			return cross_ack(attempt, packet, from_orig);
		/* it has seen the opener's SYN, and has sent none: that was somebody else's */
		enter_syn_received(attempt, packet, now);
		return 0;
	}
	if (from_orig)
		return SW_BIT(SYNACK_FROM_ORIGINATOR);

	switch (attempt->phase) {
	case SW_PHASE_SYN_SENT:
		if (valid) {
			enter_syn_received(attempt, packet, now);
			return 0;
		}
		saw_stray_answer(attempt, packet, SW_SAW_BAD_SYNACK);
		return SW_BIT(SYNACK_BAD_ACK);
	case SW_PHASE_SYN_RECEIVED:
		if (!valid)
			return SW_BIT(SYNACK_BAD_ACK);
		if (packet->seq == attempt->isn_resp[0] ||
		    (attempt->seen & SW_HAS_TWO_RESP_ISNS && packet->seq == attempt->isn_resp[1]))
			return SW_BIT(SYNACK_RETRANSMIT);
		remember_resp_isn(attempt, packet->seq);
		attempt->resp_window = packet->window;
		return SW_BIT(SYNACK_ISN_CHANGED);
	case SW_PHASE_SYNACK_FIRST:
		attempt->isn_orig = packet->ack - 1;
		attempt->isn_resp[0] = packet->seq;
		return SW_BIT(UNSOLICITED_SYNACK);
	}
	return 0;
}

/* A RST before any SYN-ACK is provisional: an injected one may be followed by the true SYN-ACK. */
static __always_inline __u64 rst_in_syn_sent(struct sw_attempt *attempt,
					     const struct sw_packet *packet, bool from_orig)
{
	if (from_orig) {
		if (seq_within(packet->seq, attempt->isn_orig, 1) &&
		    !(attempt->seen & SW_SAW_ORIG_ACK) && !answers_stray(attempt, packet))
			attempt->seen |= SW_SAW_CANCEL;
		return 0;
	}
	if (packet->flags & WIRE_TCP_ACK && acks_syn(attempt, packet->ack)) {
		attempt->seen |= SW_SAW_RST_ACKING;
		return 0;
	}
	attempt->seen |= SW_SAW_RST_UNVERIFIED;
	return SW_BIT(RST_NOT_ACKING_SYN);
}

static __always_inline __u64 rst_in_syn_received(struct sw_attempt *attempt,
						 const struct sw_packet *packet, bool from_orig,
						 __u64 *tolerated)
{
	__u32 from_isn = packet->seq - attempt->isn_orig;
	__u64 found = 0;
	__u16 abort;

	if (from_orig) {
		if (from_isn > 1 && from_isn != 1U + attempt->syn_length)
			found = SW_BIT(RST_BAD_SEQ);
		if (from_isn > 1U + attempt->syn_length + attempt->resp_window)
			return found;
		/* in the window, older stacks take it; newer ones ask back (RFC 5961 3.2) */
		*tolerated |= found;
		abort = SW_SAW_ABORT_ORIG;
	} else {
		bool acks = packet->flags & WIRE_TCP_ACK && acks_syn(attempt, packet->ack);
		__u32 span = sw_resp_length(attempt) + attempt->orig_window;

		if (!acks && !seq_within(packet->seq, attempt->isn_resp[0] + 1, span) &&
		    !(attempt->seen & SW_HAS_TWO_RESP_ISNS &&
		      seq_within(packet->seq, attempt->isn_resp[1] + 1, span)))
			return SW_BIT(RST_BAD_SEQ);
		abort = SW_SAW_ABORT_RESP;
	}
	if (!(attempt->seen & (SW_SAW_ABORT_ORIG | SW_SAW_ABORT_RESP)))
		attempt->seen |= abort;
	return found;
}

static __always_inline __u64 track_rst(struct sw_attempt *attempt, const struct sw_packet *packet,
				       bool from_orig, __u64 *tolerated)
{
	switch (attempt->phase) {
	case SW_PHASE_SYN_SENT:
		return rst_in_syn_sent(attempt, packet, from_orig);
	case SW_PHASE_SYN_RECEIVED:
	case SW_PHASE_SIMULTANEOUS:
		return rst_in_syn_received(attempt, packet, from_orig, tolerated);
	case SW_PHASE_SYNACK_FIRST:
		return SW_BIT(RST_NO_SESSION); /* its SYN was never seen: there is no session */
	}
	return 0;
}

/* The responder's data and FIN count up what the final ACK may acknowledge. */
static __always_inline __u64 resp_data(struct sw_attempt *attempt, const struct sw_packet *packet)
{
	bool fin = packet->flags & WIRE_TCP_FIN;
	__u32 length = packet->payload + fin, end;
	__u64 found = 0;

	if (!length)
		return 0;
	end = packet->seq + length - (attempt->isn_resp[0] + 1);
	if (end <= SW_AT_MOST_BYTES && end > sw_resp_length(attempt))
		set_resp_length(attempt, end);
	if (!(attempt->seen & SW_SAW_FASTOPEN))
		found |= SW_BIT(RESP_DATA_BEFORE_FINAL_ACK);
	if (fin) {
		saw_fin(attempt);
		found |= SW_BIT(FIN_IN_HANDSHAKE);
	}
	return found;
}

/* The opener's segment that may be the final ACK. *done tells whether it is. */
static __always_inline __u64 final_ack(struct sw_attempt *attempt, const struct sw_packet *packet,
				       bool *done)
{
	__u64 found = 0;

	if (!acks_any_resp(attempt, packet->ack))
		found = SW_BIT(FINAL_ACK_BAD);
	else if (!seq_within(packet->seq, attempt->isn_orig + 1,
			     (__u32)attempt->syn_length + attempt->resp_window))
		found = SW_BIT(FINAL_ACK_BAD_SEQ);
	else
		*done = true;
	if (!*done && packet->flags & WIRE_TCP_FIN) {
		saw_fin(attempt);
		found |= SW_BIT(FIN_IN_HANDSHAKE);
	}
	return found;
}

/* So far from its SYN an opener that goes on may be when it is first heard to. */
#define SW_GOES_ON_SPAN (1U << 20)

/*
 * The opener acknowledges what did not come by here. With data, or when it has received more since, it has a connection,
 * or makes one up; nobody else can say so who does not know its numbers.
 */
static __always_inline void saw_orig_ack(struct sw_attempt *attempt, const struct sw_packet *packet)
{
	if (!(attempt->seen & (SW_SAW_BAD_SYNACK | SW_SAW_RESP_OTHER))) {
		if (!packet->payload && !(attempt->seen & SW_SAW_ORIG_ACK))
			attempt->isn_resp[1] = packet->ack;
		else if ((packet->payload || packet->ack != attempt->isn_resp[1]) &&
			 seq_within(packet->seq, attempt->isn_orig + 1, SW_GOES_ON_SPAN))
			attempt->seen |= SW_SAW_GOES_ON;
	}
	attempt->seen |= SW_SAW_ORIG_ACK;
}

static __always_inline __u64 ack_in_syn_sent(struct sw_attempt *attempt,
					     const struct sw_packet *packet, bool from_orig)
{
	__u64 found = from_orig ? 0 : SW_BIT(RESP_SEGMENT_IN_SYN_SENT);

	if (packet->flags & WIRE_TCP_FIN) {
		found |= SW_BIT(FIN_IN_HANDSHAKE);
		if (from_orig)
			saw_fin(attempt);
	}
	if (from_orig)
		saw_orig_ack(attempt, packet);
	else /* of a connection that it still believes in, also with a FIN */
		saw_stray_answer(attempt, packet, SW_SAW_RESP_OTHER);
	return found;
}

static __always_inline __u64 track_ack(struct sw_attempt *attempt, const struct sw_packet *packet,
				       bool from_orig, bool *done)
{
	switch (attempt->phase) {
	case SW_PHASE_SYN_SENT:
		return ack_in_syn_sent(attempt, packet, from_orig);
	case SW_PHASE_SYN_RECEIVED:
		return from_orig ? final_ack(attempt, packet, done) : resp_data(attempt, packet);
	case SW_PHASE_SIMULTANEOUS:
		return cross_ack(attempt, packet, from_orig);
	case SW_PHASE_SYNACK_FIRST:
		if (from_orig && acks_any_resp(attempt, packet->ack) &&
		    packet->seq == attempt->isn_orig + 1) {
			*done = true;
			return 0;
		}
		return SW_BIT(MIDSTREAM);
	}
	return 0;
}

/*
 * Takes one segment, not a SYN, to an attempt that is no stray. Returns the anomalies; those of them
 * that here are no reason to drop it are added to *tolerated. *completed is set if the handshake is
 * complete with it, else left alone.
 */
static __always_inline __u64 sw_track(struct sw_attempt *attempt, const struct sw_packet *packet,
				      enum sw_segment segment, bool from_orig,
				      const struct sw_now *now, enum sw_outcome *completed,
				      __u64 *tolerated)
{
	__u64 found = 0;
	bool done = false;

	switch (segment) {
	case SW_SEGMENT_SYNACK:
		found = track_synack(attempt, packet, from_orig, now);
		break;
	case SW_SEGMENT_RST:
		found = track_rst(attempt, packet, from_orig, tolerated);
		break;
	case SW_SEGMENT_ACK:
		found = track_ack(attempt, packet, from_orig, &done);
		break;
	case SW_SEGMENT_ICMP_ERROR:
		if (from_orig && attempt->phase == SW_PHASE_SYN_SENT &&
		    packet->seq == attempt->isn_orig)
			attempt->seen |= SW_SAW_ICMP_ERROR;
		break;
	case SW_SEGMENT_ILLEGAL:
		if ((packet->flags & WIRE_TCP_BASIC) == WIRE_TCP_FIN)
			saw_fin(attempt);
		break;
	default:
		break;
	}
	if (attempt->phase == SW_PHASE_SIMULTANEOUS && both_acked(attempt))
		*completed = SW_OUTCOME_ACCEPTED_SIMOPEN;
	else if (done)
		*completed = attempt->phase == SW_PHASE_SYNACK_FIRST ? SW_OUTCOME_SYNACK_PICKUP :
								       SW_OUTCOME_ACCEPTED;
	if (*completed != SW_OUTCOME_NONE && attempt->seen & SW_SAW_END)
		found |= SW_BIT(COMPLETED_AFTER_RST);
	return found;
}

#endif
