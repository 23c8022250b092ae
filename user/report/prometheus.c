// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prometheus' text format 0.0.4. Labels are bounded: names of the vocabulary, interfaces and their
 * namespaces, never an address. Over the labels of one metric a sum always means something.
 */
#include "metric.h"
#include "prometheus_sections.h"
#include "report.h"

#include "../model/names.h"

#include <inttypes.h>

/* Histogram bounds: powers of two in microseconds, 16 us to 67 s. */
#define FIRST_BOUND 4
#define LAST_BOUND  26

/* The verdicts of an anomaly part those that were seen, so that their sum is all of them. */
static void anomalies(FILE *out, const struct sw_counters *total)
{
	sw_metric_head(
		out, "anomalies_total", "counter",
		"Anomalies of TCP segments; would_drop: passed on, but an armed policy would have "
		"dropped it.");
	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++) {
		uint64_t dropped = total->anomalies_dropped[i];
		uint64_t would = total->anomalies_would_drop[i];
		uint64_t seen = total->anomalies_seen[i];
		uint64_t rest = seen > would + dropped ? seen - would - dropped : 0;
		const char *name = sw_anomaly_words[i].name;

		fprintf(out,
			"synward_anomalies_total{anomaly=\"%s\",verdict=\"passed\"} %" PRIu64 "\n"
			"synward_anomalies_total{anomaly=\"%s\",verdict=\"would_drop\"} %" PRIu64
			"\n"
			"synward_anomalies_total{anomaly=\"%s\",verdict=\"dropped\"} %" PRIu64 "\n",
			name, rest, name, would, name, dropped);
	}
}

/* One number of an interface; label may be NULL. */
static void sample(FILE *out, const char *name, const struct sw_interface *record,
		   unsigned int direction, const char *label, const char *value, uint64_t number)
{
	fprintf(out, "synward_%s{interface=\"", name);
	sw_metric_label(out, record->name);
	fprintf(out, "\",netns=\"%u\",direction=\"%s\"", record->netns,
		sw_direction_words[direction].name);
	if (label)
		fprintf(out, ",%s=\"%s\"", label, value);
	fprintf(out, "} %" PRIu64 "\n", number);
}

/* Calls print for each interface and direction. */
static void for_traffic(FILE *out, const struct sw_snapshot *snapshot,
			void (*print)(FILE *out, const struct sw_interface *record,
				      unsigned int direction, const struct sw_traffic *traffic))
{
	for (uint32_t i = 0; i < snapshot->interface_count; i++)
		for (unsigned int d = 0; d < SW_DIRECTION_COUNT; d++)
			print(out, &snapshot->interfaces[i].record, d,
			      &snapshot->interfaces[i].traffic.directions[d]);
}

static void packets(FILE *out, const struct sw_interface *record, unsigned int direction,
		    const struct sw_traffic *traffic)
{
	for (unsigned int i = 0; i < SW_VERDICT_COUNT; i++)
		sample(out, "packets_total", record, direction, "verdict", sw_verdict_words[i].name,
		       traffic->verdicts[i]);
}

static void bytes(FILE *out, const struct sw_interface *record, unsigned int direction,
		  const struct sw_traffic *traffic)
{
	sample(out, "bytes_total", record, direction, NULL, NULL, traffic->bytes);
}

static void kinds(FILE *out, const struct sw_interface *record, unsigned int direction,
		  const struct sw_traffic *traffic)
{
	for (unsigned int i = 0; i < SW_KIND_COUNT; i++)
		sample(out, "packet_kinds_total", record, direction, "kind", sw_kind_words[i].name,
		       traffic->kinds[i]);
	sample(out, "packet_kinds_total", record, direction, "kind", "forwarded",
	       traffic->forwarded);
}

static void traffic_metrics(FILE *out, const struct sw_snapshot *snapshot)
{
	sw_metric_head(out, "packets_total", "counter", "Packets by what became of them.");
	for_traffic(out, snapshot, packets);
	sw_metric_head(out, "bytes_total", "counter",
		       "Bytes of all packets, with their link headers.");
	for_traffic(out, snapshot, bytes);
	sw_metric_head(
		out, "packet_kinds_total", "counter",
		"Packets by what they are to the tracker; forwarded: followed where they came in.");
	for_traffic(out, snapshot, kinds);
}

