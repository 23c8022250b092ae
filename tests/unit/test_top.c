// SPDX-License-Identifier: GPL-2.0-or-later
/* What user space makes of the sketches of several CPUs: errors that add up, ranks and rates. */
#include "../../user/model/top.c"
#include "../lib/heavy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CPUS   3U
#define NOW_MS (WINDOW * SW_TOP_WINDOW_MS + 1000)

static struct sw_top_set tables[CPUS][SW_TOP_KEYS];
static __u64 sent[SW_TOP_KIND_COUNT][SOURCES];

static __u32 gap; /* that the last CPU is in */

static struct sw_top merged(__u32 now_ms, __u64 age_ms, __u32 drawn_ms)
{
	struct sw_top_part parts[CPUS] = {};
	struct sw_top top = {};

	for (__u32 cpu = 0; cpu < CPUS; cpu++)
		parts[cpu].sets = tables[cpu];
	parts[CPUS - 1].samplers.kinds[SW_TOP_SYNS].drawn_ms = drawn_ms;
	parts[CPUS - 1].samplers.kinds[SW_TOP_SYNS].gap = gap;
	assert_int_equal(sw_top_merge(parts, CPUS, now_ms, age_ms, &top), 0);
	return top;
}

static int clear_tables(void **state __unused)
{
	memset(tables, 0, sizeof(tables));
	memset(sent, 0, sizeof(sent));
	gap = 0;
	dice = 1;
	return 0;
}

static void send_on(__u32 cpu, __u32 source, enum sw_top_kind kind, __u32 window)
{
	struct sw_addr addr = address(source);
	__u32 key = sw_top_key(kind, window, sw_heavy_index(&addr, seed));

	sw_heavy_add(&tables[cpu][key], &addr, window, 1);
	sent[kind][source]++;
}

static const struct sw_top_source *find_in(const struct sw_top *top, __u32 source)
{
	struct sw_addr addr = address(source);

	for (size_t i = 0; i < top->count; i++)
		if (sw_addr_equal(&top->sources[i].addr, &addr))
			return &top->sources[i];
	return NULL;
}

/* What is made of all is as true as each: between count and count + inherited. */
static void errors_add_up(void **state __unused)
{
	__u64 totals[SW_TOP_KIND_COUNT] = {};
	struct sw_top top;
	__u32 followed = 0;

	for (__u32 i = 0; i < EVENTS; i++) {
		enum sw_top_kind kind = roll() % 4 == 0;

		send_on(roll() % CPUS, roll_zipf(), kind, WINDOW - roll() % SW_TOP_BANKS);
		totals[kind]++;
	}
	top = merged(NOW_MS, ~0ULL, 0);
	for (__u32 i = 0; i < SOURCES; i++) {
		const struct sw_top_source *source = find_in(&top, i);

		followed += !!source;
		for (int kind = 0; kind < SW_TOP_KIND_COUNT && source; kind++) {
			const struct sw_top_measure *of = &source->kinds[kind];

			assert_true(of->count <= sent[kind][i]);
			assert_true(sent[kind][i] <= of->count + of->inherited);
			assert_int_equal(of->sampling, 0);
			assert_true(of->current <= of->count);
		}
	}
	assert_int_equal(followed, top.count);
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		assert_true(top.totals[kind].count == totals[kind]);
	assert_int_equal(top.span_ms, SW_TOP_WINDOW_MS + 1000);
	assert_int_equal(top.window, WINDOW);
	for (size_t i = 0; i < 5; i++) /* the head of a Zipf is in its order */
		assert_true(&top.sources[i] == find_in(&top, i));
	sw_top_free(&top);
}

