/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_FOLLOW_H
#define SYNWARD_CORE_FOLLOW_H

/*
 * One packet through both tables: connections first, since most segments belong to one, then the
 * handshakes. The order of locks is the whole concurrency argument: each bucket's lock guards that
 * bucket only, no two are held at a time, and between two of them another CPU may change what was
 * seen. What that can cost is one attempt's record: an attempt that completes leaves its bucket
 * before its connection is entered, so for that moment its next segment finds neither.
 */

#include "filter.h"
#include "table.h"

/* The two buckets in which a flow may be, its tag in them, and what it takes to go there. */
struct sw_place {
	struct sw_handshake_bucket *handshakes;
	struct sw_connection_bucket *connections;
	__u32 index;			/* of that bucket */
	struct sw_owner_bucket *owners; /* of the handshakes; NULL while nothing is limited */
	__u8 *hint;			/* likewise; NULL: nobody asks for it */
	const __u32 *timeout_ms;
	struct sw_now now;
	__u16 tag;
	__u8 side; /* where the segment is seen: sw_side() */
};

struct sw_finding {
	struct sw_connection_change connection;
	__u64 anomalies; /* the stateful ones */
	__u64 scored;	 /* those that speak for or against arming them */
	bool skipped;	 /* a lock was not to be had */
	bool unknown;	 /* ACK or data that belongs to nothing known: the kernel may know better */
	bool owned;	 /* attempts count against limits */
	bool asked;	 /* conntrack was asked about the flow ... */
	__u8 tracked;	 /* ... and said this, enum tracked */
	__u16 owner;	 /* whose this SYN counts against, if it opens an attempt */
	__u32 room;	 /* the bucket for a connection that is new */
	__u16 released;	 /* the owner of the attempt that ended; 0: none */
	struct sw_addr came_from; /* the source that the frame names, if the packet was renamed */
	struct sw_handshake_step handshake;
	struct sw_connection entered; /* here, since a stack has no room for it */
	struct sw_connection_view view;
};

/* What an entry that was found says of its flow. As long as it is doubtful whether it has ended, it lives. */
static __always_inline enum sw_relation relation_of(const struct sw_connection_bucket *bucket,
						    __u32 way)
{
	__u8 state = bucket->states[way];

	return is_closed(state) && !is_doubtful(&bucket->connections[way]) ? SW_RELATION_CLOSED :
									     SW_RELATION_LIVE;
}

/*
 * Does a segment concern a connection alone? own: a SYN or SYN-ACK is of its own handshake. RSTs and ICMP errors are
 * rare, so it need not be known here whether there is an attempt that they may be about.
 */
static __always_inline bool is_settled(enum sw_segment segment, __u8 state, bool own)
{
	if (segment == SW_SEGMENT_SYN || segment == SW_SEGMENT_SYNACK)
		return own;
	return !(state & SW_CONN_ATTEMPT) && segment != SW_SEGMENT_RST &&
	       segment != SW_SEGMENT_ICMP_ERROR;
}

/* Asks for a connection that seemed to have ended. Its late FIN or RST is of one that has, and opens nothing again. */
static __always_inline enum sw_relation goes_on_again(const struct sw_place *place,
						      const struct sw_packet *packet,
						      enum sw_segment segment,
						      struct sw_finding *finding, bool *settled)
{
	struct sw_connection_bucket *bucket = place->connections;
	__u32 way;

	if ((segment != SW_SEGMENT_ACK && segment != SW_SEGMENT_RST) ||
	    sw_connection_find_ended(bucket, place->tag, packet, &place->now, place->timeout_ms) >=
		    SW_WAYS)
		return SW_RELATION_NONE;
	if (segment == SW_SEGMENT_RST || packet->flags & WIRE_TCP_FIN)
		return SW_RELATION_CLOSED;
	if (!sw_lock(&bucket->lock)) {
		finding->skipped = true;
		*settled = true;
		return SW_RELATION_LIVE;
	}
	way = sw_connection_find_ended(bucket, place->tag, packet, &place->now, place->timeout_ms);
	if (way < SW_WAYS) {
		finding->connection.opened = sw_connection_goes_on(bucket, way, &place->now);
		*settled = true;
	}
	sw_unlock(&bucket->lock);
	return way < SW_WAYS ? SW_RELATION_LIVE : SW_RELATION_NONE;
}

/* One that was given up is none, though it is found if the timeout of closed ones has become longer. */
static __always_inline void find_connection(const struct sw_place *place,
					    const struct sw_packet *packet,
					    struct sw_connection_view *view)
{
	sw_connection_find(place->connections, place->tag, packet, &place->now, place->timeout_ms,
			   view);
	if (view->way < SW_WAYS &&
	    is_given_up(place->connections->states[view->way & (SW_WAYS - 1)]))
		view->way = SW_WAYS;
}

/* What the connections table knows of a packet's flow. *settled: nothing else need be asked. */
static __always_inline enum sw_relation ask_connection(const struct sw_place *place,
						       const struct sw_packet *packet,
						       enum sw_segment segment,
						       struct sw_finding *finding, bool *settled)
{
	struct sw_connection_bucket *bucket = place->connections;
	struct sw_connection_view *view = &finding->view;
	enum sw_relation relation = SW_RELATION_NONE;
	bool own = false;
	__u8 state;

