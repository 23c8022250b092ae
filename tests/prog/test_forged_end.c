// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any RST and any FIN is believed, since nobody else's word ends the entry of a connection of which something was missed.
 * But one without a number that its end can have come to leaves doubt: whoever goes on to speak has not
 * ended anything, at once or after the entry was given up.
 */
#include "../lib/forged.h"

#define CLOSED_MS 120000U
#define LATER_MS  4000U
#define FAR	  (3U << 20) /* it is known to a MiB */

/* Of a router, so that both ends' numbers come in. */
static int reset(void **state)
{
	begin(state, ROUTER);
	begin_to_forward();
	set_mode(true);
	return 0;
}

/* Numbers that wrap soon. */
static struct talk talk_for_long(void)
{
	struct talk talk = { .behind = true, .c = 0xfffff000, .s = 0xffffe000 };

	assert_true(comes(A_SYN(.seq = talk.c - 1)));
	server_sends(&talk, A_SYNACK(.seq = talk.s - 1, .ack = talk.c));
	assert_true(comes(AN_ACK(.seq = talk.c, .ack = talk.s)));
	goes_on(&talk);
	goes_on(&talk);
	goes_on(&talk);
	return talk;
}

static void says(bool client, struct segment segment)
{
	assert_true(client ? comes(segment) : comes_from_behind(segment));
}

static void resets(const struct talk *talk, bool client, __u32 off, bool with_ack)
{
	int flags = RST | (with_ack ? ACK : 0);

	if (client)
		says(true, CLIENT_RST(.flags = flags, .seq = talk->c + off,
				      .ack = with_ack ? talk->s : 0));
	else
		says(false, SERVER_RST(.flags = flags, .seq = talk->s + off,
				       .ack = with_ack ? talk->c : 0));
}

static void closes(const struct talk *talk, bool client, __u32 off)
{
	if (client)
		says(true, AN_ACK(.flags = FIN | ACK, .seq = talk->c + off, .ack = talk->s));
	else
		says(false, SERVER_ACK(.flags = FIN | ACK, .seq = talk->s + off, .ack = talk->c));
}

/* Is it over, once nobody has said anything for as long as a connection that is closed is kept? */
static bool is_over(void)
{
	__u64 before = tallied(SW_TALLY_CONNECTIONS_CLOSED);

	prog.now_ns += (CLOSED_MS + 1000) * NS_PER_MS;
	prog_sweep_connections(&prog, false);
	return tallied(SW_TALLY_CONNECTIONS_CLOSED) == before + 1;
}

/* Numbers that are those of the end or near them, and ones that it cannot have come to. */
static const __u32 near_ones[] = { 0, 1, 1000, 60000, -1U, -1000U };
static const __u32 far_ones[] = { FAR, -FAR, 1U << 30, 1U << 31, (1U << 31) + 1, 3U << 29 };

static void a_credible_rst_ends_it(void **state)
{
	for (size_t i = 0; i < 4 * COUNT(near_ones); i++) {
		struct talk talk;

		reset(state);
		talk = talk_for_long();
		resets(&talk, i & 1, near_ones[i / 4], i & 2);
		assert_true(is_over());
	}
}

static void be_strict(void)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = 1;
	rules->strict = 1;
	rules->warm_up_ms = 0;
	policy_install(&prog, policy, 0);
	for (int i = 0; i < SW_ENOUGH_BOTH_SIDED; i++) {
		assert_true(comes(A_SYN(.sport = 2000 + i)));
		assert_true(comes_from_behind(A_SYNACK(.dport = 2000 + i)));
		assert_true(comes(AN_ACK(.sport = 2000 + i)));
	}
}

/* It is one again, closed or not. */
static void expect_lives(struct talk *talk)
{
	goes_on(talk);
	expect_dropped_only_for("");
	expect_anomaly("midstream", 0, 0, 0);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED) - 1 - SW_ENOUGH_BOTH_SIDED,
			 tallied(SW_TALLY_CONNECTIONS_CLOSED));
}

static void an_incredible_rst_ends_nothing_that_goes_on(void **state)
{
	for (size_t i = 0; i < 8 * COUNT(far_ones); i++) {
		struct talk talk;

		reset(state);
		be_strict();
		talk = talk_for_long();
		resets(&talk, i & 1, far_ones[i / 8], i & 2);
		if (i & 4)
			assert_true(is_over());
		expect_lives(&talk);
	}
}

static void credible_fins_end_it(void **state)
{
	for (size_t i = 0; i < 2 * COUNT(near_ones); i++) {
		struct talk talk;

		reset(state);
		talk = talk_for_long();
		closes(&talk, i & 1, near_ones[i / 2]);
		closes(&talk, !(i & 1), near_ones[i / 2]);
		assert_true(is_over());
	}
}

static void incredible_fins_end_nothing_that_goes_on(void **state)
{
	for (size_t i = 0; i < 4 * COUNT(far_ones); i++) {
		struct talk talk;

		reset(state);
		be_strict();
		talk = talk_for_long();
		closes(&talk, i & 1, far_ones[i / 4]);
		closes(&talk, !(i & 1), far_ones[i / 4]);
		if (i & 2)
			assert_true(is_over());
		expect_lives(&talk);
	}
}

/* One end that closes is half of it: what the other says may take as long as it likes. */
static void one_of_two_fins_does_not(void **state __unused)
{
	struct talk talk = talk_for_long();

	closes(&talk, true, 0);
	talk.c++;
	for (int i = 0; i < 3; i++) {
		assert_false(is_over());
		server_says(&talk, 1000);
		client_says(&talk, 0); /* which is no data: its FIN stands */
	}
	closes(&talk, false, 0);
	assert_true(is_over());
}

