/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_FLOOD_H
#define SYNWARD_CORE_FLOOD_H

/*
 * Whether a service is under a flood. Going on is a matter of one period, going off takes calm for
 * a while; and what a flood leaves behind in the tables is not taken for the next one. So it does
 * not flap, whatever a sender does: the most that he gets is one change for each calm_ms.
 */

#include "../../include/synward/flood.h"
#include "repeat.h"

/* Cookies are honoured for this long after the last one was sent. */
#define SW_FLOOD_HONOUR_MS (200U * 1000)

enum sw_flood_change {
	SW_FLOOD_SAME,
	SW_FLOOD_BEGINS,
	SW_FLOOD_ENDS,
};

static __always_inline __u32 flood_rate(__u64 count, __u32 elapsed_ms)
{
	return count * 1000 / elapsed_ms;
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
	state->began = state->period;
	sw_forget_registers();
	state->whole = state->period;
	state->honour = 1;
	state->on = 1;
}

static __always_inline void end_flood(struct sw_flood_state *state, __u32 now_ms)
{
	state->left_open = state->half_open;
	state->changed_ms = now_ms;
	state->on = 0;
}

struct sketch_walk {
	const __u64 *sketch;
	__u32 bits;
};

static long add_bits(__u32 i, void *context)
{
	struct sketch_walk *walk = context;

	walk->bits += __builtin_popcountll(walk->sketch[i & (SW_FLOOD_SKETCH_BITS / 64 - 1)]);
	return 0;
}

static __always_inline __u32 sketch_bits(const __u64 *sketch)
{
	struct sketch_walk walk = { .sketch = sketch };

	sw_repeat(SW_FLOOD_SKETCH_BITS / 64, add_bits, &walk);
	return walk.bits;
}

/* Makes a period of what was counted since the last look, and begins the next one. */
static __always_inline void close_period(struct sw_flood_state *state, __u32 elapsed_ms,
					 const __u64 *totals, __u32 half_open)
{
	struct sw_flood_evidence *period = &state->period;

	for (__u32 i = 0; i < SW_EVIDENCE_SLOTS; i++) {
		period->counts[i] = totals[i] > state->totals[i] ? totals[i] - state->totals[i] : 0;
		state->totals[i] = totals[i];
		sw_forget_registers(); /* the stack has no room for all of them */
	}
	period->ms = elapsed_ms;
	period->half_open = half_open;
	period->source_bits = sketch_bits(state->sources);
	period->queue = state->queue;
	period->queue_room = state->queue_room;
	__builtin_memset(state->sources, 0, sizeof(state->sources));
	state->queue = 0;
	state->queue_room = 0;
}

static __always_inline __u32 more(__u32 a, __u32 b)
{
	return a > b ? a : b;
}

/* Adds a period to evidence of several. */
static __always_inline void sw_evidence_add(struct sw_flood_evidence *to,
					    const struct sw_flood_evidence *period)
{
	for (__u32 i = 0; i < SW_EVIDENCE_SLOTS; i++) {
		to->counts[i] += period->counts[i];
		sw_forget_registers();
	}
	to->ms += period->ms;
	to->half_open = more(to->half_open, period->half_open);
	to->source_bits = more(to->source_bits, period->source_bits);
	to->queue = more(to->queue, period->queue);
	to->queue_room = more(to->queue_room, period->queue_room);
}

static __always_inline void update_rates(struct sw_flood_state *state)
{
	const struct sw_flood_evidence *period = &state->period;

	state->syn_rate = flood_rate(period->counts[SW_EVIDENCE_SYNS], period->ms);
	state->completed_rate = flood_rate(period->counts[SW_EVIDENCE_COMPLETED], period->ms);
	state->half_open = period->half_open;
	if (state->left_open > period->half_open)
		state->left_open = period->half_open;
}

/* While on: is it over? */
static __always_inline bool is_over(struct sw_flood_state *state,
				    const struct sw_flood_rules *rules, __u32 now_ms)
{
	state->honour_ms = now_ms + SW_FLOOD_HONOUR_MS;
	state->on_ms += state->period.ms;
	sw_evidence_add(&state->whole, &state->period);
	if (rules->mode == SW_FLOOD_ALWAYS)
		return false;
	if (rules->mode == SW_FLOOD_OFF)
		return true;
	if (!is_calm(state, rules))
		state->calm_ms = now_ms;
	return now_ms - state->calm_ms >= rules->calm_ms;
}

/*
 * Looks at a period that has passed, given all that was counted so far and how many handshakes are
 * unfinished now. Only one CPU may do so at a time.
 */
static __always_inline enum sw_flood_change sw_flood_look(struct sw_flood_state *state,
							  const struct sw_flood_rules *rules,
							  __u32 now_ms, const __u64 *totals,
							  __u32 half_open)
{
	/* the first period has no beginning: it is taken for one as any other */
	__u32 elapsed_ms = state->looked_ms ? now_ms - state->looked_ms : SW_FLOOD_PERIOD_MS;
	enum sw_flood_reason reason;

	if (!elapsed_ms)
		return SW_FLOOD_SAME;
	close_period(state, elapsed_ms, totals, half_open);
	update_rates(state);
	state->looked_ms = now_ms;
	if (state->honour && !state->on && (__s32)(now_ms - state->honour_ms) >= 0)
		state->honour = 0;
	if (state->on) {
		if (!is_over(state, rules, now_ms))
			return SW_FLOOD_SAME;
		end_flood(state, now_ms);
		return SW_FLOOD_ENDS;
	}
	reason = flood_reason(state, rules);
	if (reason == SW_FLOOD_REASON_NONE)
		return SW_FLOOD_SAME;
	begin_flood(state, reason, now_ms);
	return SW_FLOOD_BEGINS;
}

#endif
