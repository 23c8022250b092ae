/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SIDES_H
#define SYNWARD_CORE_SIDES_H

/*
 * Whether a service's handshakes are seen from both of their sides, and its connections from their beginning. One that
 * is not says little: whoever spoofs an address makes one with a few segments. So it takes a share of them, from
 * several sources, or most of very many. There is no lock: what two CPUs write at a time may count one less.
 */

#include "../../include/synward/tables.h"
#include "hash.h"

/* What is so old counts half; and the sources anew. */
#define SW_SIDES_WINDOW_MS (10U * 60 * 1000)

#define SW_UNLIKE_SHARE	  20U /* one in so many, ... */
#define SW_UNLIKE_SOURCES 8U  /* ... of so many sources; */
#define SW_UNLIKE_MANY	  16U /* or so many and every second one, of whomever: a proxy is one source */

static __always_inline __u32 count_bits(__u64 set)
{
	__u32 count = 0;

	for (__u32 i = 0; i < 64; i++)
		count += set >> i & 1;
	return count;
}

static __always_inline void begin_window(struct sw_service_state *state, __u32 now_ms)
{
	if (now_ms - state->window_ms < SW_SIDES_WINDOW_MS)
		return;
	state->window_ms = now_ms;
	state->window_both /= 2;
	state->window_one /= 2;
	state->window_moved /= 2;
	state->one_sided_sources = 0;
	state->moved_sources = 0;
}

/* Are so many of them, unlike those of which both sides were seen from their beginning on, too many? */
static __always_inline bool are_too_many(__u32 unlike, __u64 sources,
					 const struct sw_service_state *state)
{
	__u32 all = unlike + state->window_both;

	return (unlike * SW_UNLIKE_SHARE >= all && count_bits(sources) >= SW_UNLIKE_SOURCES) ||
	       (unlike >= SW_UNLIKE_MANY && unlike * 2 >= all);
}

static __always_inline __u64 source_bit(const struct sw_addr *source, const __u64 seed[2])
{
	struct sw_addr host = sw_addr_host(source);

	return 1ULL << (mix_end(&host, 0, seed) & 63);
}

/* So long after there were too many one-sided ones, a service is one of which not all comes by here. */
#define SW_ELSEWHERE_MS (60ULL * 60 * 1000)

/*
 * May the answers of a service take another way? Not if they were seen here, but for a share of them: whoever makes up
 * what its clients say cannot keep the service from answering.
 */
static __always_inline bool sw_answers_elsewhere(const struct sw_service_state *state, __u64 now_ms)
{
	return state->window_both < SW_ENOUGH_BOTH_SIDED ||
	       (state->one_sided_ms && now_ms - state->one_sided_ms < SW_ELSEWHERE_MS);
}

/* An attempt has shown both of its sides. */
static __always_inline void sw_saw_both_sides(struct sw_service_state *state, __u32 now_ms)
{
	begin_window(state, now_ms);
	state->window_both++;
	if (state->both_sided < SW_ENOUGH_BOTH_SIDED)
		__sync_fetch_and_add(&state->both_sided, 1);
}

/* An attempt of a source has gone on although only one of its sides was seen. now_ms does not wrap. */
static __always_inline void sw_saw_one_side(struct sw_service_state *state,
					    const struct sw_addr *source, const __u64 seed[2],
					    __u64 now_ms)
{
	begin_window(state, now_ms);
	state->window_one++;
	state->one_sided_sources |= source_bit(source, seed);
	if (are_too_many(state->window_one, state->one_sided_sources, state))
		state->one_sided_ms = now_ms;
}

/*
 * A connection with a source goes on, from both sides, whose beginning was not seen: it came from another gateway, or
 * its route has moved. now_ms does not wrap.
 */
static __always_inline void sw_saw_moved(struct sw_service_state *state,
					 const struct sw_addr *source, const __u64 seed[2],
					 __u64 now_ms)
{
	begin_window(state, now_ms);
	state->window_moved++;
	state->moved_sources |= source_bit(source, seed);
	if (are_too_many(state->window_moved, state->moved_sources, state))
		state->moved_ms = now_ms;
}

#endif
