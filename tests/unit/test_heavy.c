// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sketch of heavy sources against exact counts: every promise of include/synward/top.h, on
 * streams of several kinds; and that sampling errs no more than is stated.
 */
#include "../../user/model/top.c"
#include "../lib/heavy.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One sketch with the truth beside it. */
static struct sw_top_set sketch[SW_TOP_SETS];
static __u64 truth[SOURCES];

static __u32 set_of(__u32 source)
{
	struct sw_addr addr = address(source);

	return sw_heavy_index(&addr, seed);
}

static int clear(void **state __unused)
{
	memset(sketch, 0, sizeof(sketch));
	memset(truth, 0, sizeof(truth));
	dice = 1;
	return 0;
}

static void send(__u32 source, __u32 weight)
{
	struct sw_addr addr = address(source);

	sw_heavy_add(&sketch[sw_heavy_index(&addr, seed)], &addr, WINDOW, weight);
	truth[source] += weight;
}

static const struct sw_top_entry *find(__u32 source)
{
	const struct sw_top_set *set = &sketch[set_of(source)];
	struct sw_addr addr = address(source);

	for (__u32 way = 0; way < SW_TOP_WAYS; way++)
		if (set->entries[way].count && sw_addr_equal(&set->entries[way].source, &addr))
			return &set->entries[way];
	return NULL;
}

/* All that is promised of one source, given what its set has been through. */
static void check_source(__u32 source, __u64 events_of_set)
{
	__u64 floor = sw_top_floor(&sketch[set_of(source)], WINDOW);
	const struct sw_top_entry *entry = find(source);

	assert_true(floor * SW_TOP_WAYS <= events_of_set);
	if (!entry) {
		assert_true(truth[source] <= floor);
		assert_true(truth[source] * SW_TOP_WAYS <= events_of_set);
		return;
	}
	assert_true(entry->count - entry->error <= truth[source]);
	assert_true(truth[source] <= entry->count);
	assert_true(entry->error <= floor);
	assert_true(entry->error < entry->count);
}

static void check_all(void)
{
	__u64 events[SW_TOP_SETS] = {}, counts = 0;

	for (__u32 i = 0; i < SOURCES; i++)
		events[set_of(i)] += truth[i];
	for (__u32 i = 0; i < SOURCES; i++)
		check_source(i, events[set_of(i)]);
	for (__u32 set = 0; set < SW_TOP_SETS; set++) {
		for (__u32 way = 0; way < SW_TOP_WAYS; way++)
			counts += sketch[set].entries[way].count;
		/* nothing is lost, only mistaken for another's */
		assert_true(counts == events[set]);
		counts = 0;
	}
}

/* ---- streams */

static void uniform(void **state __unused)
{
	for (__u32 i = 0; i < EVENTS; i++)
		send(roll() % SOURCES, 1);
	check_all();
}

static void zipf(void **state __unused)
{
	for (__u32 i = 0; i < EVENTS; i++)
		send(roll_zipf(), 1);
	check_all();
	/* these have more than a quarter of any set's share, whatever falls there beside them */
	for (__u32 i = 0; i < 10; i++)
		assert_non_null(find(i));
}

/* A burst of few between floods of many, samples among single events. */
static void bursts_and_weights(void **state __unused)
{
	for (__u32 i = 0; i < EVENTS; i++)
		send(i % 1000 < 100 ? 77 + i / 100000 : roll() % SOURCES,
		     roll() % 3 ? 1 : SW_TOP_SAMPLE);
	check_all();
}

/* The sources that meet in one set. */
static __u32 neighbours(__u32 set, __u32 *found, __u32 room)
{
	__u32 count = 0;

	for (__u32 i = 0; i < SOURCES && count < room; i++)
		if (set_of(i) == set)
			found[count++] = i;
	return count;
}

/* One more than there are places, in turn: whoever comes has just been thrown out. */
static void five_in_turn(void **state __unused)
{
	__u32 same[5];

	assert_int_equal(neighbours(9, same, 5), 5);
	for (__u32 i = 0; i < 5000; i++)
		send(same[i % 5], 1);
	check_all();
	for (__u32 i = 0; i < 5000; i++)
		send(same[i % 5], 1 + 15 * (i % 5 == 3));
	check_all();
}

/* Nobody is safe from a crowd in his set, but for who has more than a quarter of what it sends. */
static void a_crowd_around_one(void **state __unused)
{
	__u32 same[100], count = neighbours(3, same, 100);
	const struct sw_top_entry *one;

	assert_int_equal(count, 100);
	for (__u32 i = 0; i < 30000; i++)
		send(i % 10 < 3 ? same[0] : same[1 + i % 99], 1);
	check_all();
	one = find(same[0]);
	assert_non_null(one);
	assert_true(one->count - one->error >= 30000 * 3 / 10 - 30000 / 4);
}

