/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_UNFOLLOWED_H
#define SYNWARD_TESTS_UNFOLLOWED_H

/* Floods of more SYNs than can be followed, and what of them is counted. */

#include "forged.h"
#include "live_entries.h"
#include "one_cpu.h"

#define FOLLOWED 4U  /* in each window, in the long run */
#define BURST	 64U /* at once */
#define WINDOW	 16
#define FLOOD	 200U

/* To where one begins, so that the segments that follow are all of one. */
static inline void go_to_a_window(void)
{
	prog.now_ns = (prog.now_ns / NS_PER_MS / WINDOW + 1) * WINDOW * NS_PER_MS;
}

static inline int reset(void **state)
{
	begin(state, SERVER);
	go_to_a_window();
	return 0;
}

/* Sources that nobody has answer nothing. */
static inline void flood_from(__u32 first, __u32 count)
{
	for (__u32 i = first; i < first + count; i++)
		assert_true(comes(A_SYN(.from = FIRST_NUMBERED + i, .seq = 7919 * i)));
}

static inline void flood(__u32 count)
{
	flood_from(0, count);
}

static inline void expect_attempts(__u64 opened, __u64 unfollowed, __u64 recognised)
{
	assert_int_equal(differs("tally", "opened", tallied(SW_TALLY_ATTEMPTS_OPENED), opened) +
				 differs("tally", "unfollowed",
					 tallied(SW_TALLY_ATTEMPTS_UNFOLLOWED), unfollowed) +
				 differs("tally", "recognised",
					 tallied(SW_TALLY_ATTEMPTS_RECOGNISED), recognised),
			 0);
}

static inline void expect_no_anomaly(void)
{
	struct sw_counters counters = counted();
	int wrongs = 0;

	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		wrongs += differs("anomaly", anomaly_name(i), counters.anomalies_seen[i], 0);
	assert_int_equal(wrongs, 0);
}

/* opened = closed + still there, and who left had an outcome or was evicted. */
static inline void expect_conserved(void)
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

/* All of a test program. How many cases failed. */
#define unfollowed_run(tests)                                                                      \
	({                                                                                         \
		struct setup setup_of_run = setup_of_buckets(BUCKETS);                             \
                                                                                                   \
		must(stay_on_this_cpu(), "affinity"); /* which has the budget */                   \
		setup_of_run.followed = FOLLOWED;                                                  \
		setup_of_run.burst = BURST;                                                        \
		forged_run(&setup_of_run, tests);                                                  \
	})

#endif
