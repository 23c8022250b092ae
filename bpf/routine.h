/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ROUTINE_H
#define SYNWARD_ROUTINE_H

/* The way of nearly every segment: a plain one of a live connection, which it does not change. No lock, no store. */

#include "inquiry.h"

/* Is it, being plain, one of the many segments of a live connection in a bucket that change nothing? */
static __always_inline bool is_routine_in(__u32 key, const struct sw_packet *packet,
					  const struct inquiry *inquiry)
{
	const struct sw_place place = {
		.connections = bpf_map_lookup_elem(&connections, &key),
		.timeout_ms = settings.timeout_ms,
		.now = inquiry->now,
		.tag = sw_tag(inquiry->hash),
	};

	return place.connections && sw_connection_quick(&place, packet, SW_SEGMENT_ACK);
}

/* In the second bucket of its flow, where it is if the first was half full. */
__noinline int is_routine_elsewhere(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	__u32 size = load.connection_buckets;

	return packet && inquiry &&
	       is_routine_in(sw_other_bucket(sw_bucket_index(inquiry->hash, size),
					     sw_tag(inquiry->hash), size),
			     packet, inquiry);
}

/*
 * While cookies are about, hardly any ACK of a flood belongs to a connection: the filter, which is in the cache, says
 * so. At other times nearly all do, and the filter would be one more thing to read.
 */
static __always_inline bool is_routine(const struct sw_packet *packet,
				       const struct inquiry *inquiry)
{
	if (settings.cookies_sent && !may_have_connection(inquiry->hash))
		return false;
	return is_routine_in(sw_bucket_index(inquiry->hash, load.connection_buckets), packet,
			     inquiry) ||
	       is_routine_elsewhere(packet, inquiry);
}

#endif
