// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Half-open handshakes are booked on their source and their service. Whatever ends one, and whichever
 * policy is active then, takes its own booking back and no other's: the books balance at all times.
 */
#include "../lib/bookings.h"
#include "../lib/random.h"
#include "../../bpf/core/sources.h"

#include <pthread.h>

#define LENGTH	 40
#define PER_FEED (SW_REPLAY_BATCH / LENGTH)

static __u32 live(void)
{
	SW_AUTO_FREE void *table = prog_table(prog.skeleton->maps.handshakes);

	return live_attempts(table, BUCKETS);
}

static __u64 evicted(void)
{
	return prog_result(&prog).counters.tallies[SW_TALLY_ATTEMPTS_EVICTED];
}

/* ---- whatever ends a handshake */

static void each_end_takes_its_booking_back(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	open_from(0, 1, 5);
	open_from(1, 1, 2);
	expect_books(slot, 7, 7);
	complete_of(0, 1);
	expect_books(slot, 6, 6);
	/* a RST is provisional, and its grace is over for the sweeper only */
	assert_true(passes(REFUSAL(TO(0), .dport = 2)));
	expect_books(slot, 6, 6);
	prog.now_ns += 2001 * NS_PER_MS;
	prog_sweep(&prog, false);
	expect_books(slot, 5, 5);
	/* what is kept for its stragglers is not booked */
	prog.now_ns += 120001 * NS_PER_MS;
	prog_sweep(&prog, false);
	expect_books(slot, 5, 5);
	prog.now_ns += 7000 * NS_PER_MS;
	prog_sweep(&prog, false);
	expect_books(slot, 0, 0);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
}

static void a_repeated_syn_is_booked_once(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	for (__u32 i = 0; i < 10; i++)
		assert_true(passes(A_SYN(.after_ms = 10)));
	expect_books(slot, 1, 1);
	assert_true(passes(A_SYNACK()));
	assert_true(passes(A_SYN()));
	expect_books(slot, 1, 1);
	assert_true(passes(AN_ACK()));
	assert_true(passes(A_SYN())); /* of a live connection */
	expect_books(slot, 0, 0);
	assert_true(passes(A_SYN(.seq = 7))); /* an attempt of its own */
	expect_books(slot, 1, 1);
}

static void other_beginnings_are_not_booked(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	assert_true(passes(A_SYNACK()));
	expect_books(slot, 0, 0);
	assert_true(passes(A_SYN())); /* overtaken by its answer */
	expect_books(slot, 0, 0);
	assert_true(passes(AN_ACK()));
	assert_true(passes(AN_ACK(OF(3))));
	prog_segment(&prog, HOOK_EGRESS, &A_SYN(OF(4)), v6);
	expect_books(slot, 0, 0);
	assert_true(passes(A_SYN(OF(3)))); /* a stray flow gets a beginning */
	expect_books(slot, 1, 1);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
}

static void who_makes_way_is_not_booked(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	for (__u32 i = 0; i < 10 * BUCKETS * SW_WAYS; i++) {
		assert_true(passes(A_SYN(OF(i % 7), .sport = 1 + i, .after_ms = 1)));
		if (i % 50 == 0)
			expect_books(slot, live(), live());
	}
	assert_int_equal(evicted(), 9 * BUCKETS * SW_WAYS);
	/* of one flow, the oldest attempt makes way for the third ISN */
	for (__u32 i = 0; i < 5; i++)
		assert_true(passes(A_SYN(OF(100), .seq = 10 + i)));
	expect_books(slot, BUCKETS * SW_WAYS, BUCKETS * SW_WAYS);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
}

/* ---- while policies change */

static void the_next_policy_begins_with_none(void **state __unused)
{
	SW_AUTO_POLICY first = counting_policy();
	SW_AUTO_POLICY second = counting_policy();
	__u32 before = policy_install(&prog, first, 0), after;

	policy_default_rules(second)->half_open_service = 3;
	open_from(0, 1, 5);
	after = policy_install(&prog, second, 0);
	expect_books(after, 0, 5);
	open_from(0, 101, 3);
	assert_false(passes(A_SYN(OF(0), .sport = 104)));
	expect_books(after, 3, 8);
	expect_books(before, 5, 8);
	/* each completes for its own policy */
	complete_of(0, 1);
	complete_of(0, 2);
	complete_of(0, 101);
	expect_books(after, 2, 5);
	expect_books(before, 3, 5);
	assert_true(passes(A_SYN(OF(0), .sport = 105)));
	assert_false(passes(A_SYN(OF(0), .sport = 106)));
}

