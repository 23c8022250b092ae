// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections of whose two directions one passes here: they give their places back, where that is no way for
 * whoever spoofs addresses to have more of them, or to hide a flood.
 */
#include "../lib/forged.h"

#define PLACES	3
#define GRACE	500
#define SILENCE 10000 /* the timeout of a SYN without an answer */

static int reset(void **state)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	begin(state, ROUTER);
	rules->enforce = 1;
	rules->prefix6 = 128;
	rules->half_open_source = PLACES;
	rules->timeout_ms[SW_TIMEOUT_SYN_SENT] = SILENCE;
	policy_install(&prog, policy, 0);
	return 0;
}

static void wait_ms(__u32 ms)
{
	prog.now_ns += ms * NS_PER_MS;
	prog_sweep(&prog, false);
}

/* A client opens connections, of which the first port is said, and speaks on each of them. */
static void speaks_on(__u16 port, __u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		assert_true(comes(A_SYN(.sport = port + i)));
		assert_true(comes(AN_ACK(.sport = port + i)));
		assert_true(comes(AN_ACK(.sport = port + i, .payload = 10)));
	}
}

static void expect_full(__u16 port)
{
	assert_false(comes(A_SYN(.sport = port)));
}

static void completes(__u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		assert_true(comes(A_SYN(.sport = 100 + i)));
		leaves(A_SYNACK(.dport = 100 + i));
		assert_true(comes(AN_ACK(.sport = 100 + i)));
	}
}

static void places_are_given_back(void **state __unused)
{
	for (__u32 i = 0; i < 3; i++) {
		speaks_on(2000 + PLACES * i, PLACES);
		expect_full(4000);
		wait_ms(GRACE);
		expect_full(4000);
		wait_ms(1);
	}
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 3 * PLACES);
	/* what they say is theirs as before */
	for (__u32 i = 0; i < 3 * PLACES; i++)
		assert_true(comes(AN_ACK(.sport = 2000 + i, .payload = 10, .after_ms = 1000)));
	expect_anomaly("midstream", 0, 0, 0);
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 3 * PLACES);
}

static void whoever_goes_on_talking_ends_as_soon(void **state __unused)
{
	speaks_on(2000, PLACES);
	for (__u32 i = 0; i < 4; i++)
		assert_true(comes(AN_ACK(.sport = 2000, .payload = 10, .after_ms = 100)));
	wait_ms(100);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 0);
	wait_ms(1);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), PLACES);
}

/* Who has nothing to say acknowledges what he is told. */
static void whoever_listens_goes_on_as_well(void **state __unused)
{
	for (__u32 i = 0; i < PLACES; i++) {
		assert_true(comes(A_SYN(.sport = 2000 + i)));
		assert_true(comes(AN_ACK(.sport = 2000 + i)));
		assert_true(comes(AN_ACK(.sport = 2000 + i)));
	}
	wait_ms(GRACE + 1);
	expect_full(4000);
	for (__u32 i = 0; i < PLACES; i++)
		assert_true(comes(AN_ACK(.sport = 2000 + i, .ack = ISN_S + 100)));
	wait_ms(GRACE + 1);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), PLACES);
	speaks_on(4000, PLACES);
}

/* ---- who spoofs addresses has no more places for saying more */

static void the_answer_takes_the_place(void **state __unused)
{
	speaks_on(2000, PLACES);
	for (__u32 i = 0; i < PLACES; i++)
		leaves(A_SYNACK(.dport = 2000 + i));
	wait_ms(GRACE + 1);
	assert_false(
		comes(AN_ACK(.sport = 2000, .seq = ISN_C + 11, .ack = FORGED_S, .payload = 1)));
	wait_ms(GRACE + 1);
	expect_full(4000);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 0);
}

/* Where answers are seen, one that is not was none: until it would be so anyway, however much is said. */
static void where_answers_are_seen(void **state __unused)
{
	completes(8);
	speaks_on(2000, PLACES);
	for (__u32 i = 0; i < SILENCE / 1000; i++) {
		assert_true(comes(AN_ACK(.sport = 2000, .payload = 10, .after_ms = 1000)));
		prog_sweep(&prog, false);
		expect_full(4000);
	}
	wait_ms(1);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), PLACES);
	speaks_on(4000, PLACES);
}

/* Until there are so many that answers must take another way. */
static void where_answers_were_seen(void **state __unused)
{
	completes(8);
	for (__u32 i = 0; i < 6; i++) {
		speaks_on(2000 + PLACES * i, PLACES);
		wait_ms(GRACE + 1);
		expect_full(4000);
		wait_ms(SILENCE);
	}
	speaks_on(3000, PLACES);
	expect_full(4000);
	wait_ms(GRACE + 1);
	speaks_on(4000, PLACES);
}

/* Of connections to itself the kernel knows; here it has none. */
static void at_an_address_of_ours(void **state __unused)
{
	note_address_of(SERVER, 0);
	speaks_on(2000, PLACES);
	wait_ms(SILENCE);
	expect_full(4000);
	wait_ms(1);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), PLACES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(places_are_given_back),
		ON_EACH_WIRE(whoever_goes_on_talking_ends_as_soon),
		ON_EACH_WIRE(whoever_listens_goes_on_as_well),
		ON_EACH_WIRE(the_answer_takes_the_place),
		ON_EACH_WIRE(where_answers_are_seen),
		ON_EACH_WIRE(where_answers_were_seen),
		ON_EACH_WIRE(at_an_address_of_ours),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
