// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The limits of one source prefix, by themselves: the token bucket against another algorithm, the
 * count of unfinished handshakes, who makes way in a full bucket, and what counts as one source.
 */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../lib/random.h"
#include "../../bpf/core/sources.h"

#define WRAP (1ULL << 32)

static const __u64 seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

static struct sw_rules rate_of(__u32 rate, __u32 burst)
{
	return (struct sw_rules){ .syn_rate = rate, .syn_burst = burst };
}

static __u64 roll64(struct dice *dice)
{
	__u64 number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | roll(dice, 256);
	return number;
}

static bool admitted(struct sw_source_bucket *bucket, __u32 tag, const struct sw_rules *rules,
		     __u64 now_ms)
{
	return sw_source_admit(bucket, tag, rules, (__u32)now_ms) == SW_LIMIT_NONE;
}

static __u32 admitted_of(struct sw_source_bucket *bucket, __u32 tag, const struct sw_rules *rules,
			 __u64 now_ms, __u32 count)
{
	__u32 number = 0;

	for (__u32 i = 0; i < count; i++)
		number += admitted(bucket, tag, rules, now_ms);
	return number;
}

/* ---- the rate */

/*
 * The same limit as a virtual schedule (GCRA): when is the next SYN due, in units of a millisecond
 * over the rate, on a clock that does not wrap.
 */
struct schedule {
	__u64 due;
	__u64 latest_ms; /* clocks of other CPUs do not turn time back */
};

static bool schedule_admits(struct schedule *schedule, const struct sw_rules *rules, __u64 now_ms)
{
	__u64 now;

	if (now_ms > schedule->latest_ms)
		schedule->latest_ms = now_ms;
	now = schedule->latest_ms * rules->syn_rate;
	if (schedule->due < now)
		schedule->due = now;
	if (schedule->due + 1000 > now + rules->syn_burst * 1000ULL)
		return false;
	schedule->due += 1000;
	return true;
}

static void a_burst_then_the_rate(void **state __unused)
{
	struct sw_rules rules = rate_of(10, 5);
	struct sw_source_bucket bucket = {};

	assert_int_equal(admitted_of(&bucket, 7, &rules, 1000, 100), 5);
	assert_int_equal(admitted_of(&bucket, 7, &rules, 1099, 100), 0);
	assert_int_equal(admitted_of(&bucket, 7, &rules, 1100, 100), 1);
	assert_int_equal(admitted_of(&bucket, 7, &rules, 1399, 100), 2);
	/* what was left of that millisecond is not lost */
	assert_int_equal(admitted_of(&bucket, 7, &rules, 1400, 100), 1);
	assert_int_equal(admitted_of(&bucket, 7, &rules, 100000, 100), 5);
}

static void one_at_a_time(void **state __unused)
{
	struct sw_rules rules = rate_of(1, 1);
	struct sw_source_bucket bucket = {};

	for (__u32 i = 0; i < 10; i++) {
		assert_true(admitted(&bucket, 7, &rules, 1000 * i));
		assert_false(admitted(&bucket, 7, &rules, 1000 * i));
		assert_false(admitted(&bucket, 7, &rules, 1000 * i + 999));
	}
}

/* Refused SYNs cost nothing: whoever goes on trying has the whole rate. */
static void as_much_as_it_says_in_a_day(void **state __unused)
{
	struct sw_rules rules = rate_of(3, 7);
	struct sw_source_bucket bucket = {};
	__u64 start = WRAP - 1000, count = 0;

	for (__u64 ms = 0; ms <= 24 * 3600 * 1000; ms += 40)
		count += admitted_of(&bucket, 7, &rules, start + ms, 2);
	assert_int_equal(count, 7 + 3 * 24 * 3600);
}

static __u64 random_step(struct dice *dice, const struct sw_rules *rules)
{
	__u64 one = 1000 / rules->syn_rate + 1;

	switch (roll(dice, 8)) {
	case 0:
		return roll64(dice) % (one * 4);
	case 1:
		return roll64(dice) % (rules->syn_burst * one * 2) % (WRAP / 4);
	case 2:
		return roll64(dice) % (WRAP / 4);
	case 3:
		return 1;
	default:
		return 0;
	}
}

