/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_CONNECTIONS_H
#define SYNWARD_CORE_CONNECTIONS_H

/*
 * One bucket of the connections table. Only a completed handshake, or the kernel's word for a
 * connection that is older than the attach, makes an entry, so no spoofed segment can push one out.
 */

#include "handshakes.h"
#include "position.h"

#define SW_CONN_FINS (SW_CONN_FIN_ORIG | SW_CONN_FIN_RESP)
#define SW_CONN_RSTS (SW_CONN_RST_ORIG | SW_CONN_RST_RESP)

/*
 * How stale the time of the last segment may be. Without it, every segment of a flow would write
 * to a cache line that the other direction's CPU reads.
 */
#define SW_SEEN_GRANULARITY_MS 256

static __always_inline bool connection_is_from_orig(const struct sw_connection *connection,
						    const struct sw_packet *packet)
{
	return connection->orig_port == packet->sport && connection->resp_port == packet->dport &&
	       sw_addr_equal(&connection->orig, &packet->src) &&
	       sw_addr_equal(&connection->resp, &packet->dst);
}

static __always_inline bool connection_is_from_resp(const struct sw_connection *connection,
						    const struct sw_packet *packet)
{
	return connection->orig_port == packet->dport && connection->resp_port == packet->sport &&
	       sw_addr_equal(&connection->orig, &packet->dst) &&
	       sw_addr_equal(&connection->resp, &packet->src);
}

/* 1 if it is, else 0. Computed, not chosen: either would be a way of its own to the verifier, at each of four places. */
static __always_inline __u32 is_closed(__u8 state)
{
	__u32 closed = (state / SW_CONN_RST_ORIG | state / SW_CONN_RST_RESP |
			(state / SW_CONN_FIN_ORIG & state / SW_CONN_FIN_RESP)) &
		       1U;

	sw_keep(closed);
	return closed;
}

static __always_inline bool is_given_up(__u8 state)
{
	return (state & SW_CONN_GIVEN_UP) == SW_CONN_GIVEN_UP;
}

static __always_inline bool connection_expired(__u8 state, __u32 seen_ms, const struct sw_now *now,
					       const __u32 *timeout_ms)
{
	__u32 timeout = timeout_ms[SW_TIMEOUT_ESTABLISHED +
				   is_closed(state) * (SW_TIMEOUT_CLOSED - SW_TIMEOUT_ESTABLISHED)];

	/* seen may be a moment ahead of now: another CPU's packet */
	return (__s32)(now->ms - seen_ms) >= 0 && now->ms - seen_ms >= timeout;
}

/* Where a packet's connection is. */
struct sw_connection_view {
	__u32 way;	 /* SW_WAYS: it has none */
	__u32 from_orig; /* 0 or 1 */
};

/*
 * Finds a packet's connection. May run without the lock: entries change only as a whole and rarely,
 * and the worst that a torn read can do is to miss, or to find, a connection a moment too late.
 */
static __always_inline void sw_connection_find(const struct sw_connection_bucket *bucket, __u16 tag,
					       const struct sw_packet *packet,
					       const struct sw_now *now, const __u32 *timeout_ms,
					       struct sw_connection_view *view)
{
	view->way = SW_WAYS;
	view->from_orig = false;
#pragma unroll
	for (__u32 way = 0; way < SW_WAYS; way++) {
		const struct sw_connection *connection = &bucket->connections[way];

		if (bucket->tags[way] != tag)
			continue;
		/* or all of the four are prepared at once, which takes more registers than there are */
		sw_forget_registers();
		view->from_orig = connection_is_from_orig(connection, packet);
		if (!view->from_orig && !connection_is_from_resp(connection, packet))
			continue;
		if (connection_expired(bucket->states[way], bucket->seen_ms[way], now, timeout_ms))
			continue;
		sw_forget_registers();
		view->way = way;
		return;
	}
}

/* Nearly all segments: nothing changes but the time. Returns false if this one is not of them. */
static __always_inline bool sw_connection_pass(struct sw_connection_bucket *bucket,
					       const struct sw_connection_view *view,
					       const struct sw_packet *packet,
					       const struct sw_now *now)
{
	__u32 way = view->way & (SW_WAYS - 1);
	struct sw_connection *connection = &bucket->connections[way];
	__u8 telling = SW_CONN_RSTS | SW_CONN_ATTEMPT;

	if (!view->from_orig)
		telling |= SW_CONN_UNHEARD;
	if (packet->flags & WIRE_TCP_FIN || bucket->states[way] & telling ||
	    is_closed(bucket->states[way]))
		return false;
	if (now->ms - bucket->seen_ms[way] > SW_SEEN_GRANULARITY_MS)
		bucket->seen_ms[way] = now->ms;
	move_on(connection, packet, view->from_orig);
	return true;
}

