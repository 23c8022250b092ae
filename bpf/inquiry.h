/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_INQUIRY_H
#define SYNWARD_INQUIRY_H

/* What the stages of the pipeline know of the packet at hand, and what they find out about it. */

#include "lock.h" /* before core/follow.h, which needs it */

#include "core/decide.h"
#include "core/follow.h"
#include "core/hash.h"
#include "maps.h"

/* What is known of a packet when the tables are asked. */
struct inquiry {
	__u64 hash;
	__u64 anomalies; /* the stateless ones */
	__u64 scored;	 /* those that speak for or against arming them */
	struct sw_decision decision;
	struct sw_now now;
	__u32 policy;	/* settings.policy, as it was when the packet came */
	__u16 owner;	/* what was booked for a SYN; 0: nothing */
	__u8 segment;	/* enum sw_segment */
	__u8 relation;	/* enum sw_relation */
	__u8 direction; /* enum sw_direction */
	__u8 service;	/* of our side, once it is known */
	__u8 limit;	/* enum sw_limit: what a SYN is over */
	__u8 refuse;	/* and that is in force */
	__u16 tcp;	/* where the TCP header is in the frame */
	__u8 lists;	/* settings.lists, as it was when the packet came */
	__u8 side;	/* where the segment is seen: sw_side() */
};

/* One CPU handles one packet at a time, with softirqs off; its stack has no room for this. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_finding);
} findings SEC(".maps");

static __always_inline struct sw_finding *my_finding(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&findings, &key);
}

/* For who writes one of the fields that are the packets'. */
static __always_inline struct sw_settings *changing_settings(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&settings, &key);
}

static __always_inline const struct sw_settings *current_settings(void)
{
	return changing_settings();
}

/* This interface's bit of settings.forwarders. */
static __always_inline __u64 forwarder_bit(void)
{
	return 1ULL << (load.slot & (SW_MAX_INTERFACES - 1));
}

/* Something that came in by another attached interface leaves by this one. */
static __always_inline void note_forwards(const struct sw_settings *set)
{
	__u64 bit = forwarder_bit();
	struct sw_settings *changing;

	if (!set || *(volatile const __u64 *)&set->forwarders & bit)
		return;
	changing = changing_settings();
	if (changing)
		__sync_fetch_and_or(&changing->forwarders, bit);
}

/* The hint of a bucket of connections. */
static __always_inline __u8 *connection_hint(__u32 bucket)
{
	__u32 key = bucket / SW_HINTED;
	struct sw_connection_hints *hints = bpf_map_lookup_elem(&connection_hints, &key);

	return hints ? &hints->of[bucket & (SW_HINTED - 1)] : NULL;
}

/*
 * May the connections know of a flow? Never no if they do: hints and filter are written under the
 * bucket's lock. Under a flood nearly every answer is no, and the hint alone gives it.
 */
static __always_inline bool may_have_connection(__u64 hash)
{
	__u32 bucket = sw_bucket_index(hash, load.connection_buckets);
	const struct sw_connection_filter *filter;
	const __u8 *hint = connection_hint(bucket);
	__u16 tag = sw_tag(hash);

	if (!hint || !(*hint & sw_hint_bit(tag)))
		return false;
	filter = bpf_map_lookup_elem(&connection_filter, &bucket);
	return filter && sw_filter_has(filter->all, tag);
}

/* Finds the two buckets of a flow. */
static __always_inline bool locate(__u64 hash, const struct sw_now *now, struct sw_place *place)
{
	__u32 handshake = sw_bucket_index(hash, load.handshake_buckets);
	__u32 connection = sw_bucket_index(hash, load.connection_buckets);
	const struct sw_settings *set = current_settings();

	place->handshakes = bpf_map_lookup_elem(&handshakes, &handshake);
	place->connections = bpf_map_lookup_elem(&connections, &connection);
	place->filter = bpf_map_lookup_elem(&connection_filter, &connection);
	place->hint = connection_hint(connection);
	if (!set || !place->handshakes || !place->connections || !place->filter || !place->hint)
		return false;
	place->timeout_ms = set->timeout_ms;
	place->owners = NULL;
	place->tag = sw_tag(hash);
	place->side = 0;
	place->now = *now;
	return true;
}

/* The same for a packet, with where it is seen. */
static __always_inline bool locate_seen(const struct inquiry *inquiry, struct sw_place *place)
{
	if (!locate(inquiry->hash, &inquiry->now, place))
		return false;
	place->side = inquiry->side;
	return true;
}

#endif
