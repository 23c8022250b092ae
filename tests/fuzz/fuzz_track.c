// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A sequence of segments that the fuzzer chose, through the whole core: after each of them the
 * tables must be sound and every attempt and connection accounted for.
 */
#define _GNU_SOURCE
#include "../lib/host.h"
#include "../lib/random.h"

#define MAX_LENGTH 200

static bool same_flow(const struct sw_attempt *a, const struct sw_attempt *b)
{
	if (a->orig_port == b->orig_port && a->resp_port == b->resp_port)
		return sw_addr_equal(&a->orig, &b->orig) && sw_addr_equal(&a->resp, &b->resp);
	return a->orig_port == b->resp_port && a->resp_port == b->orig_port &&
	       sw_addr_equal(&a->orig, &b->resp) && sw_addr_equal(&a->resp, &b->orig);
}

static void check_attempt(const struct sw_attempt *attempt)
{
	enum sw_outcome outcome = sw_judge(attempt);

	assert(attempt->phase > SW_PHASE_NONE && attempt->phase < SW_PHASE_COUNT);
	assert(outcome < SW_OUTCOME_COUNT);
	/* these are known only when a segment completes the handshake, which removes the attempt */
	assert(outcome != SW_OUTCOME_ACCEPTED && outcome != SW_OUTCOME_ACCEPTED_SIMOPEN &&
	       outcome != SW_OUTCOME_SYNACK_PICKUP);
	if (attempt->phase == SW_PHASE_SYN_SENT)
		assert(outcome != SW_OUTCOME_HALF_OPEN);
	if (attempt->phase == SW_PHASE_STRAY)
		assert(outcome == SW_OUTCOME_MIDSTREAM || outcome == SW_OUTCOME_ILLEGAL_FIRST ||
		       outcome == SW_OUTCOME_UNDECODABLE);
}

/* One whose end is reported stays, perhaps beside what its flow had begun before the sweeper came. */
static bool counts(const struct sw_handshake_bucket *bucket, __u32 way, struct sw_now now)
{
	return bucket->tags[way] && !is_expired(bucket->expires_ms[way], &now) &&
	       !(bucket->attempts[way].seen & SW_IS_REPORTED);
}

static void check_handshakes(const struct sw_handshake_bucket *bucket, struct sw_now now)
{
	for (__u32 i = 0; i < SW_WAYS; i++) {
		__u32 attempts = 0, strays = 0;

		if (!bucket->tags[i])
			continue;
		check_attempt(&bucket->attempts[i]);
		assert(bucket->expires_ms[i] - now.ms <= 4000 ||
		       now.ms - bucket->expires_ms[i] < 1U << 31);
		for (__u32 j = 0; j < SW_WAYS; j++) {
			if (!counts(bucket, j, now) ||
			    !same_flow(&bucket->attempts[i], &bucket->attempts[j]))
				continue;
			assert(bucket->tags[j] == bucket->tags[i]);
			if (bucket->attempts[j].phase == SW_PHASE_STRAY)
				strays++;
			else
				attempts++;
		}
		assert(attempts <= SW_ATTEMPTS_PER_FLOW);
		assert(strays <= 1);
	}
}

static void check_connections(const struct sw_connection_bucket *bucket)
{
	for (__u32 i = 0; i < SW_WAYS; i++) {
		if (!bucket->tags[i])
			continue;
		for (__u32 j = i + 1; j < SW_WAYS; j++)
			assert(!bucket->tags[j] ||
			       !same_ends(&bucket->connections[i], &bucket->connections[j]));
	}
}

static __u64 completed(const __u64 *outcomes)
{
	return outcomes[SW_OUTCOME_ACCEPTED] + outcomes[SW_OUTCOME_ACCEPTED_SIMOPEN] +
	       outcomes[SW_OUTCOME_SYNACK_PICKUP];
}

static void check_counters(const struct host *host)
{
	const struct sw_counters *counters = &host->result.counters;
	const __u64 *tallies = counters->tallies, *outcomes = counters->outcomes;
	__u64 judged = 0;

	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		judged += outcomes[i];
	/* strays are judged at once, and were never opened as attempts */
	judged -= outcomes[SW_OUTCOME_MIDSTREAM] + outcomes[SW_OUTCOME_ILLEGAL_FIRST] +
		  outcomes[SW_OUTCOME_UNDECODABLE];
	assert(tallies[SW_TALLY_ATTEMPTS_CLOSED] == judged + tallies[SW_TALLY_ATTEMPTS_EVICTED]);
	assert(tallies[SW_TALLY_ATTEMPTS_OPENED] ==
	       tallies[SW_TALLY_ATTEMPTS_CLOSED] +
		       live_attempts(host->handshakes, host->setup.handshake_buckets));
	assert(tallies[SW_TALLY_CONNECTIONS_OPENED] ==
	       tallies[SW_TALLY_CONNECTIONS_CLOSED] +
		       live_connections(host->connections, host->setup.connection_buckets));
	/* more only if one completes whose end was reported before */
	assert(tallies[SW_TALLY_CONNECTIONS_OPENED] >= completed(outcomes));
	assert(tallies[SW_TALLY_CONNECTIONS_EVICTED] <= tallies[SW_TALLY_CONNECTIONS_CLOSED]);
	assert(host->result.traffic[SW_INGRESS].verdicts[SW_VERDICT_PASSED] ==
	       host->result.traffic[SW_INGRESS].seen);
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		assert(counters->anomalies_would_drop[i] <= counters->anomalies_seen[i] &&
		       !counters->anomalies_dropped[i]);
}

static void check(const struct host *host)
{
	for (__u32 i = 0; i < host->setup.handshake_buckets; i++)
		check_handshakes(&host->handshakes[i], host_now(host));
	for (__u32 i = 0; i < host->setup.connection_buckets; i++)
		check_connections(&host->connections[i]);
	check_counters(host);
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct random_sequence sequence = { .dice = { .pos = data, .end = data + size } };
	struct setup setup = setup_random();
	struct host host;
	bool v6;

	if (!size)
		return 0;
	v6 = roll(&sequence.dice, 2);
	if (roll(&sequence.dice, 2))
		setup.start_ns = ((1ULL << 32) - 3000) * NS_PER_MS;
	host_open(&host, &setup);
	for (int i = 0; i < MAX_LENGTH && !dice_are_out(&sequence.dice); i++) {
		struct segment segment = random_segment(&sequence);

		host_segment(&host, &segment, v6);
		if (once_in(&sequence.dice, 32)) {
			host_sweep(&host, false);
			host_sweep_connections(&host, false);
		}
		check(&host);
	}
	host_sweep(&host, true);
	check(&host);
	assert(live_attempts(host.handshakes, setup.handshake_buckets) == 0);
	host_close(&host);
	return 0;
}
