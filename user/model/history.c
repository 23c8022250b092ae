// SPDX-License-Identifier: GPL-2.0-or-later
#include "history.h"

#include <string.h>

#define NS_PER_MS 1000000ULL

/* What is summed up over interfaces falls when one is detached. */
static uint64_t grown(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

static uint64_t would_drop(const struct sw_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++)
		sum += counters->anomalies_would_drop[i];
	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++)
		sum += counters->limits_would_drop[i];
	return sum;
}

static void take_traffic(const struct sw_snapshot *snapshot, struct sw_traffic *sum)
{
	for (uint32_t i = 0; i < snapshot->interface_count; i++) {
		for (unsigned int d = 0; d < SW_DIRECTION_COUNT; d++) {
			const struct sw_traffic *one =
				&snapshot->interfaces[i].traffic.directions[d];

			sum->seen += one->seen;
			for (unsigned int v = 0; v < SW_VERDICT_COUNT; v++)
				sum->verdicts[v] += one->verdicts[v];
		}
	}
}

static void take_latency(const struct sw_histogram *before, const struct sw_histogram *now,
			 struct sw_history_latency *to)
{
	struct sw_histogram meanwhile = {};

	for (unsigned int i = 0; i < SW_HIST_BUCKETS; i++)
		meanwhile.buckets[i] = grown(before->buckets[i], now->buckets[i]);
	to->count = sw_histogram_count(&meanwhile);
	to->p50_us = sw_histogram_percentile(&meanwhile, 0.5);
	to->p90_us = sw_histogram_percentile(&meanwhile, 0.9);
	to->p99_us = sw_histogram_percentile(&meanwhile, 0.99);
}

static void take_floods(const struct sw_policy_view *policy, struct sw_history_sample *to)
{
	for (uint32_t i = 0; i < policy->row_count; i++) {
		to->floods += !!policy->rows[i].flood.on;
		to->aside += sw_row_stands_aside(&policy->rows[i]);
	}
}

static void compare(const struct sw_history_point *before, const struct sw_history_point *now,
		    struct sw_history_sample *to)
{
	const struct sw_counters *old = &before->counters, *new = &now->counters;

	to->duration_ms = (uint32_t)((now->taken_ns - before->taken_ns) / NS_PER_MS);
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		to->outcomes[i] = grown(old->outcomes[i], new->outcomes[i]);
	for (unsigned int i = 0; i < SW_TALLY_COUNT; i++)
		to->tallies[i] = grown(old->tallies[i], new->tallies[i]);
	for (unsigned int i = 0; i < SW_VERDICT_COUNT; i++)
		to->verdicts[i] = grown(before->traffic.verdicts[i], now->traffic.verdicts[i]);
	to->seen = grown(before->traffic.seen, now->traffic.seen);
	to->would_drop = grown(would_drop(old), would_drop(new));
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		take_latency(&old->latencies[i], &new->latencies[i], &to->latencies[i]);
}

/*
 * What the counters of now are to be compared with: those of the last look that has found the same instance, or the zero
 * that an instance which nobody has found before began with. It is found some time after that, since attaching takes a
 * while. False if either was before the time that the history tells of.
 */
static bool find_before(const struct sw_history *history, const struct sw_history_point *now,
			struct sw_history_point *before)
{
	uint64_t first = sw_history_first(history);

	if (first == history->next)
		return false;
	*before = history->before.created_ns == now->created_ns ?
			  history->before :
			  (struct sw_history_point){ .taken_ns = now->created_ns };
	return before->taken_ns >= sw_history_sample(history, first)->taken_ns;
}

void sw_history_add(struct sw_history *history, const struct sw_snapshot *snapshot, uint64_t now_ns)
{
	struct sw_history_sample to = { .taken_ns = now_ns };
	struct sw_history_point before, now;

	if (snapshot) {
		now = (struct sw_history_point){ .taken_ns = snapshot->taken_ns,
						 .created_ns = snapshot->created_ns,
						 .counters = snapshot->total };
		to.taken_ns = snapshot->taken_ns;
		take_traffic(snapshot, &now.traffic);
		if (find_before(history, &now, &before))
			compare(&before, &now, &to);
		to.half_open = snapshot->half_open;
		to.connections = snapshot->connections;
		take_floods(&snapshot->policy, &to);
		history->before = now;
	}
	history->samples[history->next++ % SW_HISTORY_SAMPLES] = to;
}

uint64_t sw_history_first(const struct sw_history *history)
{
	return history->next > SW_HISTORY_SAMPLES ? history->next - SW_HISTORY_SAMPLES : 0;
}

const struct sw_history_sample *sw_history_sample(const struct sw_history *history, uint64_t number)
{
	return &history->samples[number % SW_HISTORY_SAMPLES];
}