static void each_way_to_rank(void **state __unused)
{
	struct sw_top top;

	for (int i = 0; i < 10; i++)
		send_on(0, 1, SW_TOP_SYNS, WINDOW);
	for (int i = 0; i < 6; i++) {
		send_on(1, 2, SW_TOP_SYNS, WINDOW - 1);
		send_on(2, 2, SW_TOP_ANOMALIES, WINDOW);
	}
	for (int i = 0; i < 9; i++)
		send_on(0, 3, SW_TOP_ANOMALIES, WINDOW);
	top = merged(NOW_MS, 5000, 0);
	assert_int_equal(top.span_ms, 5000);
	assert_int_equal(top.count, 3);
	assert_true(find_in(&top, 2) == &top.sources[0]);
	sw_top_sort(&top, SW_TOP_BY_SYNS);
	assert_true(find_in(&top, 1) == &top.sources[0]);
	sw_top_sort(&top, SW_TOP_BY_ANOMALIES);
	assert_true(find_in(&top, 3) == &top.sources[0]);
	assert_int_equal(sw_top_measure(find_in(&top, 2)->kinds, SW_TOP_BY_WEIGHT).count, 12);
	sw_top_free(&top);
}

static void old_windows_are_not_now(void **state __unused)
{
	struct sw_top top;

	send_on(0, 1, SW_TOP_SYNS, WINDOW);
	top = merged(NOW_MS + SW_TOP_WINDOW_MS, ~0ULL, 0);
	assert_int_equal(top.count, 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].count, 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].current, 0);
	sw_top_free(&top);
	top = merged(NOW_MS + 2 * SW_TOP_WINDOW_MS, ~0ULL, 0);
	assert_int_equal(top.count, 0);
	assert_int_equal(top.totals[SW_TOP_SYNS].count, 0);
	sw_top_free(&top);
	/* the clock wraps every 49 days, in the middle of nothing */
	send_on(0, 2, SW_TOP_SYNS, SW_TOP_WINDOW_MASK);
	top = merged(5, ~0ULL, 0);
	assert_int_equal(top.count, 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].count, 1);
	sw_top_free(&top);
}

/* No doubt where every event was counted; where one CPU may have passed some over, of that kind. */
static void sampling_is_told_of_its_kind(void **state __unused)
{
	struct sw_top top;

	send_on(0, 1, SW_TOP_SYNS, WINDOW);
	send_on(0, 1, SW_TOP_ANOMALIES, WINDOW);
	top = merged(NOW_MS, ~0ULL, NOW_MS | 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].sampling, sw_top_sampling_error(0));
	assert_int_equal(top.sources[0].kinds[SW_TOP_ANOMALIES].sampling, 0);
	assert_int_not_equal(top.totals[SW_TOP_SYNS].sampling, 0);
	sw_top_free(&top);
	gap = 1;
	top = merged(NOW_MS, ~0ULL, (NOW_MS - 3 * SW_TOP_WINDOW_MS) | 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].sampling, 0);
	sw_top_free(&top);
	/* long ago, but what it said to pass over has not come yet */
	gap = 2;
	top = merged(NOW_MS, ~0ULL, (NOW_MS - 3 * SW_TOP_WINDOW_MS) | 1);
	assert_int_not_equal(top.sources[0].kinds[SW_TOP_SYNS].sampling, 0);
	sw_top_free(&top);
}

/* Four sources, each with a count, an error and samples of its own. */
static struct sw_top_set full_set(void)
{
	struct sw_top_set set = { .window = WINDOW };

	for (__u32 way = 0; way < SW_TOP_WAYS; way++)
		set.entries[way] = (struct sw_top_entry){
			.source = v4(way + 1), .count = 10 + way, .error = way, .samples = 1
		};
	return set;
}

