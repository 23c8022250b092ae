// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More SYNs than the table of handshakes can remember: all are counted, a sample is followed, and what honest clients
 * complete is counted to the last one.
 */
#include "../lib/unfollowed.h"

static void begin_router(void **state)
{
	begin(state, ROUTER);
	begin_to_forward();
	go_to_a_window();
}

/* Who has been idle has room for a burst, and as many as the windows give are followed for ever. */
static void as_many_as_can_be_remembered_are_followed(void **state __unused)
{
	flood(BURST);
	expect_attempts(BURST, 0, 0);
	for (__u32 window = 0; window < 3; window++) {
		go_to_a_window();
		flood_from(BURST + window * FOLLOWED, FOLLOWED);
	}
	expect_attempts(BURST + 3 * FOLLOWED, 0, 0);
}

/* A flood has no more than the windows give; what was left unused for long is never more than a burst. */
static void of_more_a_sample_is(void **state __unused)
{
	__u32 followed = BURST;

	flood(FLOOD);
	expect_attempts(BURST, FLOOD - BURST, 0);
	for (__u32 window = 1; window <= 3; window++) {
		go_to_a_window();
		flood_from(window * FLOOD, FLOOD);
		followed += FOLLOWED;
		expect_attempts(followed, (window + 1) * FLOOD - followed, 0);
	}
	prog.now_ns += WINDOW * NS_PER_MS * (BURST / FOLLOWED - 1);
	flood_from(4 * FLOOD, FLOOD);
	followed += BURST - FOLLOWED;
	expect_attempts(followed, 5 * FLOOD - followed, 0);
	prog.now_ns += 1000 * WINDOW * NS_PER_MS;
	flood_from(5 * FLOOD, FLOOD);
	followed += BURST;
	expect_attempts(followed, 6 * FLOOD - followed, 0);
	expect_no_anomaly();
}

/* The handshake of a client is accepted and its connection known, though its SYN was only counted. */
static void an_honest_handshake_is_accepted(void **state __unused)
{
	struct talk talk;

	flood(FLOOD);
	talk = open_talk(false);
	expect_attempts(BURST + 1, FLOOD + 1 - BURST, 1);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	expect_completed(1);
	goes_on(&talk);
	expect_no_anomaly();
	expect_completed(1);
	/* once */
	assert_true(comes(AN_ACK()));
	expect_completed(1);
}

static void also_through_a_router(void **state)
{
	struct talk talk;

	begin_router(state);
	flood(FLOOD);
	talk = open_talk(true);
	expect_completed(1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_RECOGNISED), 1);
	goes_on(&talk);
	expect_no_anomaly();
}

/* The kernel's cookies have another number for each SYN. */
static void the_last_synack_counts(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK(.seq = ISN_S + 5000));
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK(.ack = ISN_S + 5001)));
	expect_completed(0);
	assert_true(comes(AN_ACK()));
	expect_completed(1);
}

/* Whoever tries again is honest or at least few: such a one is followed, as others are. */
static void what_is_repeated_is_followed(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	expect_attempts(BURST, FLOOD + 1 - BURST, 0);
	assert_true(comes(A_SYN()));
	expect_attempts(BURST + 1, FLOOD + 1 - BURST, 0);
	assert_true(comes(A_SYN()));
	expect_anomaly("syn_retransmit", 1, 0, 0);
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_attempts(BURST + 1, FLOOD + 1 - BURST, 0);
	/* a flood that repeats all its SYNs has no more of it than one that does not */
	flood(FLOOD);
	flood(FLOOD);
	assert_true(tallied(SW_TALLY_ATTEMPTS_OPENED) <= 2 * BURST);
}

static void nobody_completes_what_he_cannot_know(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	for (__u32 i = 0; i < 100; i++) {
		assert_true(comes(AN_ACK(.ack = FORGED_S + 7919 * i)));
		assert_true(comes(AN_ACK(.seq = ISN_C + 2 + i)));
	}
	expect_completed(0);
	assert_true(comes(AN_ACK()));
	expect_completed(1);
}

/* Who plays both ends from one side completes nothing, not even while more comes than can be followed. */
static void nobody_answers_himself(void **state)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	assert_true(comes(A_SYNACK()));
	assert_true(comes(AN_ACK()));
	expect_anomaly("martian_source", 1, 0, 0);
	expect_completed(0);
	begin_router(state);
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	assert_true(comes(A_SYNACK()));
	assert_true(comes(AN_ACK()));
	expect_completed(0);
}

/* A SYN-ACK is the answer only to its own SYN. */
static void another_answer_is_none(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK(.ack = ISN_C + 2));
	expect_anomaly("unsolicited_synack", 1, 0, 0);
	assert_true(comes(AN_ACK()));
	expect_completed(0);
}

