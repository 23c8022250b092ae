// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said to be done about a flood is what was counted. */
#include "../../user/model/flood_view.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_is_said_to_be_done_was_counted(void **state __unused)
{
	struct sw_flood_state flood = { .on = 1 };
	__u64 *counts = flood.whole.counts;

	assert_int_equal(sw_flood_deed(&flood, false, false), SW_FLOOD_DEED_NONE);
	counts[SW_EVIDENCE_SYNS] = counts[SW_EVIDENCE_UNHEARD] = 1000;
	assert_int_equal(sw_flood_deed(&flood, false, false), SW_FLOOD_DEED_UNHEARD);
	counts[SW_EVIDENCE_ANSWERED] = 1;
	assert_int_equal(sw_flood_deed(&flood, false, false), SW_FLOOD_DEED_ANSWERED);
	flood.period.counts[SW_EVIDENCE_UNHEARD] = 1;
	assert_int_equal(sw_flood_deed(&flood, false, false), SW_FLOOD_DEED_UNHEARD);
	flood.period.counts[SW_EVIDENCE_ANSWERED] = 1;
	assert_int_equal(sw_flood_deed(&flood, false, false), SW_FLOOD_DEED_ANSWERED);
	assert_int_equal(sw_flood_deed(&flood, false, true), SW_FLOOD_DEED_ASIDE);
	assert_int_equal(sw_flood_deed(&flood, true, true), SW_FLOOD_DEED_WATCHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_to_be_done_was_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
