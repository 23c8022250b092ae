// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More SYNs than the table of handshakes can remember: all are counted, a sample is followed, and what honest clients
 * complete is counted to the last one.
 */
#include "../lib/forged.h"
#include "../lib/live_entries.h"
#include "../lib/one_cpu.h"
#include "../lib/same_bucket.h"

#define FOLLOWED 4U  /* in each window, in the long run */
#define BURST	 64U /* at once */
#define WINDOW	 16
#define FLOOD	 200U

/* To where one begins, so that the segments that follow are all of one. */
static void go_to_a_window(void)
{
	prog.now_ns = (prog.now_ns / NS_PER_MS / WINDOW + 1) * WINDOW * NS_PER_MS;
}

static int reset(void **state)
{
	begin(state, SERVER);
	go_to_a_window();
	return 0;
}

static void begin_router(void **state)
{
	begin(state, ROUTER);
	begin_to_forward();
	go_to_a_window();
}

/* Sources that nobody has answer nothing. */
static void flood_from(__u32 first, __u32 count)
{
	for (__u32 i = first; i < first + count; i++)
		assert_true(comes(A_SYN(.from = FIRST_NUMBERED + i, .seq = 7919 * i)));
}

static void flood(__u32 count)
{
	flood_from(0, count);
}

static void expect_attempts(__u64 opened, __u64 unfollowed, __u64 recognised)
{
	assert_int_equal(differs("tally", "opened", tallied(SW_TALLY_ATTEMPTS_OPENED), opened) +
				 differs("tally", "unfollowed",
					 tallied(SW_TALLY_ATTEMPTS_UNFOLLOWED), unfollowed) +
				 differs("tally", "recognised",
					 tallied(SW_TALLY_ATTEMPTS_RECOGNISED), recognised),
			 0);
}

static void expect_no_anomaly(void)
{
	struct sw_counters counters = counted();
	int wrongs = 0;

	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		wrongs += differs("anomaly", anomaly_name(i), counters.anomalies_seen[i], 0);
	assert_int_equal(wrongs, 0);
}

/* opened = closed + still there, and who left had an outcome or was evicted. */
static void expect_conserved(void)
{
	SW_AUTO_FREE void *handshakes = prog_table(prog.skeleton->maps.handshakes);
	struct sw_counters counters = counted();
	const __u64 *tallies = counters.tallies;
	__u64 outcomes = 0;

	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		outcomes += counters.outcomes[i];
	assert_int_equal(tallies[SW_TALLY_ATTEMPTS_OPENED],
			 tallies[SW_TALLY_ATTEMPTS_CLOSED] + live_attempts(handshakes, BUCKETS));
	assert_int_equal(tallies[SW_TALLY_ATTEMPTS_CLOSED],
			 tallies[SW_TALLY_ATTEMPTS_EVICTED] + outcomes);
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
		ON_EACH_WIRE(who_began_before_unanswered_is_one),
		ON_EACH_WIRE(who_began_before_answered_is_one),
		ON_EACH_WIRE(nobody_completes_what_he_cannot_know),
		ON_EACH_WIRE(nobody_answers_himself),
		ON_EACH_WIRE(another_answer_is_none),
		ON_EACH_WIRE(other_ends_are_told_as_well),
		ON_EACH_WIRE(who_is_pushed_out_unanswered_is_recognised),
		ON_EACH_WIRE(who_is_pushed_out_answered_is_recognised),
		ON_EACH_WIRE(who_began_before_and_is_pushed_out_is_recognised),
		ON_EACH_WIRE(who_is_pushed_out_slowly_is_recognised),
		ON_EACH_WIRE(it_is_forgotten),
		ON_EACH_WIRE(the_sample_is_counted),
		ON_EACH_WIRE(who_completes_is_no_sample),
		ON_EACH_WIRE(who_acts_follows_all),
	};
	struct setup setup = setup_of_buckets(BUCKETS);

	must(stay_on_this_cpu(), "affinity"); /* which has the budget */
	setup.followed = FOLLOWED;
	setup.burst = BURST;
	return forged_run(&setup, tests);
}