static void as_another_algorithm_has_it(void **state __unused)
{
	static const __u32 rates[] = { 1, 3, 7, 10, 999, 1000, 1001, 4096, SW_MAX_SYN_RATE };
	static const __u32 bursts[] = { 1, 2, 3, 10, 1000, SW_MAX_SYN_BURST };
	struct dice dice = { .state = 1 };
	__u32 refused = 0;

	for (__u32 i = 0; i < 400; i++) {
		struct sw_rules rules = rate_of(rates[roll(&dice, COUNT(rates))],
						bursts[roll(&dice, COUNT(bursts))]);
		struct sw_source_bucket bucket = {};
		struct schedule schedule = {};
		__u64 now = WRAP * (i + 1) - roll(&dice, 200);

		for (__u32 j = 0; j < 2000; j++) {
			__u64 clock = now - roll(&dice, 2) * 4; /* of another CPU */
			bool expected = schedule_admits(&schedule, &rules, clock);

			now += random_step(&dice, &rules);
			refused += !expected;
			if (admitted(&bucket, 7, &rules, clock) != expected)
				fail_msg("rate %u, burst %u: step %u of %u", rules.syn_rate,
					 rules.syn_burst, j, i);
		}
	}
	assert_true(refused > 10000);
}

/* Of two CPUs one has read the clock just before its tick: that must not give the tick twice. */
static void clocks_that_differ_by_a_tick(void **state __unused)
{
	struct sw_rules rules = rate_of(1000, 10);
	struct sw_source_bucket bucket = {};
	__u64 start = WRAP - 2000, count = 0;

	for (__u64 tick = 0; tick < 1000; tick++)
		for (__u32 turn = 0; turn < 20; turn++)
			count += admitted_of(&bucket, 7, &rules, start + tick * 4 - turn % 2 * 4,
					     10);
	assert_int_equal(count, 10 + 4 * 999);
}

static void a_month_of_silence_fills_it(void **state __unused)
{
	static const __u64 days[] = { 1, 24, 25, 30, 49 };

	for (__u32 i = 0; i < COUNT(days); i++) {
		struct sw_rules rules = rate_of(1, 5);
		struct sw_source_bucket bucket = {};
		__u64 start = WRAP - 3;

		assert_int_equal(admitted_of(&bucket, 7, &rules, start, 9), 5);
		start += days[i] * 24 * 3600 * 1000;
		assert_int_equal(admitted_of(&bucket, 7, &rules, start, 9), 5);
	}
}

/* ---- unfinished handshakes */

static void booked_up_to_the_limit(void **state __unused)
{
	struct sw_rules rules = { .half_open_source = 3 };
	struct sw_source_bucket bucket = {};

	for (__u32 i = 0; i < 3; i++)
		assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_NONE);
	for (__u32 i = 0; i < 3; i++)
		assert_int_equal(sw_source_admit(&bucket, 7, &rules, i), SW_LIMIT_HALF_OPEN_SOURCE);
	assert_int_equal(bucket.sources[sw_source_find(&bucket, 7)].half_open, 3);
	sw_source_release(&bucket, 7);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_NONE);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_HALF_OPEN_SOURCE);
}

static void never_below_none(void **state __unused)
{
	struct sw_rules rules = { .half_open_source = 2 };
	struct sw_source_bucket bucket = {}, empty = {};

	sw_source_release(&bucket, 7);
	assert_memory_equal(&bucket, &empty, sizeof(bucket));
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_NONE);
	for (__u32 i = 0; i < 5; i++)
		sw_source_release(&bucket, 7);
	assert_int_equal(bucket.sources[sw_source_find(&bucket, 7)].half_open, 0);
	sw_source_release(&bucket, 9);
	assert_int_equal(sw_source_find(&bucket, 9), SW_SOURCE_WAYS);
}

/* Against counting by hand, with sources that come and go. */
static void as_counted_by_hand(void **state __unused)
{
	struct sw_rules rules = { .half_open_source = 4 };
	struct sw_source_bucket bucket = {};
	struct dice dice = { .state = 2 };
	__u32 open[SW_SOURCE_WAYS] = {};

	for (__u32 i = 0; i < 100000; i++) {
		__u32 which = roll(&dice, SW_SOURCE_WAYS), tag = 2 * which + 1;

		if (roll(&dice, 2)) {
			bool fits = open[which] < 4;

			assert_true(admitted(&bucket, tag, &rules, i) == fits);
			open[which] += fits;
		} else {
			sw_source_release(&bucket, tag);
			open[which] -= !!open[which];
		}
	}
	for (__u32 i = 0; i < SW_SOURCE_WAYS; i++)
		assert_int_equal(bucket.sources[sw_source_find(&bucket, 2 * i + 1)].half_open,
				 open[i]);
}

