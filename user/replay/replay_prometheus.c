// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The metrics of a capture. They have names of their own, since node_exporter may read them beside those
 * of what is attached, and are gauges: the next capture may hold less.
 */
#include "replay.h"

#include "../model/names.h"
#include "../report/metric.h"

#include <inttypes.h>

static void seconds(const struct sw_metrics *to, const char *name, const char *help, uint64_t ns)
{
	sw_metric_head(to, name, "gauge", help);
	fprintf(to->out, "synward_%s %.3f\n", name, (double)ns / 1e9);
}

static void anomalies(const struct sw_metrics *to, const struct sw_counters *total)
{
	sw_metric_head(to, "replay_anomalies", "gauge",
		       "Segments of the capture that showed an anomaly.");
	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++)
		sw_metric_labelled(to, "replay_anomalies", "anomaly", sw_anomaly_words[i].name,
				   total->anomalies_seen[i]);
}

void sw_prometheus_replay(FILE *out, const struct sw_replay_result *result)
{
	const struct sw_metrics *to = &(const struct sw_metrics){ out, SW_METRICS_TEXT,
								  &(struct sw_metric_line){} };
	const struct sw_counters *total = &result->stats.total;

	sw_metric_single(to, "replay_packets", "gauge", "Packets of the capture.", result->packets);
	sw_metric_single(to, "replay_unsupported_packets", "gauge",
			 "Of these, those of a link type that is not supported.", result->skipped);
	sw_metric_single(to, "replay_evicted", "gauge",
			 "Attempts and connections for which there was no room.", result->evicted);
	sw_metric_single(to, "replay_complete", "gauge",
			 "0 if the capture could not be read to its end.", !result->damage[0]);
	seconds(to, "replay_first_packet_timestamp_seconds",
		"When the first packet came, by the capture's clock.", result->first_ns);
	seconds(to, "replay_last_packet_timestamp_seconds",
		"When the last packet came, by the capture's clock.", result->last_ns);
	sw_metric_head(to, "replay_handshakes", "gauge",
		       "Handshakes of the capture by how they ended.");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		sw_metric_labelled(to, "replay_handshakes", "outcome", sw_outcome_words[i].name,
				   total->outcomes[i]);
	anomalies(to, total);
	sw_metric_head(to, "replay_handshake_duration_seconds", "histogram",
		       "Latencies of the capture's handshakes.");
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		sw_metric_duration(to, "replay_handshake_duration_seconds",
				   sw_latency_words[i].name, &total->latencies[i]);
}
