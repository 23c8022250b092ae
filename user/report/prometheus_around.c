// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of what is around: what devices throw away, what programs cost, who waits to be accepted. */
#include "metric.h"
#include "prometheus_sections.h"

static const char *const drop_names[] = {
#define X(id, name) #name,
	SW_LINK_DROPS(X)
#undef X
};

static void drops(const struct sw_metrics *to, const struct sw_scrape *scrape,
		  const struct sw_interface *const records[])
{
	sw_metric_head(to, "link_drops_total", "counter",
		       "Packets that came in and were thrown away, as the kernel counts them for "
		       "the device; missed, fifo, over: before any program.");
	for (uint32_t i = 0; i < scrape->status.interface_count; i++) {
		if (!records[i] || !scrape->interfaces[i].drops_known)
			continue;
		for (unsigned int drop = 0; drop < SW_LINK_DROP_COUNT; drop++) {
			sw_metric_interface(to, "link_drops_total", records[i]);
			sw_metric_more(to, "counter", drop_names[drop]);
			sw_metric_number(to, scrape->interfaces[i].drops[drop]);
		}
	}
}

static void cost(const struct sw_metrics *to, const struct sw_scrape *scrape,
		 const struct sw_interface *const records[], const char *name, bool time)
{
	for (uint32_t i = 0; i < scrape->status.interface_count; i++) {
		for (unsigned int hook = 0; records[i] && hook < SW_HOOK_COUNT; hook++) {
			const struct sw_program_cost *of = &scrape->interfaces[i].costs[hook];

			if (!of->runs)
				continue;
			sw_metric_interface(to, name, records[i]);
			sw_metric_more(to, "hook", sw_hook_name(hook));
			if (time)
				sw_metric_fraction(to, (double)of->ns / 1e9, 9);
			else
				sw_metric_number(to, of->runs);
		}
	}
}

static void costs(const struct sw_metrics *to, const struct sw_scrape *scrape,
		  const struct sw_interface *const records[])
{
	if (!scrape->costs_known)
		return;
	sw_metric_head(to, "program_runs_total", "counter",
		       "Runs of a program, while the kernel counts them.");
	cost(to, scrape, records, "program_runs_total", false);
	sw_metric_head(to, "program_run_seconds_total", "counter", "The time that they took.");
	cost(to, scrape, records, "program_run_seconds_total", true);
}

/* One number of each service's queues. */
static void queue(const struct sw_metrics *to, const struct sw_scrape *scrape, const char *name,
		  const char *help, uint64_t (*value)(const struct sw_accept_queue *queue))
{
	sw_metric_head(to, name, "gauge", help);
	for (uint32_t i = 0; i + 1 < scrape->snapshot.policy.row_count; i++) {
		sw_metric_service(to, name, scrape->snapshot.policy.rows[i].name);
		sw_metric_number(to, value(&scrape->queues[i]));
	}
}

static uint64_t listeners(const struct sw_accept_queue *queue)
{
	return queue->listeners;
}

static uint64_t full(const struct sw_accept_queue *queue)
{
	return queue->full;
}

static uint64_t length(const struct sw_accept_queue *queue)
{
	return queue->length;
}

static uint64_t limit(const struct sw_accept_queue *queue)
{
	return queue->limit;
}

static void queues(const struct sw_metrics *to, const struct sw_scrape *scrape)
{
	if (!scrape->queues_known)
		return;
	queue(to, scrape, "accept_queue_listeners",
	      "Listeners on this host that packets to the service may reach.", listeners);
	queue(to, scrape, "accept_queue_length",
	      "Connections that wait there to be accepted, of all these listeners.", length);
	queue(to, scrape, "accept_queue_limit", "How many may wait, of all these listeners.",
	      limit);
	queue(to, scrape, "accept_queues_full",
	      "Listeners of these that have no room for another connection.", full);
}

void sw_prometheus_around(const struct sw_metrics *to, const struct sw_scrape *scrape)
{
	const struct sw_interface *records[SW_MAX_INTERFACES];

	for (uint32_t i = 0; i < scrape->status.interface_count; i++)
		records[i] = &scrape->status.interfaces[i].record;
	sw_metric_choose(records, scrape->status.interface_count);
	drops(to, scrape, records);
	costs(to, scrape, records);
	queues(to, scrape);
}
