/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SIDES_H
#define SYNWARD_CORE_SIDES_H

/*
 * Whether a service's handshakes are seen from both of their sides. One that is not says little: whoever spoofs an
 * address makes one with two segments. So it takes a share of them, from several sources, or most of very many.
 * There is no lock: what two CPUs write at a time may count one handshake less.
 */

#include "../../include/synward/tables.h"
#include "hash.h"

/* What is so old counts half; and the sources anew. */
#define SW_SIDES_WINDOW_MS (10U * 60 * 1000)

#define SW_ONE_SIDED_SHARE   20U /* one in so many, ... */
#define SW_ONE_SIDED_SOURCES 8U	 /* ... of so many sources; */
#define SW_ONE_SIDED_MANY                                                                          \
	16U /* or so many and every second one, of whomever: a proxy is one source */

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
	state->one_sided_sources = 0;
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
	__u32 all;

	begin_window(state, now_ms);
	state->window_one++;
	state->one_sided_sources |= 1ULL << (mix_end(source, 0, seed) & 63);
	all = state->window_one + state->window_both;
	if ((state->window_one * SW_ONE_SIDED_SHARE >= all &&
	     count_bits(state->one_sided_sources) >= SW_ONE_SIDED_SOURCES) ||
	    (state->window_one >= SW_ONE_SIDED_MANY && state->window_one * 2 >= all))
		state->one_sided_ms = now_ms;
}

#endif
