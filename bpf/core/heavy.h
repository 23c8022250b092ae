/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_HEAVY_H
#define SYNWARD_CORE_HEAVY_H

/* The sketch of heavy sources: what include/synward/top.h promises of it is kept here. */

#include "../../include/synward/top.h"
#include "hash.h"

/* Of a source as sw_addr_host() has it: of either family one half says all. */
static __always_inline __u32 sw_heavy_index(const struct sw_addr *source, const __u64 seed[2])
{
	__u64 hash = sw_addr_is_v4(source) ? mix(source->halves[1] ^ seed[0]) :
					     mix(source->halves[0] ^ seed[1]);

	return hash & (SW_TOP_SETS - 1);
}

/* Leaves nothing of an older window behind. */
static __always_inline void heavy_begin(struct sw_top_set *set, __u32 window)
{
	for (__u32 way = 0; way < SW_TOP_WAYS; way++)
		set->entries[way].count = 0;
	set->window = window;
}

/*
 * The way of a source, or else that of the least, which a free one is. Among equals the first: the
 * sketch is to be the same wherever it is computed.
 */
static __always_inline __u32 heavy_find(const struct sw_top_set *set, const struct sw_addr *source)
{
	__u32 least = set->entries[0].count, victim = 0;

	for (__u32 way = 0; way < SW_TOP_WAYS; way++) {
		const struct sw_top_entry *entry = &set->entries[way];

		if (entry->count && sw_addr_equal(&entry->source, source))
			return way;
		if (entry->count < least) {
			least = entry->count;
			victim = way;
		}
	}
	return victim;
}

/* Counts weight events of a source, as sw_addr_host() has it, in the set that it belongs to. */
static __always_inline void sw_heavy_add(struct sw_top_set *set, const struct sw_addr *source,
					 __u32 window, __u32 weight)
{
	struct sw_top_entry *entry;

	if (set->window != window)
		heavy_begin(set, window);
	entry = &set->entries[heavy_find(set, source) & (SW_TOP_WAYS - 1)];
	if (!entry->count || !sw_addr_equal(&entry->source, source)) {
		entry->source = *source;
		entry->error = entry->count;
		entry->samples = 0;
	}
	entry->count += weight;
	entry->samples += weight == SW_TOP_SAMPLE;
}

/* The distance to the next sample. Knuth's MMIX generator: of its state the upper half is good. */
static __always_inline __u32 heavy_gap(struct sw_top_sampler *sampler)
{
	sampler->random = sampler->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return 1 + (__u32)(sampler->random >> 32) % SW_TOP_MAX_GAP;
}

/*
 * Is the next event one of the many that are passed over under a flood? Then it has been. Else
 * sw_heavy_weigh() says what it counts for.
 */
static __always_inline bool sw_heavy_pass(struct sw_top_sampler *sampler)
{
	if (sampler->gap <= 1)
		return false;
	sampler->gap--;
	return true;
}

/*
 * What the event at the end of a gap counts for, 1 or SW_TOP_SAMPLE, and how far it is to the next. A
 * new slice of time is noticed here only: what a flood has left of its last gap, others wait out.
 */
static __always_inline __u32 sw_heavy_weigh(struct sw_top_sampler *sampler, __u32 now_ms)
{
	__u32 slice = now_ms >> SW_TOP_EXACT_SHIFT, weight;

	if (!sampler->gap) { /* the first of all: the memory was zeroed */
		sampler->exact = 1;
		sampler->slice = ~slice;
	}
	weight = sampler->exact ? 1 : SW_TOP_SAMPLE;
	if (sampler->exact)
		sampler->exact--;
	if (sampler->slice != slice) {
		sampler->slice = slice;
		sampler->exact = SW_TOP_EXACT;
	}
	sampler->gap = 1;
	if (!sampler->exact) {
		sampler->gap = heavy_gap(sampler);
		sampler->drawn_ms = now_ms | 1;
	}
	return weight;
}

#endif
