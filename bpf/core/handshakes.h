/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_HANDSHAKES_H
#define SYNWARD_CORE_HANDSHAKES_H

/* What a segment does to its bucket of the handshake table: entries made, moved on, ended. */

#include "attempt.h"

/* How far an answer's ack may be from where its stray flow was first seen: no window is larger. */
#define STRAY_SPAN (1U << 30)

/*
 * Have both SYNs of a simultaneous open been seen on one side? On a mirror port they are; else somebody who can send
 * there may have made up either.
 */
static __always_inline bool is_doubtful_crossing(const struct sw_attempt *attempt)
{
	return attempt->phase == SW_PHASE_SIMULTANEOUS && attempt->side == attempt->answer_side;
}

/* A SYN for an attempt that is known. Returns false if it asks for an attempt of its own. */
static __always_inline bool known_syn(struct sw_attempt *attempt, const struct sw_packet *packet,
				      const struct sw_bucket_view *view,
				      struct sw_handshake_step *step)
{
	bool closed = attempt->seen & SW_SAW_END;

	if (comes_wrong(attempt, step->side, view->from_orig)) {
		/* where an opener is that nobody has heard is a guess */
		if (attempt->phase == SW_PHASE_SYNACK_FIRST)
			return false;
		step->anomalies |= SW_BIT(WRONG_SIDE);
		/* we saw the other one leave, so that is true; else either may be forged */
		return attempt->side & SW_SIDE_OUT;
	}
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
		attempt->side = step->side;
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
	/* this host's own SYN, after one that came in: it would not have been sent, had that been for its socket */
	if (step->side & SW_SIDE_OUT && !(attempt->side & SW_SIDE_OUT) &&
	    attempt->phase == SW_PHASE_SYN_SENT)
		return false;
	switch (attempt->phase) {
	case SW_PHASE_SYN_SENT:
		step->anomalies |= SW_BIT(SIMULTANEOUS_OPEN);
		attempt->phase = SW_PHASE_SIMULTANEOUS;
		attempt->answer_side = step->side;
		/* its sender may have been the first one here, and have had to make way for what somebody else sent */
		if (is_doubtful_crossing(attempt) || attempt->beside)
			step->tolerated |= SW_BIT(SIMULTANEOUS_OPEN);
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

/*
 * A SYN came in, and so did one of the other end before: have they crossed each other? Not if this host is one of the two,
 * which has sent none: then one of them is somebody else's.
 */
static __always_inline bool may_be_crossed(const struct sw_attempt *attempt,
					   const struct sw_bucket_view *view, __u8 side)
{
	return !view->from_orig && !((attempt->side | side) & SW_SIDE_OUT) &&
	       attempt->phase != SW_PHASE_STRAY && attempt->phase != SW_PHASE_SYNACK_FIRST;
}

/* An attempt that was judged stays a while for its stragglers, as the first to make way for others. */
static __always_inline void report_attempt(struct sw_handshake_bucket *bucket, __u32 way,
					   const struct sw_now *now, const __u32 *timeout_ms)
{
	bucket->attempts[way & (SW_WAYS - 1)].seen |= SW_IS_REPORTED;
	sw_attempt_changed(bucket, way, now, timeout_ms);
}

static __always_inline void handle_syn(struct sw_handshake_bucket *bucket, __u16 tag,
				       struct sw_bucket_view *view, const struct sw_packet *packet,
				       enum sw_relation relation, const struct sw_now *now,
				       const __u32 *timeout_ms, struct sw_handshake_step *step)
{
	__u32 way = view->way & (SW_WAYS - 1);
	struct sw_attempt *attempt = &bucket->attempts[way];
	bool known = view->way < SW_WAYS;

	if (known && may_be_crossed(attempt, view, step->side)) {
		if (step->crossing == SW_CROSSING_ASKS) {
			step->crossing = SW_CROSSING_ASKED;
			return;
		}
		known = step->crossing != SW_CROSSING_NONE;
	}
	if (known && is_expired(bucket->expires_ms[way], now)) {
		end_attempt(bucket, way, true, step);
		report_attempt(bucket, way, now, timeout_ms);
	}
	if (known && attempt->phase == SW_PHASE_STRAY) {
		view->victim = way; /* now the flow has a beginning */
	} else if (known && known_syn(attempt, packet, view, step)) {
		step->belongs = 1;
		step->again = step->anomalies & SW_BIT(SYN_RETRANSMIT) &&
			      attempt->seen & SW_IS_REPORTED;
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

/*
 * Data that nobody acknowledged are sent again, and an end that asks whether the other is still there does so again.
 * Who scans has no reason to, or not so soon.
 */
#define STRAY_DATA_AGAIN_MS 150U
#define STRAY_ASKS_AGAIN_MS 1000U

/*
 * Has an end of a stray flow said the same again? Once for each time that the flow has become twice as old. It is the
 * earliest that it repeats; what is older than a second makes way, or else a stranger could have said it.
 */
static __always_inline bool stray_repeats(struct sw_attempt *stray, const struct sw_packet *packet,
					  bool from_orig, const struct sw_now *now)
{
	__u32 age = now->ms - stray->started_ms, held;
	__u32 *seq = from_orig ? &stray->isn_orig : &stray->isn_resp[1];
	__u32 *since_ms = from_orig ? &stray->syn_us : &stray->synack_us;
	__u32 *due_ms = &stray->isn_resp[0];

	held = now->ms - *since_ms;
	if (packet->seq != *seq) {
		if ((__s32)(packet->seq - *seq) < 0 || held >= STRAY_ASKS_AGAIN_MS) {
			*seq = packet->seq;
			*since_ms = now->ms;
		}
		return false;
	}
	if (held < (packet->payload ? STRAY_DATA_AGAIN_MS : STRAY_ASKS_AGAIN_MS) || age < *due_ms)
		return false;
	*due_ms = 2 * age;
	return true;
}

/* Has the other end than the one that speaks repeated itself? */
static __always_inline bool other_repeated(const struct sw_attempt *stray, bool from_orig)
{
	return stray->seen & (from_orig ? SW_SAW_RESP_AGAIN : SW_SAW_ORIG_AGAIN);
}

/*
 * Something may have forgotten this flow: an eviction, a restart, or it went through another gateway until now. Then
 * its ends repeat what they said, and that passes: if the other end knows it, that will answer, by its
 * own side and with numbers that fit. Who has made the flow up makes no end answer, but with a RST: that would
 * tell him what he wants to know. One whose beginning we saw, from one side only, simply goes on.
 */
static __always_inline void stray_goes_on(struct sw_attempt *stray, const struct sw_packet *packet,
					  bool from_orig, const struct sw_now *now,
					  struct sw_handshake_step *step)
{
	bool repeated = other_repeated(stray, from_orig);
	__u32 seq = from_orig ? stray->isn_resp[1] : stray->isn_orig;

	step->opposite = from_orig ? stray->answer_side : stray->side;
	step->two_sided = (!from_orig || repeated) && seq_within(packet->ack, seq, STRAY_SPAN);
	step->heard = step->two_sided && repeated &&
		      !is_wrong_side(step->side, step->opposite, false);
	step->apart = step->two_sided && are_apart(step->side, step->opposite);
	step->repeats = stray->seen & SW_SAW_BEGUN && from_orig;
	if (stray_repeats(stray, packet, from_orig, now)) {
		stray->seen |= from_orig ? SW_SAW_ORIG_AGAIN : SW_SAW_RESP_AGAIN;
		if (from_orig)
			stray->side = step->side;
		else
			stray->answer_side = step->side;
		step->repeats = 1;
	}
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
		step->denies = !first && other_repeated(stray, view->from_orig);
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
		stray->syn_us = now->ms;
	} else {
		if (segment == SW_SEGMENT_ACK)
			stray_goes_on(stray, packet, view->from_orig, now, step);
		sw_attempt_changed(bucket, view->way, now, timeout_ms);
	}
	step->stray = stray_outcome(stray, outcome, first);
}

static __always_inline void complete(struct sw_handshake_bucket *bucket, __u32 way,
				     struct sw_handshake_step *step)
{
	end_attempt(bucket, way, true, step);
	if (step->end == SW_END_JUDGED)
		step->outcome = step->completed;
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
	/* an ICMP error is not of the end that it names */
	if (segment != SW_SEGMENT_ICMP_ERROR && comes_wrong(attempt, step->side, view->from_orig)) {
		step->anomalies |= SW_BIT(WRONG_SIDE);
		step->belongs = 1;
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
	step->completed = completed;
	step->of_another = (attempt->beside && view->rank < 3) || is_doubtful_crossing(attempt);
	if (step->of_another)
		step->tolerated |= step->anomalies;
	sw_forget_registers(); /* however it came to its state, to the verifier it is the same from here on */
	step->answered = before == SW_PHASE_SYN_SENT && attempt->phase == SW_PHASE_SYN_RECEIVED;
	if (step->answered)
		attempt->answer_side = step->side;
	step->rejected = !!(attempt->seen & ~seen_before & SW_SAW_RST_ACKING);
	step->goes_on = segment == SW_SEGMENT_ACK && opener_goes_on(attempt);
	if (relation == SW_RELATION_LIVE) {
		step->anomalies &= ~SW_BIT(FIN_IN_HANDSHAKE); /* it closes the connection */
		step->told = segment == SW_SEGMENT_ACK && attempt->phase == SW_PHASE_SYN_SENT;
	}
	if (attempt->syn_us && attempt->synack_us) {
		step->syn_to_synack_us = attempt->synack_us - attempt->syn_us;
		step->latency_new = attempt->phase != before;
	}
	if (step->completed != SW_OUTCOME_NONE)
		complete(bucket, way, step);
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

/* Is it one whose opener went on, although nothing was seen of the other end? Then it may do so for long. */
static __always_inline bool may_go_on(const struct sw_attempt *attempt)
{
	return attempt->phase == SW_PHASE_SYN_SENT && sw_judge(attempt) == SW_OUTCOME_ONE_SIDED;
}

/* If nothing is heard of a responder for so long after its opener has gone on, nothing of it comes by here. */
#define SW_GOES_ON_MS 500U

/*
 * An attempt that goes on is told as one-sided, and unfinished no more: at once if it is known to be a connection, else
 * soon, unless the true answer comes until then. The caller holds the lock.
 */
static __always_inline void sw_let_go_on(struct sw_handshake_bucket *bucket, __u16 tag,
					 const struct sw_packet *packet, bool known,
					 const struct sw_now *now, const __u32 *timeout_ms,
					 struct sw_handshake_step *step)
{
	__u32 way;

	sw_look(bucket, tag, packet, SW_SEGMENT_ACK, now, &step->view);
	way = step->view.way & (SW_WAYS - 1);
	if (step->view.way >= SW_WAYS || !opener_goes_on(&bucket->attempts[way]))
		return;
	if (known) {
		end_attempt(bucket, way, true, step);
		report_attempt(bucket, way, now, timeout_ms);
	} else if (bucket->expires_ms[way] - now->ms > SW_GOES_ON_MS) {
		bucket->expires_ms[way] = now->ms + SW_GOES_ON_MS;
	}
}

/* What it does then is of no attempt any more, and not out of nothing either. */
static __always_inline void become_stray(struct sw_handshake_bucket *bucket, __u32 way,
					 const struct sw_now *now, const __u32 *timeout_ms)
{
	struct sw_attempt *attempt = &bucket->attempts[way & (SW_WAYS - 1)];

	attempt->phase = SW_PHASE_STRAY;
	attempt->seen = SW_SAW_BEGUN;
	attempt->extra = SW_OUTCOME_UNDECODABLE; /* anything else is still to be told */
	attempt->isn_resp[0] = 0;
	attempt->isn_resp[1] = 0;
	sw_attempt_changed(bucket, way, now, timeout_ms);
}

/* The sweeper's part: an entry whose time is up is reported; the next time it goes. The caller holds the lock. */
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
		report_attempt(bucket, way, now, timeout_ms);
		return;
	}
	if (step->end == SW_END_SILENT && may_go_on(attempt) && !is_succeeded(bucket, way)) {
		become_stray(bucket, way, now, timeout_ms);
		return;
	}
	bucket->tags[way] = 0;
}

#endif
