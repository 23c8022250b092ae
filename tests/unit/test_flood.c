// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floods: when they begin and end, what is kept as the evidence of it, and what that is taken for.
 */
#include "../../bpf/core/flood.h"
#include "../../user/model/flood_view.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/random.h"

/* ---- verdicts */

#define OF(which, count) [SW_EVIDENCE_##which] = (count)

/* Of as long as it takes to tell. */
static enum sw_flood_verdict verdict(const __u64 counts[SW_EVIDENCE_SLOTS], __u32 source_bits)
{
	struct sw_flood_evidence evidence = { .ms = EARLY_MS, .source_bits = source_bits };

	memcpy(evidence.counts, counts, sizeof(evidence.counts));
	return sw_flood_judge(&evidence);
}

#define FEW_BITS  20
#define MANY_BITS 400
#define VERDICT(source_bits, ...)                                                                  \
	verdict((const __u64[SW_EVIDENCE_SLOTS]){ __VA_ARGS__ }, source_bits)
/* an answer to each SYN, which is what a server does that is well */
#define ASKED(count) OF(SYNS, count), OF(ATTEMPTS, count), OF(SYNACKS, count)

static void of_clients(void **state __unused)
{
	assert_int_equal(VERDICT(0, OF(SYNS, 0)), SW_FLOOD_QUIET);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 500)), SW_FLOOD_HEALTHY);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 499)), SW_FLOOD_STRUGGLING);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 100)), SW_FLOOD_STRUGGLING);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 99)), SW_FLOOD_SPOOFED);
	assert_int_equal(VERDICT(FEW_BITS, ASKED(1000), OF(COMPLETED, 99)), SW_FLOOD_FEW);
	/* completed by a cookie is completed */
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ANSWERED, 1000), OF(COMPLETED, 990),
				 OF(BY_COOKIE, 990)),
			 SW_FLOOD_HEALTHY);
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 100000), OF(ANSWERED, 100000),
				 OF(COMPLETED, 990), OF(BY_COOKIE, 990)),
			 SW_FLOOD_SPOOFED);
}

static void of_many_sources(void **state __unused)
{
	__u32 bits = 0;

	while (sw_flood_sources(&(struct sw_flood_evidence){ .source_bits = bits }) < MANY_SOURCES)
		bits++;
	assert_int_equal(VERDICT(bits, ASKED(1000)), SW_FLOOD_SPOOFED);
	assert_int_equal(VERDICT(bits - 1, ASKED(1000)), SW_FLOOD_FEW);
}

static void of_a_server_that_is_silent(void **state __unused)
{
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 1000)), SW_FLOOD_SILENT);
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 1000), OF(SYNACKS, 10)),
			 SW_FLOOD_SILENT);
	/* one that lives, but whose queue of SYNs is full */
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 1000), OF(SYNACKS, 11)),
			 SW_FLOOD_SPOOFED);
	/* those who ask may be answered by cookies meanwhile */
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 10), OF(ANSWERED, 990),
				 OF(COMPLETED, 990), OF(BY_COOKIE, 990)),
			 SW_FLOOD_SILENT);
	assert_int_equal(VERDICT(FEW_BITS, OF(SYNS, 9), OF(ATTEMPTS, 9)), SW_FLOOD_FEW);
}

static void of_a_server_that_refuses(void **state __unused)
{
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 1000), OF(REFUSED, 500)),
			 SW_FLOOD_REFUSING);
	/* it is not silent, either */
	assert_int_equal(VERDICT(MANY_BITS, OF(SYNS, 1000), OF(ATTEMPTS, 1000), OF(REFUSED, 499)),
			 SW_FLOOD_SPOOFED);
}

static void of_handshakes_that_are_late(void **state __unused)
{
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 250), OF(LATE, 250)),
			 SW_FLOOD_LATE);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 900), OF(LATE, 250)),
			 SW_FLOOD_LATE);
	assert_int_equal(VERDICT(MANY_BITS, ASKED(1000), OF(COMPLETED, 900), OF(LATE, 249)),
			 SW_FLOOD_HEALTHY);
	/* the few clients whom an attack makes late */
	assert_int_equal(VERDICT(MANY_BITS, ASKED(100000), OF(COMPLETED, 900), OF(LATE, 900)),
			 SW_FLOOD_SPOOFED);
}

