/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_CASES_H
#define SYNWARD_BENCH_CASES_H

/* What is measured: a packet, what becomes of its source, and the program that gets it. */

#include "frame.h"

#include <linux/bpf.h>
#include <stddef.h>

enum target {
	TARGET_DROP,
	TARGET_LRU,
	TARGET_SYNWARD,
	TARGET_SYNWARD_LARGE,
	TARGET_SYNWARD_STRICT, /* with every anomaly armed that a policy may arm */
	TARGET_COOKIE,	       /* answers and checks, and nothing else */
	TARGET_COOKIE_SURE,    /* and does not ask the kernel about a bad ACK */
	TARGET_CHALLENGE,
	TARGET_COUNT,
};

enum source {
	SOURCE_SAME,
	SOURCE_RANDOM,
	SOURCE_RANDOM_V6,
	SOURCE_RENEWED, /* random, and the packet is the SYN again that was answered */
	SOURCE_RENEWED_V6,
	SOURCE_RANDOM_ACK, /* and the acknowledged number, too */
	SOURCE_RANDOM_ACK_V6,
	SOURCE_COUNT,
};

/* The programs of bench.bpf.c that make them. */
static const char *const source_programs[SOURCE_COUNT] = {
	[SOURCE_SAME] = "leave",
	[SOURCE_RANDOM] = "random_source",
	[SOURCE_RANDOM_V6] = "random_source_v6",
	[SOURCE_RENEWED] = "renewed_source",
	[SOURCE_RENEWED_V6] = "renewed_source_v6",
	[SOURCE_RANDOM_ACK] = "random_ack",
	[SOURCE_RANDOM_ACK_V6] = "random_ack_v6",
};

static const struct bench_case {
	const char *name;
	enum target target;
	enum source source;
	enum frame_kind frame;
	bool v6;
	bool drops;
	double bound; /* of the ratio; 0: for information */
	const char *meaning;
} cases[] = {
	{ "syn_tracked_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_SYN, false, false, 6,
	  "SYNs of random sources, 65,536 handshakes" },
	{ "data_live_monitor", TARGET_SYNWARD, SOURCE_SAME, FRAME_DATA, false, false, 2,
	  "data of a live connection" },
	{ "data_live_strict", TARGET_SYNWARD_STRICT, SOURCE_SAME, FRAME_DATA, false, false, 3,
	  "the same while strict anomalies drop" },
	{ "anomaly_drop", TARGET_SYNWARD_STRICT, SOURCE_RANDOM, FRAME_NULL, false, true, 1.5,
	  "segments without flags, dropped" },
	{ "lru_insert_random", TARGET_LRU, SOURCE_RANDOM, FRAME_SYN, false, true, 0,
	  "for comparison: an LRU hash of 65,536" },
	{ "syn_tracked_random_v6", TARGET_SYNWARD, SOURCE_RANDOM_V6, FRAME_SYN, true, false, 0,
	  "the same SYNs over IPv6" },
	{ "data_live_monitor_v6", TARGET_SYNWARD, SOURCE_SAME, FRAME_DATA, true, false, 0,
	  "the same data over IPv6" },
	{ "synack_unsolicited_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_SYNACK, false, false, 0,
	  "SYN-ACKs that nobody asked for" },
	{ "ack_unknown_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_ACK, false, false, 0,
	  "ACKs of unknown flows" },
	{ "other_ip_udp", TARGET_SYNWARD, SOURCE_SAME, FRAME_UDP, false, false, 0,
	  "UDP datagrams" },
	{ "syn_tracked_random_1m", TARGET_SYNWARD_LARGE, SOURCE_RANDOM, FRAME_SYN, false, false, 0,
	  "the SYNs, 1,048,576 handshakes" },
	{ "cookie_answer", TARGET_COOKIE, SOURCE_RENEWED, FRAME_SYN, false, false, 4.2,
	  "by itself: SYNs of random sources answered" },
	{ "cookie_answer_v6", TARGET_COOKIE, SOURCE_RENEWED_V6, FRAME_SYN, true, false, 4.2,
	  "the same over IPv6" },
	{ "cookie_bad_ack", TARGET_COOKIE, SOURCE_RANDOM_ACK, FRAME_ACK, false, true, 6.5,
	  "by itself: ACKs with a wrong cookie, the kernel asked" },
	{ "cookie_bad_ack_v6", TARGET_COOKIE, SOURCE_RANDOM_ACK_V6, FRAME_ACK, true, true, 6.5,
	  "the same over IPv6" },
	{ "cookie_check", TARGET_COOKIE_SURE, SOURCE_RANDOM_ACK, FRAME_ACK, false, true, 0,
	  "the same ACKs, the kernel not asked" },
	{ "cookie_check_v6", TARGET_COOKIE_SURE, SOURCE_RANDOM_ACK_V6, FRAME_ACK, true, true, 0,
	  "the same over IPv6" },
	{ "challenge_answer", TARGET_CHALLENGE, SOURCE_RENEWED, FRAME_SYN, false, false, 0,
	  "by itself: SYNs challenged" },
	{ "challenge_answer_v6", TARGET_CHALLENGE, SOURCE_RENEWED_V6, FRAME_SYN, true, false, 0,
	  "the same over IPv6" },
};

/* The bare drop with each kind of source. The first is the floor, the others are only shown. */
static const struct bench_case floors[] = {
	{ "floor", TARGET_DROP, SOURCE_RANDOM, FRAME_SYN, false, true, 0,
	  "a bare XDP_DROP, random sources" },
	{ "floor, same source", TARGET_DROP, SOURCE_SAME, FRAME_DATA, false, true, 0,
	  "a bare XDP_DROP, the packet as it is" },
	{ "floor, IPv6", TARGET_DROP, SOURCE_RANDOM_V6, FRAME_SYN, true, true, 0,
	  "a bare XDP_DROP, random sources, IPv6" },
	{ "floor, renewed", TARGET_DROP, SOURCE_RENEWED, FRAME_SYN, false, true, 0,
	  "a bare XDP_DROP, made a SYN again" },
	{ "floor, renewed, IPv6", TARGET_DROP, SOURCE_RENEWED_V6, FRAME_SYN, true, true, 0,
	  "a bare XDP_DROP, made a SYN again, IPv6" },
};

/* What the program under test returns, or it does not do what is measured. */
static inline __u32 expected_verdict(const struct bench_case *of)
{
	if (of->drops)
		return XDP_DROP;
	return of->target >= TARGET_COOKIE && of->frame == FRAME_SYN ? XDP_TX : XDP_PASS;
}

#define CASES	 (sizeof(cases) / sizeof(cases[0]))
#define FLOORS	 (sizeof(floors) / sizeof(floors[0]))
#define MEASURED (FLOORS + CASES)

#endif
