/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_DECIDE_H
#define SYNWARD_CORE_DECIDE_H

#include "../../include/synward/anomaly.h"
#include "../../include/synward/policy.h"
#include "../../include/synward/verdict.h"

/* What is to be done about a packet for its anomalies. */
struct sw_decision {
	__u64 would_drop; /* those that would drop it if the rules were enforced */
	__u64 dropped;	  /* those that did */
	enum sw_verdict verdict;
};

/* What is known of the packet's flow, and whether the rules are in force. */
struct sw_standing {
	bool symmetric; /* both directions of the flow have been seen, and its SYN */
	bool ready;	/* what belongs to nothing known may be taken for what it seems */
	bool enforced;
};

/*
 * Was so much seen lately that should not be there, that strict rules wait? Times are milliseconds of a clock that does
 * not wrap; another CPU may have read it a moment later.
 */
static __always_inline bool sw_is_suspended(const struct sw_rules *rules,
					    const struct sw_service_state *state, __u64 now_ms)
{
	__u32 suspension_ms = sw_suspension_ms(rules);

	return (state->one_sided_ms && (__s64)(now_ms - state->one_sided_ms) < suspension_ms) ||
	       (state->moved_ms && (__s64)(now_ms - state->moved_ms) < suspension_ms);
}

/*
 * May a segment that belongs to nothing known be dropped for it? Only after we have watched its interface for a
 * while, and where handshakes are seen from both sides: on an asymmetric route they never are.
 * Where many are seen from one side only, or connections from elsewhere, that is suspended for a while.
 */
static __always_inline bool sw_is_ready(const struct sw_rules *rules,
					const struct sw_service_state *state,
					__u64 watching_since_ms, __u64 now_ms)
{
	return (__s64)(now_ms - watching_since_ms) >= rules->warm_up_ms &&
	       state->both_sided >= SW_ENOUGH_BOTH_SIDED && !sw_is_suspended(rules, state, now_ms);
}

/* The anomalies that may drop at all by these rules. */
static __always_inline __u64 sw_droppable(const struct sw_rules *rules)
{
	return rules->drop | (rules->strict ? rules->strict_drop : 0);
}

/*
 * Deciding is one AND with what the rules drop, less what would be a guess here: an anomaly whose
 * default action is strict depends on having seen the flow's beginning, whatever the policy makes
 * of it, and drop_sym on having seen both of its directions.
 */
static __always_inline struct sw_decision sw_decide(__u64 anomalies, const struct sw_rules *rules,
						    const struct sw_standing *standing)
{
	__u64 certain = anomalies & sw_droppable(rules);
	struct sw_decision decision = { .verdict = SW_VERDICT_PASSED };

	if (!standing->symmetric)
		certain &= ~SW_MASK_DROP_SYM;
	if (!standing->ready)
		certain &= ~SW_MASK_STRICT;
	if (!standing->enforced) {
		decision.would_drop = certain;
	} else if (certain) {
		decision.dropped = certain;
		decision.verdict = SW_VERDICT_DROPPED;
	}
	return decision;
}

#endif
