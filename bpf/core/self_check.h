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
 * answer that came back cannot. And so long after it began, somebody would have.
 */
#define SW_CHECK_TRUST_MS 10000U
#define SW_CHECK_FIRST_MS 1500U

/*
 * How often SYNs that came again are halved: where few come, a client that tries again after one second, three
 * and seven is enough. Whoever was served, or not, counts half as soon as there are more of them than that.
 */
#define SW_CHECK_AGING_MS      2000U
#define SW_CHECK_SLOW_AGING_MS 20000U
#define SW_CHECK_FEW_SYNS      1000U /* a second */
#define SW_CHECK_RECENT	       6U

/*
 * So long the server has for saying something to whoever brought a cookie back, or for being found to have a socket. A
 * kernel that has heard its client's data has acknowledged them by the latter: it waits for 200 ms at most.
 */
#define SW_PROBE_RIPE_MS 200U
#define SW_PROBE_LATE_MS 600U

/* How long it stands aside, at first and at most; as at first again after having answered for so long. */
#define SW_CHECK_PAUSE_MS     30000U
#define SW_CHECK_MAX_PAUSE_MS (16U * 60 * 1000)
#define SW_CHECK_CALM_MS      (60U * 1000)

/* So long it tries, if nothing shows sooner. */
#define SW_CHECK_TRIAL_MS 10000U

/* So long after conntrack is told, what is found may be of before. */
#define SW_CHECK_SETTLING_MS 400U

/* How many repeated SYNs may pass where sources are challenged: in each period more, and at most so many. */
#define SW_SECOND_CHANCES     6U
#define SW_MAX_SECOND_CHANCES 32U

/* So many answered SYNs a second are remembered, to know them when they come again. */
#define SW_REMEMBERED_RATE 65536U

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

static __always_inline void forget_evidence(struct sw_self_check *check)
{
	check->repeated = 0;
	for (__u32 family = 0; family < SW_CHECK_FAMILIES; family++) {
		check->recent.served[family] = 0;
		check->recent.unserved[family] = 0;
	}
}

static __always_inline void add_probes(struct sw_self_check *check,
				       const struct sw_probe_counts *probed, bool counts)
{
	struct sw_probe_counts *recent = &check->recent;

	for (__u32 family = 0; family < SW_CHECK_FAMILIES; family++) {
		__u32 served = probed->served[family], unserved = probed->unserved[family];

		if (recent->served[family] + recent->unserved[family] > SW_CHECK_RECENT) {
			recent->served[family] /= 2;
			recent->unserved[family] /= 2;
		}
		if (counts) {
			recent->served[family] += served - check->last.served[family];
			recent->unserved[family] += unserved - check->last.unserved[family];
		}
		check->last.served[family] = served;
		check->last.unserved[family] = unserved;
		sw_forget_registers();
	}
}

/* Adds what a period showed; old things count less and less, but in a trial all of it. */
static __always_inline void add_evidence(struct sw_flood_state *state,
					 const struct sw_probe_counts *probed, __u32 now_ms)
{
	const __u64 *counts = state->period.counts;
	struct sw_self_check *check = &state->check;
	__u32 aging_ms = state->syn_rate < SW_CHECK_FEW_SYNS ? SW_CHECK_SLOW_AGING_MS :
							       SW_CHECK_AGING_MS;

	if (state->check_phase == SW_CHECK_ANSWERS && now_ms - check->aged_ms >= aging_ms) {
		check->aged_ms = now_ms;
		check->repeated /= 2;
	}
	add_probes(check, probed, now_ms - check->told_ms >= SW_CHECK_SETTLING_MS);
	check->repeated += counts[SW_EVIDENCE_REPEATED];
	if (!(counts[SW_EVIDENCE_BY_COOKIE] + counts[SW_EVIDENCE_PROVED]))
		return;
	check->through = 1;
	check->through_ms = now_ms;
	check->repeated = 0;
}

/* Which family is not served: most of those few that were looked at lately. SW_CHECK_FAMILIES: none. */
static __always_inline __u32 unserved_family(const struct sw_self_check *check)
{
	for (__u32 family = 0; family < SW_CHECK_FAMILIES; family++)
		if (check->recent.unserved[family] >= SW_CHECK_ENOUGH &&
		    check->recent.unserved[family] > check->recent.served[family])
			return family;
	return SW_CHECK_FAMILIES;
}

