// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both tables filled many times over through the loaded program: what made way is counted to the
 * last one, and no flood touches a connection. Then the sweeper, which must end all of it.
 */
#include "../lib/sequences.h"
#include "../lib/prog.h"
#include "../lib/sweeper.h"

#define BUCKETS	      256
#define SLOTS	      (BUCKETS * SW_WAYS)
#define CONNECTIONS   200
#define MOST	      (SLOTS * 4 / 5)
#define FLOOD	      (10 * SLOTS)
#define EVENT_RECORDS 1024U

static struct prog prog;
static __u32 batched;

static void flush(void)
{
	assert_int_equal(prog_feed(&prog, batched), XDP_PASS);
	batched = 0;
}

static void feed(const struct segment *segment, bool v6)
{
	struct frame frame;

	if (batched == SW_REPLAY_BATCH)
		flush();
	prog.now_ns += 1000;
	frame_build(&frame, segment, v6);
	prog_batch(&prog, batched++, &frame, prog.now_ns);
}

static void connect_flows(__u32 first, __u32 count, bool v6)
{
	for (__u32 i = first; i < first + count; i++) {
		feed(&A_SYN(.from = FIRST_NUMBERED + i), v6);
		feed(&A_SYNACK(.to = FIRST_NUMBERED + i), v6);
		feed(&AN_ACK(.from = FIRST_NUMBERED + i), v6);
	}
	flush();
}

static void flood(bool v6)
{
	for (__u32 i = 0; i < FLOOD; i++)
		feed(&A_SYN(.from = FIRST_NUMBERED + 100000 + i), v6);
	flush();
}

static void expect_tally(enum sw_tally which, __u64 expected)
{
	struct result result = prog_result(&prog);

	assert_int_equal(
		differs("tally", tally_name(which), result.counters.tallies[which], expected), 0);
}

static void expect_seen(enum sw_anomaly which, __u64 expected)
{
	struct result result = prog_result(&prog);

	assert_int_equal(differs("anomaly", anomaly_name(which),
				 result.counters.anomalies_seen[which], expected),
			 0);
}

/* opened = closed + still there, in both tables. */
static void assert_conserved(void)
{
	struct result result = prog_result(&prog);
	const __u64 *tallies = result.counters.tallies;
	SW_AUTO_FREE void *handshakes = prog_table(prog.skeleton->maps.handshakes);
	SW_AUTO_FREE void *connections = prog_table(prog.skeleton->maps.connections);

	assert_int_equal(tallies[SW_TALLY_ATTEMPTS_OPENED],
			 tallies[SW_TALLY_ATTEMPTS_CLOSED] + live_attempts(handshakes, BUCKETS));
	assert_int_equal(tallies[SW_TALLY_CONNECTIONS_OPENED],
			 tallies[SW_TALLY_CONNECTIONS_CLOSED] +
				 live_connections(connections, BUCKETS));
	assert_int_equal(prog_wrong_hints(&prog), 0);
}

static int reset(void **state __unused)
{
	struct setup setup = prog.setup;

	setup.start_ns = ORDINARY_START_NS;
	prog_reset(&prog, &setup);
	batched = 0;
	return 0;
}

static void a_flood_fills_the_table(void **state)
{
	bool v6 = *state;

	flood(v6);
	expect_tally(SW_TALLY_ATTEMPTS_OPENED, FLOOD);
	/* uniform over the buckets, none of which a flood of ten times the table leaves free */
	expect_tally(SW_TALLY_ATTEMPTS_EVICTED, FLOOD - SLOTS);
	expect_tally(SW_TALLY_ATTEMPTS_CLOSED, FLOOD - SLOTS);
	assert_conserved();
	prog_sweep(&prog, true);
	expect_tally(SW_TALLY_ATTEMPTS_CLOSED, FLOOD);
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_NO_RESPONSE], SLOTS);
}

/* Of whom a RST was seen, the outcome is known: whoever takes his place, he is not evicted. */
static void who_was_refused_is_not_evicted(void **state)
{
	bool v6 = *state;

	for (__u32 i = 0; i < CONNECTIONS; i++) {
		feed(&A_SYN(.from = FIRST_NUMBERED + i), v6);
		feed(&REFUSAL(.to = FIRST_NUMBERED + i), v6);
	}
	flood(v6);
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_REJECTED], CONNECTIONS);
	expect_tally(SW_TALLY_ATTEMPTS_EVICTED, FLOOD - SLOTS);
	expect_tally(SW_TALLY_ATTEMPTS_CLOSED, FLOOD + CONNECTIONS - SLOTS);
	assert_conserved();
}

/* What the hints of handshakes say, in bits. */
static __u32 hinted(void)
{
	SW_AUTO_FREE struct sw_hints *hints = prog_table(prog.skeleton->maps.handshake_hints);
	__u32 bits = 0;

	for (__u32 i = 0; i < BUCKETS; i++)
		bits += __builtin_popcount(hints[i / SW_HINTED].of[i % SW_HINTED]);
	return bits;
}

