/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_HANDSHAKES_H
#define SYNWARD_CORE_HANDSHAKES_H

/* What a segment does to its bucket of the handshake table: entries made, moved on, ended. */

#include "bucket.h"

/* How far an answer's ack may be from where its stray flow was first seen: no window is larger. */
#define STRAY_SPAN (1U << 30)

/* How an attempt leaves the table. */
enum sw_end {
	SW_END_NONE,
	SW_END_JUDGED,	/* its outcome is known */
	SW_END_EVICTED, /* pushed out before it was */
	SW_END_SILENT,	/* its outcome was counted before */
};

/* What is known of the flow from the connections table. */
enum sw_relation {
	SW_RELATION_NONE,
	SW_RELATION_LIVE,
	SW_RELATION_CLOSED,
};

/* What one segment has done to its bucket. */
struct sw_handshake_step {
	__u64 anomalies;
	__u64 tolerated;	/* those of them that here are no reason to drop */
	__u32 syn_to_synack_us; /* of the attempt, SW_LATENCY_UNKNOWN until it is measured */
	__u8 end;		/* enum sw_end */
	__u8 outcome;		/* enum sw_outcome of ended, if judged */
	__u8 completed;		/* the same, if this segment completed it; else SW_OUTCOME_NONE */
	__u8 stray;		/* outcome of a new flow that begins without SYN, or none */
	__u8 opened;		/* an entry was made */
	__u8 latency_new;	/* syn_to_synack_us became known with this segment */
	__u8 belongs;		/* there was an entry for the segment */
	__u8 refuse;		/* a SYN may open no attempt: a limit is reached */
	__u8 refused;		/* and this one would have */
	__u8 two_sided;		/* a stray flow's segments fit each other, one from each side */
	__u8 answered;		/* this was the SYN-ACK that the attempt waited for */
	__u8 rejected;		/* or the RST that says that there will be none */
	__u8 pad[4];
	struct sw_attempt ended; /* as it was when it left, if end says so */
	struct sw_bucket_view view;
};

static __always_inline void end_attempt(struct sw_handshake_bucket *bucket, __u32 way, bool judged,
					struct sw_handshake_step *step)
{
	struct sw_attempt *attempt = &bucket->attempts[way & (SW_WAYS - 1)];

	step->ended = *attempt;
	if (attempt->phase == SW_PHASE_STRAY || attempt->seen & SW_IS_REPORTED) {
		step->end = SW_END_SILENT;
	} else if (judged) {
		step->end = SW_END_JUDGED;
		step->outcome = sw_judge(attempt);
	} else {
		step->end = SW_END_EVICTED;
	}
}

/* Makes an entry in the victim's place; the sender of the packet is its opener, or its receiver. */
static __always_inline void open_attempt(struct sw_handshake_bucket *bucket, __u16 tag,
					 const struct sw_bucket_view *view,
					 const struct sw_packet *packet, enum sw_phase phase,
					 const struct sw_now *now, const __u32 *timeout_ms,
					 struct sw_handshake_step *step)
{
	__u32 way = view->victim & (SW_WAYS - 1);
	struct sw_attempt *attempt = &bucket->attempts[way];
	bool from_opener = phase != SW_PHASE_SYNACK_FIRST;