/* The worst order: the crowd comes when all that he has is not yet a quarter. */
static void the_last_to_come(void **state __unused)
{
	__u32 same[60], count = neighbours(5, same, 60);

	assert_int_equal(count, 60);
	for (__u32 i = 1; i < 60; i++)
		for (__u32 n = 0; n < 50; n++)
			send(same[i], 1);
	for (__u32 n = 0; n < 59 * 50 / 3 + 1; n++)
		send(same[0], 1);
	check_all();
	assert_non_null(find(same[0]));
}

/* ---- sources, sets, windows */

static void networks_are_one_source(void **state __unused)
{
	struct sw_addr a = v6(1, 1), b = v6(1, ~0ULL), other = v6(2, 1), host = v4(1), next = v4(2);

	a = sw_addr_host(&a);
	b = sw_addr_host(&b);
	other = sw_addr_host(&other);
	assert_true(sw_addr_equal(&a, &b));
	assert_false(sw_addr_equal(&a, &other));
	assert_int_equal(sw_top_prefix(&a), 64);
	host = sw_addr_host(&host);
	next = sw_addr_host(&next);
	assert_false(sw_addr_equal(&host, &next));
	assert_true(sw_addr_is_v4(&host));
	assert_int_equal(sw_top_prefix(&host), 32);
}

/* Mean 156 a set, of a binomial: six standard deviations around it. Another seed, other sets. */
static void sources_spread_over_the_sets(void **state __unused)
{
	__u32 counts[SW_TOP_SETS] = {}, same = 0;
	__u64 other[2] = { seed[0] ^ 1, seed[1] ^ 1 };

	for (__u32 i = 0; i < SOURCES; i++) {
		struct sw_addr addr = address(i);

		counts[set_of(i)]++;
		same += sw_heavy_index(&addr, other) == set_of(i);
	}
	for (__u32 set = 0; set < SW_TOP_SETS; set++)
		assert_in_range(counts[set], 156 - 75, 156 + 75);
	assert_in_range(same, 156 - 75, 156 + 75);
}

static void a_new_window_begins_with_nothing(void **state __unused)
{
	struct sw_addr a = v4(1), b = v4(2);
	struct sw_top_set *set = &sketch[0];

	for (__u32 i = 0; i < 10; i++) {
		sw_heavy_add(set, &a, 1, 1);
		sw_heavy_add(set, &b, 1, 1);
	}
	assert_int_equal(sw_top_floor(set, 1), 0);
	for (__u32 i = 3; i < 10; i++) {
		struct sw_addr other = v4(i);

		sw_heavy_add(set, &other, 1, 1);
	}
	assert_int_not_equal(sw_top_floor(set, 1), 0);
	assert_int_equal(sw_top_floor(set, 3), 0);
	sw_heavy_add(set, &b, 3, 1);
	assert_int_equal(set->window, 3);
	assert_int_equal(set->entries[0].count, 1);
	assert_int_equal(set->entries[0].error, 0);
	for (__u32 way = 1; way < SW_TOP_WAYS; way++)
		assert_int_equal(set->entries[way].count, 0);
	assert_int_equal(sw_top_floor(set, 1), 0);
}

static void every_set_has_a_key_of_its_own(void **state __unused)
{
	__u8 used[SW_TOP_KEYS] = {};

	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		for (__u32 window = 10; window < 10 + SW_TOP_BANKS; window++)
			for (__u32 set = 0; set < SW_TOP_SETS; set++) {
				__u32 key = sw_top_key(kind, window, set);

				assert_in_range(key, 0, SW_TOP_KEYS - 1);
				assert_int_equal(used[key]++, 0);
			}
}

/* The most that a window can hold on one CPU fits: 30 million a second. */
static void counts_do_not_overflow(void **state __unused)
{
	assert_true(30000000ULL * SW_TOP_WINDOW_MS / 1000 < ~0U);
}

/* ---- sampling */

/* What an event counts for, as top_note() has it; 0: nothing. */
static __u32 weigh(struct sw_top_sampler *sampler, __u32 now_ms)
{
	return sw_heavy_pass(sampler) ? 0 : sw_heavy_weigh(sampler, now_ms);
}

static void few_events_are_counted_one_by_one(void **state __unused)
{
	struct sw_top_sampler sampler = { .random = 1 };

	for (__u32 ms = 0; ms < 100000; ms += 16)
		for (__u32 i = 0; i < SW_TOP_EXACT; i++)
			assert_int_equal(weigh(&sampler, ms), 1);
	assert_int_equal(sampler.drawn_ms, 0);
	assert_int_equal(sampler.gap, 1);
}