/* What of a Fast Open's data a SYN-ACK may acknowledge: there is no room to remember how much there was. */
#define SW_MAX_SYN_LENGTH 0xffffU

/* A SYN or SYN-ACK on a connection: told apart by the numbers of its own handshake. */
static __always_inline __u64 connection_syn(const struct sw_connection *connection, __u8 state,
					    const struct sw_packet *packet, enum sw_segment segment,
					    bool from_orig, bool *repeats)
{
	bool numbers = state & SW_CONN_ISNS_KNOWN;
	__u64 found;

	if (segment == SW_SEGMENT_SYNACK) {
		if (from_orig || !numbers || is_closed(state))
			return 0;
		if (packet->flags & WIRE_TCP_FIN && !connection->ends[0].fastopen)
			return SW_BIT(FLAGS_SYN_FIN);
		*repeats = packet->seq == connection->isn_resp ||
			   seq_within(packet->ack, connection->isn_orig + 1,
				      connection->ends[0].fastopen ? SW_MAX_SYN_LENGTH : 0);
		if (!*repeats)
			return 0;
		return packet->seq == connection->isn_resp ? SW_BIT(SYNACK_RETRANSMIT) :
							     SW_BIT(SYNACK_ISN_CHANGED);
	}
	if (is_closed(state))
		return 0; /* its ends may use the same numbers again: a new attempt */
	if (from_orig && numbers && packet->seq == connection->isn_orig) {
		*repeats = true;
		return SW_BIT(SYN_RETRANSMIT) | SW_BIT(SYN_ON_ESTABLISHED);
	}
	found = SW_BIT(SYN_ON_ESTABLISHED);
	if (!from_orig && !(state & SW_CONN_ADOPTED))
		found |= SW_BIT(SYN_FROM_RESPONDER);
	return found;
}

/*
 * What an ACK or data makes of the state of its connection. An end that has sent a RST is gone: if it speaks, with its
 * numbers or where the RST had not, somebody else had sent it. So had somebody the FIN of an end that sends more data:
 * but these must have its numbers, where the FIN had not, or else they may be what is repeated from before it.
 */
static __always_inline __u8 connection_ack(struct sw_connection *connection, __u8 state,
					   const struct sw_packet *packet, bool from_orig)
{
	__u8 fin = from_orig ? SW_CONN_FIN_ORIG : SW_CONN_FIN_RESP;
	struct sw_conn_end *end = &connection->ends[from_orig ? 0 : 1];
	bool credible = is_credible(connection, packet, from_orig);

	if (credible || end->doubtful)
		state &= from_orig ? ~SW_CONN_RST_ORIG : ~SW_CONN_RST_RESP;
	if (packet->flags & WIRE_TCP_FIN) {
		state |= fin;
		if (!credible)
			end->doubtful = true;
	} else if (credible && end->doubtful && packet->payload) {
		state &= ~fin;
	}
	return state;
}

/*
 * Takes one segment to its connection, whose bucket's lock the caller holds and whose view was
 * found under it. Returns the anomalies; *own tells whether a SYN or SYN-ACK is one of the
 * connection's own handshake. Any RST and any FIN is believed, also of a connection of which we have missed
 * something; if it has not the numbers of its end, that is remembered, see SW_CONN_GIVEN_UP.
 */
static __always_inline __u64 sw_connection_step(struct sw_connection_bucket *bucket,
						const struct sw_connection_view *view,
						const struct sw_packet *packet,
						enum sw_segment segment, const struct sw_now *now,
						bool *own)
{
	__u32 way = view->way & (SW_WAYS - 1);
	struct sw_connection *connection = &bucket->connections[way];
	__u8 state = bucket->states[way];
	bool from_orig = view->from_orig & 1; /* to the verifier it may be anything */
	__u64 found = 0;

	switch (segment) {
	case SW_SEGMENT_SYN:
	case SW_SEGMENT_SYNACK:
		found = connection_syn(connection, state, packet, segment, from_orig, own);
		if (segment == SW_SEGMENT_SYN && !*own)
			state |= SW_CONN_ATTEMPT;
		break;
	case SW_SEGMENT_RST:
		state |= from_orig ? SW_CONN_RST_ORIG : SW_CONN_RST_RESP;
		if (!is_credible_rst(connection, packet, from_orig))
			connection->ends[from_orig ? 0 : 1].doubtful = true;
		break;
	case SW_SEGMENT_ACK:
		state = connection_ack(connection, state, packet, from_orig);
		move_on(connection, packet, from_orig);
		break;
	default:
		return 0;
	}
	bucket->states[way] = state;
	bucket->seen_ms[way] = now->ms;
	return found;
}