	if (bucket->tags[way])
		end_attempt(bucket, way, view->crowded || is_expired(bucket->expires_ms[way], now),
			    step);
	bucket->tags[way] = tag;
	attempt->orig = from_opener ? packet->src : packet->dst;
	attempt->resp = from_opener ? packet->dst : packet->src;
	attempt->orig_port = from_opener ? packet->sport : packet->dport;
	attempt->resp_port = from_opener ? packet->dport : packet->sport;
	attempt->isn_orig = from_opener ? packet->seq : packet->ack - 1;
	attempt->isn_resp[0] = from_opener ? 0 : packet->seq;
	attempt->isn_resp[1] = 0;
	attempt->syn_us = now->us;
	attempt->synack_us = 0;
	attempt->started_ms = now->ms;
	attempt->orig_window = from_opener ? packet->window : 0;
	attempt->resp_window = from_opener ? 0 : packet->window;
	attempt->syn_length = 0;
	attempt->resp_length = 0;
	attempt->seen = 0;
	attempt->phase = phase;
	attempt->extra = 0;
	if (phase == SW_PHASE_SYN_SENT) {
		attempt->syn_length = clamp16(packet->payload);
		if (packet->options & SW_OPT_FASTOPEN)
			attempt->seen = SW_SAW_FASTOPEN;
	} else if (phase == SW_PHASE_SYNACK_FIRST) {
		set_resp_length(attempt, packet->payload);
	}
	sw_attempt_changed(bucket, way, now, timeout_ms);
	step->opened = 1;
}

/* A SYN for an attempt that is known. Returns false if it asks for an attempt of its own. */
static __always_inline bool known_syn(struct sw_attempt *attempt, const struct sw_packet *packet,
				      const struct sw_bucket_view *view,
				      struct sw_handshake_step *step)
{
	bool closed = attempt->seen & SW_SAW_END;

	if (view->rank == 3) {
		if (clamp16(packet->payload) > attempt->syn_length)
			attempt->syn_length = clamp16(packet->payload);
		if (packet->options & SW_OPT_FASTOPEN)
			attempt->seen |= SW_SAW_FASTOPEN;
		if (attempt->phase != SW_PHASE_SYNACK_FIRST) {
			step->anomalies |= SW_BIT(SYN_RETRANSMIT);
			return true;
		}
		/* the two were swapped on their way here */
		attempt->phase = SW_PHASE_SYN_RECEIVED;
		attempt->isn_orig = packet->seq;
		attempt->orig_window = packet->window;
		attempt->syn_us = 0; /* what was measured is the SYN-ACK's time, not the SYN's */
		return true;
	}
	if (attempt->phase == SW_PHASE_SYNACK_FIRST)
		return false;
	if (closed) {
		step->anomalies |= SW_BIT(SYN_REUSE);
		return false;
	}
	if (view->from_orig) {
		step->anomalies |= SW_BIT(SYN_ISN_CHANGED);
		return false;
	}
	switch (attempt->phase) {
	case SW_PHASE_SYN_SENT:
		step->anomalies |= SW_BIT(SIMULTANEOUS_OPEN);
		attempt->phase = SW_PHASE_SIMULTANEOUS;
		attempt->isn_resp[0] = packet->seq;
		attempt->resp_window = packet->window;
		return true;
	case SW_PHASE_SIMULTANEOUS:
		step->anomalies |= SW_BIT(SYN_ISN_CHANGED);
		remember_resp_isn(attempt, packet->seq);
		return true;
	default:
		step->anomalies |= SW_BIT(SYN_FROM_RESPONDER);
		return false;
	}
}

static __always_inline void handle_syn(struct sw_handshake_bucket *bucket, __u16 tag,
				       struct sw_bucket_view *view, const struct sw_packet *packet,
				       enum sw_relation relation, const struct sw_now *now,
				       const __u32 *timeout_ms, struct sw_handshake_step *step)
{
	__u32 way = view->way & (SW_WAYS - 1);
	struct sw_attempt *attempt = &bucket->attempts[way];
	bool known = view->way < SW_WAYS;

	if (known && attempt->phase == SW_PHASE_STRAY) {
		view->victim = way; /* now the flow has a beginning */
	} else if (known && known_syn(attempt, packet, view, step)) {
		step->belongs = 1;
		sw_attempt_changed(bucket, way, now, timeout_ms);
		return;
	} else if (known && attempt->phase == SW_PHASE_SYNACK_FIRST) {
		known = false;
	}
	if (relation == SW_RELATION_CLOSED && (!known || attempt->phase == SW_PHASE_STRAY))
		step->anomalies |= SW_BIT(SYN_REUSE);
	if (step->refuse) {
		step->refused = 1;
		return;
	}
	open_attempt(bucket, tag, view, packet, SW_PHASE_SYN_SENT, now, timeout_ms, step);
}

