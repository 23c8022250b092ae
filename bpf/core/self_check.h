/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SELF_CHECK_H
#define SYNWARD_CORE_SELF_CHECK_H

/*
 * Whether the defence of a service does more harm than good. What it sends may never arrive, and what it
 * hands over may be thrown away behind it: then clients fail that would have got in without it. Both are
 * seen: SYNs come again although they were answered, and nobody comes through; or clients prove themselves,
 * and the server does not take them. Then it steps aside, and tries again after a pause that grows.
 */

#include "../../include/synward/flood.h"

/* So much must speak against it: one or two have reasons of their own. */
#define SW_CHECK_ENOUGH 3U

/*
 * For so long whoever came through speaks for it, against SYNs that come again. Those can be made up; an
 * answer that came back cannot.
 */
#define SW_CHECK_TRUST_MS 10000U

/* What was counted is halved so often, and when there is more of it than that. */
#define SW_CHECK_AGING_MS 2000U
#define SW_CHECK_RECENT	  6U

/* How long it stands aside, at first and at most; as at first again after having answered for so long. */
#define SW_CHECK_PAUSE_MS     30000U
#define SW_CHECK_MAX_PAUSE_MS (16U * 60 * 1000)
#define SW_CHECK_CALM_MS      (60U * 1000)

/* So long it tries, if nobody comes: then it has found out nothing, and goes on. */
#define SW_CHECK_TRIAL_MS 10000U

/* How many repeated SYNs may pass where sources are challenged: in each period more, and at most so many. */
#define SW_SECOND_CHANCES     6U
#define SW_MAX_SECOND_CHANCES 32U

/* So many answered SYNs a second are remembered, to know them when they come again. */
#define SW_REMEMBERED_RATE 131072U

enum sw_check_change {
	SW_CHECK_SAME,
	SW_CHECK_STEPS_ASIDE,
	SW_CHECK_RESUMES,
};

/* Of so many SYNs a second, as a power of two, one is remembered. */
static __always_inline __u8 sw_sample_shift(__u32 syn_rate)
{
	__u8 shift = 0;

	while (shift < 15 && syn_rate >> shift > SW_REMEMBERED_RATE)
		shift++;
	return shift;
}

/* Adds what a period showed; old things count less and less. */
static __always_inline void add_evidence(struct sw_self_check *check, const __u64 *counts,
					 __u32 now_ms)
{
	__u64 through = counts[SW_EVIDENCE_BY_COOKIE] + counts[SW_EVIDENCE_PROVED];

	if (now_ms - check->aged_ms >= SW_CHECK_AGING_MS) {
		check->aged_ms = now_ms;
		check->repeated /= 2;
	}
	if (check->served + check->unserved > SW_CHECK_RECENT) {
		check->served /= 2;
		check->unserved /= 2;
	}
	check->repeated += counts[SW_EVIDENCE_REPEATED];
	check->served += counts[SW_EVIDENCE_SERVED];
	check->unserved += counts[SW_EVIDENCE_UNSERVED];
	if (!through)
		return;
	check->through = 1;
	check->through_ms = now_ms;
	check->repeated = 0;
}

/* Is it unheard, or not taken seriously? */
static __always_inline enum sw_check_reason check_reason(const struct sw_self_check *check,
							 __u32 now_ms)
{
	if (check->unserved >= SW_CHECK_ENOUGH && check->unserved > check->served)
		return SW_CHECK_REASON_UNSERVED;
	if (check->repeated >= SW_CHECK_ENOUGH &&
	    (!check->through || now_ms - check->through_ms >= SW_CHECK_TRUST_MS))
		return SW_CHECK_REASON_UNANSWERED;
	return SW_CHECK_REASON_NONE;
}

static __always_inline void forget_evidence(struct sw_self_check *check)
{
	check->through = 0;
	check->repeated = 0;
	check->served = 0;
	check->unserved = 0;
}

static __always_inline void enter_check(struct sw_flood_state *state, enum sw_check_phase phase,
					__u32 now_ms)
{
	state->check_phase = phase;
	state->check.changed_ms = now_ms;
	forget_evidence(&state->check);
}

static __always_inline void step_aside(struct sw_flood_state *state, enum sw_check_reason reason,
				       __u32 now_ms)
{
	struct sw_self_check *check = &state->check;
	bool anew = !check->pause_ms || (state->check_phase == SW_CHECK_ANSWERS &&
					 now_ms - check->changed_ms >= SW_CHECK_CALM_MS);

	check->pause_ms = anew ? SW_CHECK_PAUSE_MS : check->pause_ms * 2;
	if (check->pause_ms > SW_CHECK_MAX_PAUSE_MS)
		check->pause_ms = SW_CHECK_MAX_PAUSE_MS;
	check->reason = reason;
	check->found_repeated = check->repeated;
	check->found_served = check->served;
	check->found_unserved = check->unserved;
	if (state->check_phase == SW_CHECK_ANSWERS) {
		check->times++;
		check->since_ms = now_ms;
	}
	enter_check(state, SW_CHECK_ASIDE, now_ms);
}