static void of_an_accept_queue_that_is_full(void **state __unused)
{
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(QUEUE_LOOKS, 8), OF(QUEUE_FULL, 2)),
			 SW_FLOOD_QUEUE_FULL);
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(QUEUE_LOOKS, 8), OF(QUEUE_FULL, 1)),
			 SW_FLOOD_FEW);
	/* with a full one the kernel answers no SYN: it is not silent, though */
	assert_int_equal(VERDICT(FEW_BITS, OF(SYNS, 100), OF(ATTEMPTS, 100), OF(QUEUE_LOOKS, 1),
				 OF(QUEUE_FULL, 1)),
			 SW_FLOOD_QUEUE_FULL);
	/* behind a gateway */
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(COMPLETED, 48), OF(UNACCEPTED, 3)),
			 SW_FLOOD_QUEUE_FULL);
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(COMPLETED, 49), OF(UNACCEPTED, 3)),
			 SW_FLOOD_STRUGGLING);
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(COMPLETED, 50), OF(BY_COOKIE, 2),
				 OF(UNACCEPTED, 3)),
			 SW_FLOOD_QUEUE_FULL);
	assert_int_equal(VERDICT(FEW_BITS, ASKED(100), OF(COMPLETED, 10), OF(UNACCEPTED, 2)),
			 SW_FLOOD_STRUGGLING);
}

static void hardly_any_syns_are_quiet(void **state __unused)
{
	struct sw_flood_state flood = { .period = { .ms = 200, .counts = { ASKED(3) } } };

	assert_int_equal(sw_flood_judge_now(&flood), SW_FLOOD_QUIET);
	assert_int_equal(sw_flood_judge(&flood.period), SW_FLOOD_EARLY);
	flood.period.counts[SW_EVIDENCE_SYNS] = 4;
	assert_int_equal(sw_flood_judge_now(&flood), SW_FLOOD_EARLY);
}

/* Handshakes that are late look like an attack's until the first of them can be complete. */
static void of_a_few_it_takes_time_to_tell(void **state __unused)
{
	const struct sw_flood_evidence period = { .ms = 200, .counts = { ASKED(50) } };
	const struct sw_flood_evidence completed = {
		.ms = 200, .counts = { OF(COMPLETED, 150), OF(LATE, 150) }
	};
	struct sw_flood_state flood = { .on = 1, .period = period };

	while (flood.whole.ms + period.ms < EARLY_MS) {
		sw_evidence_add(&flood.whole, &period);
		assert_int_equal(sw_flood_judge_now(&flood), SW_FLOOD_EARLY);
	}
	sw_evidence_add(&flood.whole, &period);
	assert_int_equal(sw_flood_judge_now(&flood), SW_FLOOD_FEW);
	flood.on = 0; /* of the next one nothing is known yet */
	assert_int_equal(sw_flood_judge_now(&flood), SW_FLOOD_EARLY);
	sw_evidence_add(&flood.whole, &completed);
	assert_int_equal(sw_flood_judge(&flood.whole), SW_FLOOD_LATE);
}

static void of_many_or_of_the_server_it_takes_none(void **state __unused)
{
	struct sw_flood_evidence evidence = { .ms = 200,
					      .source_bits = MANY_BITS,
					      .counts = { OF(SYNS, 1000), OF(ATTEMPTS, 1000) } };

	assert_int_equal(sw_flood_judge(&evidence), SW_FLOOD_SILENT);
	evidence.counts[SW_EVIDENCE_SYNACKS] = 1000;
	assert_int_equal(sw_flood_judge(&evidence), SW_FLOOD_SPOOFED);
}

/* Evidence as there can be: no more of anything than of what it is a part of. */
static struct sw_flood_evidence some_evidence(struct dice *dice)
{
	struct sw_flood_evidence evidence = { .ms = 200, .source_bits = roll(dice, 256) };
	__u64 *counts = evidence.counts;

