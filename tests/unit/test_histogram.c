// SPDX-License-Identifier: GPL-2.0-or-later
/* Latencies fall into the bucket whose bounds hold them, for every value at an edge. */
#include "../../include/synward/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LAST (SW_HIST_BUCKETS - 1)

/* The lowest value of a bucket. */
static __u64 lowest(__u32 bucket)
{
	return bucket ? sw_hist_bound(bucket - 1) : 0;
}

static void edges_fall_into_their_bucket(void **state __unused)
{
	for (__u32 bucket = 0; bucket < LAST; bucket++) {
		assert_true(lowest(bucket) < sw_hist_bound(bucket));
		assert_int_equal(sw_hist_bucket(lowest(bucket)), bucket);
		assert_int_equal(sw_hist_bucket(sw_hist_bound(bucket) - 1), bucket);
		assert_int_equal(sw_hist_bucket(sw_hist_bound(bucket)), bucket + 1);
	}
	assert_int_equal(sw_hist_bucket(0xffffffff), LAST);
}

static void the_last_bucket_begins_at_2_27(void **state __unused)
{
	assert_int_equal(lowest(LAST), 1 << 27);
}

static void powers_of_two_and_their_neighbours(void **state __unused)
{
	for (__u32 shift = 0; shift < 32; shift++) {
		for (int by = -1; by <= 1; by++) {
			__u32 us = (1U << shift) + by, bucket = sw_hist_bucket(us);

			assert_in_range(bucket, 0, LAST);
			assert_true(us >= lowest(bucket));
			assert_true(bucket == LAST || us < sw_hist_bound(bucket));
		}
	}
}

/* Every value up to 2^20, and above that as many again. */
static void buckets_never_go_back(void **state __unused)
{
	__u32 before = 0;

	for (__u64 us = 0; us <= 0xffffffff; us += us < 1 << 20 ? 1 : 4093) {
		__u32 bucket = sw_hist_bucket(us);

		if (bucket != before)
			assert_int_equal(bucket, before + 1);
		assert_true(us >= lowest(bucket));
		assert_true(bucket == LAST || us < sw_hist_bound(bucket));
		before = bucket;
	}
	assert_int_equal(before, LAST);
}

static void no_bucket_is_wider_than_a_quarter_of_its_values(void **state __unused)
{
	for (__u32 bucket = SW_HIST_LINEAR; bucket < LAST; bucket++)
		assert_true((sw_hist_bound(bucket) - lowest(bucket)) * 4 <= lowest(bucket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_fall_into_their_bucket),
		cmocka_unit_test(the_last_bucket_begins_at_2_27),
		cmocka_unit_test(powers_of_two_and_their_neighbours),
		cmocka_unit_test(buckets_never_go_back),
		cmocka_unit_test(no_bucket_is_wider_than_a_quarter_of_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