/* Has anybody come through within so much time? */
static __always_inline bool came_through(const struct sw_self_check *check, __u32 now_ms, __u32 ms)
{
	return check->through && now_ms - check->through_ms < ms;
}

/* Does it lock clients out, while it answers all? */
static __always_inline enum sw_check_reason check_reason(const struct sw_flood_state *state,
							 __u32 now_ms)
{
	const struct sw_self_check *check = &state->check;

	if (unserved_family(check) < SW_CHECK_FAMILIES)
		return SW_CHECK_REASON_UNSERVED;
	if (check->repeated >= SW_CHECK_ENOUGH && !came_through(check, now_ms, SW_CHECK_TRUST_MS) &&
	    now_ms - state->changed_ms >= SW_CHECK_FIRST_MS)
		return SW_CHECK_REASON_UNANSWERED;
	return SW_CHECK_REASON_NONE;
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
	__u32 family = unserved_family(check) & (SW_CHECK_FAMILIES - 1);

	check->pause_ms = anew ? SW_CHECK_PAUSE_MS : check->pause_ms * 2;
	if (check->pause_ms > SW_CHECK_MAX_PAUSE_MS)
		check->pause_ms = SW_CHECK_MAX_PAUSE_MS;
	check->reason = reason;
	check->found_repeated = check->repeated;
	check->found_served = check->recent.served[family];
	check->found_unserved = check->recent.unserved[family];
	check->found_family = family;
	if (state->check_phase == SW_CHECK_ANSWERS) {
		check->times++;
		check->since_ms = now_ms;
	}
	enter_check(state, SW_CHECK_ASIDE, now_ms);
}

/* The first remedy, before it steps aside: what does not serve clients may be a firewall with conntrack. */
static __always_inline bool begin_telling(struct sw_flood_state *state, enum sw_check_reason reason,
					  bool can_tell, __u32 now_ms)
{
	if (state->remedies & SW_REMEDY_CONNTRACK || !can_tell ||
	    reason != SW_CHECK_REASON_UNSERVED)
		return false;
	state->remedies |= SW_REMEDY_CONNTRACK;
	state->check.told_ms = now_ms;
	forget_evidence(&state->check);
	return true;
}

/*
 * What XDP sends does not arrive, it seems: what TC sends may. That is tried at once, the first time; later
 * trials are of the one and the other in turn.
 */
static __always_inline void try_by_tc(struct sw_flood_state *state, enum sw_check_reason reason,
				      __u32 now_ms)
{
	if (state->check.tried_tc || reason != SW_CHECK_REASON_UNANSWERED)
		return;
	state->check.tried_tc = 1;
	state->remedies |= SW_REMEDY_TC;
	state->check.pause_ms = 0; /* this is no try of what did not help before */
	enter_check(state, SW_CHECK_TRIES, now_ms);
}

/* What a trial has shown so far, of what it was begun for. */
static __always_inline enum sw_check_phase judge_trial(const struct sw_self_check *check,
						       __u32 now_ms)
{
	__u32 family = check->found_family & (SW_CHECK_FAMILIES - 1);
	__u32 served = check->recent.served[family], unserved = check->recent.unserved[family];
	__u32 ms = now_ms - check->changed_ms;

	if (unserved_family(check) < SW_CHECK_FAMILIES)
		return SW_CHECK_ASIDE;
	if (check->reason == SW_CHECK_REASON_UNSERVED) {
		if (served > unserved)
			return SW_CHECK_ANSWERS;
		return unserved && ms >= SW_CHECK_TRIAL_MS ? SW_CHECK_ASIDE : SW_CHECK_TRIES;
	}
	if (came_through(check, now_ms, ms))
		return SW_CHECK_ANSWERS;
	if (ms < SW_CHECK_TRIAL_MS)
		return SW_CHECK_TRIES;
	/* if nobody asked again, there was nobody to be harmed */
	return check->repeated ? SW_CHECK_ASIDE : SW_CHECK_ANSWERS;
}

static __always_inline enum sw_check_change look_at_trial(struct sw_flood_state *state,
							  __u32 now_ms)
{
	enum sw_check_reason reason = state->check.reason;

	switch (judge_trial(&state->check, now_ms)) {
	case SW_CHECK_ANSWERS:
		enter_check(state, SW_CHECK_ANSWERS, now_ms);
		return SW_CHECK_RESUMES;
	case SW_CHECK_ASIDE:
		if (unserved_family(&state->check) < SW_CHECK_FAMILIES)
			reason = SW_CHECK_REASON_UNSERVED;
		step_aside(state, reason, now_ms);
		return SW_CHECK_SAME;
	default:
		return SW_CHECK_SAME;
	}
}