	counts[SW_EVIDENCE_ATTEMPTS] = FEW_ATTEMPTS + roll(dice, 200);
	counts[SW_EVIDENCE_ANSWERED] = roll(dice, 200);
	counts[SW_EVIDENCE_SYNS] = counts[SW_EVIDENCE_ATTEMPTS] + counts[SW_EVIDENCE_ANSWERED] +
				   roll(dice, 10);
	counts[SW_EVIDENCE_SYNACKS] = roll(dice, (__u32)counts[SW_EVIDENCE_ATTEMPTS] + 1);
	counts[SW_EVIDENCE_REFUSED] =
		roll(dice, 2) ? counts[SW_EVIDENCE_ATTEMPTS] - counts[SW_EVIDENCE_SYNACKS] : 0;
	counts[SW_EVIDENCE_BY_COOKIE] = roll(dice, (__u32)counts[SW_EVIDENCE_ANSWERED] + 1);
	counts[SW_EVIDENCE_COMPLETED] = counts[SW_EVIDENCE_BY_COOKIE] +
					roll(dice, (__u32)counts[SW_EVIDENCE_SYNACKS] + 1);
	counts[SW_EVIDENCE_LATE] = roll(
		dice, (__u32)(counts[SW_EVIDENCE_COMPLETED] - counts[SW_EVIDENCE_BY_COOKIE]) + 1);
	counts[SW_EVIDENCE_UNACCEPTED] = roll(dice, 4) ? 0 : FEW_UNACCEPTED + roll(dice, 10);
	counts[SW_EVIDENCE_QUEUE_LOOKS] = roll(dice, 50);
	counts[SW_EVIDENCE_QUEUE_FULL] =
		roll(dice, 4) ? 0 : roll(dice, (__u32)counts[SW_EVIDENCE_QUEUE_LOOKS] + 1);
	return evidence;
}

/* It is a matter of shares: more of the same is the same. */
static void more_of_it_changes_nothing(void **state __unused)
{
	struct dice dice = { .state = 1 };
	unsigned int met[SW_FLOOD_VERDICT_COUNT] = {};

	for (int i = 0; i < 100000; i++) {
		struct sw_flood_evidence evidence = some_evidence(&dice), sum = {};
		enum sw_flood_verdict expected = sw_flood_judge(&evidence);
		__u32 times = 1 + roll(&dice, 100);

		for (__u32 n = 0; n < times; n++)
			sw_evidence_add(&sum, &evidence);
		if (expected == SW_FLOOD_EARLY && sum.ms >= EARLY_MS)
			expected = SW_FLOOD_FEW;
		assert_int_equal(sw_flood_judge(&sum), expected);
		met[expected]++;
	}
	for (int i = 0; i < SW_FLOOD_VERDICT_COUNT; i++)
		assert_true(met[i] || i == SW_FLOOD_QUIET);
}

/* Whoever completes a handshake does not make it more of an attack. */
static void completing_is_never_held_against_anybody(void **state __unused)
{
	struct dice dice = { .state = 2 };

	for (int i = 0; i < 100000; i++) {
		struct sw_flood_evidence evidence = some_evidence(&dice);
		enum sw_flood_verdict before = sw_flood_judge(&evidence), after;

		evidence.counts[SW_EVIDENCE_COMPLETED] += 1 + roll(&dice, 100);
		after = sw_flood_judge(&evidence);
		if (after == SW_FLOOD_SPOOFED || after == SW_FLOOD_FEW)
			assert_true(before == after || before == SW_FLOOD_QUEUE_FULL);
		if (before == SW_FLOOD_HEALTHY)
			assert_int_equal(after, SW_FLOOD_HEALTHY);
	}
}

/* ---- sources */

static void sources_are_estimated(void **state __unused)
{
	static const __u32 numbers[] = { 0, 1, 10, 100, 1000, 3000 };
	struct dice dice = { .state = 3 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		__u64 sketch[SW_FLOOD_SKETCH_BITS / 64] = {};
		__u32 estimate, error = numbers[i] / 7 + 1;

		for (__u32 n = 0; n < numbers[i]; n++)
			sketch[roll(&dice, SW_FLOOD_SKETCH_BITS / 64)] |= 1ULL << roll(&dice, 64);
		estimate = sw_flood_sources(
			&(struct sw_flood_evidence){ .source_bits = sketch_bits(sketch) });
		assert_in_range(estimate, numbers[i] - (numbers[i] ? error : 0),
				numbers[i] + error);
	}
	assert_int_equal(sw_flood_sources(&(struct sw_flood_evidence){
				 .source_bits = SW_FLOOD_SKETCH_BITS }),
			 7098);
}

/* ---- periods */

static struct sw_flood_state flood;
static __u64 totals[SW_EVIDENCE_SLOTS];
static __u32 now_ms;
static const struct sw_flood_rules adaptive = {
	.mode = SW_FLOOD_ADAPTIVE, .half_open = 100, .syn_rate = 1000, .calm_ms = 2000
};