static void entries_that_hold_still_are_believed(void **state __unused)
{
	struct sw_top_set a = full_set(), b = a, settled = a;

	b.entries[1].count++; /* and no more: an event of that source came in between */
	b.entries[2].error++;
	b.entries[3].source = v4(99);
	sw_top_settle(&settled, &b);
	assert_memory_equal(&settled.entries[0], &a.entries[0], sizeof(a.entries[0]));
	assert_memory_equal(&settled.entries[1], &b.entries[1], sizeof(b.entries[1]));
	for (__u32 way = 2; way < SW_TOP_WAYS; way++) {
		assert_int_equal(settled.entries[way].count, b.entries[way].count);
		assert_int_equal(settled.entries[way].error, b.entries[way].count);
		assert_int_equal(settled.entries[way].samples, 0);
	}
	/* a count falls only if all of the set is new; and of another window all of it is */
	b = a;
	b.entries[0].count--;
	assert_false(sw_top_settled(&a, &b, 0));
	assert_true(sw_top_settled(&a, &b, 1));
	b.window++;
	assert_false(sw_top_settled(&a, &b, 1));
	settled = a;
	sw_top_settle(&settled, &b);
	assert_int_equal(settled.window, WINDOW + 1);
}

/* What could not be read still limits what the others of its set may have had. */
static void unsettled_entries_keep_their_count(void **state __unused)
{
	struct sw_addr addr = v4(1);
	struct sw_top_set *set =
		&tables[0][sw_top_key(SW_TOP_SYNS, WINDOW, sw_heavy_index(&addr, seed))];
	struct sw_top_set other = full_set();
	struct sw_top top;

	*set = full_set();
	for (__u32 way = 1; way < SW_TOP_WAYS; way++)
		other.entries[way].source = v4(100 + way);
	sw_top_settle(set, &other);
	top = merged(NOW_MS, ~0ULL, 0);
	assert_int_equal(top.count, 1);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].count, 10);
	assert_int_equal(top.sources[0].kinds[SW_TOP_SYNS].inherited, 0);
	assert_int_equal(top.totals[SW_TOP_SYNS].count, 46);
	sw_top_free(&top);
}

static double rate(__u32 source, __u32 before_ms, __u32 now_ms, __u32 more, __u32 window)
{
	struct sw_top before = merged(before_ms, ~0ULL, 0), now;
	double rate;

	for (__u32 i = 0; i < more; i++)
		send_on(i % CPUS, source, SW_TOP_SYNS, window);
	now = merged(now_ms, ~0ULL, 0);
	before.taken_ns = 1000000000ULL;
	now.taken_ns = before.taken_ns + (now_ms - before_ms) * 1000000ULL;
	sw_top_sort_by_address(&before);
	rate = sw_top_rate(&now, find_in(&now, source), &before, SW_TOP_BY_SYNS);
	sw_top_free(&before);
	sw_top_free(&now);
	return rate;
}

static void rates_are_between_readings(void **state __unused)
{
	for (int i = 0; i < 100; i++)
		send_on(0, 1, SW_TOP_SYNS, WINDOW - i % 2);
	assert_true(rate(1, NOW_MS, NOW_MS + 500, 30, WINDOW) == 60);
	assert_true(rate(2, NOW_MS, NOW_MS + 500, 7, WINDOW) == 14); /* a newcomer */
	assert_true(rate(1, NOW_MS, NOW_MS + 500, 0, WINDOW) == 0);
	/* on both sides of a window's end */
	assert_true(rate(1, NOW_MS, NOW_MS + SW_TOP_WINDOW_MS, 32768, WINDOW + 1) == 2000);
	/* and with nothing in common: of what is there, over its time */
	for (__u32 windows = 2; windows < 4; windows++) {
		clear_tables(NULL);
		send_on(0, 1, SW_TOP_SYNS, WINDOW);
		assert_true(fabs(rate(1, NOW_MS, NOW_MS + windows * SW_TOP_WINDOW_MS, 1738,
				      WINDOW + windows) -
				 100) < 0.1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(errors_add_up, clear_tables),
		cmocka_unit_test_setup(each_way_to_rank, clear_tables),
		cmocka_unit_test_setup(old_windows_are_not_now, clear_tables),
		cmocka_unit_test_setup(sampling_is_told_of_its_kind, clear_tables),
		cmocka_unit_test_setup(entries_that_hold_still_are_believed, clear_tables),
		cmocka_unit_test_setup(unsettled_entries_keep_their_count, clear_tables),
		cmocka_unit_test_setup(rates_are_between_readings, clear_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
