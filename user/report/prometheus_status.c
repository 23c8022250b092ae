// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of what status says: what is wrong, and how full the tables are. */
#include "metric.h"
#include "prometheus_sections.h"

#include "../model/names.h"

static void degraded(const struct sw_metrics *to, const struct sw_status *status)
{
	uint32_t reasons = sw_status_reasons(status);

	sw_metric_single(to, "degraded", "gauge",
			 "1 if something is not as it should be, as status says it.",
			 sw_status_degraded(status));
	sw_metric_head(to, "degraded_reason", "gauge", "1 for each reason for that, else 0.");
	for (unsigned int i = 0; i < SW_DEGRADED_COUNT; i++)
		sw_metric_labelled(to, "degraded_reason", "reason", sw_degraded_words[i].name,
				   reasons >> i & 1);
	if (status->sweeper != SW_SWEEPER_UNKNOWN)
		sw_metric_single(to, "sweeper_running", "gauge",
				 "0 if the kernel's timer that ends silent handshakes has stopped.",
				 status->sweeper == SW_SWEEPER_RUNS);
}

static void health(const struct sw_metrics *to, const struct sw_interface *record, const char *hook,
		   enum sw_health is)
{
	for (enum sw_health one = SW_HEALTH_OK; one <= SW_HEALTH_UNKNOWN; one++) {
		sw_metric_interface(to, "hook_health", record);
		sw_metric_more(to, "hook", hook);
		sw_metric_more(to, "health", sw_health_name(one));
		sw_metric_number(to, one == is);
	}
}

static void hooks(const struct sw_metrics *to, const struct sw_status *status,
		  const struct sw_interface *const records[])
{
	sw_metric_head(to, "interface_info", "gauge",
		       "Always 1; the labels tell how an interface is attached.");
	for (uint32_t i = 0; i < status->interface_count; i++) {
		/* while an attach is under way a record does not say yet how it will be */
		if (!records[i] || records[i]->tc_hook == SW_TC_NONE)
			continue;
		sw_metric_interface(to, "interface_info", records[i]);
		sw_metric_more(to, "mode", sw_attach_mode_name(records[i]->mode));
		sw_metric_more(to, "egress_hook", sw_tc_hook_name(records[i]->tc_hook));
		sw_metric_number(to, 1);
	}
	sw_metric_head(to, "hook_health", "gauge", "1 for how a hook is, else 0.");
	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_status_interface *of = &status->interfaces[i];

		if (!records[i])
			continue;
		health(to, records[i], sw_hook_name(SW_HOOK_INGRESS), of->ingress);
		health(to, records[i], sw_hook_name(SW_HOOK_EGRESS), of->egress);
		if (of->flood.known && of->flood.handover_needed)
			health(to, records[i], sw_hook_name(SW_HOOK_HANDOVER), of->flood.handover);
	}
}

#define MAX_FILLS (4 + SW_LIST_COUNT)

/* A table whose entries are known without looking at each of them. */
struct fill {
	const char *table;
	uint64_t entries;
	uint64_t capacity;
};

static unsigned int fills_of(const struct sw_scrape *scrape, struct fill fills[MAX_FILLS])
{
	const struct sw_snapshot *snapshot = &scrape->snapshot;
	const struct sw_policy_view *policy = &snapshot->policy;
	unsigned int count = 0;

	fills[count++] = (struct fill){ "handshakes", snapshot->half_open,
					snapshot->handshake_capacity };
	fills[count++] = (struct fill){ "connections", snapshot->connections,
					snapshot->connection_capacity };
	for (unsigned int i = 0; i < SW_LIST_COUNT; i++)
		fills[count++] = (struct fill){ sw_list_words[i].name, policy->list_entries[i],
						SW_MAX_LIST };
	if (policy->auto_block.enabled)
		fills[count++] = (struct fill){ "auto_blocks", policy->auto_blocks,
						policy->auto_block.maximum };
	fills[count++] = (struct fill){ "interfaces", snapshot->interface_count,
					SW_MAX_INTERFACES };
	return count;
}

static void tables(const struct sw_metrics *to, const struct sw_scrape *scrape)
{
	struct fill fills[MAX_FILLS];
	unsigned int count = fills_of(scrape, fills);

	sw_metric_head(to, "table_entries", "gauge", "Entries that a table holds.");
	for (unsigned int i = 0; i < count; i++)
		sw_metric_labelled(to, "table_entries", "table", fills[i].table, fills[i].entries);
	sw_metric_head(to, "table_capacity", "gauge", "Entries that a table has room for.");
	for (unsigned int i = 0; i < count; i++)
		sw_metric_labelled(to, "table_capacity", "table", fills[i].table,
				   fills[i].capacity);
}

void sw_prometheus_status(const struct sw_metrics *to, const struct sw_scrape *scrape)
{
	const struct sw_interface *records[SW_MAX_INTERFACES];
	const struct sw_status *status = &scrape->status;

	for (uint32_t i = 0; i < status->interface_count; i++)
		records[i] = &status->interfaces[i].record;
	sw_metric_choose(records, status->interface_count);
	degraded(to, status);
	hooks(to, status, records);
	tables(to, scrape);
}
