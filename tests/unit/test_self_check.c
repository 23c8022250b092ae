// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the defence of a service finds out about itself: when it steps aside, when it tries again, and what
 * nobody can make it believe.
 */
#include "../../bpf/core/self_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/random.h"

static struct sw_flood_state flood;
static __u32 now_ms;
static const struct sw_flood_rules rules = { .mode = SW_FLOOD_ADAPTIVE, .self_check = 1 };

static int begin(void **state __unused)
{
	memset(&flood, 0, sizeof(flood));
	flood.on = 1;
	now_ms = 0xffffffffU - 3000; /* the clock wraps */
	return 0;
}

#define OF(which, count) [SW_EVIDENCE_##which] = (count)

static enum sw_check_change look(const __u64 counts[SW_EVIDENCE_SLOTS])
{
	now_ms += SW_FLOOD_PERIOD_MS;
	memcpy(flood.period.counts, counts, sizeof(flood.period.counts));
	return sw_self_check_look(&flood, &rules, now_ms);
}

/* A period in which that was counted. */
#define LOOK(...) look((const __u64[SW_EVIDENCE_SLOTS]){ __VA_ARGS__ })
#define QUIETLY	  LOOK(OF(SYNS, 0))

/* So much time without anything. Returns how often something changed. */
static __u32 pass(__u32 ms)
{
	__u32 changes = 0;

	for (__u32 passed = 0; passed < ms; passed += SW_FLOOD_PERIOD_MS)
		changes += QUIETLY != SW_CHECK_SAME;
	return changes;
}

static void steps_aside(enum sw_check_reason reason)
{
	enum sw_check_change change = reason == SW_CHECK_REASON_UNSERVED ? LOOK(OF(UNSERVED, 3)) :
									   LOOK(OF(REPEATED, 3));

	assert_int_equal(change, SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	assert_int_equal(flood.check.reason, reason);
}

/* ---- when it steps aside */

static void three_that_ask_again(void **state __unused)
{
	assert_int_equal(LOOK(OF(SYNS, 100), OF(REPEATED, 2)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(SYNS, 100), OF(REPEATED, 1)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check.reason, SW_CHECK_REASON_UNANSWERED);
	assert_int_equal(flood.check.found_repeated, 3);
	assert_int_equal(flood.check.times, 1);
}

static void three_that_are_not_served(void **state __unused)
{
	assert_int_equal(LOOK(OF(BY_COOKIE, 3), OF(UNSERVED, 2)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(UNSERVED, 1)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check.reason, SW_CHECK_REASON_UNSERVED);
	assert_int_equal(flood.check.found_unserved, 3);
}

/* What a flood repeats by itself, now and then. */
static void a_few_in_a_long_time(void **state __unused)
{
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(LOOK(OF(SYNS, 100000), OF(REPEATED, 1)), SW_CHECK_SAME);
		pass(4000);
	}
}

static void not_while_somebody_comes_through(void **state __unused)
{
	for (int i = 0; i < 100; i++) {
		assert_int_equal(LOOK(OF(REPEATED, 1000), OF(BY_COOKIE, 1)), SW_CHECK_SAME);
		for (__u32 ms = SW_FLOOD_PERIOD_MS; ms < SW_CHECK_TRUST_MS;
		     ms += SW_FLOOD_PERIOD_MS)
			assert_int_equal(LOOK(OF(REPEATED, 1000)), SW_CHECK_SAME);
		assert_int_equal(LOOK(OF(REPEATED, 1000), OF(PROVED, 1)), SW_CHECK_SAME);
	}
	/* nobody any more */
	while (LOOK(OF(REPEATED, 1000)) == SW_CHECK_SAME)
		;
	assert_int_equal(now_ms - flood.check.through_ms, SW_CHECK_TRUST_MS);
}

static void not_while_most_are_served(void **state __unused)
{
	struct dice dice = { .state = 1 };

	for (int i = 0; i < 100000; i++)
		assert_int_equal(LOOK(OF(SERVED, 2), OF(UNSERVED, roll(&dice, 2))), SW_CHECK_SAME);
}

/* After a long good time it is not long until what has broken is believed. */
static void soon_after_a_good_time(void **state __unused)
{
	__u32 needed = 0;

	for (int i = 0; i < 10000; i++)
		LOOK(OF(SERVED, 1 + i % 5));
	while (LOOK(OF(UNSERVED, 1)) == SW_CHECK_SAME)
		needed++;
	assert_in_range(needed, 2, 8);
}

static void not_unless_it_is_asked_to(void **state __unused)
{
	struct sw_flood_rules without = rules;

	without.self_check = 0;
	flood.period.counts[SW_EVIDENCE_UNSERVED] = 100;
	assert_int_equal(sw_self_check_look(&flood, &without, now_ms), SW_CHECK_SAME);
	flood.on = 0;
	assert_int_equal(sw_self_check_look(&flood, &rules, now_ms), SW_CHECK_SAME);
}

/* ---- what comes after */

static void the_pause_grows(void **state __unused)
{
	__u32 pause = SW_CHECK_PAUSE_MS;

	steps_aside(SW_CHECK_REASON_UNSERVED);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(flood.check.pause_ms, pause);
		assert_int_equal(pass(pause - SW_FLOOD_PERIOD_MS), 0);
		assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
		assert_int_equal(QUIETLY, SW_CHECK_SAME);
		assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
		/* one is enough, and nothing new to tell */
		assert_int_equal(LOOK(OF(UNSERVED, 1)), SW_CHECK_SAME);
		assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
		pause = pause * 2 > SW_CHECK_MAX_PAUSE_MS ? SW_CHECK_MAX_PAUSE_MS : pause * 2;
	}
	assert_int_equal(flood.check.times, 1);
}

static void it_resumes_when_somebody_is_served(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNSERVED);
	pass(SW_CHECK_PAUSE_MS);
	/* that a cookie comes back was never the trouble */
	assert_int_equal(LOOK(OF(BY_COOKIE, 5)), SW_CHECK_SAME);
	pass(10 * SW_CHECK_TRIAL_MS);
	assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
	assert_int_equal(LOOK(OF(SERVED, 1)), SW_CHECK_RESUMES);
	assert_int_equal(flood.check_phase, SW_CHECK_ANSWERS);
	/* what had spoken against it is forgotten */
	assert_int_equal(LOOK(OF(UNSERVED, 2)), SW_CHECK_SAME);
}

