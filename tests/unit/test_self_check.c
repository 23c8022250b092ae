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
static bool can_tell;
static struct sw_probe_counts probed;
static enum sw_check_family family;
static const struct sw_flood_rules rules = { .mode = SW_FLOOD_ADAPTIVE, .self_check = 1 };

static int begin(void **state __unused)
{
	memset(&flood, 0, sizeof(flood));
	memset(&probed, 0, sizeof(probed));
	family = SW_CHECK_IPV4;
	flood.on = 1;
	flood.check.tried_tc = 1; /* which did not help, either */
	can_tell = false;
	now_ms = 0xffffffffU - 3000; /* the clock wraps */
	return 0;
}

#define OF(which, count) [SW_EVIDENCE_##which] = (count)

static enum sw_check_change look(const __u64 counts[SW_EVIDENCE_SLOTS])
{
	now_ms += SW_FLOOD_PERIOD_MS;
	memcpy(flood.period.counts, counts, sizeof(flood.period.counts));
	probed.served[family] += (__u32)counts[SW_EVIDENCE_SERVED];
	probed.unserved[family] += (__u32)counts[SW_EVIDENCE_UNSERVED];
	return sw_self_check_look(&flood, &rules, &probed, can_tell, now_ms);
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
	flood.syn_rate = 100000;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(LOOK(OF(SYNS, 100000), OF(REPEATED, 1)), SW_CHECK_SAME);
		pass(4000);
	}
}

/* On a quiet server: one client, who tries three times. */
static void one_client_where_few_come(void **state __unused)
{
	LOOK(OF(REPEATED, 1));
	pass(2000);
	LOOK(OF(REPEATED, 1));
	pass(4000);
	assert_int_equal(LOOK(OF(REPEATED, 1)), SW_CHECK_STEPS_ASIDE);
}

/* As it begins nobody can have come through yet. */
static void not_in_the_first_moment(void **state __unused)
{
	flood.changed_ms = now_ms;
	while (LOOK(OF(REPEATED, 100)) == SW_CHECK_SAME)
		;
	assert_int_equal(now_ms - flood.changed_ms, 1600);
}

