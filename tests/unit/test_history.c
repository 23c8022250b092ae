// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring of the last 15 minutes: what changed between two looks, and what cannot be known of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../user/model/history.c"
#include "../../user/model/policy_view.c"
#include "../../user/model/snapshot.c"

#define S 1000000000ULL

static struct sw_history history;
static struct sw_snapshot snapshot;

static int begin(void **state)
{
	(void)state;
	history = (struct sw_history){};
	snapshot = (struct sw_snapshot){ .created_ns = S, .interface_count = 1 };
	return 0;
}

/* Looks at a time, and returns what was found. */
static const struct sw_history_sample *look(uint64_t at_ns)
{
	snapshot.taken_ns = at_ns;
	sw_history_add(&history, &snapshot, at_ns);
	return sw_history_sample(&history, history.next - 1);
}

static void the_first_look_knows_no_before(void **state)
{
	(void)state;
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 1000;
	assert_int_equal(look(100 * S)->duration_ms, 0);
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 1007;
	snapshot.half_open = 3;
	assert_int_equal(look(103 * S)->duration_ms, 3000);
	assert_int_equal(look(106 * S)->outcomes[SW_OUTCOME_ACCEPTED], 0);
	assert_int_equal(sw_history_sample(&history, 1)->outcomes[SW_OUTCOME_ACCEPTED], 7);
	assert_int_equal(sw_history_sample(&history, 1)->half_open, 3);
}

static void what_was_attached_since_has_counted_from_zero(void **state)
{
	(void)state;
	sw_history_add(&history, NULL, 10 * S);
	snapshot.created_ns = 11 * S;
	snapshot.total.outcomes[SW_OUTCOME_REJECTED] = 5;
	assert_int_equal(look(13 * S)->outcomes[SW_OUTCOME_REJECTED], 5);
	assert_int_equal(sw_history_sample(&history, 1)->duration_ms, 2000);
	/* and so has another one right behind it, which counts less than the one before */
	snapshot.created_ns = 15 * S;
	snapshot.total.outcomes[SW_OUTCOME_REJECTED] = 2;
	assert_int_equal(look(16 * S)->outcomes[SW_OUTCOME_REJECTED], 2);
	assert_int_equal(sw_history_sample(&history, 2)->duration_ms, 1000);
}

/* It has its counters before it can be read: a look in between finds nothing. */
static void what_takes_long_to_attach_loses_nothing(void **state)
{
	(void)state;
	sw_history_add(&history, NULL, 10 * S);
	snapshot.created_ns = 11 * S;
	sw_history_add(&history, NULL, 13 * S);
	sw_history_add(&history, NULL, 16 * S);
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 1000;
	assert_int_equal(look(19 * S)->outcomes[SW_OUTCOME_ACCEPTED], 1000);
	assert_int_equal(sw_history_sample(&history, 3)->duration_ms, 8000);
	assert_int_equal(look(22 * S)->outcomes[SW_OUTCOME_ACCEPTED], 0);
}

static void a_look_that_fails_loses_nothing(void **state)
{
	(void)state;
	look(100 * S);
	sw_history_add(&history, NULL, 103 * S);
	assert_int_equal(sw_history_sample(&history, 1)->duration_ms, 0);
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 9;
	assert_int_equal(look(106 * S)->duration_ms, 6000);
	assert_int_equal(sw_history_sample(&history, 2)->outcomes[SW_OUTCOME_ACCEPTED], 9);
	assert_int_equal(look(109 * S)->outcomes[SW_OUTCOME_ACCEPTED], 0);
}

static void what_is_older_than_the_history_is_not_of_it(void **state)
{
	(void)state;
	look(100 * S);
	for (unsigned int i = 1; i <= SW_HISTORY_SAMPLES; i++)
		sw_history_add(&history, NULL, (100 + 3 * i) * S);
	snapshot.total.outcomes[SW_OUTCOME_ACCEPTED] = 9;
	assert_int_equal(look(2000 * S)->duration_ms, 0);
	snapshot.created_ns = 50 * S;
	assert_int_equal(look(2003 * S)->duration_ms, 0);
	assert_int_equal(look(2006 * S)->duration_ms, 3000);
}

static void nothing_ever_falls(void **state)
{
	struct sw_traffic *ingress = &snapshot.interfaces[0].traffic.directions[SW_INGRESS];

	(void)state;
	ingress->seen = ingress->verdicts[SW_VERDICT_DROPPED] = 50;
	look(100 * S);
	snapshot.interface_count = 0;
	assert_int_equal(look(103 * S)->seen, 0);
	assert_int_equal(sw_history_sample(&history, 1)->verdicts[SW_VERDICT_DROPPED], 0);
}

static void latencies_are_those_of_the_time_between(void **state)
{
	struct sw_histogram *histogram = &snapshot.total.latencies[SW_LATENCY_SYN_TO_SYNACK];
	const struct sw_history_latency *latency;

	(void)state;
	histogram->buckets[sw_hist_bucket(1000000)] = 1000;
	look(100 * S);
	histogram->buckets[sw_hist_bucket(5)] = 10;
	latency = &look(103 * S)->latencies[SW_LATENCY_SYN_TO_SYNACK];
	assert_int_equal(latency->count, 10);
	assert_int_equal(latency->p50_us, 5);
	assert_true(latency->p99_us <= 6);
	assert_int_equal(look(106 * S)->latencies[SW_LATENCY_SYN_TO_SYNACK].p99_us, 0);
}

static void what_would_be_dropped_is_of_anomalies_and_limits(void **state)
{
	(void)state;
	look(100 * S);
	snapshot.total.anomalies_would_drop[3] = 4;
	snapshot.total.limits_would_drop[0] = 5;
	assert_int_equal(look(103 * S)->would_drop, 9);
}

static void only_so_many_are_kept(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SW_HISTORY_SAMPLES + 7; i++) {
		assert_int_equal(sw_history_first(&history),
				 i > SW_HISTORY_SAMPLES ? i - SW_HISTORY_SAMPLES : 0);
		look((100 + i) * S);
	}
	assert_int_equal(sw_history_first(&history), 7);
	assert_int_equal(sw_history_sample(&history, 7)->taken_ns, 107 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_look_knows_no_before, begin),
		cmocka_unit_test_setup(what_was_attached_since_has_counted_from_zero, begin),
		cmocka_unit_test_setup(what_takes_long_to_attach_loses_nothing, begin),
		cmocka_unit_test_setup(a_look_that_fails_loses_nothing, begin),
		cmocka_unit_test_setup(what_is_older_than_the_history_is_not_of_it, begin),
		cmocka_unit_test_setup(nothing_ever_falls, begin),
		cmocka_unit_test_setup(latencies_are_those_of_the_time_between, begin),
		cmocka_unit_test_setup(what_would_be_dropped_is_of_anomalies_and_limits, begin),
		cmocka_unit_test_setup(only_so_many_are_kept, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
