// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of limits and of the policy. Services are at most 64, and bounded as labels. */
#include "metric.h"
#include "policy_report.h"
#include "prometheus_sections.h"

#include "../model/names.h"

#include <inttypes.h>

/* Whoever is over a limit would be dropped or is: there is no third. */
static void limits(const struct sw_metrics *to, const struct sw_counters *total)
{
	sw_metric_head(to, "limits_total", "counter",
		       "Packets that met a limit or a list; would_drop: passed on, as the policy "
		       "only watches.");
	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++) {
		const char *name = sw_limit_words[i].name;

		fprintf(to->out,
			"synward_limits_total{limit=\"%s\",verdict=\"would_drop\"} %" PRIu64 "\n"
			"synward_limits_total{limit=\"%s\",verdict=\"dropped\"} %" PRIu64 "\n",
			name, (uint64_t)total->limits_would_drop[i], name,
			(uint64_t)total->limits_dropped[i]);
	}
}

static void policy(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	const struct sw_policy_view *view = &snapshot->policy;
	const __u64 *tallies = snapshot->total.tallies;

	sw_metric_head(to, "policy_info", "gauge", "Always 1; mode is the active policy's.");
	sw_metric_labelled(to, "policy_info", "mode", sw_mode_name(sw_policy_mode(view)), 1);
	sw_metric_single(to, "policy_generation", "gauge",
			 "Another number with each policy that becomes active.", view->generation);
	sw_metric_single(to, "policy_services", "gauge", "Services of the active policy.",
			 view->row_count - 1);
	sw_metric_single(to, "armed", "gauge", "0 while nothing is dropped, whatever the policy.",
			 view->armed);
	sw_metric_single(to, "policy_pending", "gauge", "1 while a policy waits to be confirmed.",
			 view->pending);
	sw_metric_head(
		to, "policy_pending_left_seconds", "gauge",
		"How long until the kernel takes back what is not confirmed; 0: nothing waits.");
	fprintf(to->out, "synward_policy_pending_left_seconds %.3f\n",
		(double)view->pending_left_ms / 1000);
	sw_metric_single(to, "policy_rollbacks_total", "counter",
			 "Policies that the kernel took back, because nobody confirmed them.",
			 view->rolled_back);
	sw_metric_head(to, "list_entries", "gauge", "Prefixes on a list of sources.");
	for (unsigned int i = 0; i < SW_LIST_COUNT; i++)
		sw_metric_labelled(to, "list_entries", "list", sw_list_words[i].name,
				   view->list_entries[i]);
	sw_metric_single(to, "auto_blocked_sources", "gauge",
			 "Sources that are blocked now for what they did.", view->auto_blocks);
	sw_metric_head(to, "auto_blocks_total", "counter",
		       "Sources that were to be blocked for what they did; refused: there were too "
		       "many.");
	sw_metric_labelled(to, "auto_blocks_total", "result", "blocked",
			   tallies[SW_TALLY_AUTO_BLOCKS]);
	sw_metric_labelled(to, "auto_blocks_total", "result", "refused",
			   tallies[SW_TALLY_AUTO_BLOCKS_REFUSED]);
}

/* One metric of all services; the counter is at offset in struct sw_service_counters. */
static void service_metric(const struct sw_metrics *to, const struct sw_snapshot *snapshot,
			   const char *name, const char *help, size_t offset)
{
	sw_metric_head(to, name, "counter", help);
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
		const char *counters = (const char *)&snapshot->services[i];

		sw_metric_service(to, name, snapshot->policy.rows[i].name);
		sw_metric_number(to, *(const __u64 *)(counters + offset));
	}
}

static void service_limits(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	sw_metric_head(to, "service_limits_total", "counter",
		       "Packets to the service that met a limit or a list.");
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
		for (unsigned int limit = 0; limit < SW_LIMIT_COUNT; limit++) {
			sw_metric_service(to, "service_limits_total",
					  snapshot->policy.rows[i].name);
			sw_metric_more(to, "limit", sw_limit_words[limit].name);
			sw_metric_number(to, snapshot->services[i].limits[limit]);
		}
	}
}

static void services(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	service_metric(to, snapshot, "service_syns_total", "SYNs that arrived for the service.",
		       offsetof(struct sw_service_counters, evidence[SW_EVIDENCE_SYNS]));
	service_metric(to, snapshot, "service_completed_total",
		       "Handshakes with the service that were completed.",
		       offsetof(struct sw_service_counters, completed));
	service_metric(to, snapshot, "service_anomalies_total",
		       "Segments to or from the service that showed an anomaly.",
		       offsetof(struct sw_service_counters, anomalies));
	service_metric(to, snapshot, "service_dropped_total",
		       "Packets to the service that were dropped.",
		       offsetof(struct sw_service_counters, dropped));
	service_metric(to, snapshot, "service_answered_total",
		       "SYNs to the service that were answered instead of passing.",
		       offsetof(struct sw_service_counters, evidence[SW_EVIDENCE_ANSWERED]));
	service_metric(to, snapshot, "service_cookies_sent_total",
		       "SYNs to the service that were answered with a cookie.",
		       offsetof(struct sw_service_counters, cookies_sent));
	service_metric(to, snapshot, "service_cookies_unsent_total",
		       "SYNs to the service that could not be answered, and were dropped.",
		       offsetof(struct sw_service_counters, cookies_unsent));
	service_metric(to, snapshot, "service_challenges_sent_total",
		       "SYNs to the service that were answered with a challenge.",
		       offsetof(struct sw_service_counters, challenges_sent));
	service_metric(to, snapshot, "service_challenges_answered_total",
		       "Challenges in the service's stead that were answered rightly.",
		       offsetof(struct sw_service_counters, limits[SW_LIMIT_CHALLENGE_ANSWER]));
	service_limits(to, snapshot);
}

void sw_prometheus_policy(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	limits(to, &snapshot->total);
	policy(to, snapshot);
	if (snapshot->policy.row_count > 1) /* without services nothing is counted for them */
		services(to, snapshot);
}