static void other_ends_are_told_as_well(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN(.sport = 1)));
	leaves(REFUSAL(.dport = 1));
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	assert_true(comes(A_SYN(.sport = 2)));
	assert_true(comes(CLIENT_RST(.sport = 2)));
	assert_int_equal(ended(SW_OUTCOME_CANCELLED), 1);
	assert_true(comes(A_SYN(.sport = 3)));
	leaves(A_SYNACK(.dport = 3));
	assert_true(comes(CLIENT_RST(.sport = 3)));
	assert_int_equal(ended(SW_OUTCOME_ABORTED_ORIG), 1);
	assert_true(comes(A_SYN(.sport = 4)));
	leaves(A_SYNACK(.dport = 4));
	leaves(SERVER_RST(.dport = 4));
	assert_int_equal(ended(SW_OUTCOME_ABORTED_RESP), 1);
	/* of the answers nothing is seen */
	assert_true(comes(A_SYN(.sport = 5)));
	assert_true(comes(AN_ACK(.sport = 5)));
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_RECOGNISED), 5);
	expect_no_anomaly();
	expect_completed(0);
}

/* When the flood is long over, a segment of nothing known is that. */
static void it_is_forgotten(void **state __unused)
{
	flood(FLOOD);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK(.after_ms = 30000)));
	expect_completed(0);
	expect_anomaly("midstream", 1, 0, 0);
}

/* How those ended that were followed is kept apart: it stands for the others. */
static void the_sample_is_counted(void **state __unused)
{
	struct sw_counters counters;

	flood(FLOOD);
	for (__u32 i = 0; i < 2; i++)
		leaves(tcp(.from = SERVER, .to = FIRST_NUMBERED + i, .flags = SYN | ACK,
			   .seq = ISN_S, .ack = 7919 * i + 1));
	prog.now_ns += 600000 * NS_PER_MS;
	prog_sweep(&prog, false);
	counters = counted();
	assert_int_equal(counters.sampled[SW_OUTCOME_HALF_OPEN], 2);
	assert_int_equal(counters.sampled[SW_OUTCOME_NO_RESPONSE], BURST - 2);
	assert_int_equal(counters.outcomes[SW_OUTCOME_HALF_OPEN], 2);
	assert_int_equal(counters.outcomes[SW_OUTCOME_NO_RESPONSE], BURST - 2);
	/* what ends long after it stands for itself alone */
	for (__u32 i = 0; i < BURST; i++)
		assert_true(comes(A_SYN(.sport = 1 + i, .after_ms = 1000)));
	prog_sweep(&prog, true);
	counters = counted();
	assert_int_equal(counters.outcomes[SW_OUTCOME_NO_RESPONSE], 2 * BURST - 2);
	assert_int_equal(counters.sampled[SW_OUTCOME_NO_RESPONSE], BURST - 2);
}

/* Of who completes a handshake nothing need be guessed: none of the others does, or it would be recognised. */
static void who_completes_is_no_sample(void **state __unused)
{
	struct sw_counters counters;

	flood(FLOOD);
	open_talk(false); /* only counted */
	go_to_a_window();
	assert_true(comes(A_SYN(.sport = 1))); /* followed */
	leaves(A_SYNACK(.dport = 1));
	assert_true(comes(AN_ACK(.sport = 1)));
	expect_completed(2);
	counters = counted();
	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		assert_int_equal(differs("sampled", outcome_name(i), counters.sampled[i], 0), 0);
}

/* Whoever limits attempts, drops anything or answers SYNs has all of them followed. */
static void who_acts_follows_all(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();

	set_mode(true);
	flood(FLOOD);
	expect_attempts(FLOOD, 0, 0);
	policy_default_rules(policy)->half_open_source = 1000;
	policy_install(&prog, policy, 0);
	flood_from(1000, FLOOD);
	expect_attempts(2 * FLOOD, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(as_many_as_can_be_remembered_are_followed),
		ON_EACH_WIRE(of_more_a_sample_is),
		ON_EACH_WIRE(an_honest_handshake_is_accepted),
		ON_EACH_WIRE(also_through_a_router),
		ON_EACH_WIRE(the_last_synack_counts),
		ON_EACH_WIRE(what_is_repeated_is_followed),
		ON_EACH_WIRE(nobody_completes_what_he_cannot_know),
		ON_EACH_WIRE(nobody_answers_himself),
		ON_EACH_WIRE(another_answer_is_none),
		ON_EACH_WIRE(other_ends_are_told_as_well),
		ON_EACH_WIRE(it_is_forgotten),
		ON_EACH_WIRE(the_sample_is_counted),
		ON_EACH_WIRE(who_completes_is_no_sample),
		ON_EACH_WIRE(who_acts_follows_all),
	};

	return unfollowed_run(tests);
}