/* How entering a connection changed the table. */
struct sw_connection_change {
	__u64 least_worth;
	__u32 victim;
	__u8 opened;
	__u8 closed;  /* how many other entries made way for it */
	__u8 evicted; /* and one was live */
	__u8 forgot;  /* it may have been: it had been given up, with doubt */
};

/* What ends a connection at its server, or says that it has ended there. */
#define SW_CONN_OVER (SW_CONN_FIN_RESP | SW_CONN_RST_RESP | SW_CONN_RST_ORIG)

/*
 * Of a client's segment: has its handshake made a connection before, which the server has taken and which is over? If
 * the segment begins as a first ACK does, it has to be that of the same handshake. The caller holds the lock.
 */
static __always_inline bool sw_connection_was_taken(const struct sw_connection_bucket *bucket,
						    __u16 tag, const struct sw_packet *segment,
						    bool is_first)
{
	__u8 state =
		SW_CONN_UNHEARD; /* not the answer itself: of that, clang 19 makes a mask of a pointer */

	for (__u32 way = 0; way < SW_WAYS; way++) {
		const struct sw_connection *connection = &bucket->connections[way];

		if (bucket->tags[way] != tag || !connection_is_from_orig(connection, segment) ||
		    !(bucket->states[way] & SW_CONN_ISNS_KNOWN) || is_given_up(bucket->states[way]))
			continue;
		if (!is_first || (connection->isn_orig == segment->seq - 1 &&
				  connection->isn_resp == segment->ack - 1)) {
			state = bucket->states[way];
			break;
		}
	}
	return !(state & SW_CONN_UNHEARD) && state & SW_CONN_OVER;
}

/* Do two connections have the same ends, whoever opened them? */
static __always_inline bool same_ends(const struct sw_connection *a, const struct sw_connection *b)
{
	return (a->orig_port == b->orig_port && a->resp_port == b->resp_port &&
		sw_addr_equal(&a->orig, &b->orig) && sw_addr_equal(&a->resp, &b->resp)) ||
	       (a->orig_port == b->resp_port && a->resp_port == b->orig_port &&
		sw_addr_equal(&a->orig, &b->resp) && sw_addr_equal(&a->resp, &b->orig));
}

#define CONNECTION_IS_LIVE (2ULL << 32)

/* Whose place is taken first: a free one's, of one given up, an ended one, the longest silent. */
static __always_inline __u64 connection_worth(const struct sw_connection_bucket *bucket, __u32 way,
					      const struct sw_now *now, const __u32 *timeout_ms)
{
	__u8 state = bucket->states[way];
	__u32 seen_ms = bucket->seen_ms[way];

	if (!bucket->tags[way])
		return 1;
	if (is_given_up(state) || connection_expired(state, seen_ms, now, timeout_ms))
		return 2;
	return (CONNECTION_IS_LIVE - ((__u64)is_closed(state) << 32)) |
	       (__u32) ~(now->ms - seen_ms);
}

static __always_inline void offer_place(struct sw_connection_change *change, __u32 way, __u64 worth)
{
	if (worth < change->least_worth) {
		change->least_worth = worth;
		change->victim = way;
	}
}

/* Looks for the place in a bucket that costs least; first of all the own old one. */
static __always_inline void find_place(const struct sw_connection_bucket *bucket, __u16 tag,
				       const struct sw_connection *as, const struct sw_now *now,
				       const __u32 *timeout_ms, struct sw_connection_change *change)
{
	change->least_worth = ~0ULL;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		bool own = bucket->tags[way] == tag && same_ends(&bucket->connections[way], as);

		offer_place(change, way, own ? 0 : connection_worth(bucket, way, now, timeout_ms));
		sw_forget_registers();
	}
}

/* Notes what makes way in the place that was found. Returns its way. */
static __always_inline __u32 clear_place(const struct sw_connection_bucket *bucket,
					 const struct sw_now *now, const __u32 *timeout_ms,
					 struct sw_connection_change *change)
{
	__u32 way = change->victim & (SW_WAYS - 1);

	change->closed += bucket->tags[way] && !is_given_up(bucket->states[way]);
	change->evicted = change->least_worth >= CONNECTION_IS_LIVE;
	change->forgot |= change->least_worth == 2 && is_doubtful(&bucket->connections[way]) &&
			  !connection_expired(0, bucket->seen_ms[way], now, timeout_ms);
	return way;
}

/*
 * Enters a connection, or replaces what its ends had before. The caller holds the lock and has
 * zeroed *change, but for what made way when room was made.
 */