static int begin(void **state __unused)
{
	memset(&flood, 0, sizeof(flood));
	memset(totals, 0, sizeof(totals));
	now_ms = 0xffffffffU - 3000; /* the clock wraps */
	return 0;
}

static enum sw_flood_change look(const struct sw_flood_rules *rules, __u32 syns, __u32 completed,
				 __u32 half_open)
{
	now_ms += SW_FLOOD_PERIOD_MS;
	totals[SW_EVIDENCE_SYNS] += syns;
	totals[SW_EVIDENCE_COMPLETED] += completed;
	return sw_flood_look(&flood, rules, now_ms, totals, half_open);
}

static void by_its_half_open(void **state __unused)
{
	assert_int_equal(look(&adaptive, 99, 0, 99), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 1, 0, 100), SW_FLOOD_BEGINS);
	assert_int_equal(flood.reason, SW_FLOOD_REASON_HALF_OPEN);
	assert_int_equal(flood.floods, 1);
	assert_int_equal(flood.began.counts[SW_EVIDENCE_SYNS], 1);
	assert_int_equal(flood.began.half_open, 100);
}

static void by_its_rate(void **state __unused)
{
	/* 200 in a fifth of a second, of which half are completed */
	assert_int_equal(look(&adaptive, 200, 100, 0), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 199, 0, 0), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 200, 99, 0), SW_FLOOD_BEGINS);
	assert_int_equal(flood.reason, SW_FLOOD_REASON_SYN_RATE);
}

static void it_ends_with_calm(void **state __unused)
{
	look(&adaptive, 200, 0, 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(look(&adaptive, 50, 0, 0), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 200, 0, 0), SW_FLOOD_SAME);
	for (int i = 0; i < 9; i++)
		assert_int_equal(look(&adaptive, 99, 0, 0), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 1000, 600, 0), SW_FLOOD_ENDS);
	assert_int_equal(sw_flood_lasted_ms(&flood), 20 * SW_FLOOD_PERIOD_MS);
	assert_int_equal(flood.on_ms, 20 * SW_FLOOD_PERIOD_MS);
	assert_int_equal(flood.whole.counts[SW_EVIDENCE_SYNS], 200 + 9 * 50 + 200 + 9 * 99 + 1000);
	assert_int_equal(flood.whole.counts[SW_EVIDENCE_COMPLETED], 600);
}

static void what_it_leaves_is_no_new_one(void **state __unused)
{
	look(&adaptive, 100, 0, 500);
	for (int i = 0; i < 9; i++)
		look(&adaptive, 0, 0, 500);
	assert_int_equal(look(&adaptive, 0, 0, 500), SW_FLOOD_ENDS);
	for (int i = 0; i < 100; i++)
		assert_int_equal(look(&adaptive, 0, 0, 500), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 0, 0, 200), SW_FLOOD_SAME);
	assert_int_equal(look(&adaptive, 1, 0, 201), SW_FLOOD_BEGINS);
}

static void other_modes(void **state __unused)
{
	struct sw_flood_rules rules = adaptive;

	rules.mode = SW_FLOOD_OFF;
	assert_int_equal(look(&rules, 10000, 0, 10000), SW_FLOOD_SAME);
	rules.mode = SW_FLOOD_ALWAYS;
	assert_int_equal(look(&rules, 0, 0, 0), SW_FLOOD_BEGINS);
	assert_int_equal(flood.reason, SW_FLOOD_REASON_ALWAYS);
	for (int i = 0; i < 100; i++)
		assert_int_equal(look(&rules, 0, 0, 0), SW_FLOOD_SAME);
	rules.mode = SW_FLOOD_OFF;
	assert_int_equal(look(&rules, 0, 0, 0), SW_FLOOD_ENDS);
	/* cookies are on their way for a while */
	for (__u32 ms = 0; ms < SW_FLOOD_HONOUR_MS; ms += SW_FLOOD_PERIOD_MS) {
		assert_true(flood.honour);
		assert_int_equal(look(&rules, 0, 0, 0), SW_FLOOD_SAME);
	}
	assert_false(flood.honour);
}

/* Another policy counts from 0 on. */
static void counters_that_begin_anew(void **state __unused)
{
	look(&adaptive, 50, 40, 0);
	totals[SW_EVIDENCE_SYNS] = totals[SW_EVIDENCE_COMPLETED] = 0;
	assert_int_equal(look(&adaptive, 10, 5, 0), SW_FLOOD_SAME);
	assert_int_equal(flood.period.counts[SW_EVIDENCE_SYNS], 0);
	assert_int_equal(look(&adaptive, 10, 5, 0), SW_FLOOD_SAME);
	assert_int_equal(flood.period.counts[SW_EVIDENCE_SYNS], 10);
}

