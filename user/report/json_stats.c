// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "report.h"

#include "../base/time.h"
#include "../model/names.h"

static json_t *named_counts(const struct sw_word *words, unsigned int count, const __u64 *values)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < count; i++)
		sw_json_put_number(object, words[i].name, values[i]);
	return object;
}

static json_t *anomalies(const struct sw_counters *total)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++) {
		json_t *one = sw_json_put(object, sw_anomaly_words[i].name, json_object());

		sw_json_put_number(one, "seen", total->anomalies_seen[i]);
		sw_json_put_number(one, "would_drop", total->anomalies_would_drop[i]);
		sw_json_put_number(one, "dropped", total->anomalies_dropped[i]);
	}
	return object;
}

static json_t *limits(const struct sw_counters *total)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++) {
		json_t *one = sw_json_put(object, sw_limit_words[i].name, json_object());

		sw_json_put_number(one, "seen", total->limits_seen[i]);
		sw_json_put_number(one, "would_drop", total->limits_would_drop[i]);
		sw_json_put_number(one, "dropped", total->limits_dropped[i]);
	}
	return object;
}

/* What is not counted one by one: the attempts that were not followed, and how they may have ended. */
static json_t *estimated(const struct sw_counters *total)
{
	json_t *object = json_object();
	json_t *outcomes;

	sw_json_put_number(object, "attempts", sw_untold_attempts(total));
	outcomes = sw_json_put(object, "handshakes", json_object());
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		if (sw_is_of_attempt(i))
			sw_json_put_number(outcomes, sw_outcome_words[i].name,
					   sw_estimated_outcome(total, i));
	return object;
}

/* None are counted where the policy has no services. */
static json_t *services(const struct sw_snapshot *snapshot)
{
	json_t *array = json_array();

	for (uint32_t i = 0; snapshot->policy.row_count > 1 && i < snapshot->policy.row_count;
	     i++) {
		const struct sw_service_counters *counters = &snapshot->services[i];
		json_t *one = json_object();

		sw_json_put_text(one, "name", snapshot->policy.rows[i].name);
		sw_json_put_number(one, "syns", counters->evidence[SW_EVIDENCE_SYNS]);
		sw_json_put_number(one, "completed", counters->completed);
		sw_json_put_number(one, "anomalies", counters->anomalies);
		sw_json_put_number(one, "dropped", counters->dropped);
		sw_json_put_number(one, "answered", counters->evidence[SW_EVIDENCE_ANSWERED]);
		sw_json_put_number(one, "cookies_sent", counters->cookies_sent);
		sw_json_put_number(one, "cookies_unsent", counters->cookies_unsent);
		sw_json_put_number(one, "challenges_sent", counters->challenges_sent);
		sw_json_put_number(one, "challenges_answered",
				   counters->limits[SW_LIMIT_CHALLENGE_ANSWER]);
		sw_json_put(one, "limits",
			    named_counts(sw_limit_words, SW_LIMIT_COUNT, counters->limits));
		json_array_append_new(array, one);
	}
	return array;
}

static json_t *latencies(const struct sw_counters *total)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++) {
		const struct sw_histogram *histogram = &total->latencies[i];
		json_t *one = sw_json_put(object, sw_latency_words[i].name, json_object());

		sw_json_put_number(one, "count", sw_histogram_count(histogram));
		sw_json_put_number(one, "sum_us", histogram->sum_us);
		sw_json_put_number(one, "p50_us", sw_histogram_percentile(histogram, 0.5));
		sw_json_put_number(one, "p90_us", sw_histogram_percentile(histogram, 0.9));
		sw_json_put_number(one, "p99_us", sw_histogram_percentile(histogram, 0.99));
	}
	return object;
}

