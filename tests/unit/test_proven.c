// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has completed a handshake: remembered for as long as it was heard of more lately than others. */
#include "../../bpf/core/proven.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sw_proven_line line;

static int begin(void **state __unused)
{
	memset(&line, 0, sizeof(line));
	return 0;
}

static void who_is_known_is_found(void **state __unused)
{
	assert_null(sw_proven_find(&line, 1));
	for (__u64 source = 1; source <= SW_WAYS; source++)
		sw_proven_note(&line, source, 10);
	for (__u64 source = 1; source <= SW_WAYS; source++)
		assert_non_null(sw_proven_find(&line, source));
	assert_null(sw_proven_find(&line, SW_WAYS + 1));
}

/* Also where the clock goes round. */
static void the_longest_silent_goes(void **state __unused)
{
	__u32 now_ms = 0xfffffff0;

	for (__u64 source = 1; source <= SW_WAYS; source++)
		sw_proven_note(&line, source, now_ms += 8);
	sw_proven_note(&line, 1, now_ms += 8);
	sw_proven_note(&line, 100, now_ms += 8);
	assert_null(sw_proven_find(&line, 2));
	assert_non_null(sw_proven_find(&line, 1));
	assert_non_null(sw_proven_find(&line, 100));
}

static void offences_stay_and_so_does_their_window(void **state __unused)
{
	struct sw_proven *one;

	sw_proven_note(&line, 1, 10);
	one = sw_proven_find(&line, 1);
	one->offences = 3;
	sw_proven_note(&line, 1, 20);
	assert_int_equal(one->offences, 3);
	assert_int_equal(one->window_ms, 10);
	/* another one in its place begins with none */
	for (__u64 source = 2; source <= SW_WAYS + 1; source++)
		sw_proven_note(&line, source, 30);
	assert_null(sw_proven_find(&line, 1));
	for (__u32 way = 0; way < SW_WAYS; way++)
		assert_int_equal(line.of[way].offences, 0);
}

static void no_source_is_free(void **state __unused)
{
	const __u64 seed[2] = { 0, 0 };
	struct sw_addr none = {};

	assert_int_not_equal(sw_proven_hash(&none, seed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_is_known_is_found, begin),
		cmocka_unit_test_setup(the_longest_silent_goes, begin),
		cmocka_unit_test_setup(offences_stay_and_so_does_their_window, begin),
		cmocka_unit_test(no_source_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
