/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_HISTORY_H
#define SYNWARD_MODEL_HISTORY_H

/* The last quarter of an hour, in memory of a fixed size: what changed between one look at the counters and the next. */

#include "snapshot.h"

#include <stdbool.h>
#include <stdint.h>

#define SW_HISTORY_INTERVAL_MS 3000U
#define SW_HISTORY_SAMPLES     300U /* 15 minutes */

/* Of the latencies that were measured meanwhile, in microseconds; all 0 if there were none. */
struct sw_history_latency {
	uint64_t count;
	uint64_t p50_us;
	uint64_t p90_us;
	uint64_t p99_us;
};

/* Counts are of the time before this look that duration_ms tells, mostly since the one before; the others of this moment. */
struct sw_history_sample {
	uint64_t taken_ns;    /* CLOCK_MONOTONIC */
	uint32_t duration_ms; /* 0: nothing of all that follows is known */
	uint32_t floods;      /* services that have one ... */
	uint32_t aside;	      /* ... and those whose defence stands aside */
	uint64_t half_open;
	uint64_t connections;
	uint64_t outcomes[SW_OUTCOME_COUNT];
	uint64_t tallies[SW_TALLY_COUNT];
	uint64_t seen; /* packets, of both directions */
	uint64_t verdicts[SW_VERDICT_COUNT];
	uint64_t
		would_drop; /* how often a rule that only watches met a packet that it would have dropped */
	struct sw_history_latency latencies[SW_LATENCY_COUNT];
};

/* What was counted at one look; the next one that finds something is compared with it. */
struct sw_history_point {
	uint64_t taken_ns;
	uint64_t created_ns; /* of the instance; 0: there was no such look */
	struct sw_counters counters;
	struct sw_traffic traffic; /* of all interfaces that are attached */
};

struct sw_history {
	uint64_t next; /* so many samples were taken; the last SW_HISTORY_SAMPLES are there */
	struct sw_history_point before;
	struct sw_history_sample samples[SW_HISTORY_SAMPLES];
};

/* Adds what was read, or that at now_ns nothing could be: NULL. */
void sw_history_add(struct sw_history *history, const struct sw_snapshot *snapshot,
		    uint64_t now_ns);

/* The lowest number of a sample that is there; next if there is none. */
uint64_t sw_history_first(const struct sw_history *history);

/* One that is there. */
const struct sw_history_sample *sw_history_sample(const struct sw_history *history,
						  uint64_t number);

#endif
