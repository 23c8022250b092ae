// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A router that translates addresses: a handshake has a name on either side, and is told once. What nobody may do
 * by one name, he may not do by what it is forwarded as.
 */
#include "../lib/forged.h"
#include "../lib/sweeper.h"

#define OUTER .from = ROUTER, .sport = 50000
#define INNER .to = ROUTER, .dport = 50000

static int reset(void **state)
{
	begin(state, ROUTER);
	begin_to_forward();
	set_mode(true);
	return 0;
}

/* It leaves by the other interface, whatever its name is then. */
static void leaves_forwarded(bool from_behind, struct segment segment)
{
	segment.tags = tags;
	forward(&segment, from_behind, v6);
}

static void leaves_where_it_came(struct segment segment)
{
	struct frame frame;

	segment.tags = tags;
	frame_build(&frame, &segment, v6);
	prog_forward(&prog, &frame, NEAR_IFINDEX);
}

static void asks(void)
{
	assert_true(comes(A_SYN()));
	leaves_forwarded(false, A_SYN(OUTER));
}

static void expect_nothing_odd(void)
{
	struct sw_counters counters = counted();
	int wrongs = 0;

	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		wrongs += differs("seen", anomaly_name(i), counters.anomalies_seen[i], 0);
	assert_int_equal(wrongs, 0);
}

static void a_handshake(void **state __unused)
{
	asks();
	assert_true(comes_from_behind(A_SYNACK(INNER)));
	leaves_forwarded(true, A_SYNACK());
	assert_true(comes(AN_ACK()));
	leaves_forwarded(false, AN_ACK(OUTER));
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_OPENED), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_CLOSED), 1);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED), 2);
	expect_nothing_odd();
}

static void a_refusal(void **state __unused)
{
	asks();
	assert_true(comes_from_behind(REFUSAL(INNER)));
	leaves_forwarded(true, REFUSAL());
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	expect_nothing_odd();
}

/* Beside it, what is not translated is followed as ever. */
static void another_handshake(void **state __unused)
{
	asks();
	assert_true(comes(A_SYN(.sport = 2000)));
	leaves_forwarded(false, A_SYN(.sport = 2000));
	assert_true(comes_from_behind(A_SYNACK(.dport = 2000)));
	leaves_forwarded(true, A_SYNACK(.dport = 2000));
	assert_true(comes(AN_ACK(.sport = 2000)));
	leaves_forwarded(false, AN_ACK(.sport = 2000));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_OPENED), 2);
	expect_nothing_odd();
}

/* In the server's name, from the client's side: it is forwarded back there, and says no more for that. */
static void an_answer_that_was_forged(void **state __unused)
{
	asks();
	assert_true(comes(A_SYNACK(.seq = FORGED_S)));
	leaves_where_it_came(A_SYNACK(.seq = FORGED_S));
	assert_true(comes(AN_ACK(.ack = FORGED_S + 1)));
	leaves_forwarded(false, AN_ACK(.ack = FORGED_S + 1));
	expect_completed(0);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED), 0);
	/* the true one is heard */
	assert_true(comes_from_behind(A_SYNACK(INNER)));
	leaves_forwarded(true, A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_anomaly("wrong_side", 1, 0, 0);
}

/* Nor is the other name anything that may be answered from there: who asks could make connections alone. */
static void an_answer_to_the_other_name(void **state __unused)
{
	asks();
	assert_true(comes(A_SYNACK(INNER, .seq = FORGED_S)));
	leaves_forwarded(false, AN_ACK(OUTER, .ack = FORGED_S + 1));
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED), 0);
}

/* What belongs to nothing where it comes in does not where it leaves. */
static void what_belongs_to_nothing(void **state __unused)
{
	asks();
	assert_true(comes(AN_ACK(.sport = 2000)));
	leaves_forwarded(false, AN_ACK(.from = ROUTER, .sport = 2000));
	leaves_forwarded(true, A_SYNACK(.dport = 2001));
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_MIDSTREAM), 1);
	assert_int_equal(ended(SW_OUTCOME_UNSOLICITED_SYNACK), 0);
	expect_anomaly("midstream", 1, 0, 0);
}

/* Whoever forwards segments as they are pays for no second look at them. The sweeper never stops: the last test. */
static void an_hour_without_translation(void **state __unused)
{
	static const __u32 hour_ms = 60 * 60 * 1000;

	leaves_forwarded(false, AN_ACK());
	assert_false(prog_settings(&prog).translates);
	asks();
	assert_true(prog_settings(&prog).translates);
	prog_start_sweeper(&prog); /* it begins with nothing known */
	assert_false(prog_settings(&prog).translates);
	assert_true(comes(A_SYN(.sport = 2000)));
	leaves_forwarded(false, A_SYN(.from = ROUTER, .sport = 2000));
	prog.now_ns += (hour_ms - 10) * NS_PER_MS;
	prog_set_clock(&prog, 0);
	wait_for_ticks(&prog, 20);
	assert_true(prog_settings(&prog).translates);
	prog.now_ns += 20 * NS_PER_MS;
	prog_set_clock(&prog, 0);
	wait_for_ticks(&prog, 20);
	assert_false(prog_settings(&prog).translates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(a_handshake),
		ON_EACH_WIRE(a_refusal),
		ON_EACH_WIRE(another_handshake),
		ON_EACH_WIRE(an_answer_that_was_forged),
		ON_EACH_WIRE(an_answer_to_the_other_name),
		ON_EACH_WIRE(what_belongs_to_nothing),
		cmocka_unit_test_setup(an_hour_without_translation, reset),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
