// SPDX-License-Identifier: GPL-2.0-or-later
/* What is dropped, what would be, and that the two never overlap, for each anomaly by itself. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

#define ALL ((1ULL << SW_ANOMALY_COUNT) - 1)

static void watching_drops_nothing(void **state __unused)
{
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++) {
		for (int symmetric = 0; symmetric < 2; symmetric++) {
			__u64 bit = 1ULL << i;
			__u64 drops = SW_MASK_DROP | (symmetric ? SW_MASK_DROP_SYM : 0);
			struct sw_decision decision = sw_decide(bit, 0, symmetric);

			assert_int_equal(decision.verdict, SW_VERDICT_PASSED);
			assert_true(decision.dropped == 0);
			assert_true(decision.would_drop == (bit & drops));
		}
	}
}

static void only_the_armed_drop(void **state __unused)
{
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++) {
		__u64 bit = 1ULL << i;
		struct sw_decision armed = sw_decide(bit, bit, true);
		struct sw_decision others = sw_decide(bit, ~bit, true);

		assert_int_equal(armed.verdict, SW_VERDICT_DROPPED);
		assert_true(armed.dropped == bit);
		assert_true(armed.would_drop == 0);
		assert_int_equal(others.verdict, SW_VERDICT_PASSED);
		assert_true(others.dropped == 0);
		assert_true(others.would_drop == (bit & (SW_MASK_DROP | SW_MASK_DROP_SYM)));
	}
}

static void without_both_directions_some_never_drop(void **state __unused)
{
	struct sw_decision decision = sw_decide(SW_MASK_DROP_SYM, ALL, false);

	assert_int_equal(decision.verdict, SW_VERDICT_PASSED);
	assert_true(decision.dropped == 0);
	assert_true(decision.would_drop == 0);
	decision = sw_decide(ALL, ALL, false);
	assert_int_equal(decision.verdict, SW_VERDICT_DROPPED);
	assert_true(decision.dropped == (ALL & ~SW_MASK_DROP_SYM));
}

static void nothing_wrong_is_passed(void **state __unused)
{
	struct sw_decision decision = sw_decide(0, ALL, true);

	assert_int_equal(decision.verdict, SW_VERDICT_PASSED);
	assert_true(decision.dropped == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watching_drops_nothing),
		cmocka_unit_test(only_the_armed_drop),
		cmocka_unit_test(without_both_directions_some_never_drop),
		cmocka_unit_test(nothing_wrong_is_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
