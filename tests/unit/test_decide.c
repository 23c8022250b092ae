// SPDX-License-Identifier: GPL-2.0-or-later
/* What is dropped, what would be, and that the two never overlap: each anomaly, each action. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

#define ALL ((1ULL << SW_ANOMALY_COUNT) - 1)

/* What a policy may say about one anomaly. */
enum action { COUNT, DROP, STRICT, ACTIONS };

static struct sw_rules rules_of(__u64 bit, enum action action, bool strict)
{
	struct sw_rules rules;

	sw_rules_default(&rules);
	rules.drop = action == DROP ? bit : ~bit;
	rules.strict_drop = action == STRICT ? bit : ~bit;
	rules.strict = strict;
	return rules;
}

/* The rule in words: what the action, the mode and the anomaly's nature make of it. */
static bool may_drop(__u64 bit, enum action action, bool strict, const struct sw_standing *standing)
{
	if (action == COUNT || (action == STRICT && !strict))
		return false;
	if (bit & SW_MASK_DROP_SYM && !standing->symmetric)
		return false;
	return !(bit & SW_MASK_STRICT) || standing->ready;
}

static void each_action_of_each_anomaly(void **state __unused)
{
	for (__u32 i = 0; i < SW_ANOMALY_COUNT * ACTIONS * 16; i++) {
		__u64 bit = 1ULL << i / 16 / ACTIONS;
		enum action action = i / 16 % ACTIONS;
		bool strict = i & 8;
		const struct sw_standing standing = { i & 1, i & 2, i & 4 };
		struct sw_rules rules = rules_of(bit, action, strict);
		struct sw_decision decision;
		bool drops;

		if (action == COUNT)
			rules.strict_drop = ~bit;
		if (action == DROP)
			rules.strict_drop = 0;
		if (action == STRICT)
			rules.drop = 0;
		drops = may_drop(bit, action, strict, &standing);
		decision = sw_decide(bit, &rules, &standing);
		assert_true(decision.dropped == (drops && standing.enforced ? bit : 0));
		assert_true(decision.would_drop == (drops && !standing.enforced ? bit : 0));
		assert_int_equal(decision.verdict,
				 decision.dropped ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED);
	}
}

static void the_default_watches(void **state __unused)
{
	const struct sw_standing standing = { .symmetric = true, .ready = true };
	struct sw_decision decision;
	struct sw_rules rules;

	sw_rules_default(&rules);
	assert_false(rules.enforce);
	decision = sw_decide(ALL, &rules, &standing);
	assert_int_equal(decision.verdict, SW_VERDICT_PASSED);
	assert_true(decision.would_drop == (SW_MASK_DROP | SW_MASK_DROP_SYM));
}

static void one_reason_is_enough(void **state __unused)
{
	const struct sw_standing standing = { .enforced = true };
	struct sw_decision decision;
	struct sw_rules rules;

	sw_rules_default(&rules);
	decision = sw_decide(ALL, &rules, &standing);
	assert_int_equal(decision.verdict, SW_VERDICT_DROPPED);
	assert_true(decision.dropped == SW_MASK_DROP);
}

static void nothing_wrong_is_passed(void **state __unused)
{
	const struct sw_standing standing = { true, true, true };
	struct sw_rules rules = { .drop = ~0ULL, .strict_drop = ~0ULL, .strict = 1 };
	struct sw_decision decision = sw_decide(0, &rules, &standing);

	assert_int_equal(decision.verdict, SW_VERDICT_PASSED);
	assert_true(decision.dropped == 0);
}

/* ---- when what belongs to nothing known may be taken for what it seems */

static bool is_ready(__u32 both_sided, __u64 one_sided_ms, __u64 watching_since_ms, __u64 now_ms)
{
	const struct sw_rules rules = { .warm_up_ms = 1000 };
	const struct sw_service_state state = { .both_sided = both_sided,
						.one_sided_ms = one_sided_ms };

	return sw_is_ready(&rules, &state, watching_since_ms, now_ms);
}

static void trust_takes_time_and_handshakes(void **state __unused)
{
	const __u32 enough = SW_ENOUGH_BOTH_SIDED;

	assert_false(is_ready(enough, 0, 5000, 5999));
	assert_true(is_ready(enough, 0, 5000, 6000));
	assert_false(is_ready(enough - 1, 0, 5000, 6000));
	assert_true(is_ready(enough + 1, 0, 5000, 1ULL << 40));
	assert_false(is_ready(enough, 7000, 5000, 6999 + SW_MIN_SUSPENSION_MS));
	assert_true(is_ready(enough, 7000, 5000, 7000 + SW_MIN_SUSPENSION_MS));
	assert_false(is_ready(0, 7000, 5000, 7000 + SW_MIN_SUSPENSION_MS));
	/* another CPU has read the clock a moment later, and noted that */
	assert_false(is_ready(enough, 0, 5000, 4996));
	assert_false(is_ready(enough, 7000, 5000, 6996));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_action_of_each_anomaly),
		cmocka_unit_test(the_default_watches),
		cmocka_unit_test(one_reason_is_enough),
		cmocka_unit_test(nothing_wrong_is_passed),
		cmocka_unit_test(trust_takes_time_and_handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
