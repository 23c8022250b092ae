/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TABLE_H
#define SYNWARD_TABLE_H

/* The table of connections for core/table.h: a map, and beside it what says from the cache that a flow is not there. */

#include "core/connections.h"
#include "core/filter.h"
#include "maps.h"

struct sw_table {
	__u32 size; /* in buckets */
};

static __always_inline struct sw_connection_bucket *sw_bucket_at(
	const struct sw_table *table __unused, __u32 index)
{
	return bpf_map_lookup_elem(&connections, &index);
}

/* How crowded a bucket is. By itself: its four places are as many branches, which the verifier would multiply. */
__noinline int crowd_at(__u32 index, __u32 now_ms)
{
	const struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &index);
	const struct sw_now now = { .ms = now_ms };

	if (!bucket)
		return SW_CROWD_LIVE | SW_WAYS;
	return sw_crowd_of(bucket, &now, settings.timeout_ms);
}

static __always_inline __u32 sw_crowd_at(const struct sw_table *table __unused, __u32 index,
					 const struct sw_now *now, const __u32 *timeout_ms __unused)
{
	return crowd_at(index, now->ms);
}

/* The caller holds its lock. Not inlined: the stack of who enters a connection is deep. */
__noinline int bucket_changed(__u32 index)
{
	const struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &index);
	struct sw_connection_filter *filter = bpf_map_lookup_elem(&connection_filter, &index);
	__u8 *hint = hint_in(connection_hints, index);

	if (!bucket || !filter || !hint)
		return 0;
	for (__u32 way = 0; way < SW_WAYS; way++)
		filter->tags[way] = bucket->tags[way];
	*hint = sw_hint_of(bucket->tags);
	return 0;
}

static __always_inline void sw_bucket_changed(__u32 index,
					      const struct sw_connection_bucket *bucket __unused)
{
	bucket_changed(index);
}

/* May a bucket have an entry of a tag? Never no if it has: hints and filter are written under its lock. */
static __always_inline bool may_have(__u32 bucket, __u16 tag)
{
	const struct sw_connection_filter *filter;
	const __u8 *hint = hint_in(connection_hints, bucket);

	if (!hint || !(*hint & sw_hint_bit(tag)))
		return false;
	filter = bpf_map_lookup_elem(&connection_filter, &bucket);
	return filter && sw_filter_has(filter->all, tag);
}

#endif