static void duration(FILE *out, const char *stage, const struct sw_histogram *histogram)
{
	uint64_t below = 0, count = sw_histogram_count(histogram);
	unsigned int bucket = 0;

	for (unsigned int power = FIRST_BOUND; power <= LAST_BOUND; power++) {
		/* latencies are whole microseconds, cut off: below the bound is what le means */
		while (bucket < SW_HIST_BUCKETS - 1 && sw_hist_bound(bucket) <= 1ULL << power)
			below += histogram->buckets[bucket++];
		fprintf(out,
			"synward_handshake_duration_seconds_bucket{stage=\"%s\",le=\"%.9g\"} "
			"%" PRIu64 "\n",
			stage, (double)(1ULL << power) / 1e6, below);
	}
	fprintf(out,
		"synward_handshake_duration_seconds_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		"synward_handshake_duration_seconds_sum{stage=\"%s\"} %.6f\n"
		"synward_handshake_duration_seconds_count{stage=\"%s\"} %" PRIu64 "\n",
		stage, count, stage, (double)histogram->sum_us / 1e6, stage, count);
}

static void table_metrics(FILE *out, const struct sw_snapshot *snapshot)
{
	const __u64 *tallies = snapshot->total.tallies;

	sw_metric_head(out, "table_capacity", "gauge", "Entries that a table has room for.");
	sw_metric_labelled(out, "table_capacity", "table", "handshakes",
			   snapshot->handshake_capacity);
	sw_metric_labelled(out, "table_capacity", "table", "connections",
			   snapshot->connection_capacity);
	sw_metric_head(out, "evictions_total", "counter",
		       "Entries pushed out of a full line of their table.");
	sw_metric_labelled(out, "evictions_total", "table", "handshakes",
			   tallies[SW_TALLY_ATTEMPTS_EVICTED]);
	sw_metric_labelled(out, "evictions_total", "table", "connections",
			   tallies[SW_TALLY_CONNECTIONS_EVICTED]);
	sw_metric_single(out, "connections_adopted_total", "counter",
			 "Connections that the kernel vouched for on their first segment.",
			 tallies[SW_TALLY_CONNECTIONS_ADOPTED]);
	sw_metric_head(
		out, "events_total", "counter",
		"Events by what became of them; suppressed: over the budget, lost: no room.");
	sw_metric_labelled(out, "events_total", "result", "sent", tallies[SW_TALLY_EVENTS_SENT]);
	sw_metric_labelled(out, "events_total", "result", "suppressed",
			   tallies[SW_TALLY_EVENTS_SUPPRESSED]);
	sw_metric_labelled(out, "events_total", "result", "lost", tallies[SW_TALLY_EVENTS_LOST]);
	sw_metric_single(out, "map_memory_bytes", "gauge",
			 "Memory of all maps, as the kernel accounts for it.", snapshot->map_bytes);
}

void sw_prometheus_stats(FILE *out, const struct sw_snapshot *snapshot)
{
	const struct sw_counters *total = &snapshot->total;

	sw_metric_head(out, "build_info", "gauge", "Always 1; the labels tell the version.");
	fprintf(out, "synward_build_info{version=\"%s\",abi=\"%u\"} 1\n", SYNWARD_VERSION,
		SW_ABI_VERSION);
	sw_metric_head(out, "handshakes_total", "counter", "Handshakes by how they ended.");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		sw_metric_labelled(out, "handshakes_total", "outcome", sw_outcome_words[i].name,
				   total->outcomes[i]);
	anomalies(out, total);
	sw_prometheus_policy(out, snapshot);
	sw_prometheus_flood(out, snapshot);
	sw_metric_single(out, "half_open", "gauge", "Handshakes under way.", snapshot->half_open);
	sw_metric_single(out, "connections", "gauge", "Established connections that are followed.",
			 snapshot->connections);
	sw_metric_head(
		out, "handshake_duration_seconds", "histogram",
		"Latencies of handshakes; syn_to_synack: the server's time, synack_to_ack: the "
		"client's round trip.");
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		duration(out, sw_latency_words[i].name, &total->latencies[i]);
	traffic_metrics(out, snapshot);
	table_metrics(out, snapshot);
}
