/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_CASES_H
#define SYNWARD_BENCH_CASES_H

/* What is measured: a packet, what becomes of its source, and the program that gets it. */

#include "frame.h"

#include <linux/bpf.h>
#include <stddef.h>

enum target {
	TARGET_DROP,
	TARGET_TURN,
	TARGET_PARSE,
	TARGET_LRU,
	TARGET_SYNWARD,
	TARGET_SYNWARD_LARGE,
	TARGET_SYNWARD_STRICT, /* with every anomaly armed that a policy may arm */
	TARGET_SYNWARD_BLOCK,  /* enforcing, with a million sources on the block list */
	TARGET_SYNWARD_ALLOW,  /* with them on the allow list, and others blocked */
	TARGET_SYNWARD_BOTH,   /* and all of them blocked as a /8 */
	TARGET_SYNWARD_FLOOD,  /* under a flood */
	TARGET_COUNT,
};

enum source {
	SOURCE_SAME,
	SOURCE_RANDOM,
	SOURCE_RANDOM_V6,
	SOURCE_LISTED,
	SOURCE_LISTED_FEW,
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
	[SOURCE_LISTED] = "listed_source",
	[SOURCE_LISTED_FEW] = "listed_few",
	[SOURCE_RENEWED] = "renewed_source",
	[SOURCE_RENEWED_V6] = "renewed_source_v6",
	[SOURCE_RANDOM_ACK] = "random_ack",
	[SOURCE_RANDOM_ACK_V6] = "random_ack_v6",
};

/* What a case is compared with: who does the least of the same job. Places in peers[]. */
enum peer {
	PEER_DROP,
	PEER_TURN,
	PEER_TURN_V6,
	PEER_PARSE_SYN,
	PEER_PARSE_SYN_V6,
	PEER_PARSE_ACK,
	PEER_PARSE_ACK_V6,
	PEER_PARSE_DATA,
	PEER_PARSE_DATA_V6,
	PEERS,
};

struct bench_case {
	const char *name;
	enum target target;
	enum source source;
	enum frame_kind frame;
	bool v6;
	enum peer peer;
	double bound; /* of how many times its peer's time; 0: for information */
	const char *meaning;
};

/* The first is the floor of all: what is above it is a program's own. */
static const struct bench_case peers[PEERS] = {
	[PEER_DROP] = { "floor", TARGET_DROP, SOURCE_RANDOM, FRAME_SYN, false, PEER_DROP, 0,
			"a bare XDP_DROP, random sources" },
	[PEER_TURN] = { "turn", TARGET_TURN, SOURCE_RENEWED, FRAME_SYN, false, PEER_DROP, 0,
			"SYNs turned into SYN-ACKs, without a cookie" },
	[PEER_TURN_V6] = { "turn_v6", TARGET_TURN, SOURCE_RENEWED_V6, FRAME_SYN, true, PEER_DROP, 0,
			   "the same over IPv6" },
	[PEER_PARSE_SYN] = { "parse_syn", TARGET_PARSE, SOURCE_RANDOM, FRAME_SYN, false, PEER_DROP,
			     0, "SYNs parsed, and passed" },
	[PEER_PARSE_SYN_V6] = { "parse_syn_v6", TARGET_PARSE, SOURCE_RANDOM_V6, FRAME_SYN, true,
				PEER_DROP, 0, "the same over IPv6" },
	[PEER_PARSE_ACK] = { "parse_ack", TARGET_PARSE, SOURCE_RANDOM_ACK, FRAME_ACK, false,
			     PEER_DROP, 0, "ACKs parsed, and passed" },
	[PEER_PARSE_ACK_V6] = { "parse_ack_v6", TARGET_PARSE, SOURCE_RANDOM_ACK_V6, FRAME_ACK, true,
				PEER_DROP, 0, "the same over IPv6" },
	[PEER_PARSE_DATA] = { "parse_data", TARGET_PARSE, SOURCE_SAME, FRAME_DATA, false, PEER_DROP,
			      0, "data parsed, and passed" },
	[PEER_PARSE_DATA_V6] = { "parse_data_v6", TARGET_PARSE, SOURCE_SAME, FRAME_DATA, true,
				 PEER_DROP, 0, "the same over IPv6" },
};