static void back_to_the_first_its_books_are_right(void **state __unused)
{
	SW_AUTO_POLICY first = counting_policy();
	SW_AUTO_POLICY second = counting_policy();
	__u32 before, after;

	policy_default_rules(first)->half_open_source = 6;
	before = policy_install(&prog, first, 0);
	open_from(0, 1, 5);
	after = policy_install(&prog, second, 0);
	open_from(0, 101, 9);
	complete_of(0, 1);
	complete_of(0, 101);
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	expect_books(before, 4, 12);
	complete_of(0, 102);
	expect_books(before, 4, 11);
	expect_books(after, 7, 11);
	open_from(0, 201, 2);
	assert_false(passes(A_SYN(OF(0), .sport = 203)));
	prog_sweep(&prog, true);
	expect_books(before, 0, 0);
	expect_books(after, 0, 0);
}

/* Under a policy without limits nothing is booked, but what was booked before is followed. */
static void also_through_one_without_limits(void **state __unused)
{
	SW_AUTO_POLICY first = counting_policy();
	SW_AUTO_POLICY bare = policy_new();
	__u32 before = policy_install(&prog, first, 0);

	open_from(0, 1, 5);
	policy_install(&prog, bare, 0);
	open_from(0, 101, 9);
	complete_of(0, 1);
	complete_of(0, 101);
	expect_books(before, 4, 4);
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	complete_of(0, 2);
	complete_of(0, 102);
	expect_books(before, 3, 3);
	prog_sweep(&prog, true);
	expect_books(before, 0, 0);
}

/* What was booked on the last policy of a slot is nobody's. */
static void a_slot_that_is_written_again(void **state __unused)
{
	SW_AUTO_POLICY policies[4] = { counting_policy(), counting_policy(), counting_policy(),
				       counting_policy() };
	__u32 slot = policy_install(&prog, policies[0], 0);

	open_from(0, 1, 5);
	policy_install(&prog, policies[1], 0);
	open_from(0, 101, 2);
	policy_install(&prog, policies[2], 0);
	assert_int_equal(policy_install(&prog, policies[3], 0), slot);
	expect_books(slot, 0, 7);
	complete_of(0, 1);
	expect_books(slot, 0, 7);
	open_from(0, 201, 3);
	complete_of(0, 2);
	complete_of(0, 101);
	expect_books(slot, 3, 9);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 5); /* the first policy's */
}

/* ---- random sequences */

static void feed_random(__u64 seed, __u32 count)
{
	static struct random_sequence sequence;

	for (__u32 i = 0; i < count * LENGTH; i++) {
		struct segment segment;
		struct frame frame;

		if (i % LENGTH == 0)
			sequence = (struct random_sequence){ .dice.state = seed + i };
		segment = random_segment(&sequence);
		prog.now_ns += segment.after_ms * NS_PER_MS + segment.after_us * 1000ULL;
		frame_build(&frame, &segment, v6);
		prog_batch(&prog, i, &frame, prog.now_ns);
	}
	prog_feed(&prog, count * LENGTH);
}

static void assert_no_books(void)
{
	for (__u32 i = 0; i < SW_POLICY_SLOTS * SW_SERVICE_SLOTS; i++)
		assert_int_equal(prog_half_open(&prog, i / SW_SERVICE_SLOTS, i % SW_SERVICE_SLOTS),
				 0);
	assert_int_equal(prog_half_open_of_sources(&prog), 0);
}

static struct sw_policy *tight_policy(bool enforce)
{
	struct sw_policy *policy = counting_policy();
	struct sw_rules *rules = policy_default_rules(policy);

	memcpy(rules->timeout_ms, setup_random().settings.timeout_ms, sizeof(rules->timeout_ms));
	rules->enforce = enforce;
	rules->half_open_source = 2;
	rules->half_open_service = 4;
	rules->drop = SW_MASK_DROP | SW_MASK_DROP_SYM;
	policy_add(policy, "web", NULL, 443, 443)->half_open_service = 3;
	policy_add(policy, "clients", NULL, CLIENT_PORT, CLIENT_PORT + 2)->half_open_source = 1;
	return policy;
}

