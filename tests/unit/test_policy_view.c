// SPDX-License-Identifier: GPL-2.0-or-later
/* What reports say of a policy: when strict rules are in force, and which rules are safe to arm. */
#include "../../bpf/core/decide.h"
#include "../../user/model/names.c"
#include "../../user/model/policy_view.c"
#include "../../user/model/score.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/random.h"

static struct sw_snapshot snapshot;

/* ---- readiness */

#define NOW_MS	   100000000ULL
#define LONGEST_MS (2 * SW_MIN_SUSPENSION_MS)

static struct sw_policy_view view;

static enum sw_readiness readiness(uint64_t *left_ms)
{
	return sw_policy_readiness(&view, &view.rows[0], left_ms);
}

static void begin(uint32_t warm_up_ms, uint64_t watched_ms, uint32_t both_sided)
{
	memset(&view, 0, sizeof(view));
	view.row_count = 1;
	view.watcher_count = 1;
	view.watchers[0].watched_ms = watched_ms;
	view.rows[0].rules.strict = 1;
	view.rows[0].rules.warm_up_ms = warm_up_ms;
	view.rows[0].both_sided = both_sided;
}

static void each_reason_has_its_name(void **state __unused)
{
	uint64_t left_ms;

	begin(1000, 400, 8);
	assert_int_equal(readiness(&left_ms), SW_STRICT_WARMING_UP);
	assert_int_equal(left_ms, 600);
	begin(1000, 1000, 7);
	assert_int_equal(readiness(&left_ms), SW_STRICT_UNSURE);
	assert_int_equal(left_ms, 0);
	begin(1000, 1000, 8);
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
	view.rows[0].one_sided = true;
	view.rows[0].one_sided_ms = SW_MIN_SUSPENSION_MS - 1;
	assert_int_equal(readiness(&left_ms), SW_STRICT_SUSPENDED);
	assert_int_equal(left_ms, 1);
	view.rows[0].one_sided_ms = SW_MIN_SUSPENSION_MS;
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
	view.rows[0].rules.strict = 0;
	assert_int_equal(readiness(&left_ms), SW_STRICT_OFF);
}

/* Whichever of them lasts longer. */
static void connections_from_elsewhere_suspend_it(void **state __unused)
{
	uint64_t left_ms;

	begin(1000, 1000, 8);
	view.rows[0].moved = true;
	view.rows[0].moved_ms = SW_MIN_SUSPENSION_MS - 1;
	assert_int_equal(readiness(&left_ms), SW_STRICT_SUSPENDED);
	assert_int_equal(left_ms, 1);
	assert_true(sw_row_was_moved(&view.rows[0]));
	view.rows[0].one_sided = true;
	view.rows[0].one_sided_ms = SW_MIN_SUSPENSION_MS - 5;
	assert_int_equal(readiness(&left_ms), SW_STRICT_SUSPENDED);
	assert_int_equal(left_ms, 5);
	assert_false(sw_row_was_moved(&view.rows[0]));
	view.rows[0].one_sided = false;
	view.rows[0].moved_ms = SW_MIN_SUSPENSION_MS;
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
}

/* One that is attached later does not keep the others from being ready. */
static void each_interface_by_itself(void **state __unused)
{
	uint64_t left_ms;

	begin(1000, 400, 8);
	view.watcher_count = 2;
	view.watchers[1].watched_ms = 700;
	assert_int_equal(readiness(&left_ms), SW_STRICT_WARMING_UP);
	assert_int_equal(left_ms, 300);
	view.watchers[1].watched_ms = 1000;
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
	assert_int_equal(left_ms, 0);
	assert_int_equal(sw_warm_up_left_ms(&view.watchers[0], &view.rows[0]), 600);
	assert_int_equal(sw_warm_up_left_ms(&view.watchers[1], &view.rows[0]), 0);
}

