/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SWEEP_H
#define SYNWARD_SWEEP_H

/*
 * Ends what silence has ended. A timer in the kernel walks both tables slice by slice, whatever
 * becomes of any process: it lives as long as its map is pinned.
 */

#include "core/follow.h"
#include "count.h"
#include "emit.h"
#include "enforce.h"
#include "flood.h"
#include "switch.h"

struct sweep_slice {
	struct sw_now now;
	__u32 first;
	bool force;
};

/* Ends what may be at its end in a way of a bucket, or with force whatever there is. */
__noinline int sweep_way(__u32 key, __u32 way, __u32 now_ms, int force)
{
	struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	struct sw_now now = { .ms = now_ms };
	struct sw_owner_bucket *owned = NULL;
	struct sw_handshake_step step = {};
	__u8 *hint = hint_in(handshake_hints, key);
	struct sw_counters *mine;
	struct sw_addr source;
	__u16 owner = 0;

	if (!bucket || !hint)
		return 0;
	if (policy_has(settings.policy, SW_HAS_HALF_OPEN | SW_HAS_OWNERS))
		owned = bpf_map_lookup_elem(&owners, &key);
	if (!sw_lock(&bucket->lock))
		return 0; /* the next round will find it again */
	if (force)
		bucket->expires_ms[way & (SW_WAYS - 1)] = now_ms - 1;
	sw_sweep_attempt(bucket, way, &now, settings.timeout_ms, &step);
	*hint = sw_hint_of(bucket->tags);
	if (owned && step.end) {
		owner = owned->owners[way & (SW_WAYS - 1)];
		owned->owners[way & (SW_WAYS - 1)] = 0;
	}
	sw_unlock(&bucket->lock);
	if (owner) {
		source = step.ended.orig;
		release(&source, owner);
	}
	if (step.end != SW_END_JUDGED)
		return 0;
	if (step.outcome == SW_OUTCOME_ONE_SIDED)
		note_one_sided(&step.ended, settings.policy);
	mine = my_counters();
	if (mine)
		count_end(mine, &step);
	emit_end(now_ms, SW_INGRESS, &step, NULL, 0, SW_LATENCY_UNKNOWN);
	return 0;
}

/* A look without the lock tells whether there is anything to do; most buckets have nothing. */
static long sweep_handshakes(__u32 i, void *context)
{
	const struct sweep_slice *slice = context;
	__u32 key = slice->first + i;
	struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);

	if (!bucket)
		return 1;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		if (bucket->tags[way] &&
		    (slice->force || is_expired(bucket->expires_ms[way], &slice->now)))
			sweep_way(key, way, slice->now.ms, slice->force);
	}
	return 0;
}

/* By itself, as sweep_way(): four places in one function are as many paths squared. Returns how many went. */
__noinline int sweep_connection(__u32 key, __u32 way, __u32 now_ms, int force)
{
	struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &key);
	const struct sw_now now = { .ms = now_ms };
	__u8 *hint = hint_in(connection_hints, key);
	bool freed;

	if (!bucket || !hint || !sw_lock(&bucket->lock))
		return 0;
	freed = sw_sweep_connection(bucket, way, &now, settings.timeout_ms, force,
				    policy_has(settings.policy, SW_HAS_STRICT));
	*hint = sw_hint_of(bucket->tags);
	sw_unlock(&bucket->lock);
	return freed;
}

static long sweep_connections(__u32 i, void *context)
{
	const struct sweep_slice *slice = context;
	__u32 key = slice->first + i, freed = 0;
	struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &key);
	struct sw_counters *mine;

	if (!bucket)
		return 1;
	for (__u32 way = 0; way < SW_WAYS; way++)
		if (bucket->tags[way] &&
		    (slice->force ||
		     sw_connection_is_due(bucket, way, &slice->now, settings.timeout_ms)))
			freed += sweep_connection(key, way, slice->now.ms, slice->force);
	if (!freed)
		return 0;
	mine = my_counters();
	if (mine)
		mine->tallies[SW_TALLY_CONNECTIONS_CLOSED] += freed;
	return 0;
}

/* How many buckets one slice takes: the whole table in SW_SWEEP_SLICES periods, or faster. */
static __always_inline __u32 slice_size(__u32 buckets)
{
	__u32 size = buckets / SW_SWEEP_SLICES;

	return size < SW_SWEEP_MIN_BUCKETS ? SW_SWEEP_MIN_BUCKETS : size;
}

static int sweep_tick(void *map __unused, __u32 *key __unused, struct sweeper *sweeper)
{
	struct sweep_slice slice = { .now.ms = clock_ms() };
	__u32 size;

	check_deadline(slice.now.ms);
	if (!(++sweeper->ticks & 15))
		end_auto_blocks();
	if (sweeper->ticks % SW_FLOOD_TICKS == 0)
		look_for_floods(slice.now.ms);
	size = slice_size(load.handshake_buckets);
	slice.first = sweeper->handshake_bucket;
	bpf_loop(size, sweep_handshakes, &slice, 0);
	sweeper->handshake_bucket = slice.first + size < load.handshake_buckets ?
					    slice.first + size :
					    0;

	size = slice_size(load.connection_buckets);
	slice.first = sweeper->connection_bucket;
	bpf_loop(size, sweep_connections, &slice, 0);
	sweeper->connection_bucket = slice.first + size < load.connection_buckets ?
					     slice.first + size :
					     0;
	sweeper->swept_ns = bpf_ktime_get_ns();
	bpf_timer_start(&sweeper->timer, SW_SWEEP_PERIOD_NS, 0);
	return 0;
}

#endif