/* Has a trial shown that clients get through, and are served? A challenge's own SYN passes. */
static __always_inline bool is_well(const struct sw_self_check *check, __u32 now_ms)
{
	if (check->reason == SW_CHECK_REASON_UNSERVED)
		return check->served > check->unserved;
	return check->through || now_ms - check->changed_ms >= SW_CHECK_TRIAL_MS;
}

/*
 * Looks at a period that has passed, which is state->period. Only one CPU may do so at a time. While it
 * tries, one sign is enough: it has been wrong before.
 */
static __always_inline enum sw_check_change sw_self_check_look(struct sw_flood_state *state,
							       const struct sw_flood_rules *rules,
							       __u32 now_ms)
{
	struct sw_self_check *check = &state->check;
	enum sw_check_phase phase = state->check_phase;
	enum sw_check_reason reason;

	state->sample_shift = sw_sample_shift(state->syn_rate);
	state->second_chance += SW_SECOND_CHANCES;
	if (state->second_chance > SW_MAX_SECOND_CHANCES)
		state->second_chance = SW_MAX_SECOND_CHANCES;
	/* what was sent while the flood was on comes back after its end, too */
	if (!rules->self_check || !(state->on || state->honour))
		return SW_CHECK_SAME;
	if (phase == SW_CHECK_ASIDE) {
		if (state->on && now_ms - check->changed_ms >= check->pause_ms)
			enter_check(state, SW_CHECK_TRIES, now_ms);
		return SW_CHECK_SAME;
	}
	add_evidence(check, state->period.counts, now_ms);
	if (phase == SW_CHECK_TRIES && (check->unserved || check->repeated))
		reason = check->unserved ? SW_CHECK_REASON_UNSERVED : SW_CHECK_REASON_UNANSWERED;
	else
		reason = check_reason(check, now_ms);
	if (phase == SW_CHECK_TRIES && reason == SW_CHECK_REASON_NONE) {
		if (!is_well(check, now_ms))
			return SW_CHECK_SAME;
		enter_check(state, SW_CHECK_ANSWERS, now_ms);
		return SW_CHECK_RESUMES;
	}
	if (reason == SW_CHECK_REASON_NONE)
		return SW_CHECK_SAME;
	step_aside(state, reason, now_ms);
	return phase == SW_CHECK_ANSWERS ? SW_CHECK_STEPS_ASIDE : SW_CHECK_SAME;
}

/* ---- SYNs that come again */

/*
 * An answered SYN is remembered as a word: 23 bits of a hash of its flow and number, whether it came again
 * too soon, and when it came, in 64 ms modulo 256. Another one takes its place.
 */
#define SW_ANSWERED_SYNS   262144U
#define ANSWERED_TIME_BITS 8
#define ANSWERED_TIME_MASK 0xffU
#define ANSWERED_SOON	   (1U << ANSWERED_TIME_BITS)
#define ANSWERED_TAG_MASK  0xfffffe00U

/* A client repeats its SYN after a second, then after two, four... */
#define ANSWERED_SOONEST 8U   /* half a second */
#define ANSWERED_LATEST	 128U /* eight */

static __always_inline __u64 sw_answered_hash(__u64 flow, __u32 isn)
{
	return (flow ^ isn * 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;
}

/* Is it one of those that are remembered? The highest bits of a product depend on all of its factors'. */
static __always_inline bool sw_is_sampled(__u64 hash, __u8 shift)
{
	return !(hash >> 49 & ((1U << (shift & 15)) - 1));
}

static __always_inline __u32 sw_answered_index(__u64 hash)
{
	return hash >> 31 & (SW_ANSWERED_SYNS - 1);
}

/*
 * Remembers a SYN that is answered in its word. Returns whether it is one that comes again, as a client's
 * does: what is sent over and over by a machine comes sooner.
 */
static __always_inline bool sw_answered_note(volatile __u32 *word, __u64 hash, __u32 now_ms)
{
	__u32 last = *word, now = now_ms >> 6 & ANSWERED_TIME_MASK;
	__u32 tag = (__u32)hash << 1 & ANSWERED_TAG_MASK, ago = (now - last) & ANSWERED_TIME_MASK;

	if ((last & ANSWERED_TAG_MASK) != tag || ago > ANSWERED_LATEST) {
		*word = tag | now;
		return false;
	}
	if (ago < ANSWERED_SOONEST) {
		*word = last | ANSWERED_SOON;
		return false;
	}
	*word = tag | now | (last & ANSWERED_SOON);
	return !(last & ANSWERED_SOON);
}

#endif
