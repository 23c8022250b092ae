// SPDX-License-Identifier: GPL-2.0-or-later
/* SYNs of handshakes that were told already: they belong to them, and count against limits as others do. */
#include "../lib/bookings.h"

/*
 * An attempt that is over for the packet, before the sweeper comes, gives its place back. Its SYN takes one again, for as
 * long as it is kept: whoever made the attempt look over may have it half-open at the other end. It is told once.
 */
static void a_straggler_is_booked_again(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot = policy_install(&prog, policy, 0);

	assert_true(passes(A_SYN()));
	assert_true(passes(REFUSAL()));
	expect_books(slot, 1, 1);
	assert_true(passes(A_SYN(.after_ms = 20000)));
	expect_books(slot, 1, 1);
	assert_true(passes(A_SYN(.after_ms = 1000)));
	expect_books(slot, 1, 1);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_REJECTED], 1);
}

/* Who ends his attempts himself, and repeats their SYNs, has no more of them than anybody. */
static void stragglers_are_limited(void **state __unused)
{
	SW_AUTO_POLICY policy = counting_policy();
	__u32 slot;

	policy_default_rules(policy)->half_open_source = 5;
	slot = policy_install(&prog, policy, 0);
	for (int round = 0; round < 3; round++) {
		for (__u32 i = 0; i < 4; i++) {
			assert_true(passes(A_SYN(.sport = 1 + i + 4 * round)));
			assert_true(passes(CLIENT_RST(.sport = 1 + i + 4 * round)));
		}
		prog.now_ns += 2001 * NS_PER_MS;
		prog_sweep(&prog, false);
	}
	expect_books(slot, 0, 0);
	for (__u32 i = 0; i < 12; i++)
		assert_int_equal(passes(A_SYN(.sport = 1 + i)), i < 5);
	expect_books(slot, 5, 5);
	/* who has a place goes on */
	assert_true(passes(A_SYN(.sport = 1)));
	assert_false(passes(A_SYN(.sport = 12)));
	expect_books(slot, 5, 5);
	prog_sweep(&prog, true);
	expect_books(slot, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(a_straggler_is_booked_again),
		EACH_FAMILY(stragglers_are_limited),
	};
	struct setup setup = setup_ordinary();

	setup.handshake_buckets = BUCKETS;
	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