/* A flood: so many of each slice one by one, of the rest a sample; and all again when it is over. */
static void many_events_are_sampled(void **state __unused)
{
	const __u64 rest = 1000 * (10000 - SW_TOP_EXACT);
	/* six standard deviations: of gaps, each has a variance of a third of its mean's square */
	const __u64 far = 6 * sqrt((double)rest * SW_TOP_SAMPLE / 3);
	struct sw_top_sampler sampler = { .random = 1 };
	__u64 ones = 0, samples = 0, weight;
	__u32 ms;

	for (ms = 0; ms < 16 * 1000; ms += 16) {
		for (__u32 i = 0; i < 10000; i++) {
			weight = weigh(&sampler, ms);
			ones += weight == 1;
			samples += weight == SW_TOP_SAMPLE;
		}
		assert_int_equal(sampler.drawn_ms, ms | 1);
	}
	assert_in_range(ones, 1000 * SW_TOP_EXACT, 1000 * SW_TOP_EXACT + 1);
	assert_in_range(samples * SW_TOP_SAMPLE, rest - far, rest + far);
	for (__u32 i = 0; i < SW_TOP_MAX_GAP; i++)
		weigh(&sampler, ms);
	for (; ms < 100000; ms += 16)
		assert_int_equal(weigh(&sampler, ms), 1);
}

/* What one has that nothing is counted one by one of any more. */
static struct sw_top_sampler spent(void)
{
	return (struct sw_top_sampler){ .random = roll() | 1, .gap = 1 + roll() % SW_TOP_SAMPLE };
}

static void gaps_are_uniform(void **state __unused)
{
	const double each = (double)EVENTS / SW_TOP_SAMPLE / SW_TOP_MAX_GAP, far = 6 * sqrt(each);
	__u32 counts[SW_TOP_MAX_GAP + 1] = {}, gap = 0;
	struct sw_top_sampler sampler = spent();

	for (__u32 i = 0; i < EVENTS; i++) {
		gap++;
		if (weigh(&sampler, 0)) {
			assert_in_range(gap, 1, SW_TOP_MAX_GAP);
			counts[gap]++;
			gap = 0;
		}
	}
	for (gap = 1; gap <= SW_TOP_MAX_GAP; gap++)
		assert_true(fabs(counts[gap] - each) < far);
}

/* How often the truth n is outside of what samples of it are said to allow. */
struct misses {
	__u32 below;
	__u32 above;
	double bias; /* the mean of what was found over n */
};

static struct misses misses_of(__u32 period, __u32 n, __u32 runs)
{
	struct misses misses = {};

	for (__u32 run = 0; run < runs; run++) {
		struct sw_top_sampler sampler = spent();
		__u64 samples = 0, found, error;
		__u32 i, phase = roll() % period;

		/* away from the beginning, as what goes on for long is */
		for (i = 0; i < 4 * SW_TOP_SAMPLE; i++)
			weigh(&sampler, 0);
		for (i = 0; i < n * period; i++)
			if (weigh(&sampler, 0) && i % period == phase)
				samples++;
		found = samples * SW_TOP_SAMPLE;
		error = sw_top_sampling_error(samples);
		misses.below += found + error < n;
		misses.above += found > n + error;
		misses.bias += (double)found / n / runs;
	}
	return misses;
}

/*
 * A source that sends every period-th of all events: whatever the period, what is found is true on
 * average, and at most 5 % are further off than what is stated. 5/3 of the mean gap is the worst.
 */
static void no_period_falls_in_step(void **state __unused)
{
	static const __u32 periods[] = { 1,
					 2,
					 3,
					 SW_TOP_SAMPLE / 2,
					 SW_TOP_SAMPLE - 1,
					 SW_TOP_SAMPLE,
					 SW_TOP_SAMPLE + 1,
					 SW_TOP_SAMPLE * 5 / 3,
					 SW_TOP_MAX_GAP,
					 2 * SW_TOP_SAMPLE,
					 4 * SW_TOP_SAMPLE };
	static const __u32 counts[] = { 1, 10, 100, 1000 };

	for (size_t p = 0; p < sizeof(periods) / sizeof(*periods); p++) {
		for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
			__u32 n = counts[c], runs = n == 1000 ? 400 : 2000;
			struct misses misses = misses_of(periods[p], n, runs);
			/* five of a mean's standard deviations, by the variance that is stated */
			double far = 5 * sqrt(SPECTRUM * SW_TOP_SAMPLE / n / runs);

			assert_true(misses.below + misses.above <= runs / 20);
			assert_true(fabs(misses.bias - 1) < far);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(uniform, clear),
		cmocka_unit_test_setup(zipf, clear),
		cmocka_unit_test_setup(bursts_and_weights, clear),
		cmocka_unit_test_setup(five_in_turn, clear),
		cmocka_unit_test_setup(a_crowd_around_one, clear),
		cmocka_unit_test_setup(the_last_to_come, clear),
		cmocka_unit_test_setup(networks_are_one_source, clear),
		cmocka_unit_test_setup(sources_spread_over_the_sets, clear),
		cmocka_unit_test_setup(a_new_window_begins_with_nothing, clear),
		cmocka_unit_test_setup(every_set_has_a_key_of_its_own, clear),
		cmocka_unit_test_setup(counts_do_not_overflow, clear),
		cmocka_unit_test_setup(few_events_are_counted_one_by_one, clear),
		cmocka_unit_test_setup(many_events_are_sampled, clear),
		cmocka_unit_test_setup(gaps_are_uniform, clear),
		cmocka_unit_test_setup(no_period_falls_in_step, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