	find_connection(place, packet, view);
	if (view->way >= SW_WAYS)
		return goes_on_again(place, packet, segment, finding, settled);
	if (!sw_lock(&bucket->lock)) {
		finding->skipped = true;
		*settled = true;
		return SW_RELATION_LIVE;
	}
	find_connection(place, packet, view);
	sw_forget_registers(); /* which of the four it is, is no path of its own to the verifier */
	if (view->way < SW_WAYS) {
		state = bucket->states[view->way & (SW_WAYS - 1)];
		finding->anomalies |= sw_connection_step(bucket, view, packet, segment, &place->now,
							 &own);
		/* a RST without an ACK is of a kernel that refuses what it knows nothing of */
		if (place->side & SW_SIDE_OUT && !view->from_orig &&
		    (segment == SW_SEGMENT_ACK ||
		     (segment == SW_SEGMENT_RST && packet->flags & WIRE_TCP_ACK)))
			bucket->states[view->way & (SW_WAYS - 1)] &= ~SW_CONN_UNHEARD;
		relation = relation_of(bucket, view->way & (SW_WAYS - 1));
		*settled = is_settled(segment, state, own);
	}
	sw_unlock(&bucket->lock);
	return relation;
}

/* The caller holds the lock. Not inlined, as the lock is not within: Linux 6.1 has no stack for that. */
static __attribute__((noinline)) void write_connection(const struct sw_place *place, __u8 states,
						       struct sw_finding *finding)
{
	sw_connection_enter(place->connections, place->tag, &finding->entered, states, &place->now,
			    place->timeout_ms, &finding->connection);
	sw_bucket_changed(place->index, place->connections);
}

/* Enters the finding's connection. */
static __always_inline void enter_connection(const struct sw_place *place, __u8 states,
					     struct sw_finding *finding)
{
	if (!sw_lock(&place->connections->lock)) {
		finding->skipped = true;
		return;
	}
	write_connection(place, states, finding);
	sw_unlock(&place->connections->lock);
}

static __always_inline void enter_completed(const struct sw_place *place, __u8 states,
					    struct sw_finding *finding)
{
	const struct sw_attempt *attempt = &finding->handshake.ended;
	struct sw_connection *entered = &finding->entered;

	entered->orig = attempt->orig;
	entered->resp = attempt->resp;
	entered->orig_port = attempt->orig_port;
	entered->resp_port = attempt->resp_port;
	entered->isn_orig = attempt->isn_orig;
	entered->isn_resp = attempt->isn_resp[0];
	entered->ends[0] = (struct sw_conn_end){ .at = sw_at(attempt->isn_orig),
						 .fastopen = !!(attempt->seen & SW_SAW_FASTOPEN) };
	entered->ends[1] = (struct sw_conn_end){ .at = sw_at(attempt->isn_resp[0]) };
	enter_connection(place, SW_CONN_ISNS_KNOWN | states, finding);
}

/* Notes whether the ACKs of a connection are to be looked at for an attempt on it. */
static __always_inline void note_attempt(const struct sw_place *place,
					 const struct sw_packet *packet, bool wanted)
{
	struct sw_connection_bucket *bucket = place->connections;
	struct sw_connection_view view;

	/* if it is not to be had, the next segment will do it */
	if (!sw_lock(&bucket->lock))
		return;
	sw_connection_find(bucket, place->tag, packet, &place->now, place->timeout_ms, &view);
	if (view.way < SW_WAYS)
		bucket->states[view.way & (SW_WAYS - 1)] =
			(bucket->states[view.way & (SW_WAYS - 1)] & ~SW_CONN_ATTEMPT) |
			(wanted ? SW_CONN_ATTEMPT : 0);
	sw_unlock(&bucket->lock);
}

/*
 * The way of nearly every segment: of a live connection, which it does not change. Returns false if
 * more is to be asked. No lock.
 */
static __always_inline bool sw_connection_quick(const struct sw_place *place,
						const struct sw_packet *packet,
						enum sw_segment segment)
{
	struct sw_connection_view view;

	if (segment != SW_SEGMENT_ACK)
		return false;
	sw_connection_find(place->connections, place->tag, packet, &place->now, place->timeout_ms,
			   &view);
	return view.way < SW_WAYS &&
	       sw_connection_pass(place->connections, &view, packet, &place->now);
}

/* Asks the connections table. Returns false if the handshakes must be asked, too. */
static __always_inline bool sw_follow_connection(const struct sw_place *place,
						 const struct sw_packet *packet,
						 enum sw_segment segment,
						 struct sw_finding *finding,
						 enum sw_relation *relation)
{
	bool settled = false;

	*relation = ask_connection(place, packet, segment, finding, &settled);
	return settled;
}

