/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_BUCKET_H
#define SYNWARD_CORE_BUCKET_H

/* A look into one bucket of the handshake table: whose is the packet, and who would have to go? */

#include "track.h"

/* As many attempts of one flow are remembered: an answer to the older SYN may still be under way. */
#define SW_ATTEMPTS_PER_FLOW 2

/* What a bucket holds for a packet. */
struct sw_bucket_view {
	__u64 least_worth;
	__u32 way;	   /* the attempt that the packet belongs to; SW_WAYS: none */
	__u32 victim;	   /* the place that a new one would take */
	__u32 age;	   /* of the attempt */
	__u32 flow_victim; /* of the attempts of this flow, the one to go first */
	__u32 flow_age;
	__u8 flow_worth;
	__u8 rank;	/* 1: the flow is a stray, 2: an attempt, 3: whose numbers fit, too */
	__u8 same_flow; /* attempts of this flow */
	__u8 from_orig; /* who of the two ends of that attempt sent the packet */
	__u8 crowded;	/* victim is another attempt of the same flow */
};

static __always_inline bool is_from_orig(const struct sw_attempt *attempt,
					 const struct sw_packet *packet)
{
	return attempt->orig_port == packet->sport && attempt->resp_port == packet->dport &&
	       sw_addr_equal(&attempt->orig, &packet->src) &&
	       sw_addr_equal(&attempt->resp, &packet->dst);
}

static __always_inline bool is_from_resp(const struct sw_attempt *attempt,
					 const struct sw_packet *packet)
{
	return attempt->orig_port == packet->dport && attempt->resp_port == packet->sport &&
	       sw_addr_equal(&attempt->orig, &packet->dst) &&
	       sw_addr_equal(&attempt->resp, &packet->src);
}

/* An entry whose time is up is as good as gone, also before the sweeper comes by. */
static __always_inline bool is_expired(__u32 expires_ms, const struct sw_now *now)
{
	return (__s32)(now->ms - expires_ms) > 0;
}

/* Of several attempts of one flow: do the numbers of the segment speak of this one? */
static __always_inline bool fits(const struct sw_attempt *attempt, const struct sw_packet *packet,
				 enum sw_segment segment, bool from_orig)
{
	if (segment == SW_SEGMENT_SYN) {
		if (attempt->phase == SW_PHASE_SIMULTANEOUS && !from_orig)
			return packet->seq == attempt->isn_resp[0] ||
			       (attempt->seen & SW_HAS_TWO_RESP_ISNS &&
				packet->seq == attempt->isn_resp[1]);
		if (attempt->phase == SW_PHASE_SYNACK_FIRST && from_orig)
			return seq_within(attempt->isn_orig, packet->seq, packet->payload);
		return from_orig && packet->seq == attempt->isn_orig;
	}
	if (!from_orig) {
		if (segment == SW_SEGMENT_SYNACK)
			return acks_syn(attempt, packet->ack);
		/* a bare ACK of the responder is a challenge to whatever SYN came last (RFC 5961) */
		if (segment == SW_SEGMENT_ACK && !packet->payload &&
		    !(packet->flags & WIRE_TCP_FIN))
			return false;
		return seq_within(packet->ack, attempt->isn_orig + 1, 0x1ffff);
	}
	if (segment == SW_SEGMENT_SYNACK)
		return attempt->phase == SW_PHASE_SIMULTANEOUS;
	if (segment == SW_SEGMENT_ICMP_ERROR)
		return packet->seq == attempt->isn_orig;
	return seq_within(packet->seq, attempt->isn_orig,
			  1U + attempt->syn_length + attempt->resp_window);
}

#define RANK_DECIDED 1

/* How much is lost with an attempt: what is told already, least; what an answer was seen to, most. */
static __always_inline __u8 rank_of(const struct sw_attempt *attempt)
{
	if (attempt->phase == SW_PHASE_STRAY || attempt->seen & SW_IS_REPORTED)
		return RANK_DECIDED;
	if (attempt->phase == SW_PHASE_SYNACK_FIRST)
		return 2;
	return attempt->phase == SW_PHASE_SYN_SENT ? 3 : 4;
}

/*
 * Who must go first when a bucket is full: the least is the least worthy. The head alone tells, so
 * a flood does not read three more cache lines for each SYN.
 */
static __always_inline __u64 worth(const struct sw_handshake_bucket *bucket, __u32 way,
				   const struct sw_now *now)
{
	if (!bucket->tags[way] || is_expired(bucket->expires_ms[way], now))
		return 0;
	return (__u64)bucket->ranks[way] << 32 | (bucket->expires_ms[way] - now->ms);
}