static void it_resumes_when_somebody_comes_through(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNANSWERED);
	pass(SW_CHECK_PAUSE_MS);
	assert_int_equal(LOOK(OF(PROVED, 1)), SW_CHECK_RESUMES);
}

/* Nobody asks again, nobody comes through: there is nobody to be harmed. */
static void it_resumes_when_nobody_comes(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNANSWERED);
	pass(SW_CHECK_PAUSE_MS);
	assert_int_equal(pass(SW_CHECK_TRIAL_MS - SW_FLOOD_PERIOD_MS), 0);
	assert_int_equal(QUIETLY, SW_CHECK_RESUMES);
}

static void a_good_time_makes_the_pause_short_again(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNSERVED);
	pass(SW_CHECK_PAUSE_MS);
	LOOK(OF(SERVED, 1));
	steps_aside(SW_CHECK_REASON_UNSERVED);
	assert_int_equal(flood.check.pause_ms, 2 * SW_CHECK_PAUSE_MS);
	assert_int_equal(flood.check.times, 2);
	pass(2 * SW_CHECK_PAUSE_MS);
	LOOK(OF(SERVED, 1));
	pass(SW_CHECK_CALM_MS);
	steps_aside(SW_CHECK_REASON_UNSERVED);
	assert_int_equal(flood.check.pause_ms, SW_CHECK_PAUSE_MS);
}

/* Between two floods nothing is found out; in the next one it tries first. */
static void it_remembers_until_the_next_flood(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNSERVED);
	flood.on = 0;
	flood.honour = 1;
	pass(10 * SW_CHECK_PAUSE_MS);
	flood.honour = 0;
	pass(10 * SW_CHECK_PAUSE_MS);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	flood.on = 1;
	QUIETLY;
	assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
}

/* Who was answered before its end is served, or not, after it. */
static void it_looks_on_for_a_while(void **state __unused)
{
	flood.on = 0;
	assert_int_equal(LOOK(OF(UNSERVED, 3)), SW_CHECK_SAME);
	flood.honour = 1;
	assert_int_equal(LOOK(OF(UNSERVED, 3)), SW_CHECK_STEPS_ASIDE);
}

/* ---- SYNs that come again */

static void as_a_client_repeats_it(void **state __unused)
{
	static const __u32 at_ms[] = { 1000, 3000, 7000, 14900 };
	__u64 hash = sw_answered_hash(12345, 678);
	__u32 word = 0, start_ms = 0xfffffc00;

	assert_false(sw_answered_note(&word, hash, start_ms));
	for (int i = 0; i < 4; i++)
		assert_true(sw_answered_note(&word, hash, start_ms + at_ms[i]));
}