static void each_period_has_its_own_sources_and_queue(void **state __unused)
{
	flood.sources[0] = 0xff;
	flood.sources[15] = 1ULL << 63;
	flood.queue = 7;
	flood.queue_room = 5;
	assert_int_equal(look(&adaptive, 200, 0, 0), SW_FLOOD_BEGINS);
	flood.sources[3] = 1;
	look(&adaptive, 200, 0, 0);
	assert_int_equal(flood.period.source_bits, 1);
	assert_int_equal(flood.period.queue, 0);
	assert_int_equal(flood.began.source_bits, 9);
	assert_int_equal(flood.whole.source_bits, 9);
	assert_int_equal(flood.whole.queue, 7);
	assert_int_equal(flood.whole.queue_room, 5);
}

/*
 * Whatever comes: what made it begin stays as it was, the whole is the sum of all periods from that
 * one on, and it does not begin again before there was calm.
 */
static void the_evidence_adds_up(void **state __unused)
{
	struct dice dice = { .state = 4 };
	struct sw_flood_evidence began = {};
	__u64 sum[SW_EVIDENCE_SLOTS] = {}, on_ms = 0, sum_ms = 0;
	__u32 changes = 0, begun_ms = 0;
	bool on = false;

	for (int i = 0; i < 200000; i++) {
		bool busy = roll(&dice, 256) < 40;
		__u32 elapsed = 1 + roll(&dice, 250);
		enum sw_flood_change change;

		now_ms += elapsed;
		for (int n = 0; n < SW_EVIDENCE_COUNT; n++)
			totals[n] += roll(&dice, busy ? 256 : 2);
		change = sw_flood_look(&flood, &adaptive, now_ms, totals, roll(&dice, 102));
		if (i == 0)
			elapsed = SW_FLOOD_PERIOD_MS;
		if (change == SW_FLOOD_BEGINS) {
			assert_false(on);
			began = flood.period;
			memset(sum, 0, sizeof(sum));
			sum_ms = 0;
			begun_ms = now_ms;
		} else if (on) {
			on_ms += elapsed;
		}
		if (on || change == SW_FLOOD_BEGINS) {
			sum_ms += elapsed;
			for (int n = 0; n < SW_EVIDENCE_COUNT; n++)
				sum[n] += flood.period.counts[n];
		}
		if (change == SW_FLOOD_ENDS)
			assert_true(on && now_ms - begun_ms >= adaptive.calm_ms);
		on = change == SW_FLOOD_SAME ? on : change == SW_FLOOD_BEGINS;
		changes += change != SW_FLOOD_SAME;
		assert_int_equal(flood.on, on);
		assert_memory_equal(&flood.began, &began, sizeof(began));
		assert_memory_equal(flood.whole.counts, sum, sizeof(sum));
		assert_int_equal(flood.whole.ms, sum_ms);
		assert_int_equal(flood.on_ms, on_ms);
	}
	assert_true(changes > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_clients),
		cmocka_unit_test(of_many_sources),
		cmocka_unit_test(of_a_server_that_is_silent),
		cmocka_unit_test(of_a_server_that_refuses),
		cmocka_unit_test(of_handshakes_that_are_late),
		cmocka_unit_test(of_an_accept_queue_that_is_full),
		cmocka_unit_test(hardly_any_syns_are_quiet),
		cmocka_unit_test(of_a_few_it_takes_time_to_tell),
		cmocka_unit_test(of_many_or_of_the_server_it_takes_none),
		cmocka_unit_test(more_of_it_changes_nothing),
		cmocka_unit_test(completing_is_never_held_against_anybody),
		cmocka_unit_test(sources_are_estimated),
		cmocka_unit_test_setup(by_its_half_open, begin),
		cmocka_unit_test_setup(by_its_rate, begin),
		cmocka_unit_test_setup(it_ends_with_calm, begin),
		cmocka_unit_test_setup(what_it_leaves_is_no_new_one, begin),
		cmocka_unit_test_setup(other_modes, begin),
		cmocka_unit_test_setup(counters_that_begin_anew, begin),
		cmocka_unit_test_setup(each_period_has_its_own_sources_and_queue, begin),
		cmocka_unit_test_setup(the_evidence_adds_up, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