/*
 * Looks at a period that has passed, which is state->period. Only one CPU may do so at a time. probed: all
 * that was counted of its sample so far. can_tell: the hand-over can tell conntrack.
 */
static __always_inline enum sw_check_change sw_self_check_look(struct sw_flood_state *state,
							       const struct sw_flood_rules *rules,
							       const struct sw_probe_counts *probed,
							       bool can_tell, __u32 now_ms)
{
	struct sw_self_check *check = &state->check;
	enum sw_check_reason reason;

	state->sample_shift = sw_sample_shift(state->syn_rate);
	state->second_chance += SW_SECOND_CHANCES;
	if (state->second_chance > SW_MAX_SECOND_CHANCES)
		state->second_chance = SW_MAX_SECOND_CHANCES;
	/* what was sent while the flood was on comes back after its end, too */
	if (!rules->self_check || !(state->on || state->honour))
		return SW_CHECK_SAME;
	add_evidence(state, probed, now_ms);
	if (state->check_phase == SW_CHECK_TRIES)
		return look_at_trial(state, now_ms);
	if (state->check_phase == SW_CHECK_ASIDE) {
		if (state->on && now_ms - check->changed_ms >= check->pause_ms) {
			/* what did not help is not tried again before the other */
			if (check->reason == SW_CHECK_REASON_UNANSWERED)
				state->remedies ^= SW_REMEDY_TC;
			enter_check(state, SW_CHECK_TRIES, now_ms);
		}
		return SW_CHECK_SAME;
	}
	reason = check_reason(state, now_ms);
	if (reason == SW_CHECK_REASON_NONE || begin_telling(state, reason, can_tell, now_ms))
		return SW_CHECK_SAME;
	step_aside(state, reason, now_ms);
	try_by_tc(state, reason, now_ms);
	return SW_CHECK_STEPS_ASIDE;
}

/* A policy that becomes the active one has it begin anew: the cause may have been mended. */
static __always_inline void sw_self_check_anew(struct sw_flood_state *state,
					       const struct sw_probe_counts *probed, __u32 now_ms)
{
	struct sw_self_check *check = &state->check;

	enter_check(state, SW_CHECK_ANSWERS, now_ms);
	check->last = *probed;
	state->remedies = 0;
	check->tried_tc = 0;
	state->tracked = 0;
	check->pause_ms = 0;
	check->through = 0;
}

/* ---- SYNs that come again */

/*
 * An answered SYN is remembered as a word: 25 bits of a hash of its flow and number, whether it came again
 * too soon, and when it came, in 128 ms modulo 64. Another one takes its place.
 */
#define SW_ANSWERED_SYNS   131072U
#define ANSWERED_TIME_BITS 6
#define ANSWERED_TIME_MASK 0x3fU
#define ANSWERED_SOON	   (1U << ANSWERED_TIME_BITS)
#define ANSWERED_TAG_MASK  0xffffff80U

/* A client repeats its SYN after a second, then after two, four... */
#define ANSWERED_SOONEST 4U /* half a second; eight are as long as can be told */

/* Of a SYN's flow, by its hash, and number; what differs in a few bits of a number, does so in the highest here. */
static __always_inline __u32 sw_answered_tag(__u64 flow, __u32 isn)
{
	return ((__u32)flow ^ isn * 0x9e3779b1U) & ANSWERED_TAG_MASK;
}

/* Is it one of those that are remembered, by the hash of its flow? */
static __always_inline bool sw_is_sampled(__u64 flow, __u8 shift)
{
	return !(flow >> 17 & ((1U << (shift & 15)) - 1));
}

static __always_inline __u32 sw_answered_index(__u64 flow)
{
	return flow >> 47;
}

/*
 * Remembers a SYN in its word, if it is answered. Returns whether it is one that comes again, as a client's
 * does: what is sent over and over by a machine comes sooner.
 */
static __always_inline bool sw_answered_note(volatile __u32 *word, __u32 tag, __u32 now_ms,
					     bool is_answered)
{
	__u32 last = *word, now = now_ms >> 7 & ANSWERED_TIME_MASK;
	__u32 ago = (now - last) & ANSWERED_TIME_MASK;

	if ((last & ANSWERED_TAG_MASK) != tag) {
		if (is_answered)
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
