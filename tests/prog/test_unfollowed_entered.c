// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attempts of which there is a word, and that are in the table as well, or were: each is one, however it comes to its end.
 */
#include "../lib/unfollowed.h"
#include "../lib/same_bucket.h"

/* Who was entered before anything looked like a flood has no word; if its SYN comes again within it, it is still one. */
static void who_began_before_is_one(bool answered)
{
	assert_true(comes(A_SYN()));
	if (answered)
		leaves(A_SYNACK());
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_attempts(BURST, FLOOD + 2 - BURST, 1);
	expect_conserved();
	prog.now_ns += 600000 * NS_PER_MS;
	prog_sweep(&prog, false);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	assert_int_equal(ended(SW_OUTCOME_HALF_OPEN), 0);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), BURST - 1);
}

static void who_began_before_unanswered_is_one(void **state __unused)
{
	who_began_before_is_one(false);
}

static void who_began_before_answered_is_one(void **state __unused)
{
	who_began_before_is_one(true);
}

/* Of two SYNs that a word cannot tell apart one has been completed. */
static void of_two_alike_one_is_taken(void **state __unused)
{
	assert_true(comes(A_SYN()));
	assert_true(comes(A_SYN(.seq = ISN_C + (1U << 14))));
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_conserved();
}

/* Whoever limits attempts from now on has booked the SYN that came again. What ends it takes that back. */
static void a_limit_that_comes_is_not_used_up(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();
	__u32 slot;

	flood(FLOOD);
	assert_true(comes(A_SYN()));
	policy_default_rules(policy)->half_open_source = 1000;
	policy_default_rules(policy)->half_open_service = 1000;
	slot = policy_install(&prog, policy, 0);
	assert_true(comes(A_SYN()));
	assert_int_equal(prog_half_open(&prog, slot, SW_SERVICE_DEFAULT), 1);
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	assert_int_equal(prog_half_open(&prog, slot, SW_SERVICE_DEFAULT), 0);
	assert_int_equal(prog_half_open_of_sources(&prog), 0);
	expect_conserved();
}

/* Nor is its SYN-ACK taken for one of an attempt that is only counted: what was answered is half-open, not unanswered. */
static void what_limits_have_entered_is_answered(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();

	flood(FLOOD);
	assert_true(comes(A_SYN()));
	policy_default_rules(policy)->half_open_source = 1000;
	policy_install(&prog, policy, 0);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	prog.now_ns += 600000 * NS_PER_MS;
	prog_sweep(&prog, false);
	assert_int_equal(ended(SW_OUTCOME_HALF_OPEN), 1);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), BURST);
	expect_conserved();
}

/* So many others follow CLIENT into its bucket; each is followed, and answered if so. */
static void crowd(__u32 count, bool answered)
{
	__u32 other = FLOOD;

	for (__u32 i = 0; i < count; i++) {
		if (i % FOLLOWED == 0)
			go_to_a_window();
		other = next_in_bucket(&prog, other, v6);
		assert_true(comes(A_SYN(.from = FIRST_NUMBERED + other)));
		if (answered)
			leaves(A_SYNACK(.to = FIRST_NUMBERED + other));
	}
}

/* Who was followed and had to make way is recognised as who was only counted, however far he had come. */
static void who_is_pushed_out_is_recognised(bool answered)
{
	flood(FLOOD);
	go_to_a_window();
	assert_true(comes(A_SYN()));
	if (answered)
		leaves(A_SYNACK());
	crowd(2 * SW_WAYS, answered);
	assert_true(tallied(SW_TALLY_ATTEMPTS_EVICTED) >= SW_WAYS);
	if (!answered)
		leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_RECOGNISED), 1);
	expect_completed(1);
	expect_no_anomaly();
	expect_conserved();
}

static void who_is_pushed_out_unanswered_is_recognised(void **state __unused)
{
	who_is_pushed_out_is_recognised(false);
}

static void who_is_pushed_out_answered_is_recognised(void **state __unused)
{
	who_is_pushed_out_is_recognised(true);
}

/* Also who was entered without a word, before anything looked like a flood. */
static void who_began_before_and_is_pushed_out_is_recognised(void **state __unused)
{
	assert_true(comes(A_SYN()));
	flood(FLOOD);
	go_to_a_window();
	crowd(2 * SW_WAYS, false);
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	expect_completed(1);
	expect_no_anomaly();
	expect_conserved();
}

/* A flood that is too slow for any SYN of it to be only counted fills the table as well. */
static void who_is_pushed_out_slowly_is_recognised(void **state __unused)
{
	assert_true(comes(A_SYN()));
	crowd(2 * SW_WAYS, false);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_UNFOLLOWED), 0);
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	expect_no_anomaly();
	expect_conserved();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(who_began_before_unanswered_is_one),
		ON_EACH_WIRE(who_began_before_answered_is_one),
		ON_EACH_WIRE(of_two_alike_one_is_taken),
		ON_EACH_WIRE(a_limit_that_comes_is_not_used_up),
		ON_EACH_WIRE(what_limits_have_entered_is_answered),
		ON_EACH_WIRE(who_is_pushed_out_unanswered_is_recognised),
		ON_EACH_WIRE(who_is_pushed_out_answered_is_recognised),
		ON_EACH_WIRE(who_began_before_and_is_pushed_out_is_recognised),
		ON_EACH_WIRE(who_is_pushed_out_slowly_is_recognised),
	};

	return unfollowed_run(tests);
}