/* What is said is what the kernel does. */
static void readiness_is_that_of_the_kernel(void **state __unused)
{
	struct dice dice = { .state = 1 };
	uint64_t left_ms;

	for (int i = 0; i < 100000; i++) {
		uint64_t watching_since = NOW_MS - roll(&dice, LONGEST_MS);
		struct sw_service_state kernel = {
			.both_sided = roll(&dice, 12),
			.one_sided_ms = roll(&dice, 2) ? NOW_MS - roll(&dice, LONGEST_MS) : 0,
			.moved_ms = roll(&dice, 2) ? NOW_MS - roll(&dice, LONGEST_MS) : 0,
		};
		bool ready;

		begin(roll(&dice, LONGEST_MS), NOW_MS - watching_since, kernel.both_sided);
		view.rows[0].one_sided = kernel.one_sided_ms;
		view.rows[0].one_sided_ms = NOW_MS - kernel.one_sided_ms;
		view.rows[0].moved = kernel.moved_ms;
		view.rows[0].moved_ms = NOW_MS - kernel.moved_ms;
		ready = sw_is_ready(&view.rows[0].rules, &kernel, watching_since, NOW_MS);
		assert_int_equal(readiness(&left_ms) == SW_STRICT_READY, ready);
	}
}

/* Whoever was pushed out may come back for as long as a connection is remembered. */
static void evictions_lower_it(void **state __unused)
{
	uint64_t left_ms;

	begin(0, 1, SW_ENOUGH_BOTH_SIDED);
	view.rows[0].rules.timeout_ms[SW_TIMEOUT_ESTABLISHED] = 5000;
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
	view.evicted = true;
	view.evicted_ms = 4999;
	assert_int_equal(readiness(&left_ms), SW_STRICT_LOWERED);
	assert_int_equal(left_ms, 1);
	view.evicted_ms = 5000;
	assert_int_equal(readiness(&left_ms), SW_STRICT_READY);
}

/* ---- mode */

static void modes(void **state __unused)
{
	begin(0, 0, 0);
	assert_int_equal(sw_policy_mode(&view), SW_MODE_MONITOR);
	view.row_count = 2;
	view.armed = true;
	assert_false(sw_policy_drops(&view));
	view.rows[1].rules.enforce = 1;
	assert_int_equal(sw_policy_mode(&view), SW_MODE_MIXED);
	assert_true(sw_policy_drops(&view));
	view.rows[0].rules.enforce = 1;
	assert_int_equal(sw_policy_mode(&view), SW_MODE_ENFORCE);
	view.armed = false;
	assert_false(sw_policy_drops(&view));
}

static void rows_by_number(void **state __unused)
{
	memset(&view, 0, sizeof(view));
	assert_null(sw_policy_row(&view, SW_SERVICE_DEFAULT));
	view.row_count = 3;
	assert_ptr_equal(sw_policy_row(&view, 0), &view.rows[0]);
	assert_ptr_equal(sw_policy_row(&view, 1), &view.rows[1]);
	assert_null(sw_policy_row(&view, 2));
	assert_ptr_equal(sw_policy_row(&view, SW_SERVICE_DEFAULT), &view.rows[2]);
}

/* ---- the score */

#define A_DAY_NS (24ULL * 3600 * 1000 * 1000000)

/* A day and 60 handshakes of one kind, 40 of another: just enough. */
static void begin_score(void)
{
	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.created_ns = 5;
	snapshot.taken_ns = 5 + A_DAY_NS;
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 60;
	snapshot.total.outcomes[SW_OUTCOME_SYNACK_PICKUP] = 40;
	snapshot.total.outcomes[SW_OUTCOME_REJECTED] = 1000;
}

static enum sw_score_verdict anomaly(enum sw_anomaly which, uint64_t seen, uint64_t dropped,
				     uint64_t suspects, uint64_t cleared)
{
	struct sw_counters *total = &snapshot.total;

	begin_score();
	snapshot.policy.row_count = 1;
	sw_rules_default(&snapshot.policy.rows[0].rules);
	total->anomalies_seen[which] = seen;
	total->anomalies_dropped[which] = dropped;
	total->score.anomalies_suspects[which] = suspects;
	total->score.anomalies_cleared[which] = cleared;
	return sw_score_row(&snapshot, which).verdict;
}

