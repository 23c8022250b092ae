/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_FORGED_H
#define SYNWARD_TESTS_FORGED_H

/*
 * A host, or a router, with two interfaces, honest ends, and somebody who sends in the name of others.
 * Clients come by the near interface; of a router, what serves them is behind the far one. Of a host the
 * server is the host itself. Every segment says by which way it goes.
 */

#include "sequences.h"
#include "enforce.h"

#define EVENT_RECORDS 1024U
#define BUCKETS	      1024 /* so many that no attempt of a test pushes another one out */
#define ORDERLY_MS                                                                                 \
	1000U /* between honest segments: the time of the last one is kept exactly then */

/* A test case, after reset(), over both families, untagged and in one VLAN. */
#define FORGED_V6     1UL
#define FORGED_TAGGED 2UL
#define ON_EACH_WIRE(name)                                                                         \
	{ #name ", IPv4", name, reset, NULL, NULL },                                               \
		{ #name ", IPv6", name, reset, NULL, (void *)FORGED_V6 },                          \
		{ #name ", IPv4, VLAN", name, reset, NULL, (void *)FORGED_TAGGED },                \
	{                                                                                          \
#name ", IPv6, VLAN", name, reset, NULL, (void *)(FORGED_V6 | FORGED_TAGGED)       \
	}

enum {
	NEAR_IFINDEX = 100,
	FAR_IFINDEX,
};

/* The interfaces of the host; both are attached only where a test says so. */
static struct prog prog, far_prog;
static bool v6;
static int tags;
/* what the forger has made up */
enum {
	FORGED_C = 0x52345678,
	FORGED_S = 0x6abcdef0,
};

static inline void note_address_of(enum end end, __u32 netns)
{
	struct sw_addr addr = end_address(end, v6);

	prog_note_address(&prog, &addr, netns);
}

/* What comes by one of the two interfaces leaves by the other one. */
static inline void forward(const struct segment *segment, bool from_behind, bool of_v6)
{
	struct prog *by = from_behind ? &prog : &far_prog;
	struct frame frame;

	by->now_ns = prog.now_ns;
	frame_build(&frame, segment, of_v6);
	prog_forward(by, &frame, from_behind ? FAR_IFINDEX : NEAR_IFINDEX);
}

/* As after an attach of the far interface, too, when something has been forwarded in either direction. */
static inline void begin_to_forward(void)
{
	static const struct segment any = tcp(.flags = ACK);

	prog_note_interface(&prog, 1, FAR_IFINDEX);
	for (int from_behind = 0; from_behind < 2; from_behind++)
		forward(&any, from_behind, v6);
}

/* As after an attach of the near interface, to a host or a router that has the address of an end. */
static inline void begin(void **state, enum end own)
{
	struct setup setup = setup_ordinary();
	unsigned long wire = (unsigned long)*state;

	v6 = wire & FORGED_V6;
	tags = !!(wire & FORGED_TAGGED);
	prog_reset_policies(&prog, &setup);
	prog_note_interface(&prog, 0, NEAR_IFINDEX);
	note_address_of(own, 0);
}

/* The mode is that of everything from here on; what was counted before stays. */
static inline void set_mode(bool enforce)
{
	SW_AUTO_POLICY policy = policy_new();

	policy_default_rules(policy)->enforce = enforce;
	policy_install(&prog, policy, 0);
}

/* ---- segments */

static inline bool comes_by(struct prog *by, struct segment segment)
{
	bool passes;

	segment.tags = tags;
	by->now_ns = prog.now_ns;
	passes = prog_segment(by, HOOK_XDP, &segment, v6) == XDP_PASS;
	prog.now_ns = by->now_ns;
	return passes;
}

/* By the near interface, and by the far one. Do they pass? */
static inline bool comes(struct segment segment)
{
	return comes_by(&prog, segment);
}

static inline bool comes_from_behind(struct segment segment)
{
	return comes_by(&far_prog, segment);
}

/* This host itself sends it by the near interface. */
static inline void leaves(struct segment segment)
{
	segment.tags = tags;
	assert_int_equal((int)prog_segment(&prog, HOOK_EGRESS, &segment, v6), TC_ACT_UNSPEC);
}

/* ---- the honest connection of CLIENT and SERVER, wherever the server is */

struct talk {
	bool behind; /* the server is behind the far interface */
	__u32 c;     /* the numbers that either says next */
	__u32 s;
};

static inline void server_sends(const struct talk *talk, struct segment segment)
{
	if (talk->behind)
		assert_true(comes_from_behind(segment));
	else
		leaves(segment);
}

static inline struct talk open_talk(bool behind)
{
	struct talk talk = { .behind = behind, .c = ISN_C + 1, .s = ISN_S + 1 };

	assert_true(comes(A_SYN()));
	server_sends(&talk, A_SYNACK());
	assert_true(comes(AN_ACK()));
	return talk;
}

static inline void client_says(struct talk *talk, __u32 bytes)
{
	assert_true(comes(
		AN_ACK(.seq = talk->c, .ack = talk->s, .payload = bytes, .after_ms = ORDERLY_MS)));
	talk->c += bytes;
}

static inline void server_says(struct talk *talk, __u32 bytes)
{
	server_sends(talk, SERVER_ACK(.seq = talk->s, .ack = talk->c, .payload = bytes,
				      .after_ms = ORDERLY_MS));
	talk->s += bytes;
}

/* Both say something, and again as if it had been lost; they ask whether the other is still there. */
static inline void goes_on(struct talk *talk)
{
	client_says(talk, 10);
	assert_true(comes(AN_ACK(.seq = talk->c - 10, .ack = talk->s, .payload = 10)));
	server_says(talk, 20);
	server_sends(talk, SERVER_ACK(.seq = talk->s - 20, .ack = talk->c, .payload = 20));
	client_says(talk, 0);
	assert_true(comes(AN_ACK(.seq = talk->c - 1, .ack = talk->s)));
	server_sends(talk, SERVER_ACK(.seq = talk->s - 1, .ack = talk->c));
	server_says(talk, 1000);
	client_says(talk, 1000);
}

/* ---- what has come of it */

static inline __u32 anomaly_named(const char *name)
{
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		if (!strcmp(anomaly_name(i), name))
			return i;
	fail_msg("there is no anomaly %s", name);
	return 0;
}

static inline struct sw_counters counted(void)
{
	return prog_result(&prog).counters;
}

/* So many segments showed an anomaly, and so many were dropped, or would be, for it. */
static inline void expect_anomaly(const char *name, __u64 seen, __u64 dropped, __u64 would_drop)
{
	__u32 which = anomaly_named(name);
	struct sw_counters counters = counted();

	assert_int_equal(
		differs("seen", name, counters.anomalies_seen[which], seen) +
			differs("dropped", name, counters.anomalies_dropped[which], dropped) +
			differs("would drop", name, counters.anomalies_would_drop[which],
				would_drop),
		0);
}

/* Nothing was dropped for anything else than one anomaly. */
static inline void expect_dropped_only_for(const char *name)
{
	struct sw_counters counters = counted();
	int wrongs = 0;

	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		if (strcmp(anomaly_name(i), name))
			wrongs += differs("dropped for", anomaly_name(i),
					  counters.anomalies_dropped[i], 0);
	assert_int_equal(wrongs, 0);
}

static inline __u64 tallied(enum sw_tally which)
{
	return counted().tallies[which];
}

static inline __u64 ended(enum sw_outcome outcome)
{
	return counted().outcomes[outcome];
}

/* So many handshakes were completed, in whatever way, and so many connections entered. */
static inline void expect_completed(__u64 count)
{
	struct sw_counters counters = counted();
	__u64 completed = counters.outcomes[SW_OUTCOME_ACCEPTED] +
			  counters.outcomes[SW_OUTCOME_ACCEPTED_SIMOPEN] +
			  counters.outcomes[SW_OUTCOME_SYNACK_PICKUP];

	assert_int_equal(differs("handshakes", "completed", completed, count) +
				 differs("tally", "connections_opened",
					 counters.tallies[SW_TALLY_CONNECTIONS_OPENED], count),
			 0);
}

/* Nothing was followed: no attempt, no outcome, no connection. */
static inline void expect_nothing_followed(void)
{
	struct sw_counters counters;
	int wrongs;

	prog_sweep(&prog, true);
	counters = counted();
	wrongs = differs("tally", "attempts_opened", counters.tallies[SW_TALLY_ATTEMPTS_OPENED], 0);
	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		wrongs += differs("outcome", outcome_name(i), counters.outcomes[i], 0);
	assert_int_equal(wrongs, 0);
	expect_completed(0);
}

/* All of a test program, with both interfaces. How many cases failed. */
#define forged_run(setup, tests)                                                                   \
	({                                                                                         \
		int failed_cases;                                                                  \
                                                                                                   \
		prog_open(&prog, setup, EVENT_RECORDS);                                            \
		prog_open_beside(&far_prog, &prog, 1);                                             \
		failed_cases = cmocka_run_group_tests(tests, NULL, NULL);                          \
		prog_close_beside(&far_prog);                                                      \
		prog_close(&prog);                                                                 \
		failed_cases;                                                                      \
	})

#endif
