/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_CASES_H
#define SYNWARD_BENCH_CASES_H

/* What is measured: a packet, what becomes of its source, and the program that gets it. */

#include "frame.h"

#include <stddef.h>

enum target {
	TARGET_DROP,
	TARGET_LRU,
	TARGET_SYNWARD,
	TARGET_SYNWARD_LARGE,
	TARGET_SYNWARD_STRICT, /* with every anomaly armed that a policy may arm */
	TARGET_COUNT,
};

enum source {
	SOURCE_SAME,
	SOURCE_RANDOM,
	SOURCE_RANDOM_V6,
	SOURCE_COUNT,
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
};

/* The bare drop with each kind of source. The first is the floor, the others are only shown. */
static const struct bench_case floors[] = {
	{ "floor", TARGET_DROP, SOURCE_RANDOM, FRAME_SYN, false, true, 0,
	  "a bare XDP_DROP, random sources" },
	{ "floor, same source", TARGET_DROP, SOURCE_SAME, FRAME_DATA, false, true, 0,
	  "a bare XDP_DROP, the packet as it is" },
	{ "floor, IPv6", TARGET_DROP, SOURCE_RANDOM_V6, FRAME_SYN, true, true, 0,
	  "a bare XDP_DROP, random sources, IPv6" },
};

#define CASES	 (sizeof(cases) / sizeof(cases[0]))
#define FLOORS	 (sizeof(floors) / sizeof(floors[0]))
#define MEASURED (FLOORS + CASES)

#endif