static void as_a_machine_repeats_it(void **state __unused)
{
	__u64 hash = sw_answered_hash(12345, 678);
	__u32 word = 0;

	for (__u32 ms = 0; ms < 60000; ms += 300)
		assert_false(sw_answered_note(&word, hash, ms));
	/* and more slowly, after it had done so fast */
	for (__u32 ms = 60000; ms < 80000; ms += 1000)
		assert_false(sw_answered_note(&word, hash, ms));
}

static void another_takes_its_place(void **state __unused)
{
	__u64 one = sw_answered_hash(1, 1), other = sw_answered_hash(1, 2);
	__u32 word = 0;

	assert_false(sw_answered_note(&word, one, 0));
	assert_false(sw_answered_note(&word, other, 500));
	assert_false(sw_answered_note(&word, one, 1000));
	assert_true(sw_answered_note(&word, one, 2000));
	/* too late to be the same attempt */
	assert_false(sw_answered_note(&word, one, 2000 + 9000));
}

/* Under a flood of other SYNs hardly any is taken for one that was there before. */
static void others_are_not_mistaken(void **state __unused)
{
	struct dice dice = { .state = 5 };
	__u32 *table = calloc(SW_ANSWERED_SYNS, sizeof(*table));
	__u32 mistaken = 0, sampled = 0, n = 0;

	assert_non_null(table);
	for (; n < 4000000; n++) {
		__u64 flow = (__u64)roll(&dice, 1U << 31) << 33 ^ (__u64)roll(&dice, 1U << 31);
		__u64 hash = sw_answered_hash(flow, n);

		if (!sw_is_sampled(hash, 2))
			continue;
		sampled++;
		mistaken += sw_answered_note(&table[sw_answered_index(hash)], hash, n / 400);
	}
	free(table);
	assert_in_range(sampled, n / 4 - n / 100, n / 4 + n / 100);
	assert_in_range(mistaken, 0, 2);
}

static void so_many_are_remembered(void **state __unused)
{
	assert_int_equal(sw_sample_shift(0), 0);
	assert_int_equal(sw_sample_shift(SW_REMEMBERED_RATE), 0);
	assert_int_equal(sw_sample_shift(SW_REMEMBERED_RATE * 2), 1);
	assert_int_equal(sw_sample_shift(10000000), 7);
	assert_in_range(sw_sample_shift(0xffffffff), 14, 15);
}

/* Where sources are challenged, few may pass for having asked twice. */
static void second_chances_are_few(void **state __unused)
{
	QUIETLY;
	assert_int_equal(flood.second_chance, SW_SECOND_CHANCES);
	pass(60000);
	assert_int_equal(flood.second_chance, SW_MAX_SECOND_CHANCES);
	flood.second_chance = 0;
	pass(1000);
	assert_int_equal(flood.second_chance, 5 * SW_SECOND_CHANCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(three_that_ask_again, begin),
		cmocka_unit_test_setup(three_that_are_not_served, begin),
		cmocka_unit_test_setup(a_few_in_a_long_time, begin),
		cmocka_unit_test_setup(not_while_somebody_comes_through, begin),
		cmocka_unit_test_setup(not_while_most_are_served, begin),
		cmocka_unit_test_setup(soon_after_a_good_time, begin),
		cmocka_unit_test_setup(not_unless_it_is_asked_to, begin),
		cmocka_unit_test_setup(the_pause_grows, begin),
		cmocka_unit_test_setup(it_resumes_when_somebody_is_served, begin),
		cmocka_unit_test_setup(it_resumes_when_somebody_comes_through, begin),
		cmocka_unit_test_setup(it_resumes_when_nobody_comes, begin),
		cmocka_unit_test_setup(a_good_time_makes_the_pause_short_again, begin),
		cmocka_unit_test_setup(it_remembers_until_the_next_flood, begin),
		cmocka_unit_test_setup(it_looks_on_for_a_while, begin),
		cmocka_unit_test(as_a_client_repeats_it),
		cmocka_unit_test(as_a_machine_repeats_it),
		cmocka_unit_test(another_takes_its_place),
		cmocka_unit_test(others_are_not_mistaken),
		cmocka_unit_test(so_many_are_remembered),
		cmocka_unit_test_setup(second_chances_are_few, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