static void each_family_by_itself(void **state __unused)
{
	for (int i = 0; i < 100; i++) {
		family = SW_CHECK_IPV4;
		assert_int_equal(LOOK(OF(SERVED, 10)), SW_CHECK_SAME);
		family = SW_CHECK_IPV6;
		if (i < 2)
			assert_int_equal(LOOK(OF(UNSERVED, 1)), SW_CHECK_SAME);
	}
	assert_int_equal(LOOK(OF(UNSERVED, 1)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check.found_family, SW_CHECK_IPV6);
	assert_int_equal(flood.check.found_unserved, 3);
	assert_int_equal(flood.check.found_served, 0);
	/* and in the trial, too */
	pass(SW_CHECK_PAUSE_MS);
	family = SW_CHECK_IPV4;
	assert_int_equal(LOOK(OF(SERVED, 10)), SW_CHECK_SAME);
	family = SW_CHECK_IPV6;
	assert_int_equal(LOOK(OF(SERVED, 1)), SW_CHECK_RESUMES);
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
	probed.unserved[0] = 100;
	assert_int_equal(sw_self_check_look(&flood, &without, &probed, false, now_ms),
			 SW_CHECK_SAME);
	flood.on = 0;
	assert_int_equal(sw_self_check_look(&flood, &rules, &probed, false, now_ms), SW_CHECK_SAME);
}

/* ---- what is tried first */

static void it_tells_conntrack_first(void **state __unused)
{
	can_tell = true;
	assert_int_equal(LOOK(OF(UNSERVED, 3)), SW_CHECK_SAME);
	assert_true(flood.remedies & SW_REMEDY_CONNTRACK);
	assert_int_equal(flood.check_phase, SW_CHECK_ANSWERS);
	/* those that were not served before are found out a moment later */
	assert_int_equal(LOOK(OF(UNSERVED, 10)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(UNSERVED, 2)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(UNSERVED, 1)), SW_CHECK_STEPS_ASIDE);
	assert_true(flood.remedies & SW_REMEDY_CONNTRACK);
}

static void tc_is_tried_at_once(void **state __unused)
{
	flood.check.tried_tc = 0;
	assert_int_equal(LOOK(OF(REPEATED, 3)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
	assert_int_equal(flood.remedies, SW_REMEDY_TC);
	assert_int_equal(LOOK(OF(REPEATED, 3)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(BY_COOKIE, 1)), SW_CHECK_RESUMES);
	assert_int_equal(flood.remedies, SW_REMEDY_TC);
	/* once */
	pass(SW_CHECK_TRUST_MS);
	assert_int_equal(LOOK(OF(REPEATED, 3)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
}

static void tc_may_not_help_either(void **state __unused)
{
	flood.check.tried_tc = 0;
	LOOK(OF(REPEATED, 3));
	assert_int_equal(pass(SW_CHECK_TRIAL_MS / 2), 0);
	LOOK(OF(REPEATED, 1));
	assert_int_equal(pass(SW_CHECK_TRIAL_MS / 2), 0);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	assert_int_equal(flood.check.pause_ms, SW_CHECK_PAUSE_MS);
	assert_int_equal(flood.check.times, 1);
	/* then the one and the other in turn */
	for (__u8 remedies = 0; remedies <= SW_REMEDY_TC; remedies += SW_REMEDY_TC) {
		while (QUIETLY == SW_CHECK_SAME && flood.check_phase == SW_CHECK_ASIDE)
			;
		assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
		assert_int_equal(flood.remedies, remedies);
		LOOK(OF(REPEATED, 1));
		pass(SW_CHECK_TRIAL_MS);
		assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	}
}

static void tc_has_nothing_to_do_with_who_is_not_served(void **state __unused)
{
	flood.check.tried_tc = 0;
	assert_int_equal(LOOK(OF(UNSERVED, 3)), SW_CHECK_STEPS_ASIDE);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	assert_int_equal(flood.remedies, 0);
}

static void conntrack_does_not_help_answers_that_never_arrive(void **state __unused)
{
	can_tell = true;
	assert_int_equal(LOOK(OF(REPEATED, 3)), SW_CHECK_STEPS_ASIDE);
	assert_false(flood.remedies & SW_REMEDY_CONNTRACK);
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
		/* nothing new to tell */
		assert_int_equal(LOOK(OF(UNSERVED, 3)), SW_CHECK_SAME);
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
	/* what can be made up does not end the trial */
	for (int i = 0; i < 20; i++)
		assert_int_equal(LOOK(OF(REPEATED, 100)), SW_CHECK_SAME);
	assert_int_equal(LOOK(OF(REPEATED, 100), OF(PROVED, 1)), SW_CHECK_RESUMES);
	/* he speaks for it after that, too */
	for (__u32 ms = SW_FLOOD_PERIOD_MS; ms < SW_CHECK_TRUST_MS; ms += SW_FLOOD_PERIOD_MS)
		assert_int_equal(LOOK(OF(REPEATED, 100)), SW_CHECK_SAME);
}

static void a_trial_ends_with_its_time(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNANSWERED);
	pass(SW_CHECK_PAUSE_MS);
	LOOK(OF(REPEATED, 1));
	pass(SW_CHECK_TRIAL_MS - SW_FLOOD_PERIOD_MS);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	assert_int_equal(flood.check.reason, SW_CHECK_REASON_UNANSWERED);
	assert_int_equal(flood.check.pause_ms, 2 * SW_CHECK_PAUSE_MS);
}

/* Somebody who is not served on purpose does not outweigh who is. */
static void one_sign_against_it_ends_no_trial(void **state __unused)
{
	steps_aside(SW_CHECK_REASON_UNSERVED);
	pass(SW_CHECK_PAUSE_MS);
	assert_int_equal(LOOK(OF(UNSERVED, 1), OF(REPEATED, 5)), SW_CHECK_SAME);
	assert_int_equal(flood.check_phase, SW_CHECK_TRIES);
	assert_int_equal(LOOK(OF(SERVED, 2)), SW_CHECK_RESUMES);
	steps_aside(SW_CHECK_REASON_UNSERVED);
	pass(2 * SW_CHECK_PAUSE_MS);
	LOOK(OF(UNSERVED, 1), OF(REPEATED, 5));
	pass(SW_CHECK_TRIAL_MS - SW_FLOOD_PERIOD_MS);
	assert_int_equal(flood.check_phase, SW_CHECK_ASIDE);
	assert_int_equal(flood.check.reason, SW_CHECK_REASON_UNSERVED);
	assert_int_equal(flood.check.found_unserved, 1);
}

static void a_policy_has_it_begin_anew(void **state __unused)
{
	can_tell = true;
	LOOK(OF(UNSERVED, 3));
	pass(1000);
	steps_aside(SW_CHECK_REASON_UNSERVED);
	/* it counts by itself */
	probed = (struct sw_probe_counts){ .served = { 5 } };
	sw_self_check_anew(&flood, &probed, now_ms);
	assert_int_equal(flood.check_phase, SW_CHECK_ANSWERS);
	assert_false(flood.remedies & SW_REMEDY_CONNTRACK);
	assert_int_equal(flood.check.times, 1);
	LOOK(OF(UNSERVED, 3));
	pass(1000);
	steps_aside(SW_CHECK_REASON_UNSERVED);
	assert_int_equal(flood.check.pause_ms, SW_CHECK_PAUSE_MS);
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
		cmocka_unit_test_setup(one_client_where_few_come, begin),
		cmocka_unit_test_setup(not_in_the_first_moment, begin),
		cmocka_unit_test_setup(each_family_by_itself, begin),
		cmocka_unit_test_setup(not_while_somebody_comes_through, begin),
		cmocka_unit_test_setup(not_while_most_are_served, begin),
		cmocka_unit_test_setup(soon_after_a_good_time, begin),
		cmocka_unit_test_setup(not_unless_it_is_asked_to, begin),
		cmocka_unit_test_setup(it_tells_conntrack_first, begin),
		cmocka_unit_test_setup(tc_is_tried_at_once, begin),
		cmocka_unit_test_setup(tc_may_not_help_either, begin),
		cmocka_unit_test_setup(tc_has_nothing_to_do_with_who_is_not_served, begin),
		cmocka_unit_test_setup(conntrack_does_not_help_answers_that_never_arrive, begin),
		cmocka_unit_test_setup(the_pause_grows, begin),
		cmocka_unit_test_setup(it_resumes_when_somebody_is_served, begin),
		cmocka_unit_test_setup(it_resumes_when_somebody_comes_through, begin),
		cmocka_unit_test_setup(a_trial_ends_with_its_time, begin),
		cmocka_unit_test_setup(one_sign_against_it_ends_no_trial, begin),
		cmocka_unit_test_setup(a_policy_has_it_begin_anew, begin),
		cmocka_unit_test_setup(it_resumes_when_nobody_comes, begin),
		cmocka_unit_test_setup(a_good_time_makes_the_pause_short_again, begin),
		cmocka_unit_test_setup(it_remembers_until_the_next_flood, begin),
		cmocka_unit_test_setup(it_looks_on_for_a_while, begin),
		cmocka_unit_test_setup(second_chances_are_few, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
