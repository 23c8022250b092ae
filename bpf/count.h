/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_COUNT_H
#define SYNWARD_COUNT_H

/*
 * Counters are of one CPU each and only it writes them, with softirqs off: no atomics. Readers add
 * the CPUs up.
 */

#include "core/decide.h"
#include "core/follow.h"
#include "core/glimpse.h"
#include "core/services.h"
#include "maps.h"
#include "repeat.h"

static __always_inline struct sw_counters *my_counters(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counters, &key);
}

/* What is left to count of a packet's anomalies. */
struct anomaly_walk {
	struct sw_counters *mine;
	__u64 left;
	__u64 dropped;
	__u64 would_drop;
};

/* Counts the first one. Returns whether that was all. */
static __always_inline bool count_anomaly(struct anomaly_walk *walk)
{
	__u32 bit = sw_lowest_bit(walk->left);

	if (bit >= SW_ANOMALY_COUNT)
		return true;
	walk->mine->anomalies_seen[bit]++;
	walk->mine->anomalies_passed[bit] += ~(walk->dropped | walk->would_drop) >> bit & 1;
	walk->mine->anomalies_dropped[bit] += walk->dropped >> bit & 1;
	walk->mine->anomalies_would_drop[bit] += walk->would_drop >> bit & 1;
	walk->left &= walk->left - 1;
	return !walk->left;
}

static long count_next_anomaly(__u32 i __unused, void *walk)
{
	return count_anomaly(walk);
}

/*
 * Adds one for each anomaly of a packet, and for each that drops it, or would. A packet has one or
 * two of them: the first is counted without a call.
 */
__noinline int count_anomalies(__u64 anomalies, __u64 dropped, __u64 would_drop)
{
	struct anomaly_walk walk = {
		.mine = my_counters(),
		.left = anomalies,
		.dropped = dropped,
		.would_drop = would_drop,
	};

	if (walk.mine && anomalies && !count_anomaly(&walk))
		sw_repeat(SW_ANOMALY_COUNT, count_next_anomaly, &walk);
	return 0;
}

/* The same for the score: sources that met an anomaly, or, if cleared is 1 and not 0, that were cleared of it. */
__noinline int count_score(__u64 anomalies, __u64 limits, int cleared)
{
	struct sw_counters *mine = my_counters();
	__u32 bit,
		was_cleared = cleared & 1; /* no comparison: the verifier would go through either */
	struct sw_score *score;

	if (!mine)
		return 0;
	score = &mine->score;
	for (__u32 i = 0; i < SW_ANOMALY_COUNT && anomalies; i++) {
		bit = sw_lowest_bit(anomalies);
		if (bit >= SW_ANOMALY_COUNT)
			break;
		score->anomalies_cleared[bit] += was_cleared;
		score->anomalies_suspects[bit] += was_cleared ^ 1;
		anomalies &= anomalies - 1;
	}
	for (__u32 i = 0; i < SW_LIMIT_COUNT; i++) {
		score->limits_cleared[i] += limits >> i & was_cleared;
		score->limits_suspects[i] += limits >> i & (was_cleared ^ 1);
		sw_forget_registers(); /* or the bits of all are computed before the first is counted */
	}
	return 0;
}

static __always_inline void count_latency(struct sw_counters *mine, enum sw_latency which, __u32 us)
{
	mine->latencies[which].buckets[sw_hist_bucket(us) & (SW_HIST_SLOTS - 1)]++;
	mine->latencies[which].sum_us += us;
}

static __always_inline void count_outcome(struct sw_counters *mine, __u32 outcome)
{
	if (outcome < SW_OUTCOME_COUNT)
		mine->outcomes[outcome]++;
}

/*
 * Counts how an attempt has ended, or would have, that was entered while others were only counted: it stands for
 * those, but where a later segment tells how they end.
 */