/*
 * The outcome that a stray flow has now shown for the first time, or none. A header that cannot be
 * used says nothing about what the flow's first segment was, so that is counted apart.
 */
static __always_inline __u8 stray_outcome(struct sw_attempt *stray, enum sw_outcome outcome,
					  bool first)
{
	bool undecodable = outcome == SW_OUTCOME_UNDECODABLE;

	if (first)
		stray->extra = outcome;
	else if (undecodable ? stray->seen & SW_SAW_UNDECODABLE :
			       stray->extra != SW_OUTCOME_UNDECODABLE)
		return SW_OUTCOME_NONE;
	else if (!undecodable)
		stray->extra = outcome;
	if (undecodable)
		stray->seen |= SW_SAW_UNDECODABLE;
	return outcome;
}

/* A segment of a flow about which nothing is known. It is remembered, so that it counts once. */
static __always_inline void handle_stray(struct sw_handshake_bucket *bucket, __u16 tag,
					 struct sw_bucket_view *view,
					 const struct sw_packet *packet, enum sw_segment segment,
					 const struct sw_now *now, const __u32 *timeout_ms,
					 struct sw_handshake_step *step)
{
	struct sw_attempt *stray = &bucket->attempts[view->way & (SW_WAYS - 1)];
	bool first = view->way >= SW_WAYS;
	enum sw_outcome outcome;

	switch (segment) {
	case SW_SEGMENT_SYNACK:
		if (packet->flags & WIRE_TCP_FIN) {
			step->anomalies |= SW_BIT(FLAGS_SYN_FIN);
			outcome = SW_OUTCOME_ILLEGAL_FIRST;
			break;
		}
		step->anomalies |= SW_BIT(UNSOLICITED_SYNACK);
		if (first)
			open_attempt(bucket, tag, view, packet, SW_PHASE_SYNACK_FIRST, now,
				     timeout_ms, step);
		return;
	case SW_SEGMENT_RST:
		step->anomalies |= SW_BIT(RST_NO_SESSION);
		outcome = SW_OUTCOME_MIDSTREAM;
		break;
	case SW_SEGMENT_ACK:
		step->anomalies |= SW_BIT(MIDSTREAM);
		outcome = SW_OUTCOME_MIDSTREAM;
		break;
	case SW_SEGMENT_ILLEGAL:
		outcome = SW_OUTCOME_ILLEGAL_FIRST;
		break;
	case SW_SEGMENT_UNDECODABLE:
		outcome = SW_OUTCOME_UNDECODABLE;
		break;
	default:
		return;
	}
	if (first) {
		open_attempt(bucket, tag, view, packet, SW_PHASE_STRAY, now, timeout_ms, step);
		stray = &bucket->attempts[view->victim & (SW_WAYS - 1)];
	} else {
		step->two_sided = segment == SW_SEGMENT_ACK && !view->from_orig &&
				  seq_within(packet->ack, stray->isn_orig, STRAY_SPAN);
		sw_attempt_changed(bucket, view->way, now, timeout_ms);
	}
	step->stray = stray_outcome(stray, outcome, first);
}

static __always_inline void complete(struct sw_handshake_bucket *bucket, __u32 way,
				     enum sw_outcome outcome, struct sw_handshake_step *step)
{
	end_attempt(bucket, way, true, step);
	if (step->end == SW_END_JUDGED)
		step->outcome = outcome;
	step->completed = outcome;
	bucket->tags[way & (SW_WAYS - 1)] = 0;
}

/*
 * Takes one segment to its bucket, whose lock the caller holds. relation says what the connections
 * table knows of the flow. step must be
 * as sw_follow() makes it.
 */
