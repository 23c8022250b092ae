// SPDX-License-Identifier: GPL-2.0-or-later
/* Where flows live: the same place for both directions, and no place that a sender can choose. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

#define FLOWS	65536
#define BUCKETS 1000 /* no power of two */

static const __u64 seed[2] = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

static struct sw_packet flow(enum end from, enum end to, __u16 sport, __u16 dport, bool v6)
{
	return (struct sw_packet){ .src = end_address(from, v6),
				   .dst = end_address(to, v6),
				   .sport = sport,
				   .dport = dport };
}

static void directions_share_a_hash(void **state __unused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (__u32 i = 0; i < 1000; i++) {
			struct sw_packet to = flow(FIRST_NUMBERED + i, SERVER, i, 443, v6);
			struct sw_packet back = flow(SERVER, FIRST_NUMBERED + i, 443, i, v6);

			assert_true(sw_flow_hash(&to, seed) == sw_flow_hash(&back, seed));
		}
	}
}

static void ports_belong_to_their_end(void **state __unused)
{
	struct sw_packet a = flow(CLIENT, SERVER, 1000, 2000, false);
	struct sw_packet b = flow(CLIENT, SERVER, 2000, 1000, false);

	assert_true(sw_flow_hash(&a, seed) != sw_flow_hash(&b, seed));
}

/* Whoever does not know the seed learns nothing from the hashes under another. */
static void seeds_differ(void **state __unused)
{
	for (int half = 0; half < 2; half++) {
		__u64 other[2] = { seed[0] ^ (half == 0), seed[1] ^ (half == 1) };
		__u32 same = 0;

		for (__u32 i = 0; i < FLOWS; i++) {
			struct sw_packet at = flow(FIRST_NUMBERED + i, SERVER, 40000, 443, false);

			same += sw_bucket_index(sw_flow_hash(&at, seed), BUCKETS) ==
				sw_bucket_index(sw_flow_hash(&at, other), BUCKETS);
		}
		/* one in BUCKETS by chance, that is 66: 8 standard deviations around it */
		assert_in_range(same, 1, 130);
	}
}

/*
 * Chi-square with n degrees of freedom has mean n and variance 2n. Five standard deviations to
 * either side: the numbers are fixed, so this passes always or never.
 */
static void assert_uniform(const __u32 *counts, __u32 buckets, __u32 total)
{
	double expected = (double)total / buckets, chi_square = 0, mean = buckets - 1, off;

	for (__u32 i = 0; i < buckets; i++)
		chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
	off = chi_square - mean;
	if (off * off > 25 * 2 * mean)
		fail_msg("chi-square %.0f, expected about %.0f", chi_square, mean);
}

enum vary {
	VARY_SOURCE,
	VARY_SPORT,
	VARY_BOTH_ENDS, /* whose sum stays the same */
	VARY_COUNT,
};

static struct sw_packet varied(enum vary vary, __u32 i, bool v6)
{
	switch (vary) {
	case VARY_SOURCE:
		return flow(FIRST_NUMBERED + i, SERVER, 40000, 443, v6);
	case VARY_SPORT:
		return flow(CLIENT, SERVER, i, 443, v6);
	default:
		return flow(FIRST_NUMBERED + i, LAST_NUMBERED - i, i, 65535 - i, v6);
	}
}

static void flows_spread_over_buckets(void **state __unused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (enum vary vary = 0; vary < VARY_COUNT; vary++) {
			__u32 buckets[BUCKETS] = {}, tags[1 << 8] = {};

			for (__u32 i = 0; i < FLOWS; i++) {
				struct sw_packet at = varied(vary, i, v6);
				__u64 hash = sw_flow_hash(&at, seed);
				__u32 bucket = sw_bucket_index(hash, BUCKETS);

				assert_in_range(bucket, 0, BUCKETS - 1);
				buckets[bucket]++;
				tags[sw_tag(hash) >> 8]++;
			}
			assert_uniform(buckets, BUCKETS, FLOWS);
			assert_uniform(tags, 1 << 8, FLOWS);
		}
	}
}

static void a_tag_is_never_free(void **state __unused)
{
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_not_equal(sw_tag((__u64)i << 48), 0);
}

static void indices_cover_all_buckets(void **state __unused)
{
	static const __u32 sizes[] = { 1, 2, 3, 256, 1000, SW_MAX_HANDSHAKES / SW_WAYS };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(sw_bucket_index(0, sizes[i]), 0);
		assert_int_equal(sw_bucket_index(~0ULL, sizes[i]), sizes[i] - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directions_share_a_hash),
		cmocka_unit_test(ports_belong_to_their_end),
		cmocka_unit_test(seeds_differ),
		cmocka_unit_test(flows_spread_over_buckets),
		cmocka_unit_test(a_tag_is_never_free),
		cmocka_unit_test(indices_cover_all_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