static __always_inline void count_sampled(struct sw_counters *mine, const struct sw_attempt *ended,
					  __u32 outcome)
{
	__u32 span = settings.unfollowed_ms + SW_UNFOLLOWED_NOTE_MS - settings.unfollowed_since_ms;

	if (!load.followed || !settings.unfollowed_ms || ended->side & SW_SIDE_OUT ||
	    ended->phase == SW_PHASE_SYNACK_FIRST ||
	    ended->started_ms - settings.unfollowed_since_ms > span)
		return;
	if (outcome < SW_OUTCOME_COUNT && !sw_glimpse_tells(outcome))
		mine->sampled[outcome]++;
}

/* An attempt has left the table, or has been reported and stays for its stragglers. */
static __always_inline void count_end(struct sw_counters *mine,
				      const struct sw_handshake_step *step)
{
	if (step->end == SW_END_JUDGED)
		count_outcome(mine, step->outcome);
	else if (step->end == SW_END_EVICTED)
		mine->tallies[SW_TALLY_ATTEMPTS_EVICTED]++;
	if (step->end == SW_END_JUDGED || step->end == SW_END_EVICTED) {
		mine->tallies[SW_TALLY_ATTEMPTS_CLOSED]++;
		count_sampled(mine, &step->ended,
			      step->end == SW_END_JUDGED ? step->outcome : sw_judge(&step->ended));
	}
}

static __always_inline void count_connection(struct sw_counters *mine,
					     const struct sw_connection_change *change)
{
	mine->tallies[SW_TALLY_CONNECTIONS_OPENED] += change->opened;
	mine->tallies[SW_TALLY_CONNECTIONS_CLOSED] += change->closed;
	mine->tallies[SW_TALLY_CONNECTIONS_EVICTED] += change->evicted;
}

static __always_inline bool is_uneventful(const struct sw_finding *finding)
{
	const struct sw_handshake_step *step = &finding->handshake;

	return !finding->anomalies && !step->opened && !step->end && !step->latency_new &&
	       step->stray == SW_OUTCOME_NONE && !finding->connection.opened && !finding->skipped;
}

/* A packet met a limit, which dropped it if it is in force. */
static __always_inline void count_limit(enum sw_limit limit, bool enforced)
{
	struct sw_counters *mine = my_counters();

	if (!mine)
		return;
	mine->limits_seen[limit & (SW_LIMIT_SLOTS - 1)]++;
	if (enforced)
		mine->limits_dropped[limit & (SW_LIMIT_SLOTS - 1)]++;
	else
		mine->limits_would_drop[limit & (SW_LIMIT_SLOTS - 1)]++;
}

static __always_inline void count_finding(const struct sw_finding *finding,
					  const struct sw_decision *decision,
					  __u32 synack_to_ack_us)
{
	const struct sw_handshake_step *step = &finding->handshake;
	struct sw_counters *mine = my_counters();

	if (!mine)
		return;
	if (finding->anomalies)
		count_anomalies(finding->anomalies, decision->dropped, decision->would_drop);
	if (step->opened && step->stray == SW_OUTCOME_NONE)
		mine->tallies[SW_TALLY_ATTEMPTS_OPENED]++;
	count_outcome(mine, step->stray);
	mine->tallies[SW_TALLY_SEGMENTS_SKIPPED] += finding->skipped;
	count_end(mine, step);
	if (finding->connection.opened | finding->connection.closed)
		count_connection(mine, &finding->connection);
	if (step->latency_new)
		count_latency(mine, SW_LATENCY_SYN_TO_SYNACK, step->syn_to_synack_us);
	if (synack_to_ack_us != SW_LATENCY_UNKNOWN)
		count_latency(mine, SW_LATENCY_SYNACK_TO_ACK, synack_to_ack_us);
}

static __always_inline void count_traffic(enum sw_direction direction, __u32 bytes,
					  enum sw_verdict verdict, __u8 kind, bool forwarded)
{
	__u32 slot = load.slot;
	struct sw_interface_traffic *of = bpf_map_lookup_elem(&traffic, &slot);
	struct sw_traffic *mine;

	if (!of)
		return;
	mine = &of->directions[direction];
	mine->seen++;
	mine->bytes += bytes;
	mine->verdicts[verdict & (SW_VERDICT_SLOTS - 1)]++;
	if (forwarded)
		mine->forwarded++;
	else
		mine->kinds[kind & (SW_KIND_SLOTS - 1)]++;
}

#endif
