/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_ATTEMPT_H
#define SYNWARD_CORE_ATTEMPT_H

/* How an entry of the handshake table is made and ended, and on which side its ends speak. */

#include "bucket.h"

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

/* What is known of two SYNs that came in, one from either end. */
enum sw_crossing {
	SW_CROSSING_ANY,   /* they may have crossed each other */
	SW_CROSSING_ASKS,  /* whether they can have is to be asked for, if there are two */
	SW_CROSSING_ASKED, /* and there are: nothing has been done yet */
	SW_CROSSING_NONE,  /* the second one is for this host, which has not sent the first */
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
	__u8 refused; /* and this one would have, or would have made one half-open again */
	__u8 again; /* a SYN of one that was told already: the other end may have it half-open again */
	__u8 booked;	/* this SYN took a place of those that are limited */
	__u8 two_sided; /* a stray flow's segments fit each other, one from each side */
	__u8 heard;	/* and the first of them had passed only because it came again */
	__u8 apart;	/* and nobody can send both from one place */
	__u8 repeats; /* an end of a stray flow says the same again, and it is time to let that pass */
	__u8 denies;	 /* and this RST is the other end's answer to that */
	__u8 answered;	 /* this was the SYN-ACK that the attempt waited for */
	__u8 rejected;	 /* or the RST that says that there will be none */
	__u8 told;	 /* an attempt on a live connection has heard what its ACKs can tell */
	__u8 side;	 /* where the segment is seen: sw_side() */
	__u8 goes_on;	 /* the opener of an attempt of which nothing else was seen */
	__u8 opposite;	 /* where a stray flow's other end was */
	__u8 crossing;	 /* enum sw_crossing */
	__u8 of_another; /* the segment may be of an attempt that had to make way */
	__u8 pad[4];
	struct sw_attempt ended; /* as it was when it left, if end says so */
	struct sw_bucket_view view;
};

/* Is the outcome known of one that makes way? Not inlined: Linux 6.1 has no stack for that. */
static __attribute__((noinline)) bool leaves_judged(const struct sw_attempt *attempt)
{
	return saw_end(attempt);
}

static __always_inline void end_attempt(struct sw_handshake_bucket *bucket, __u32 way, bool judged,
					struct sw_handshake_step *step)
{
	struct sw_attempt *attempt = &bucket->attempts[way & (SW_WAYS - 1)];

	step->ended = *attempt;
	if (attempt->phase == SW_PHASE_STRAY || attempt->seen & SW_IS_REPORTED) {
		step->end = SW_END_SILENT;
	} else if (judged || leaves_judged(&step->ended)) {
		step->end = SW_END_JUDGED;
		step->outcome = sw_judge(attempt);
	} else {
		step->end = SW_END_EVICTED;
	}
}

/*
 * Is a segment that comes in of the end that is on the other side of its interface? side is that of the opener, whom
 * it claims to be from, or not. What leaves, or comes in by another interface, may be anybody's.
 */
static __always_inline bool is_wrong_side(__u8 seen, __u8 side, bool from_orig)
{
	return (seen & (SW_SIDE_TELLS | SW_SIDE_OUT)) == SW_SIDE_TELLS &&
	       !((seen ^ side) & (SW_SIDE_OUT - 1)) && !!(side & SW_SIDE_OUT) == from_orig;
}

/*
 * Where a segment is seen, and where one of the other end was: can no one wire have sent both? Only if they came in by
 * two interfaces between which something is forwarded, or the one left where the other came in.
 */
static __always_inline bool are_apart(__u8 seen, __u8 opposite)
{
	bool same = !((seen ^ opposite) & (SW_SIDE_OUT - 1));

	if ((seen ^ opposite) & SW_SIDE_OUT)
		return same;
	return !same && (seen & (SW_SIDE_TELLS | SW_SIDE_OUT)) == SW_SIDE_TELLS;
}

/*
 * Does a segment come wrong for an attempt, of whose responder the side may be known, too? Where both are, nobody can tell. Not inlined:
 * Linux 6.1 has no stack for that.
 */
static __attribute__((noinline)) bool comes_wrong(const struct sw_attempt *attempt, __u8 seen,
						  bool from_orig)
{
	return is_wrong_side(seen, attempt->side, from_orig) ||
	       (attempt->answer_side != attempt->side &&
		is_wrong_side(seen, attempt->answer_side, !from_orig));
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
	attempt->seen = 0;
	attempt->phase = phase;
	attempt->extra = 0;
	attempt->beside = view->rank > 1;
	if (attempt->beside)
		bucket->attempts[view->way & (SW_WAYS - 1)].beside = true;
	/* a responder that comes in answers an opener to whom that goes out */
	attempt->side = from_opener ? step->side : step->side ^ SW_SIDE_OUT;
	attempt->answer_side = step->side;
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

/* An attempt has ended with a packet, of its opener or not, and never was in the table: as if it had been. */
static __always_inline void sw_end_unentered(const struct sw_packet *packet, bool from_opener,
					     enum sw_outcome outcome, __u8 side,
					     const struct sw_now *now,
					     struct sw_handshake_step *step)
{
	struct sw_attempt *ended = &step->ended;

	__builtin_memset(ended, 0, sizeof(*ended));
	ended->orig = from_opener ? packet->src : packet->dst;
	ended->resp = from_opener ? packet->dst : packet->src;
	ended->orig_port = from_opener ? packet->sport : packet->dport;
	ended->resp_port = from_opener ? packet->dport : packet->sport;
	ended->isn_orig = (from_opener ? packet->seq : packet->ack) - 1;
	ended->started_ms = now->ms;
	ended->side = from_opener ? side : side ^ SW_SIDE_OUT;
	ended->phase = SW_PHASE_SYN_RECEIVED;
	step->opened = 1;
	step->belongs = 1;
	step->end = SW_END_JUDGED;
	step->outcome = outcome;
	if (outcome == SW_OUTCOME_ACCEPTED) {
		ended->isn_resp[0] = packet->ack - 1;
		step->completed = outcome;
	}
}

#endif