static const struct bench_case cases[] = {
	{ "syn_tracked_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_SYN, false, PEER_PARSE_SYN, 6,
	  "SYNs of random sources, 65,536 handshakes" },
	{ "data_live_monitor", TARGET_SYNWARD, SOURCE_SAME, FRAME_DATA, false, PEER_PARSE_DATA, 2,
	  "data of a live connection" },
	{ "data_live_strict", TARGET_SYNWARD_STRICT, SOURCE_SAME, FRAME_DATA, false,
	  PEER_PARSE_DATA, 2, "the same while strict anomalies drop" },
	{ "anomaly_drop", TARGET_SYNWARD_STRICT, SOURCE_RANDOM, FRAME_NULL, false, PEER_PARSE_SYN,
	  3, "segments without flags, dropped" },
	{ "lru_insert_random", TARGET_LRU, SOURCE_RANDOM, FRAME_SYN, false, PEER_DROP, 0,
	  "for comparison: an LRU hash of 65,536" },
	{ "syn_tracked_random_v6", TARGET_SYNWARD, SOURCE_RANDOM_V6, FRAME_SYN, true,
	  PEER_PARSE_SYN_V6, 6, "the same SYNs over IPv6" },
	{ "data_live_monitor_v6", TARGET_SYNWARD, SOURCE_SAME, FRAME_DATA, true, PEER_PARSE_DATA_V6,
	  2, "the same data over IPv6" },
	{ "synack_unsolicited_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_SYNACK, false,
	  PEER_PARSE_SYN, 0, "SYN-ACKs that nobody asked for" },
	{ "ack_unknown_random", TARGET_SYNWARD, SOURCE_RANDOM, FRAME_ACK, false, PEER_PARSE_ACK, 0,
	  "ACKs of unknown flows" },
	{ "other_ip_udp", TARGET_SYNWARD, SOURCE_SAME, FRAME_UDP, false, PEER_DROP, 0,
	  "UDP datagrams" },
	{ "syn_tracked_random_1m", TARGET_SYNWARD_LARGE, SOURCE_RANDOM, FRAME_SYN, false,
	  PEER_PARSE_SYN, 0, "the SYNs, 1,048,576 handshakes" },
	{ "blocklist_hit_1m", TARGET_SYNWARD_BLOCK, SOURCE_LISTED_FEW, FRAME_SYN, false,
	  PEER_PARSE_SYN, 4, "SYNs of 4,096 of 1,000,000 blocked sources" },
	{ "blocklist_hit_1m_all", TARGET_SYNWARD_BLOCK, SOURCE_LISTED, FRAME_SYN, false,
	  PEER_PARSE_SYN, 0, "SYNs of all of them in turn, none in the cache" },
	{ "blocklist_miss_1m", TARGET_SYNWARD_BLOCK, SOURCE_SAME, FRAME_DATA, false,
	  PEER_PARSE_DATA, 0, "data of a live connection beside that list" },
	{ "allowlisted_syn", TARGET_SYNWARD_ALLOW, SOURCE_LISTED_FEW, FRAME_SYN, false,
	  PEER_PARSE_SYN, 6, "SYNs of 4,096 of 1,000,000 allowed sources" },
	{ "allowlisted_blocked_syn", TARGET_SYNWARD_BOTH, SOURCE_LISTED_FEW, FRAME_SYN, false,
	  PEER_PARSE_SYN, 0, "the same, each of them also blocked, by a /8" },
	{ "syn_cookie_answer", TARGET_SYNWARD_FLOOD, SOURCE_RENEWED, FRAME_SYN, false, PEER_TURN,
	  4.5, "SYNs of random sources answered with a cookie" },
	{ "syn_cookie_answer_v6", TARGET_SYNWARD_FLOOD, SOURCE_RENEWED_V6, FRAME_SYN, true,
	  PEER_TURN_V6, 4.5, "the same over IPv6" },
	{ "ack_bad_cookie", TARGET_SYNWARD_FLOOD, SOURCE_RANDOM_ACK, FRAME_ACK, false,
	  PEER_PARSE_ACK, 4, "ACKs with a wrong cookie" },
	{ "ack_bad_cookie_v6", TARGET_SYNWARD_FLOOD, SOURCE_RANDOM_ACK_V6, FRAME_ACK, true,
	  PEER_PARSE_ACK_V6, 4, "the same over IPv6" },
};

/* What the program under test returns, or it does not do what is measured. */
static inline __u32 expected_verdict(const struct bench_case *of)
{
	switch (of->target) {
	case TARGET_DROP:
	case TARGET_LRU:
	case TARGET_SYNWARD_BLOCK:
		return of->frame == FRAME_DATA ? XDP_PASS : XDP_DROP;
	case TARGET_TURN:
		return XDP_TX;
	case TARGET_SYNWARD_STRICT:
		return of->frame == FRAME_NULL ? XDP_DROP : XDP_PASS;
	case TARGET_SYNWARD_FLOOD:
		return of->frame == FRAME_SYN ? XDP_TX : XDP_DROP;
	default:
		return XDP_PASS;
	}
}

#define CASES	 (sizeof(cases) / sizeof(cases[0]))
#define MEASURED (PEERS + CASES)

#endif