static void verdicts_of_anomalies(void **state __unused)
{
	const enum sw_anomaly drops = SW_ANOMALY_FLAGS_NULL, counts = SW_ANOMALY_FLAGS_SYN_URG;

	assert_int_equal(anomaly(drops, 0, 0, 0, 0), SW_SCORE_NOT_SEEN);
	assert_int_equal(anomaly(drops, 9, 0, 3, 0), SW_SCORE_SAFE);
	assert_int_equal(anomaly(drops, 9, 0, 3, 1), SW_SCORE_UNSAFE);
	assert_int_equal(anomaly(drops, 9, 9, 0, 0), SW_SCORE_DROPPING);
	assert_int_equal(anomaly(drops, 9, 0, 0, 0), SW_SCORE_ELSEWHERE);
	assert_int_equal(anomaly(SW_ANOMALY_MIDSTREAM, 9, 0, 1, 0), SW_SCORE_SAFE);
	assert_int_equal(anomaly(counts, 9, 0, 0, 0), SW_SCORE_COUNTED);
	/* one that a policy asks to drop is a rule as any other */
	snapshot.policy.rows[0].rules.drop |= SW_BIT(FLAGS_SYN_URG);
	assert_int_equal(sw_score_row(&snapshot, counts).verdict, SW_SCORE_ELSEWHERE);
}

static void verdicts_of_limits(void **state __unused)
{
	struct sw_counters *total = &snapshot.total;
	struct sw_score_row row;

	begin_score();
	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++) {
		row = sw_score_row(&snapshot, SW_ANOMALY_COUNT + i);
		assert_true(row.is_limit);
		assert_string_equal(row.name, sw_limit_words[i].name);
		assert_int_equal(row.verdict, SW_SCORE_NOT_SEEN);
		total->limits_seen[i] = 5;
	}
	total->score.limits_suspects[SW_LIMIT_SYN_RATE] = 2;
	total->score.limits_suspects[SW_LIMIT_HALF_OPEN_SOURCE] = 2;
	total->score.limits_cleared[SW_LIMIT_HALF_OPEN_SOURCE] = 1;
	row = sw_score_row(&snapshot, SW_ANOMALY_COUNT + SW_LIMIT_SYN_RATE);
	assert_int_equal(row.verdict, SW_SCORE_SAFE);
	row = sw_score_row(&snapshot, SW_ANOMALY_COUNT + SW_LIMIT_HALF_OPEN_SOURCE);
	assert_int_equal(row.verdict, SW_SCORE_UNSAFE);
	row = sw_score_row(&snapshot, SW_ANOMALY_COUNT + SW_LIMIT_BLOCK_LIST);
	assert_int_equal(row.verdict, SW_SCORE_LISTED);
}

static void too_early_to_call_anything_safe(void **state __unused)
{
	const enum sw_anomaly drops = SW_ANOMALY_FLAGS_NULL;

	assert_int_equal(anomaly(drops, 9, 0, 3, 0), SW_SCORE_SAFE);
	assert_false(sw_score_basis(&snapshot).too_early);
	assert_int_equal(sw_score_basis(&snapshot).completed, 100);
	snapshot.taken_ns -= 1000000;
	assert_true(sw_score_basis(&snapshot).too_early);
	assert_int_equal(sw_score_row(&snapshot, drops).verdict, SW_SCORE_EARLY);
	snapshot.taken_ns += 1000000;
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED]--;
	assert_int_equal(sw_score_row(&snapshot, drops).verdict, SW_SCORE_EARLY);
	/* whoever was harmed, was */
	snapshot.total.score.anomalies_cleared[drops] = 1;
	assert_int_equal(sw_score_row(&snapshot, drops).verdict, SW_SCORE_UNSAFE);
	snapshot.total.score.anomalies_cleared[drops] = 0;
	snapshot.total.score.anomalies_suspects[drops] = 0;
	assert_int_equal(sw_score_row(&snapshot, drops).verdict, SW_SCORE_ELSEWHERE);
	snapshot.total.anomalies_seen[drops] = 0;
	assert_int_equal(sw_score_row(&snapshot, drops).verdict, SW_SCORE_NOT_SEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_name),
		cmocka_unit_test(connections_from_elsewhere_suspend_it),
		cmocka_unit_test(each_interface_by_itself),
		cmocka_unit_test(readiness_is_that_of_the_kernel),
		cmocka_unit_test(evictions_lower_it),
		cmocka_unit_test(modes),
		cmocka_unit_test(rows_by_number),
		cmocka_unit_test(verdicts_of_anomalies),
		cmocka_unit_test(verdicts_of_limits),
		cmocka_unit_test(too_early_to_call_anything_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
