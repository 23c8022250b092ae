/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PROVEN_H
#define SYNWARD_CORE_PROVEN_H

/*
 * Who has completed a handshake. There is no lock: what two CPUs write to one place at a time may forget a
 * source, which then has to complete another one before it can be blocked.
 */

#include "../../include/synward/tables.h"
#include "hash.h"

/* Of a source; never 0: that is free. */
static __always_inline __u64 sw_proven_hash(const struct sw_addr *source, const __u64 seed[2])
{
	return mix_end(source, 0, seed) | 1ULL << 63;
}

static __always_inline struct sw_proven *sw_proven_find(struct sw_proven_line *line, __u64 hash)
{
	for (__u32 way = 0; way < SW_WAYS; way++)
		if (line->of[way].source == hash)
			return &line->of[way];
	return NULL;
}

/* Where one that is not there takes place: instead of who was heard of the longest time ago. */
static __always_inline struct sw_proven *sw_proven_place(struct sw_proven_line *line)
{
	struct sw_proven *oldest = &line->of[0];

	for (__u32 way = 0; way < SW_WAYS; way++) {
		struct sw_proven *one = &line->of[way];

		if (!one->source)
			return one;
		if ((__s32)(one->window_ms - oldest->window_ms) < 0)
			oldest = one;
	}
	return oldest;
}

/* A source has completed a handshake, again or for the first time. */
static __always_inline void sw_proven_note(struct sw_proven_line *line, __u64 hash, __u32 now_ms)
{
	struct sw_proven *known = sw_proven_find(line, hash);

	if (known) {
		/* its window does not begin before its first offence, so this is when it was heard of last */
		if (!known->offences)
			known->window_ms = now_ms;
		return;
	}
	known = sw_proven_place(line);
	known->source = 0;
	known->offences = 0;
	known->window_ms = now_ms;
	known->source = hash;
}

#endif