/* The same of the attempts of one flow, without their time: one that is over has the least to lose. */
static __always_inline __u8 worth_to_flow(const struct sw_handshake_bucket *bucket, __u32 way,
					  const struct sw_now *now)
{
	if (is_expired(bucket->expires_ms[way], now) || bucket->attempts[way].seen & SW_SAW_END)
		return 0;
	return bucket->ranks[way];
}

/*
 * May an undecided attempt have been pushed out of a bucket lately? As long as one makes way, only undecided ones are
 * there: anything else would have gone first.
 */
static __always_inline bool sw_is_full(const struct sw_bucket_view *view)
{
	return view->least_worth >> 32 > RANK_DECIDED;
}

/*
 * Is it the SYN of an attempt whose time is up, of which the sweeper is still to say so? It is none of another one
 * for that.
 */
static __always_inline bool is_late_syn(const struct sw_attempt *attempt,
					const struct sw_packet *packet, enum sw_segment segment)
{
	return segment == SW_SEGMENT_SYN && packet->seq == attempt->isn_orig &&
	       !(attempt->seen & SW_IS_REPORTED) && attempt->phase != SW_PHASE_STRAY &&
	       attempt->phase != SW_PHASE_SYNACK_FIRST && is_from_orig(attempt, packet);
}

/* To be called whenever an attempt has changed, with the lock held. One that goes on does not last longer for that. */
static __always_inline void sw_attempt_changed(struct sw_handshake_bucket *bucket, __u32 way,
					       const struct sw_now *now, const __u32 *timeout_ms)
{
	const struct sw_attempt *attempt = &bucket->attempts[way & (SW_WAYS - 1)];

	bucket->ranks[way & (SW_WAYS - 1)] = rank_of(attempt);
	if (!opener_goes_on(attempt))
		bucket->expires_ms[way & (SW_WAYS - 1)] = now->ms +
							  sw_attempt_timeout(attempt, timeout_ms);
}

/*
 * One more attempt of the packet's flow. Of two alike the younger goes: a server that has been asked stays with the first
 * SYN, and whatever else comes until it has answered may be anybody's.
 */
static __always_inline void note_of_flow(__u32 way, __u32 age, __u8 worth,
					 struct sw_bucket_view *view)
{
	if (!view->same_flow || worth < view->flow_worth ||
	    (worth == view->flow_worth && age <= view->flow_age)) {
		view->flow_victim = way;
		view->flow_worth = worth;
		view->flow_age = age;
	}
	view->same_flow++;
}

static __always_inline void look_at(const struct sw_handshake_bucket *bucket, __u32 way, __u16 tag,
				    const struct sw_packet *packet, enum sw_segment segment,
				    const struct sw_now *now, struct sw_bucket_view *view)
{
	const struct sw_attempt *attempt = &bucket->attempts[way];
	__u64 value = worth(bucket, way, now);
	__u32 age, rank;
	bool from_orig;

	if (value < view->least_worth) {
		view->least_worth = value;
		view->victim = way;
	}
	if (bucket->tags[way] != tag || (value == 0 && !is_late_syn(attempt, packet, segment)))
		return;
	from_orig = is_from_orig(attempt, packet);
	if (!from_orig && !is_from_resp(attempt, packet))
		return;
	age = now->ms - attempt->started_ms;
	if (attempt->phase == SW_PHASE_STRAY)
		rank = 1;
	else
		rank = fits(attempt, packet, segment, from_orig) ? 3 : 2;
	if (rank > 1)
		note_of_flow(way, age, worth_to_flow(bucket, way, now), view);
	if (rank > view->rank || (rank == view->rank && age <= view->age)) {
		view->rank = rank;
		view->age = age;
		view->way = way;
		view->from_orig = from_orig;
	}
}

/*
 * The view is the caller's memory and no local variables: the verifier would follow every
 * combination of their values through the four ways.
 */
static __always_inline void sw_look(const struct sw_handshake_bucket *bucket, __u16 tag,
				    const struct sw_packet *packet, enum sw_segment segment,
				    const struct sw_now *now, struct sw_bucket_view *view)
{
	view->least_worth = ~0ULL;
	view->way = SW_WAYS;
	view->victim = 0;
	view->rank = 0;
	view->same_flow = 0;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		look_at(bucket, way, tag, packet, segment, now, view);
		sw_forget_registers();
	}
	view->crowded = view->same_flow >= SW_ATTEMPTS_PER_FLOW;
	if (view->crowded)
		view->victim = view->flow_victim;
}

#endif