static __always_inline void sw_connection_enter(struct sw_connection_bucket *bucket, __u16 tag,
						const struct sw_connection *as, __u8 states,
						const struct sw_now *now, const __u32 *timeout_ms,
						struct sw_connection_change *change)
{
	__u32 way;

	find_place(bucket, tag, as, now, timeout_ms, change);
	way = clear_place(bucket, now, timeout_ms, change);
	change->opened = true;
	bucket->connections[way] = *as;
	bucket->states[way] = states;
	bucket->seen_ms[way] = now->ms;
	bucket->tags[way] = tag;
}

/* How crowded a bucket is: what would have to go for a new entry, then how much there is. */
#define SW_CROWD_ENDED 0x100U
#define SW_CROWD_LIVE  0x200U

static __always_inline __u32 sw_crowd_of(const struct sw_connection_bucket *bucket,
					 const struct sw_now *now, const __u32 *timeout_ms)
{
	__u32 used = 0, ended = 0;

	for (__u32 way = 0; way < SW_WAYS; way++) {
		__u8 state = bucket->states[way];

		if (!bucket->tags[way] || is_given_up(state) ||
		    connection_expired(state, bucket->seen_ms[way], now, timeout_ms))
			continue;
		used++;
		ended += is_closed(state);
	}
	if (used < SW_WAYS)
		return used;
	return (ended ? SW_CROWD_ENDED : SW_CROWD_LIVE) | used;
}

/*
 * Of a segment of no connection: does one go on with it that seemed to have ended so long ago that nothing of it is
 * expected any more? Only its ends know how far they had come. Returns its way, or SW_WAYS.
 */
static __always_inline __u32 sw_connection_find_ended(const struct sw_connection_bucket *bucket,
						      __u16 tag, const struct sw_packet *packet,
						      const struct sw_now *now,
						      const __u32 *timeout_ms)
{
#pragma unroll
	for (__u32 way = 0; way < SW_WAYS; way++) {
		const struct sw_connection *connection = &bucket->connections[way];
		bool from_orig;

		if (bucket->tags[way] != tag || !is_closed(bucket->states[way]) ||
		    connection_expired(0, bucket->seen_ms[way], now, timeout_ms))
			continue;
		from_orig = connection_is_from_orig(connection, packet);
		if ((from_orig || connection_is_from_resp(connection, packet)) &&
		    is_credible(connection, packet, from_orig))
			return way;
	}
	return SW_WAYS;
}

/* It is a connection again. Returns whether it was counted as closed. The caller holds the lock. */
static __always_inline bool sw_connection_goes_on(struct sw_connection_bucket *bucket, __u32 way,
						  const struct sw_now *now)
{
	bool counted = is_given_up(bucket->states[way & (SW_WAYS - 1)]);

	way &= SW_WAYS - 1;
	bucket->states[way] =
		SW_CONN_ADOPTED; /* its handshake is too long ago for its ISNs to matter */
	bucket->seen_ms[way] = now->ms;
	bucket->connections[way].ends[0].doubtful = false;
	bucket->connections[way].ends[1].doubtful = false;
	return counted;
}

/* Is there anything for the sweeper to do about an entry? Needs no lock. */
static __always_inline bool sw_connection_is_due(const struct sw_connection_bucket *bucket,
						 __u32 way, const struct sw_now *now,
						 const __u32 *timeout_ms)
{
	__u8 state = bucket->states[way & (SW_WAYS - 1)];

	return bucket->tags[way & (SW_WAYS - 1)] &&
	       connection_expired(is_given_up(state) ? 0 : state,
				  bucket->seen_ms[way & (SW_WAYS - 1)], now, timeout_ms);
}

/*
 * The sweeper's part: frees an entry whose time is up, or any with force. Returns whether there is a connection less.
 * keeps: one that has ended keeps its place until somebody needs it, or until it would have gone without having
 * ended. What ended it may have been forged, by good guesses too, and strict rules would drop what comes then.
 */
static __always_inline bool sw_sweep_connection(struct sw_connection_bucket *bucket, __u32 way,
						const struct sw_now *now, const __u32 *timeout_ms,
						bool force, bool keeps)
{
	bool gone, counts;

	way &= SW_WAYS - 1;
	if (!bucket->tags[way] || (!force && !sw_connection_is_due(bucket, way, now, timeout_ms)))
		return false;
	gone = force || !keeps || connection_expired(0, bucket->seen_ms[way], now, timeout_ms);
	counts = !is_given_up(bucket->states[way]);
	if (gone)
		bucket->tags[way] = 0;
	else
		bucket->states[way] |= SW_CONN_GIVEN_UP;
	return counts;
}

#endif
