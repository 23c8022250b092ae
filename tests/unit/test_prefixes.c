// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of a list: what is in it is found, the longest first, and nothing else. */
#define _GNU_SOURCE
#include "../lib/prefixes.h"

static struct sw_list_table about;
static struct sw_prefixes table;
static struct model model;

static int open_table(void **state)
{
	__u32 buckets = *state ? *(const __u32 *)*state : 2048;

	about = (struct sw_list_table){ .buckets = buckets };
	table = (struct sw_prefixes){
		.about = &about,
		.buckets = calloc(buckets, sizeof(*table.buckets)),
		.filter = calloc(sw_list_filter_rows(buckets), sizeof(*table.filter)),
		.seed = { roll64(), roll64() },
	};
	model.count = 0;
	return !table.buckets || !table.filter;
}

static int close_table(void **state __unused)
{
	free(table.buckets);
	free(table.filter);
	return 0;
}

static bool insert(const struct sw_prefix *prefix, __u32 expires_s)
{
	struct sw_list_key key = sw_list_key(prefix, table.seed);

	return sw_prefixes_insert(&table, &key, 0, expires_s) == SW_LIST_INSERTED;
}

static const struct sw_list_row *find(const struct sw_prefix *prefix)
{
	struct sw_list_key key = sw_list_key(prefix, table.seed);

	return sw_prefixes_find(&table, &key);
}

static bool delete (const struct sw_prefix *prefix)
{
	struct sw_list_key key = sw_list_key(prefix, table.seed);

	return sw_prefixes_delete(&table, &key);
}

static void assert_same(const struct sw_addr *addr, __u32 now_s)
{
	const struct sw_list_row *found = sw_prefixes_lookup(&table, addr, now_s);
	const struct modelled *expected = model_lookup(&model, addr, now_s);

	assert_int_equal(found != NULL, expected != NULL);
	if (!found)
		return;
	assert_int_equal(found->length, expected->prefix.length);
	assert_true(sw_addr_equal(&found->addr, &expected->prefix.addr));
}

/* Some of the prefixes that are there, and some that are not. */
static struct sw_addr some_address(void)
{
	if (model.count && roll(3))
		return address_within(&model.rows[roll(model.count)].prefix);
	return random_address(roll(2));
}

static void change_once(void)
{
	struct sw_prefix prefix = random_prefix();
	struct modelled *there;
	__u32 expires_s = roll(3) ? 0 : 50 + roll(100);

	if (model.count && !roll(3))
		prefix = model.rows[roll(model.count)].prefix;
	there = model_find(&model, &prefix);
	assert_int_equal(find(&prefix) != NULL, there != NULL);
	if (there) {
		assert_true(delete (&prefix));
		assert_null(find(&prefix));
		model_delete(&model, there);
	} else {
		assert_false(delete (&prefix));
		assert_true(insert(&prefix, expires_s));
		model_insert(&model, &prefix, expires_s);
	}
	assert_int_equal(about.entries, model.count);
}

static void lookups_agree_with_the_model(void **state __unused)
{
	for (__u32 i = 0; i < 6000; i++) {
		change_once();
		if (i % 4)
			continue;
		for (int j = 0; j < 8; j++) {
			struct sw_addr addr = some_address();

			assert_same(&addr, 40 + roll(120));
		}
	}
	assert_true(model.count > 1000);
}

/* Each length of each family by itself, at both ends of the prefix and just outside of it. */
static void every_length_matches_to_the_bit(void **state __unused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (__u32 length = v6 ? 1 : SW_V4_PREFIX + 1; length <= 128; length++) {
			struct sw_prefix prefix = prefix_of(random_address(v6), length);
			struct sw_addr addr = prefix.addr;

			assert_true(insert(&prefix, 0));
			assert_non_null(sw_prefixes_lookup(&table, &addr, 0));
			for (__u32 bit = length; bit < 128; bit++)
				addr.bytes[bit / 8] |= 0x80 >> bit % 8;
			assert_non_null(sw_prefixes_lookup(&table, &addr, 0));
			addr.bytes[(length - 1) / 8] ^= 0x80 >> (length - 1) % 8;
			assert_null(sw_prefixes_lookup(&table, &addr, 0));
			assert_true(delete (&prefix));
		}
	}
}

/* What is filtered out is not there: each prefix has its bits, wherever an address of it begins. */
static void the_filter_lets_everything_through(void **state __unused)
{
	while (model.count < 1000) {
		struct sw_prefix prefix = random_prefix();

		if (model_find(&model, &prefix))
			continue;
		assert_true(insert(&prefix, 0));
		model_insert(&model, &prefix, 0);
	}
	for (__u32 i = 0; i < model.count; i++) {
		const struct sw_prefix *prefix = &model.rows[i].prefix;
		struct sw_list_key key = sw_list_key(prefix, table.seed);
		struct sw_addr addr = address_within(prefix);
		struct sw_list_filter lengths;

		assert_true(sw_list_may_have(&table.filter[sw_list_filter_row(&key, about.buckets)],
					     &key));
		sw_list_lengths_of(&addr, &about,
				   &table.filter[sw_list_lengths_row(&addr, table.seed)], &lengths);
		assert_true(lengths.words[(prefix->length - 1) / 64] >> (prefix->length - 1) % 64 &
			    1);
	}
}

