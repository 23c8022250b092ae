/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_FLOOD_H
#define SYNWARD_CORE_FLOOD_H

/*
 * Whether a service is under a flood. Going on is a matter of one period, going off takes calm for
 * a while; and what a flood leaves behind in the tables is not taken for the next one. So it does
 * not flap, whatever a sender does: the most that he gets is one change for each calm_ms.
 */

#include "../../include/synward/flood.h"

/* Cookies are honoured for this long after the last one was sent. */
#define SW_FLOOD_HONOUR_MS (200U * 1000)

enum sw_flood_change {
	SW_FLOOD_SAME,
	SW_FLOOD_BEGINS,
	SW_FLOOD_ENDS,
};

static __always_inline __u32 flood_rate(__u64 now, __u64 before, __u32 elapsed_ms)
{
	return now > before ? (now - before) * 1000 / elapsed_ms : 0;
}

/* Is this period one of a flood, and by what? */
static __always_inline enum sw_flood_reason flood_reason(const struct sw_flood_state *state,
							 const struct sw_flood_rules *rules)
{
	if (rules->mode == SW_FLOOD_ALWAYS)
		return SW_FLOOD_REASON_ALWAYS;
	if (rules->mode != SW_FLOOD_ADAPTIVE)
		return SW_FLOOD_REASON_NONE;
	if (state->half_open >= rules->half_open && state->half_open > state->left_open)
		return SW_FLOOD_REASON_HALF_OPEN;
	if (state->syn_rate >= rules->syn_rate && state->completed_rate < state->syn_rate / 2)
		return SW_FLOOD_REASON_SYN_RATE;
	return SW_FLOOD_REASON_NONE;
}

/* While on: has less than half of a flood's SYNs come, or were most completed? */
static __always_inline bool is_calm(const struct sw_flood_state *state,
				    const struct sw_flood_rules *rules)
{
	return state->syn_rate < rules->syn_rate / 2 ||
	       state->completed_rate >= state->syn_rate / 2;
}

static __always_inline void begin_flood(struct sw_flood_state *state, enum sw_flood_reason reason,
					__u32 now_ms)
{
	state->reason = reason;
	state->changed_ms = now_ms;
	state->calm_ms = now_ms;
	state->floods++;
	state->honour = 1;
	state->on = 1;
}

static __always_inline void end_flood(struct sw_flood_state *state, __u32 now_ms)
{
	state->left_open = state->half_open;
	state->changed_ms = now_ms;
	state->on = 0;
}

/*
 * Looks at a period that has passed, given the totals of SYNs and of completed handshakes and how
 * many are unfinished now. Only one CPU may do so at a time.
 */
static __always_inline enum sw_flood_change sw_flood_look(struct sw_flood_state *state,
							  const struct sw_flood_rules *rules,
							  __u32 now_ms, __u64 syns, __u64 completed,
							  __u32 half_open)
{
	__u32 elapsed_ms = now_ms - state->looked_ms;
	enum sw_flood_reason reason;

	if (!elapsed_ms)
		return SW_FLOOD_SAME;
	state->syn_rate = flood_rate(syns, state->syns, elapsed_ms);
	state->completed_rate = flood_rate(completed, state->completed, elapsed_ms);
	state->half_open = half_open;
	state->syns = syns;
	state->completed = completed;
	state->looked_ms = now_ms;
	if (state->left_open > half_open)
		state->left_open = half_open;
	if (state->honour && !state->on && (__s32)(now_ms - state->honour_ms) >= 0)
		state->honour = 0;
	reason = flood_reason(state, rules);
	if (!state->on) {
		if (reason == SW_FLOOD_REASON_NONE)
			return SW_FLOOD_SAME;
		begin_flood(state, reason, now_ms);
		return SW_FLOOD_BEGINS;
	}
	state->honour_ms = now_ms + SW_FLOOD_HONOUR_MS;
	if (rules->mode == SW_FLOOD_ALWAYS)
		return SW_FLOOD_SAME;
	if (rules->mode == SW_FLOOD_ADAPTIVE && !is_calm(state, rules))
		state->calm_ms = now_ms;
	if (now_ms - state->calm_ms < rules->calm_ms && rules->mode == SW_FLOOD_ADAPTIVE)
		return SW_FLOOD_SAME;
	end_flood(state, now_ms);
	return SW_FLOOD_ENDS;
}

#endif
