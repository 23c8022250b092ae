// SPDX-License-Identifier: GPL-2.0-or-later
/* SYNs that are answered and come again: as a client's do, as a machine's, and among very many others. */
#include "../../bpf/core/self_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/random.h"

static void as_a_client_repeats_it(void **state __unused)
{
	static const __u32 at_ms[] = { 1000, 3000, 7000, 14900 };
	__u32 tag = sw_answered_tag(12345, 678);
	__u32 word = 0, start_ms = 0xfffffc00;

	assert_false(sw_answered_note(&word, tag, start_ms, true));
	for (int i = 0; i < 4; i++)
		assert_true(sw_answered_note(&word, tag, start_ms + at_ms[i], true));
}

static void as_a_machine_repeats_it(void **state __unused)
{
	__u32 tag = sw_answered_tag(12345, 678);
	__u32 word = 0;

	for (__u32 ms = 0; ms < 60000; ms += 300)
		assert_false(sw_answered_note(&word, tag, ms, true));
	/* and more slowly, after it had done so fast */
	for (__u32 ms = 60000; ms < 80000; ms += 1000)
		assert_false(sw_answered_note(&word, tag, ms, true));
}

static void another_takes_its_place(void **state __unused)
{
	__u32 one = sw_answered_tag(1, 1), other = sw_answered_tag(1, 2);
	__u32 word = 0;

	assert_false(sw_answered_note(&word, one, 0, true));
	assert_false(sw_answered_note(&word, other, 500, true));
	assert_false(sw_answered_note(&word, one, 1000, true));
	assert_true(sw_answered_note(&word, one, 2000, true));
}

/* One that passes is remembered if it was before, and counts. */
static void one_that_passes(void **state __unused)
{
	__u32 one = sw_answered_tag(1, 1), other = sw_answered_tag(1, 2), word = 0;

	assert_false(sw_answered_note(&word, one, 0, true));
	assert_false(sw_answered_note(&word, other, 500, false));
	assert_true(sw_answered_note(&word, one, 1000, false));
	assert_true(sw_answered_note(&word, one, 3000, true));
	word = 0;
	assert_false(sw_answered_note(&word, one, 0, false));
	assert_false(sw_answered_note(&word, one, 1000, true));
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
		__u32 tag = sw_answered_tag(flow, n);

		if (!sw_is_sampled(flow, 2))
			continue;
		sampled++;
		mistaken += sw_answered_note(&table[sw_answered_index(flow)], tag, n / 400, true);
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
	assert_int_equal(sw_sample_shift(10000000), 8);
	assert_in_range(sw_sample_shift(0xffffffff), 14, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_client_repeats_it),
		cmocka_unit_test(as_a_machine_repeats_it),
		cmocka_unit_test(another_takes_its_place),
		cmocka_unit_test(one_that_passes),
		cmocka_unit_test(others_are_not_mistaken),
		cmocka_unit_test(so_many_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
