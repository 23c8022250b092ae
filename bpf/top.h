/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TOP_NOTE_H
#define SYNWARD_TOP_NOTE_H

/*
 * Heavy sources, each CPU's own: whoever calls top_note() does so with softirqs off, as for all
 * counters, and no other CPU writes what it writes. Readers look twice.
 */

#include "core/heavy.h"
#include "maps.h"

/* Key: sw_top_key(). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SW_TOP_KEYS);
	__type(key, __u32);
	__type(value, struct sw_top_set);
} top_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_top_samplers);
} top_samplers SEC(".maps");

/* Counts an event of a source for as much as it stands for. Returns that. */
__noinline int top_take(struct sw_top_sampler *sampler, const struct sw_addr *addr, __u32 kind,
			__u32 now_ms)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	__u32 window = sw_top_window(now_ms), key, weight;
	struct sw_top_set *set;
	struct sw_addr source;

	if (!sampler || !addr)
		return 0;
	if (!sampler->random)
		sampler->random = 1 + (__u64)bpf_get_prandom_u32();
	weight = sw_heavy_weigh(sampler, now_ms);
	source = sw_addr_host(addr);
	key = sw_top_key(kind, window, sw_heavy_index(&source, seed));
	set = bpf_map_lookup_elem(&top_sources, &key);
	if (!set)
		return 0;
	sw_heavy_add(set, &source, window, weight);
	return weight;
}

/*
 * Tells that a source has sent something of a kind, at clock_ms(). Under a flood nearly all are
 * passed over right here.
 */
static __always_inline void top_note(const struct sw_addr *source, enum sw_top_kind kind,
				     __u32 now_ms)
{
	__u32 zero = 0;
	struct sw_top_samplers *all = bpf_map_lookup_elem(&top_samplers, &zero);
	struct sw_top_sampler *mine;

	if (!all)
		return;
	mine = &all->kinds[kind & (SW_TOP_KIND_COUNT - 1)];
	if (!sw_heavy_pass(mine))
		top_take(mine, source, kind, now_ms);
}

#endif
