// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a defence lets nobody in, it steps aside within two seconds of its first answer: by its own clock, which is
 * the test's, whenever the looks fall.
 */
#include "../../bpf/core/self_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WITHIN_MS  2000U
#define EVERY_MS   100U	 /* a client comes, and none gets in */
#define REPEATS_MS 1000U /* Linux, and most others (RFC 6298) */

/* What is found out of each, so long after it was answered. */
struct sign {
	enum sw_evidence evidence;
	__u32 after_ms;
};

static const struct sign refused = { SW_EVIDENCE_UNSERVED, SW_PROBE_RIPE_MS };
static const struct sign unheard = { SW_EVIDENCE_UNSERVED, SW_PROBE_LATE_MS };
static const struct sign repeats = { SW_EVIDENCE_REPEATED, REPEATS_MS };

/* How many of them are found out in a period. */
static __u32 found_in(__u32 from_ms, __u32 to_ms, __u32 after_ms)
{
	__u32 found = 0;

	for (__u32 at_ms = after_ms; at_ms <= to_ms; at_ms += EVERY_MS)
		found += at_ms > from_ms;
	return found;
}

/* When it steps aside, after the first answer; phase_ms: when the first look is. */
static __u32 steps_aside_after(const struct sign *sign, __u32 phase_ms, bool can_tell)
{
	static const struct sw_flood_rules rules = { .mode = SW_FLOOD_ALWAYS, .self_check = 1 };
	const __u32 begun_ms = 0xffffffffU - 700; /* the clock wraps */
	struct sw_flood_state flood = { .on = 1, .changed_ms = begun_ms };
	struct sw_probe_counts probed = {};

	for (__u32 ms = phase_ms, last_ms = 0;; last_ms = ms, ms += SW_FLOOD_PERIOD_MS) {
		__u32 found = found_in(last_ms, ms, sign->after_ms);

		memset(&flood.period, 0, sizeof(flood.period));
		flood.period.counts[sign->evidence] = found;
		if (sign->evidence == SW_EVIDENCE_UNSERVED)
			probed.unserved[SW_CHECK_IPV4] += found;
		if (sw_self_check_look(&flood, &rules, &probed, can_tell, begun_ms + ms) ==
			    SW_CHECK_STEPS_ASIDE ||
		    ms > 10 * WITHIN_MS)
			return ms;
	}
}

static void expect_in_time(const struct sign *sign, bool can_tell)
{
	for (__u32 phase_ms = 0; phase_ms < SW_FLOOD_PERIOD_MS; phase_ms++)
		assert_in_range(steps_aside_after(sign, phase_ms, can_tell), sign->after_ms,
				WITHIN_MS);
}

static void who_is_refused(void **state __unused)
{
	expect_in_time(&refused, false);
}

static void who_is_not_heard(void **state __unused)
{
	expect_in_time(&unheard, false);
}

/* Conntrack is told meanwhile, and that is given its time. */
static void where_conntrack_does_not_help(void **state __unused)
{
	expect_in_time(&refused, true);
	expect_in_time(&unheard, true);
}

static void who_hears_no_answer(void **state __unused)
{
	expect_in_time(&repeats, false);
	expect_in_time(&repeats, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_refused),
		cmocka_unit_test(who_is_not_heard),
		cmocka_unit_test(where_conntrack_does_not_help),
		cmocka_unit_test(who_hears_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
