// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page of metrics. Labels are bounded: names of the vocabulary, interfaces and their
 * namespaces, never an address. Over the labels of one metric a sum always means something.
 */
#include "metric.h"
#include "prometheus_sections.h"
#include "report.h"

#include "../model/names.h"

#include <inttypes.h>

/* The verdicts of an anomaly part those that were seen. Each is counted by itself, so none ever falls. */
static void anomalies(const struct sw_metrics *to, const struct sw_counters *total)
{
	const struct {
		const char *verdict;
		const __u64 *counts;
	} parts[] = {
		{ "passed", total->anomalies_passed },
		{ "would_drop", total->anomalies_would_drop },
		{ "dropped", total->anomalies_dropped },
	};

	sw_metric_head(
		to, "anomalies_total", "counter",
		"Anomalies of TCP segments; would_drop: passed on, but an armed policy would have "
		"dropped it.");
	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++)
		for (unsigned int part = 0; part < sizeof(parts) / sizeof(parts[0]); part++)
			fprintf(to->out,
				"synward_anomalies_total{anomaly=\"%s\",verdict=\"%s\"} %" PRIu64
				"\n",
				sw_anomaly_words[i].name, parts[part].verdict,
				(uint64_t)parts[part].counts[i]);
}

/* One number of an interface; label may be NULL. */
static void sample(const struct sw_metrics *to, const char *name, const struct sw_interface *record,
		   unsigned int direction, const char *label, const char *value, uint64_t number)
{
	sw_metric_interface(to, name, record);
	sw_metric_more(to, "direction", sw_direction_words[direction].name);
	if (label)
		sw_metric_more(to, label, value);
	sw_metric_number(to, number);
}

/* Calls print for each interface and direction. */
static void for_traffic(const struct sw_metrics *to, const struct sw_snapshot *snapshot,
			void (*print)(const struct sw_metrics *to,
				      const struct sw_interface *record, unsigned int direction,
				      const struct sw_traffic *traffic))
{
	const struct sw_interface *records[SW_MAX_INTERFACES];

	for (uint32_t i = 0; i < snapshot->interface_count; i++)
		records[i] = &snapshot->interfaces[i].record;
	sw_metric_choose(records, snapshot->interface_count);
	for (uint32_t i = 0; i < snapshot->interface_count; i++)
		for (unsigned int d = 0; records[i] && d < SW_DIRECTION_COUNT; d++)
			print(to, records[i], d, &snapshot->interfaces[i].traffic.directions[d]);
}

static void packets(const struct sw_metrics *to, const struct sw_interface *record,
		    unsigned int direction, const struct sw_traffic *traffic)
{
	for (unsigned int i = 0; i < SW_VERDICT_COUNT; i++)
		sample(to, "packets_total", record, direction, "verdict", sw_verdict_words[i].name,
		       traffic->verdicts[i]);
}

static void bytes(const struct sw_metrics *to, const struct sw_interface *record,
		  unsigned int direction, const struct sw_traffic *traffic)
{
	sample(to, "bytes_total", record, direction, NULL, NULL, traffic->bytes);
}

static void kinds(const struct sw_metrics *to, const struct sw_interface *record,
		  unsigned int direction, const struct sw_traffic *traffic)
{
	for (unsigned int i = 0; i < SW_KIND_COUNT; i++)
		sample(to, "packet_kinds_total", record, direction, "kind", sw_kind_words[i].name,
		       traffic->kinds[i]);
	sample(to, "packet_kinds_total", record, direction, "kind", "forwarded",
	       traffic->forwarded);
}

static void traffic_metrics(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	sw_metric_head(to, "packets_total", "counter", "Packets by what became of them.");
	for_traffic(to, snapshot, packets);
	sw_metric_head(to, "bytes_total", "counter",
		       "Bytes of all packets, with their link headers.");
	for_traffic(to, snapshot, bytes);
	sw_metric_head(
		to, "packet_kinds_total", "counter",
		"Packets by what they are to the tracker; forwarded: followed where they came in.");
	for_traffic(to, snapshot, kinds);
}