/* Books an attempt that was opened, and finds out whose the one was that ended for it. */
static __always_inline void change_owner(const struct sw_place *place, struct sw_finding *finding)
{
	struct sw_handshake_step *step = &finding->handshake;
	__u32 way = step->opened ? step->view.victim : step->view.way;
	__u16 *owner = &place->owners->owners[way & (SW_WAYS - 1)];

	if (step->end) {
		finding->released = *owner;
		*owner = 0;
	}
	step->booked = step->opened;
	/* it takes none if it has one already, as any SYN that is repeated */
	if (step->again && !*owner) {
		step->refused = step->refuse;
		step->booked = !step->refuse;
	}
	if (step->booked)
		*owner = finding->owner;
}

/*
 * Has the hint say what is in the bucket, whose lock the caller holds. What was pushed out stays in it until the next
 * entry goes: a SYN of a flood does not pay for that.
 */
static __always_inline void hint_changed(const struct sw_place *place,
					 const struct sw_handshake_step *step)
{
	if (!place->hint)
		return;
	if (step->completed != SW_OUTCOME_NONE)
		*place->hint = sw_hint_of(place->handshakes->tags);
	else if (step->opened && !(*place->hint & sw_hint_bit(place->tag)))
		*place->hint |= sw_hint_bit(
			place->tag); /* beside it are the hints of other CPUs' buckets */
}

/*
 * Asks the handshakes, given what the connections table knew. Returns whether that is to hear of it:
 * sw_tell_connections().
 */
static __always_inline bool sw_follow_handshake(const struct sw_place *place,
						const struct sw_packet *packet,
						enum sw_segment segment, enum sw_relation relation,
						struct sw_finding *finding)
{
	struct sw_handshake_step *step = &finding->handshake;

	step->side = place->side;
	if (!sw_lock(&place->handshakes->lock)) {
		finding->skipped = true;
		return false;
	}
	sw_handshake(place->handshakes, place->tag, packet, segment, relation, &place->now,
		     place->timeout_ms, step);
	hint_changed(place, step);
	if (finding->owned)
		change_owner(place, finding);
	sw_unlock(&place->handshakes->lock);
	finding->anomalies |= step->anomalies;
	finding->unknown = segment == SW_SEGMENT_ACK &&
			   (step->anomalies & SW_BIT(MIDSTREAM) ||
			    (step->of_another && relation != SW_RELATION_LIVE));
	if (step->completed != SW_OUTCOME_NONE)
		return true;
	/* no attempt of a stranger's can have a segment of a connection dropped, nor the last ones of one that ends */
	if (relation != SW_RELATION_NONE)
		step->tolerated |= SW_MASK_DROP_SYM | SW_MASK_STRICT;
	if (relation != SW_RELATION_LIVE)
		return false;
	return step->answered || (segment == SW_SEGMENT_ACK && (step->told || !step->belongs));
}

/*
 * Tells the connections table what the handshakes had: an attempt that this segment completed is a
 * connection now; the ACKs of a live connection need to look for one only from its SYN-ACK on. A SYN that nobody
 * answers, whoever sends it, makes hardly more than itself slow.
 */
static __always_inline void sw_tell_connections(const struct sw_place *place,
						const struct sw_packet *packet,
						struct sw_finding *finding)
{
	if (finding->handshake.completed != SW_OUTCOME_NONE)
		enter_completed(place, 0, finding);
	else
		note_attempt(place, packet, finding->handshake.answered);
}

/* Of an attempt that goes on: see sw_let_go_on(). */
static __always_inline void sw_follow_one_sided(const struct sw_place *place,
						const struct sw_packet *packet, bool known,
						struct sw_finding *finding)
{
	if (!sw_lock(&place->handshakes->lock))
		return; /* it will go on */
	sw_let_go_on(place->handshakes, place->tag, packet, known, &place->now, place->timeout_ms,
		     &finding->handshake);
	if (finding->owned)
		change_owner(place, finding);
	sw_unlock(&place->handshakes->lock);
}

/*
 * Enters the connection of a packet that the kernel vouches for. Who opened it is not known: the
 * sender stands for the opener.
 */
static __always_inline void sw_follow_adopted(const struct sw_place *place,
					      const struct sw_packet *packet,
					      struct sw_finding *finding)
{
	struct sw_connection *entered = &finding->entered;

	entered->orig = packet->src;
	entered->resp = packet->dst;
	entered->orig_port = packet->sport;
	entered->resp_port = packet->dport;
	entered->ends[0] = (struct sw_conn_end){ .at = sw_at(packet->seq) };
	entered->ends[1] = (struct sw_conn_end){ .at = sw_at(packet->ack) };
	entered->isn_orig = 0;
	entered->isn_resp = 0;
	enter_connection(place, SW_CONN_ADOPTED, finding);
}

/* An empty finding. */
static __always_inline void sw_finding_init(struct sw_finding *finding)
{
	/* what lies behind, an attempt that ended and a view, is read only once it was written */
	__builtin_memset(finding, 0, offsetof(struct sw_finding, handshake.ended));
	finding->handshake.completed = SW_OUTCOME_NONE;
	finding->handshake.stray = SW_OUTCOME_NONE;
	finding->handshake.syn_to_synack_us = SW_LATENCY_UNKNOWN;
}

#endif