static __always_inline void sw_handshake(struct sw_handshake_bucket *bucket, __u16 tag,
					 const struct sw_packet *packet, enum sw_segment segment,
					 enum sw_relation relation, const struct sw_now *now,
					 const __u32 *timeout_ms, struct sw_handshake_step *step)
{
	struct sw_bucket_view *view = &step->view;
	enum sw_outcome completed = SW_OUTCOME_NONE;
	struct sw_attempt *attempt;
	__u32 way, before;
	__u16 seen_before;

	sw_look(bucket, tag, packet, segment, now, view);
	if (segment == SW_SEGMENT_SYN) {
		handle_syn(bucket, tag, view, packet, relation, now, timeout_ms, step);
		return;
	}
	way = view->way & (SW_WAYS - 1);
	attempt = &bucket->attempts[way];
	if (view->way >= SW_WAYS || attempt->phase == SW_PHASE_STRAY) {
		if (relation == SW_RELATION_NONE)
			handle_stray(bucket, tag, view, packet, segment, now, timeout_ms, step);
		return;
	}
	/* On a live connection nothing answers a SYN whose attempt is over. */
	if (relation == SW_RELATION_LIVE && segment == SW_SEGMENT_ACK &&
	    attempt->seen & SW_IS_REPORTED)
		return;
	step->belongs = 1;
	/* On a live connection the opener of a new attempt still speaks for the old one. */
	if (relation == SW_RELATION_LIVE && view->from_orig && segment == SW_SEGMENT_ACK &&
	    attempt->phase == SW_PHASE_SYN_SENT)
		return;
	before = attempt->phase;
	seen_before = attempt->seen;
	step->anomalies |= sw_track(attempt, packet, segment, view->from_orig, now, &completed,
				    &step->tolerated);
	step->answered = before == SW_PHASE_SYN_SENT && attempt->phase == SW_PHASE_SYN_RECEIVED;
	step->rejected = !!(attempt->seen & ~seen_before & SW_SAW_RST_ACKING);
	if (relation == SW_RELATION_LIVE)
		step->anomalies &= ~SW_BIT(FIN_IN_HANDSHAKE); /* it closes the connection */
	if (attempt->syn_us && attempt->synack_us) {
		step->syn_to_synack_us = attempt->synack_us - attempt->syn_us;
		step->latency_new = attempt->phase != before;
	}
	if (completed != SW_OUTCOME_NONE)
		complete(bucket, way, completed, step);
	else if (segment < SW_SEGMENT_ILLEGAL)
		sw_attempt_changed(bucket, way, now, timeout_ms);
}

/* Has the entry's flow begun something else since? Another flow of the same tag counts as well. */
static __always_inline bool is_succeeded(const struct sw_handshake_bucket *bucket, __u32 way)
{
	__u32 same = 0;

	for (__u32 other = 0; other < SW_WAYS; other++)
		same += bucket->tags[other] == bucket->tags[way];
	return same > 1;
}

/*
 * The sweeper's part: an entry whose time is up is judged, and stays a while for its stragglers, as
 * the first to make way for others; the next time it goes. The caller holds the lock.
 */
static __always_inline void sw_sweep_attempt(struct sw_handshake_bucket *bucket, __u32 way,
					     const struct sw_now *now, const __u32 *timeout_ms,
					     struct sw_handshake_step *step)
{
	struct sw_attempt *attempt = &bucket->attempts[way & (SW_WAYS - 1)];

	way &= SW_WAYS - 1;
	if (!bucket->tags[way] || !is_expired(bucket->expires_ms[way], now))
		return;
	end_attempt(bucket, way, true, step);
	if (step->end == SW_END_JUDGED && !is_succeeded(bucket, way)) {
		attempt->seen |= SW_IS_REPORTED;
		bucket->ranks[way] = rank_of(attempt);
		bucket->expires_ms[way] = now->ms + timeout_ms[SW_TIMEOUT_CLOSED];
		return;
	}
	bucket->tags[way] = 0;
}

#endif