/* Both limits are met again and again; in the end nothing is left on any book. */
static void nothing_leaks(void **state __unused)
{
	SW_AUTO_POLICY watching = tight_policy(false);
	SW_AUTO_POLICY enforcing = tight_policy(true);
	struct result result;

	policy_install(&prog, watching, 0);
	for (__u32 i = 0; i < 60; i++) {
		if (i == 20)
			policy_install(&prog, enforcing, 0);
		if (i == 40)
			assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
		feed_random(1 + 1000000 * i, PER_FEED);
		for (__u32 j = 0; j < SW_POLICY_SLOTS * SW_SERVICE_SLOTS; j++)
			assert_true(prog_half_open(&prog, j / SW_SERVICE_SLOTS,
						   j % SW_SERVICE_SLOTS) >= 0);
		if (i % 3 == 0)
			prog_sweep(&prog, false);
	}
	prog_sweep(&prog, true);
	assert_no_books();
	result = prog_result(&prog);
	for (__u32 i = SW_LIMIT_HALF_OPEN_SOURCE; i <= SW_LIMIT_HALF_OPEN_SERVICE; i++) {
		assert_true(result.counters.limits_would_drop[i] > 50);
		assert_true(result.counters.limits_dropped[i] > 50);
	}
}

/* ---- a lock that is not to be had, and two CPUs that want it */

static void hold_lock(const struct sw_policy *policy, __u32 number, bool held)
{
	struct sw_addr addr = end_address(FIRST_NUMBERED + number, v6);
	struct sw_addr prefix = sw_source_prefix(&addr, &policy->rules[SW_SERVICE_DEFAULT]);
	__u32 index = sw_source_index(
		sw_source_hash(&prefix, SW_SERVICE_DEFAULT, policy->generation, prog.setup.seed));
	__u32 key = index / SW_PAGE;
	int fd = bpf_map__fd(prog.skeleton->maps.sources);
	struct sw_source_page page;

	must(!bpf_map_lookup_elem(fd, &key, &page), "sources");
	page.of[index % SW_PAGE].lock.held = held;
	must(!bpf_map_update_elem(fd, &key, &page, BPF_ANY), "sources");
}

/* Who cannot be counted is let in, and nothing is taken back for him that was never booked. */
static void not_booked_not_taken_back(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	open_from(0, 1, 3);
	hold_lock(policy, 0, true);
	open_from(0, 11, 2);
	hold_lock(policy, 0, false);
	expect_books(slot, 3, 3);
	complete_of(0, 11);
	complete_of(0, 12);
	expect_books(slot, 3, 3);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
}

/* What was booked is taken back in any case, or a busy source would fill its limit for good. */
static void taken_back_whoever_has_the_lock(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	open_from(0, 1, 3);
	hold_lock(policy, 0, true);
	complete_of(0, 1);
	prog_sweep(&prog, true);
	hold_lock(policy, 0, false);
	expect_books(slot, 0, 0);
}

static void *repeat_a_known_syn(void *of)
{
	struct segment syn = A_SYN(.sport = (int)(uintptr_t)of);
	struct frame frame, after;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .data_out = after.bytes,
		    .data_size_out = sizeof(after.bytes), .repeat = 500000);

	frame_build(&frame, &syn, false);
	run.data_size_in = frame.captured;
	must(!bpf_prog_test_run_opts(bpf_program__fd(prog.skeleton->progs.sw_xdp), &run) &&
		     run.retval == XDP_PASS,
	     "sw_xdp");
	return NULL;
}

/* Each SYN is booked, and taken back as that of a known handshake; all of one source. */
static void two_cpus_book_at_once(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);
	pthread_t threads[3];

	for (__u32 i = 0; i < COUNT(threads); i++)
		assert_true(passes(A_SYN(.sport = 1 + i)));
	for (uintptr_t i = 0; i < COUNT(threads); i++)
		must(!pthread_create(&threads[i], NULL, repeat_a_known_syn, (void *)(1 + i)),
		     "thread");
	for (__u32 i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	expect_books(slot, COUNT(threads), COUNT(threads));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(each_end_takes_its_booking_back),
		EACH_FAMILY(a_repeated_syn_is_booked_once),
		EACH_FAMILY(other_beginnings_are_not_booked),
		EACH_FAMILY(who_makes_way_is_not_booked),
		EACH_FAMILY(the_next_policy_begins_with_none),
		EACH_FAMILY(back_to_the_first_its_books_are_right),
		EACH_FAMILY(also_through_one_without_limits),
		EACH_FAMILY(a_slot_that_is_written_again),
		EACH_FAMILY(nothing_leaks),
		EACH_FAMILY(not_booked_not_taken_back),
		EACH_FAMILY(taken_back_whoever_has_the_lock),
		cmocka_unit_test_setup(two_cpus_book_at_once, reset),
	};
	struct setup setup = setup_ordinary();

	setup.handshake_buckets = BUCKETS;
	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