/* Whoever sends more data has not sent the FIN; nor has a RST who speaks. */
static void an_end_that_was_made_up_falls(void **state __unused)
{
	struct talk talk = talk_for_long();

	closes(&talk, true, FAR);
	closes(&talk, false, FAR);
	client_says(&talk, 10);
	server_says(&talk, 10);
	assert_false(is_over());
	resets(&talk, true, FAR, false);
	client_says(&talk, 0);
	assert_false(is_over());
	closes(&talk, true, 0);
	talk.c++;
	closes(&talk, false, 0);
	talk.s++;
	assert_true(comes(AN_ACK(.seq = talk.c, .ack = talk.s)));
	assert_true(is_over());
}

/* An end repeats its last words when they were lost: that does not take its FIN back. */
static void a_true_fin_stands(void **state __unused)
{
	struct talk talk = talk_for_long();

	client_says(&talk, 10);
	closes(&talk, true, 0);
	closes(&talk, false, 0);
	assert_true(comes(AN_ACK(.seq = talk.c - 10, .ack = talk.s, .payload = 10)));
	assert_true(
		comes_from_behind(SERVER_ACK(.seq = talk.s - 10, .ack = talk.c, .payload = 10)));
	assert_true(is_over());
}

/* A late FIN or RST, of an end that waited for it longer than we did, opens nothing again. */
static void what_is_over_stays_so(void **state __unused)
{
	struct talk talk;

	be_strict();
	talk = talk_for_long();
	closes(&talk, true, 0);
	closes(&talk, false, 0);
	assert_true(is_over());
	closes(&talk, false, 0);
	resets(&talk, false, 0, true);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED), 1 + SW_ENOUGH_BOTH_SIDED);
}

/* Nor does an ACK of somebody else; the end itself may, if somebody else had guessed the RST. */
static void who_has_reset_does_not_go_on(void **state __unused)
{
	struct talk talk = talk_for_long();

	resets(&talk, true, 0, false);
	assert_true(comes(AN_ACK(.seq = talk.c + FAR, .ack = talk.s)));
	assert_true(is_over());
}

/* What was last seen is what was said last, and not how it began; what comes twice moves nothing back. */
static void numbers_move_on(void **state __unused)
{
	struct talk talk = talk_for_long();
	__u32 c = talk.c, s = talk.s;

	/* two gigabytes either way, of which we see a segment in each half MiB */
	for (int i = 0; i < 4096; i++) {
		assert_true(comes(
			AN_ACK(.seq = talk.c, .ack = talk.s, .payload = 10, .after_us = 100)));
		assert_true(comes_from_behind(SERVER_ACK(.seq = talk.s, .ack = talk.c + 10,
							 .payload = 10, .after_us = 100)));
		assert_true(comes(AN_ACK(.seq = talk.c - (1U << 19), .ack = talk.s, .payload = 10,
					 .after_us = 100)));
		talk.c += 1U << 19;
		talk.s += 1U << 19;
	}
	resets(&(struct talk){ .c = c, .s = s }, true, 0, false);
	resets(&(struct talk){ .c = c, .s = s }, false, 0, true);
	closes(&(struct talk){ .c = c, .s = s }, true, 0);
	closes(&(struct talk){ .c = c, .s = s }, false, 0);
	client_says(&talk, 10);
	server_says(&talk, 10);
	assert_false(is_over());
	resets(&talk, true, 0, false);
	assert_true(is_over());
}

/* Who guesses numbers one after the other does not take the position with him. */
static void nobody_else_moves_them(void **state __unused)
{
	struct talk talk = talk_for_long();

	for (__u32 i = 1; i < 64; i++)
		assert_true(comes(AN_ACK(.seq = talk.c + (i << 20), .ack = talk.s + (1U << 30))));
	resets(&(struct talk){ .c = talk.c + (63U << 20), .s = talk.s }, true, 0, false);
	client_says(&talk, 10);
	assert_false(is_over());
}

/*
 * By chance some numbers are credible, and an entry may be given up for it. The idle connection's next
 * segment is not dropped even so: that something was a connection is reason enough to let its ends find out
 * for themselves whether it still is.
 */
static void a_guessed_number_costs_no_segment(void **state)
{
	for (int how = 0; how < 4; how++) {
		struct talk talk;

		reset(state);
		prog.now_ns += 10ULL * 86400 * 1000 * NS_PER_MS;
		be_strict();
		talk = talk_for_long();
		if (how < 2) {
			resets(&talk, how, 1U << 20, false);
		} else {
			closes(&talk, true, 1U << 20);
			closes(&talk, false, 1U << 20);
		}
		is_over();
		/* or the other way round */
		if (how & 1)
			client_says(&talk, 10);
		server_says(&talk, 10);
		goes_on(&talk);
		expect_dropped_only_for("");
		/* what was never a connection is still dropped */
		assert_false(comes(AN_ACK(.sport = 3000)));
		assert_false(comes_from_behind(SERVER_ACK(.dport = 3001)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(a_credible_rst_ends_it),
		ON_EACH_WIRE(an_incredible_rst_ends_nothing_that_goes_on),
		ON_EACH_WIRE(credible_fins_end_it),
		ON_EACH_WIRE(incredible_fins_end_nothing_that_goes_on),
		ON_EACH_WIRE(one_of_two_fins_does_not),
		ON_EACH_WIRE(an_end_that_was_made_up_falls),
		ON_EACH_WIRE(a_true_fin_stands),
		ON_EACH_WIRE(what_is_over_stays_so),
		ON_EACH_WIRE(who_has_reset_does_not_go_on),
		ON_EACH_WIRE(numbers_move_on),
		ON_EACH_WIRE(nobody_else_moves_them),
		ON_EACH_WIRE(a_guessed_number_costs_no_segment),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