/* What is refused by one limit is not booked on the other. */
static void the_rate_comes_first(void **state __unused)
{
	struct sw_rules rules = { .syn_rate = 1, .syn_burst = 3, .half_open_source = 2 };
	struct sw_source_bucket bucket = {};

	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_NONE);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_NONE);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_HALF_OPEN_SOURCE);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 0), SW_LIMIT_SYN_RATE);
	assert_int_equal(bucket.sources[sw_source_find(&bucket, 7)].half_open, 2);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 1000), SW_LIMIT_HALF_OPEN_SOURCE);
	assert_int_equal(sw_source_admit(&bucket, 7, &rules, 1000), SW_LIMIT_SYN_RATE);
}

/* ---- who makes way */

enum { HEAVY = 1001, BUSY = 2001, LIGHT = 3001, MANY = 5001 };

static void the_heavy_stay(void **state __unused)
{
	struct sw_rules rules = { .syn_rate = 1, .syn_burst = 100, .half_open_source = 50 };
	struct sw_source_bucket bucket = {};

	/* two with a history, and one that was seen once */
	assert_int_equal(admitted_of(&bucket, HEAVY, &rules, 0, 60), 50);
	assert_int_equal(admitted_of(&bucket, BUSY, &rules, 0, 20), 20);
	assert_true(admitted(&bucket, LIGHT, &rules, 0));
	for (__u32 i = 0; i < 10000; i++)
		assert_true(admitted(&bucket, MANY + 2 * i, &rules, i / 100));
	assert_int_equal(sw_source_find(&bucket, LIGHT), SW_SOURCE_WAYS);
	assert_false(admitted(&bucket, HEAVY, &rules, 100));
	assert_int_equal(bucket.sources[sw_source_find(&bucket, BUSY)].half_open, 20);
}

/* Of two with as many unfinished handshakes, who used less of its burst. */
static void a_limited_rate_stays(void **state __unused)
{
	struct sw_rules rules = rate_of(1, 20);
	struct sw_source_bucket bucket = {};

	assert_int_equal(admitted_of(&bucket, HEAVY, &rules, 0, 30), 20);
	for (__u32 i = 0; i < 10000; i++)
		assert_true(admitted(&bucket, MANY + 2 * i, &rules, i / 20));
	/* half a second later nothing is refilled yet; later on, one SYN a second */
	assert_false(admitted(&bucket, HEAVY, &rules, 500));
	assert_true(admitted(&bucket, HEAVY, &rules, 1000));
	assert_false(admitted(&bucket, HEAVY, &rules, 1000));
}

static void who_has_recovered_goes(void **state __unused)
{
	struct sw_rules rules = rate_of(1000, 20);
	struct sw_source_bucket bucket = {};

	assert_int_equal(admitted_of(&bucket, HEAVY, &rules, 0, 20), 20);
	assert_int_equal(admitted_of(&bucket, BUSY, &rules, 15, 20), 20);
	assert_int_equal(admitted_of(&bucket, LIGHT, &rules, 16, 9), 9);
	/* HEAVY has used 1 of its burst by now, LIGHT 6 */
	assert_true(admitted(&bucket, MANY, &rules, 19));
	assert_int_equal(sw_source_find(&bucket, HEAVY), SW_SOURCE_WAYS);
	assert_int_not_equal(sw_source_find(&bucket, BUSY), SW_SOURCE_WAYS);
	assert_int_not_equal(sw_source_find(&bucket, LIGHT), SW_SOURCE_WAYS);
}

static void a_free_place_goes_first(void **state __unused)
{
	struct sw_rules rules = { .half_open_source = 5 };
	struct sw_source_bucket bucket = {};

	for (__u32 tag = 1; tag < 2 * SW_SOURCE_WAYS; tag += 2)
		assert_true(admitted(&bucket, tag, &rules, 0));
	for (__u32 tag = 1; tag < 2 * SW_SOURCE_WAYS; tag += 2)
		assert_int_equal(bucket.sources[sw_source_find(&bucket, tag)].half_open, 1);
}

/* ---- what counts as one source */

static struct sw_addr random_address(struct dice *dice, bool v6)
{
	struct sw_addr addr = { .halves = { roll64(dice), roll64(dice) } };