static void several_lengths_are_seen(void **state __unused)
{
	static const struct {
		struct sw_list_filter lengths;
		bool several;
	} cases[] = {
		{ { { 0, 0 } }, false }, { { { 0, 1ULL << 63 } }, false }, { { { 1, 0 } }, false },
		{ { { 1, 1 } }, true },	 { { { 0, 3ULL << 62 } }, true },  { { { 5, 0 } }, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(sw_list_are_several(&cases[i].lengths), cases[i].several);
}

/* All lengths come, the longest first, and then none. */
static void lengths_come_in_their_order(void **state __unused)
{
	struct sw_list_filter lengths = { { ~0ULL, ~0ULL } };

	for (__u32 length = 128; length; length--)
		assert_int_equal(sw_list_next_length(&lengths), length);
	assert_int_equal(sw_list_next_length(&lengths), 0);
}

static const __u32 smallest = SW_MIN_BUCKETS;

/* Half full, which is what a table is made for, none is ever refused; what was put in stays found. */
static void a_table_takes_what_it_is_made_for(void **state __unused)
{
	for (__u32 round = 0; round < 200; round++) {
		struct sw_prefix first = prefix_of(random_address(true), 128);

		memset(table.buckets, 0, about.buckets * sizeof(*table.buckets));
		about.entries = 0;
		table.seed[0] = roll64();
		for (__u32 i = 0; i < about.buckets * SW_LIST_WAYS / 2; i++) {
			struct sw_prefix prefix = first;

			prefix.addr.words[3] = i;
			assert_true(insert(&prefix, 0));
		}
		for (__u32 i = 0; i < about.entries; i++) {
			first.addr.words[3] = i;
			assert_non_null(find(&first));
		}
	}
}

/* A full one says so, has changed nothing then, and takes as many as were deleted. */
static void a_full_table_refuses(void **state __unused)
{
	struct sw_prefix prefix = prefix_of(random_address(false), 128);
	__u32 full, i;

	for (i = 0; prefix.addr.words[3] = i, insert(&prefix, 0); i++)
		assert_true(i < about.buckets * SW_LIST_WAYS);
	full = about.entries;
	assert_int_equal(full, i);
	assert_null(find(&prefix));
	for (__u32 j = 0; j < full; j += 2) {
		prefix.addr.words[3] = j;
		assert_true(delete (&prefix));
	}
	assert_int_equal(about.deleted, (full + 1) / 2);
	for (__u32 j = 0; j < full; j++) {
		prefix.addr.words[3] = j;
		assert_int_equal(find(&prefix) != NULL, j % 2);
	}
	prefix.addr.words[3] = 0;
	assert_true(insert(&prefix, 7));
	assert_int_equal(find(&prefix)->expires_s, 7);
	assert_int_equal(about.deleted, (full + 1) / 2 - 1);
}

static void expiry_is_to_the_second(void **state __unused)
{
	struct sw_prefix inner = prefix_of(random_address(true), 64);
	struct sw_prefix outer = prefix_of(inner.addr, 32);
	struct sw_addr addr = address_within(&inner);

	assert_true(insert(&outer, 0));
	assert_true(insert(&inner, 100));
	assert_int_equal(sw_prefixes_lookup(&table, &addr, 99)->length, 64);
	assert_int_equal(sw_prefixes_lookup(&table, &addr, 100)->length, 32);
	assert_non_null(find(&inner));
}

/* An IPv6 prefix around the mapped addresses is about no IPv4 source, and the other way round. */
static void families_do_not_mix(void **state __unused)
{
	struct sw_prefix around = { .length = 64 };
	struct sw_addr v4 = random_address(false);
	struct sw_addr other = { .halves = { 0, 1 } };

	assert_true(insert(&around, 0));
	assert_null(sw_prefixes_lookup(&table, &v4, 0));
	assert_non_null(sw_prefixes_lookup(&table, &other, 0));
}

/* Whoever does not know the seed does not know where anything is. */
static void places_depend_on_the_seed(void **state __unused)
{
	__u32 same = 0;

	for (__u32 i = 0; i < 10000; i++) {
		struct sw_prefix prefix = random_prefix();
		__u64 other[2] = { table.seed[0] ^ 1, table.seed[1] };
		struct sw_list_key a = sw_list_key(&prefix, table.seed);
		struct sw_list_key b = sw_list_key(&prefix, other);

		same += sw_list_bucket_of(&a, 0, 1000) == sw_list_bucket_of(&b, 0, 1000);
	}
	/* one in 1000 by chance */
	assert_in_range(same, 0, 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)
#define SMALL_TEST(name)                                                                           \
	cmocka_unit_test_prestate_setup_teardown(name, open_table, close_table, (void *)&smallest)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lookups_agree_with_the_model),
		SMALL_TEST(every_length_matches_to_the_bit),
		TEST(the_filter_lets_everything_through),
		cmocka_unit_test(several_lengths_are_seen),
		cmocka_unit_test(lengths_come_in_their_order),
		SMALL_TEST(a_table_takes_what_it_is_made_for),
		SMALL_TEST(a_full_table_refuses),
		SMALL_TEST(expiry_is_to_the_second),
		SMALL_TEST(families_do_not_mix),
		SMALL_TEST(places_depend_on_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
