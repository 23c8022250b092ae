/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_POSITION_H
#define SYNWARD_CORE_POSITION_H

/* How far the ends of a connection have come, and which segments may be theirs by that. */

#include "../../include/synward/tables.h"
#include "packet.h"
#include "wire.h"

#define SW_AT_SHIFT 20
#define SW_AT_MASK  0xfffU

/* So much may be under way that is not acknowledged: no window is larger in practice. */
#define SW_AT_UNDER_WAY 256U

/* What is kept of a sequence number: 1 MiB of it. */
static __always_inline __u32 sw_at(__u32 seq)
{
	return seq >> SW_AT_SHIFT;
}

static __always_inline const struct sw_conn_end *end_of(const struct sw_connection *connection,
							bool orig)
{
	return &connection->ends[orig ? 0 : 1];
}

static __always_inline bool is_doubtful(const struct sw_connection *connection)
{
	return connection->ends[0].doubtful || connection->ends[1].doubtful;
}

/* Is a segment near where its end has come to? Who does not see that guesses it once in 1,365 times. */
static __always_inline bool is_in_place(const struct sw_connection *connection,
					const struct sw_packet *packet, bool from_orig)
{
	__u32 ahead = sw_at(packet->seq) - end_of(connection, from_orig)->at;

	return ((ahead + 1) & SW_AT_MASK) <= 2;
}

/*
 * Does a segment say what only the two ends of its connection know: how far both have come? Who does not see them
 * guesses that once in some 20,000 times.
 */
static __always_inline bool is_credible(const struct sw_connection *connection,
					const struct sw_packet *packet, bool from_orig)
{
	__u32 behind = end_of(connection, !from_orig)->at - sw_at(packet->ack);

	return is_in_place(connection, packet, from_orig) &&
	       ((behind + 1) & SW_AT_MASK) <= SW_AT_UNDER_WAY;
}

/* The same of a RST, which may have no acknowledgement. */
static __always_inline bool is_credible_rst(const struct sw_connection *connection,
					    const struct sw_packet *packet, bool from_orig)
{
	return packet->flags & WIRE_TCP_ACK ? is_credible(connection, packet, from_orig) :
					      is_in_place(connection, packet, from_orig);
}

/*
 * A segment has begun the next MiB of its end. It never goes back: a repetition would leave the position behind,
 * and what comes then out of reach. Only a credible segment moves it, or else whoever sends any number could
 * have the next one believed. Where more than a MiB was not seen, the position is lost: then nothing
 * is credible any more, which costs such a connection a repetition where rules are strict, and no more.
 */
static __always_inline void move_on(struct sw_connection *connection,
				    const struct sw_packet *packet, bool from_orig)
{
	struct sw_conn_end *end = &connection->ends[from_orig ? 0 : 1];
	__u32 at = sw_at(packet->seq);

	/* nearly always */
	if (at == end->at)
		return;
	if (((at - end->at) & SW_AT_MASK) == 1 && is_credible(connection, packet, from_orig))
		end->at = at;
}

#endif