	if (!v6) {
		addr.halves[0] = 0;
		addr.words[2] = SW_V4_MAPPED_WORD;
	}
	return addr;
}

/* Bit by bit. */
static struct sw_addr prefix_of(const struct sw_addr *addr, __u32 length)
{
	struct sw_addr prefix = {};

	for (__u32 bit = 0; bit < length; bit++)
		prefix.bytes[bit / 8] |= addr->bytes[bit / 8] & 0x80 >> bit % 8;
	return prefix;
}

static void prefixes_of_every_length(void **state)
{
	bool v6 = *state;
	struct dice dice = { .state = 3 };

	for (__u32 length = 0; length <= (v6 ? 128 : 32); length++) {
		/* the other family's must not matter */
		struct sw_rules rules = { .prefix4 = v6 ? 13 : length,
					  .prefix6 = v6 ? length : 21 };

		for (__u32 i = 0; i < 200; i++) {
			struct sw_addr addr = random_address(&dice, v6);
			struct sw_addr expected = prefix_of(&addr, v6 ? length : 96 + length);
			struct sw_addr prefix = sw_source_prefix(&addr, &rules);

			assert_memory_equal(&prefix, &expected, sizeof(prefix));
		}
	}
}

struct place {
	__u64 tag_and_index;
	__u32 of;
};

static int compare_places(const void *a, const void *b)
{
	__u64 first = ((const struct place *)a)->tag_and_index;
	__u64 second = ((const struct place *)b)->tag_and_index;

	return first < second ? -1 : first > second;
}

/* Sources, services and policies that are not the same never share a count. */
static void each_counts_by_itself(void **state __unused)
{
	enum { SOURCES = 40, GENERATIONS = 3 };
	static struct place places[SOURCES * GENERATIONS * SW_SERVICE_SLOTS];
	struct dice dice = { .state = 4 };
	struct sw_addr sources[SOURCES];

	for (__u32 i = 0; i < SOURCES; i++)
		sources[i] = random_address(&dice, i % 2);
	for (__u32 i = 0; i < COUNT(places); i++) {
		__u32 service = i % SW_SERVICE_SLOTS, rest = i / SW_SERVICE_SLOTS;
		__u64 hash = sw_source_hash(&sources[rest / GENERATIONS], service,
					    rest % GENERATIONS, seed);

		assert_true(sw_source_index(hash) < SW_SOURCE_BUCKETS);
		assert_int_not_equal(sw_source_tag(hash), 0);
		places[i].tag_and_index = (__u64)sw_source_tag(hash) << 32 | sw_source_index(hash);
	}
	qsort(places, COUNT(places), sizeof(places[0]), compare_places);
	for (__u32 i = 1; i < COUNT(places); i++)
		assert_true(places[i].tag_and_index != places[i - 1].tag_and_index);
}

static void owners_say_who(void **state __unused)
{
	for (__u32 generation = 0; generation < 300; generation++) {
		for (__u32 i = 0; i < SW_POLICY_SLOTS * SW_SERVICE_SLOTS; i++) {
			__u32 slot = i / SW_SERVICE_SLOTS, service = i % SW_SERVICE_SLOTS;
			__u16 owner = sw_owner(slot, generation, service);

			assert_int_not_equal(owner, 0);
			assert_int_equal(sw_owner_slot(owner), slot);
			assert_int_equal(sw_owner_service(owner), service);
			assert_int_equal(sw_owner_generation(owner), generation % 128);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(as_much_as_it_says_in_a_day),
		cmocka_unit_test(as_another_algorithm_has_it),
		cmocka_unit_test(clocks_that_differ_by_a_tick),
		cmocka_unit_test(a_month_of_silence_fills_it),
		cmocka_unit_test(booked_up_to_the_limit),
		cmocka_unit_test(never_below_none),
		cmocka_unit_test(as_counted_by_hand),
		cmocka_unit_test(the_rate_comes_first),
		cmocka_unit_test(the_heavy_stay),
		cmocka_unit_test(a_limited_rate_stays),
		cmocka_unit_test(who_has_recovered_goes),
		cmocka_unit_test(a_free_place_goes_first),
		{ "prefixes_of_every_length, IPv4", prefixes_of_every_length, NULL, NULL,
		  (void *)0 },
		{ "prefixes_of_every_length, IPv6", prefixes_of_every_length, NULL, NULL,
		  (void *)1 },
		cmocka_unit_test(each_counts_by_itself),
		cmocka_unit_test(owners_say_who),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