/* Or else each SYN under a flood would look for attempts that are long over. */
static void the_hints_forget_who_is_gone(void **state)
{
	bool v6 = *state;

	feed(&A_SYN(.from = FIRST_NUMBERED), v6);
	flush();
	assert_int_equal(hinted(), 1);
	feed(&A_SYNACK(.to = FIRST_NUMBERED), v6);
	feed(&AN_ACK(.from = FIRST_NUMBERED), v6);
	flush();
	assert_int_equal(hinted(), 0);
	flood(v6);
	assert_true(hinted() > BUCKETS);
	prog_sweep(&prog, true); /* they are told */
	prog_sweep(&prog, true); /* and go */
	assert_int_equal(hinted(), 0);
}

static void a_flood_touches_no_connection(void **state)
{
	bool v6 = *state;
	SW_AUTO_FREE void *before = NULL, *after = NULL;
	__u32 live;

	connect_flows(0, CONNECTIONS, v6);
	before = prog_table(prog.skeleton->maps.connections);
	live = live_connections(before, BUCKETS);
	expect_tally(SW_TALLY_CONNECTIONS_OPENED, CONNECTIONS);
	expect_tally(SW_TALLY_CONNECTIONS_EVICTED, CONNECTIONS - live);
	flood(v6);
	after = prog_table(prog.skeleton->maps.connections);
	assert_memory_equal(before, after, BUCKETS * sizeof(struct sw_connection_bucket));
	for (__u32 i = 0; i < CONNECTIONS; i++)
		feed(&SERVER_ACK(.to = FIRST_NUMBERED + i, .payload = 10), v6);
	flush();
	expect_seen(SW_ANOMALY_MIDSTREAM, CONNECTIONS - live);
	assert_conserved();
}

/* Each of them has two buckets, and whoever is in one that is full moves: all are there, and all are found. */
static void four_fifths_of_the_table_keep_their_places(void **state)
{
	bool v6 = *state;

	connect_flows(0, MOST, v6);
	expect_tally(SW_TALLY_CONNECTIONS_OPENED, MOST);
	expect_tally(SW_TALLY_CONNECTIONS_EVICTED, 0);
	for (__u32 i = 0; i < MOST; i++) {
		feed(&SERVER_ACK(.to = FIRST_NUMBERED + i, .payload = 10), v6);
		feed(&AN_ACK(.from = FIRST_NUMBERED + i, .payload = 10), v6);
	}
	flush();
	expect_seen(SW_ANOMALY_MIDSTREAM, 0);
	assert_conserved();
}

static void connections_beyond_the_table(void **state)
{
	bool v6 = *state;
	__u64 accepted;

	connect_flows(0, 10 * SLOTS, v6);
	accepted = prog_result(&prog).counters.outcomes[SW_OUTCOME_ACCEPTED];
	assert_int_equal(accepted, 10 * SLOTS);
	expect_tally(SW_TALLY_CONNECTIONS_OPENED, accepted);
	expect_tally(SW_TALLY_CONNECTIONS_EVICTED, accepted - SLOTS);
	assert_conserved();
	prog_sweep_connections(&prog, true);
	expect_tally(SW_TALLY_CONNECTIONS_CLOSED, accepted);
	assert_conserved();
}

/* The timer in the kernel has no other clock than the replay's here. It never stops: the last test. */
static void the_sweeper_ends_everything(void **state __unused)
{
	__u64 until = monotonic_ms() + 20000;
	struct result result;

	connect_flows(0, 10, false);
	flood(false);
	prog.now_ns += 432000001ULL * NS_PER_MS;
	prog_set_clock(&prog, 0);
	prog_start_sweeper(&prog);
	do {
		pause_a_moment();
		result = prog_result(&prog);
	} while (monotonic_ms() < until &&
		 (result.counters.tallies[SW_TALLY_ATTEMPTS_CLOSED] < FLOOD + 10 ||
		  result.counters.tallies[SW_TALLY_CONNECTIONS_CLOSED] < 10));
	expect_tally(SW_TALLY_ATTEMPTS_CLOSED, FLOOD + 10);
	expect_tally(SW_TALLY_CONNECTIONS_CLOSED, 10);
	assert_conserved();
}

/* Both families */
#define TESTS(name)                                                                                \
	{ #name ", IPv4", name, reset, NULL, (void *)0 },                                          \
	{                                                                                          \
#name ", IPv6", name, reset, NULL, (void *)1                                       \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(a_flood_fills_the_table),
		TESTS(who_was_refused_is_not_evicted),
		TESTS(the_hints_forget_who_is_gone),
		TESTS(a_flood_touches_no_connection),
		TESTS(four_fifths_of_the_table_keep_their_places),
		TESTS(connections_beyond_the_table),
		cmocka_unit_test_setup(the_sweeper_ends_everything, reset),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