static json_t *traffic(const struct sw_traffic *traffic)
{
	json_t *object = json_object();

	sw_json_put_number(object, "seen", traffic->seen);
	sw_json_put_number(object, "bytes", traffic->bytes);
	for (unsigned int i = 0; i < SW_VERDICT_COUNT; i++)
		sw_json_put_number(object, sw_verdict_words[i].name, traffic->verdicts[i]);
	sw_json_put_number(object, "forwarded", traffic->forwarded);
	sw_json_put(object, "kinds", named_counts(sw_kind_words, SW_KIND_COUNT, traffic->kinds));
	sw_json_put_bool(object, "conserved", sw_traffic_is_conserved(traffic));
	return object;
}

/* Every packet that was seen has one verdict and one kind: the sums must agree. */
static json_t *conservation(const struct sw_snapshot *snapshot)
{
	json_t *object = json_object();
	uint64_t seen = 0, verdicts[SW_VERDICT_COUNT] = {};
	bool holds = true;

	for (uint32_t i = 0; i < snapshot->interface_count; i++) {
		for (unsigned int d = 0; d < SW_DIRECTION_COUNT; d++) {
			const struct sw_traffic *one =
				&snapshot->interfaces[i].traffic.directions[d];

			seen += one->seen;
			for (unsigned int v = 0; v < SW_VERDICT_COUNT; v++)
				verdicts[v] += one->verdicts[v];
			holds = holds && sw_traffic_is_conserved(one);
		}
	}
	sw_json_put_number(object, "seen", seen);
	for (unsigned int v = 0; v < SW_VERDICT_COUNT; v++)
		sw_json_put_number(object, sw_verdict_words[v].name, verdicts[v]);
	sw_json_put_bool(object, "holds", holds);
	return object;
}

static json_t *interfaces(const struct sw_snapshot *snapshot)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < snapshot->interface_count; i++) {
		const struct sw_snapshot_interface *from = &snapshot->interfaces[i];
		json_t *one = json_object();

		sw_json_put_text(one, "name", from->record.name);
		sw_json_put_number(one, "ifindex", from->record.ifindex);
		sw_json_put_number(one, "netns", from->record.netns);
		for (unsigned int d = 0; d < SW_DIRECTION_COUNT; d++)
			sw_json_put(one, sw_direction_words[d].name,
				    traffic(&from->traffic.directions[d]));
		json_array_append_new(array, one);
	}
	return array;
}

json_t *sw_json_stats_root(const struct sw_snapshot *snapshot)
{
	const struct sw_counters *total = &snapshot->total;
	json_t *root = sw_json_root();

	sw_json_put_time(root, "timestamp", sw_wall_ns(snapshot->taken_ns));
	sw_json_put_number(root, "age_ms", (snapshot->taken_ns - snapshot->created_ns) / 1000000);
	sw_json_put(root, "handshakes",
		    named_counts(sw_outcome_words, SW_OUTCOME_COUNT, total->outcomes));
	sw_json_put(root, "estimated", estimated(total));
	sw_json_put(root, "anomalies", anomalies(total));
	sw_json_put(root, "limits", limits(total));
	sw_json_put(root, "services", services(snapshot));
	if (snapshot->policy.row_count) /* a replay has none */
		sw_json_put(root, "policy", sw_json_policy_state(&snapshot->policy));
	sw_json_put_number(root, "half_open", snapshot->half_open);
	sw_json_put_number(root, "connections", snapshot->connections);
	sw_json_put(root, "tallies", named_counts(sw_tally_words, SW_TALLY_COUNT, total->tallies));
	sw_json_put(root, "latency", latencies(total));
	sw_json_put_number(root, "map_bytes", snapshot->map_bytes);
	sw_json_put(root, "interfaces", interfaces(snapshot));
	sw_json_put(root, "conservation", conservation(snapshot));
	return root;
}

void sw_json_stats(FILE *out, const struct sw_snapshot *snapshot, bool pretty)
{
	sw_json_print(out, sw_json_stats_root(snapshot), pretty);
}