static void table_metrics(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	const __u64 *tallies = snapshot->total.tallies;

	sw_metric_head(to, "evictions_total", "counter",
		       "Entries pushed out of a full line of their table.");
	sw_metric_labelled(to, "evictions_total", "table", "handshakes",
			   tallies[SW_TALLY_ATTEMPTS_EVICTED]);
	sw_metric_labelled(to, "evictions_total", "table", "connections",
			   tallies[SW_TALLY_CONNECTIONS_EVICTED]);
	sw_metric_single(to, "connections_adopted_total", "counter",
			 "Connections that the kernel vouched for on their first segment.",
			 tallies[SW_TALLY_CONNECTIONS_ADOPTED]);
	sw_metric_single(to, "segments_skipped_total", "counter",
			 "Segments passed unfollowed: another CPU held their line for too long.",
			 tallies[SW_TALLY_SEGMENTS_SKIPPED]);
	sw_metric_head(to, "events_total", "counter",
		       "Events by what became of them; suppressed: over the budget, lost: not to "
		       "be written down.");
	sw_metric_labelled(to, "events_total", "result", "sent", tallies[SW_TALLY_EVENTS_SENT]);
	sw_metric_labelled(to, "events_total", "result", "suppressed",
			   tallies[SW_TALLY_EVENTS_SUPPRESSED]);
	sw_metric_labelled(to, "events_total", "result", "lost", tallies[SW_TALLY_EVENTS_LOST]);
	sw_metric_single(to, "map_memory_bytes", "gauge",
			 "Memory of all maps, as the kernel accounts for it.", snapshot->map_bytes);
}

static void stats(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	const struct sw_counters *total = &snapshot->total;

	sw_metric_head(to, "build_info", "gauge", "Always 1; the labels tell the version.");
	fprintf(to->out, "synward_build_info{version=\"%s\",abi=\"%u\"} 1\n", SYNWARD_VERSION,
		SW_ABI_VERSION);
	sw_metric_head(to, "handshakes_total", "counter", "Handshakes by how they ended.");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		sw_metric_labelled(to, "handshakes_total", "outcome", sw_outcome_words[i].name,
				   total->outcomes[i]);
	sw_metric_head(to, "handshakes_estimated", "gauge",
		       "How attempts ended that were only counted, to judge by those that were "
		       "followed at the same time.");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		if (sw_is_of_attempt(i))
			sw_metric_labelled(to, "handshakes_estimated", "outcome",
					   sw_outcome_words[i].name,
					   sw_estimated_outcome(total, i));
	sw_metric_single(
		to, "attempts_unfollowed_total", "counter",
		"Attempts counted and not followed: more came than the table can remember.",
		total->tallies[SW_TALLY_ATTEMPTS_UNFOLLOWED]);
	anomalies(to, total);
	sw_prometheus_policy(to, snapshot);
	sw_prometheus_flood(to, snapshot);
	sw_metric_single(to, "half_open", "gauge", "Handshakes under way.", snapshot->half_open);
	sw_metric_single(to, "connections", "gauge", "Established connections that are followed.",
			 snapshot->connections);
	sw_metric_head(
		to, "handshake_duration_seconds", "histogram",
		"Latencies of handshakes; syn_to_synack: the server's time, synack_to_ack: the "
		"client's round trip.");
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		sw_metric_duration(to, "handshake_duration_seconds", sw_latency_words[i].name,
				   &total->latencies[i]);
	traffic_metrics(to, snapshot);
	table_metrics(to, snapshot);
}

void sw_prometheus_print(FILE *out, const struct sw_scrape *scrape, enum sw_metrics_format format)
{
	const struct sw_metrics to = { out, format, &(struct sw_metric_line){} };

	stats(&to, &scrape->snapshot);
	sw_prometheus_status(&to, scrape);
	sw_prometheus_around(&to, scrape);
}
