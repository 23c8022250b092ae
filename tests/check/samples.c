// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints one made-up report of each kind, with every field that it can have, without a kernel
 * behind it: what the checks hold against promtool and against the documentation. That this links
 * without libbpf is a test, too.
 *
 * usage: samples prometheus|openmetrics|stats|status|list|event|attach|detach|upgrade|explain|policy|done|diff|score|
 *                armed|entries|list_change|list_check|top_sources|top_services|top_anomalies
 */
#include "../../user/model/names.h"
#include "../../user/model/policy.h"
#include "../../user/model/snapshot.h"
#include "../../user/report/explain.h"
#include "../../user/report/exporter_metrics.h"
#include "../../user/report/policy_report.h"
#include "../../user/report/report.h"
#include "../../user/report/top_report.h"

#include <synward/event.h>

#include <stdlib.h>
#include <string.h>

#define S 1000000000ULL

static const struct sw_addr client = { .bytes = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
static const struct sw_addr server = { .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };

static struct sw_interface interface(const char *name, bool fallback)
{
	struct sw_interface record = { .ifindex = 2, .netns = 4026531840, .attached_ns = 3 * S };

	strncpy(record.name, name, sizeof(record.name) - 1);
	record.mode = fallback ? SW_MODE_GENERIC : SW_MODE_NATIVE;
	record.xdp_frags = !fallback;
	record.tc_hook = fallback ? SW_TC_CLSACT : SW_TC_TCX;
	return record;
}

/* Every counter is its own number, so that a mistaken one shows. */
static void fill(__u64 *values, size_t bytes, __u64 first)
{
	for (size_t i = 0; i < bytes / sizeof(*values); i++)
		values[i] = first + i;
}

/* Of two services and the rest, with all that there can be. */
static struct sw_policy_view policy_view(void)
{
	struct sw_policy_view view = {
		.armed = true,
		.pending = true,
		.can_roll_back = true,
		.pending_left_ms = 40000,
		.rolled_back = 2,
		.generation = 7,
		.features = SW_HAS_FLOOD_DEFENCE | SW_HAS_SHARED_SECRET,
		.secret_ids = { 0x3f9a01c2, 7 },
		.auto_blocks = 3,
		.list_entries = { 1, 2 },
		.active_ms = 20000,
		.watcher_count = 1,
		.watchers = { { .name = "eth0", .watched_ms = 90000 } },
		.auto_block = { .enabled = 1, .maximum = 1000 },
		.row_count = 3,
	};
	static const char *const names[] = { "web", "ssh", "default" };

	for (uint32_t i = 0; i < view.row_count; i++) {
		struct sw_row_view *row = &view.rows[i];

		strcpy(row->name, names[i]);
		sw_rules_default(&row->rules);
		row->rules.enforce = i == 0;
		row->rules.strict = 1;
		row->rules.syn_rate = 10;
		row->rules.half_open_source = 10;
		row->rules.half_open_service = 10;
		row->one_sided = true;
		row->one_sided_ms = 1000;
		row->both_sided = i;
		row->rules.flood.mode = i;
		row->flood = (struct sw_flood_state){
			.on = i == 1, .floods = i, .reason = i, .on_ms = 1500 * i
		};
		row->flood.period.ms = row->flood.began.ms = 200;
		row->flood.whole.ms = 3000;
	}
	return view;
}

static struct sw_snapshot *made_snapshot(void)
{
	struct sw_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		exit(1);
	fill((__u64 *)&snapshot->total, sizeof(snapshot->total), 1000);
	snapshot->taken_ns = 100 * S;
	snapshot->created_ns = 2 * S;
	snapshot->half_open = 50;
	snapshot->connections = 1000;
	snapshot->map_bytes = 12345678;
	snapshot->handshake_capacity = 65536;
	snapshot->connection_capacity = 131072;
	snapshot->interface_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		snapshot->interfaces[i].record = interface(i ? "we\\ird\"0" : "eth0", i);
		snapshot->interfaces[i].slot = i;
		fill((__u64 *)&snapshot->interfaces[i].traffic,
		     sizeof(snapshot->interfaces[i].traffic), 1000 * i);
	}
	snapshot->policy = policy_view();
	fill((__u64 *)snapshot->services, sizeof(snapshot->services), 100000);
	return snapshot;
}

/* With all that may be known, and one state of each. */
static void print_metrics(const struct sw_snapshot *snapshot, enum sw_metrics_format format)
{
	struct sw_scrape *scrape = calloc(1, sizeof(*scrape));

	if (!scrape)
		exit(1);
	scrape->snapshot = *snapshot;
	scrape->status.attached = true;
	scrape->status.policy = snapshot->policy;
	scrape->status.sweeper = SW_SWEEPER_RUNS;
	scrape->status.interface_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		scrape->status.interfaces[i].record = snapshot->interfaces[i].record;
		scrape->status.interfaces[i].flood.known = true;
		scrape->status.interfaces[i].flood.handover_needed = true;
		scrape->interfaces[i].drops_known = true;
		scrape->interfaces[i].costs[i] = (struct sw_program_cost){ 10 + i, 12345 };
	}
	scrape->costs_known = true;
	scrape->queues_known = true;
	scrape->queues[0] = (struct sw_accept_queue){ 2, 1, 129, 256 };
	sw_prometheus_up(stdout, 0, format);
	sw_prometheus_print(stdout, scrape, format);
	free(scrape);
}

static void print_stats(const char *kind)
{
	struct sw_snapshot *snapshot = made_snapshot();

	if (!strcmp(kind, "prometheus")) {
		print_metrics(snapshot, SW_METRICS_TEXT);
	} else if (!strcmp(kind, "openmetrics")) {
		print_metrics(snapshot, SW_METRICS_OPENMETRICS);
	} else if (!strcmp(kind, "top_anomalies")) {
		sw_json_top_anomalies(stdout, snapshot, 20, true);
	} else if (!strcmp(kind, "top_services")) {
		sw_json_top_services(stdout, snapshot, SW_TOP_BY_WEIGHT, 20, true);
	} else if (!strcmp(kind, "score")) {
		sw_json_score(stdout, snapshot, true);
	} else {
		sw_json_stats(stdout, snapshot, true);
	}
	free(snapshot);
}

static void print_policy(void)
{
	struct sw_policy *policy = malloc(sizeof(*policy));
	struct sw_policy_view view = policy_view();

	if (!policy)
		exit(1);
	sw_policy_default(policy);
	policy->service_count = 1;
	strcpy(policy->services[0].name, "web");
	policy->services[0].port_count = 1;
	policy->services[0].ports[0] = (struct sw_port_range){ 80, 80 };
	sw_rules_default(&policy->rules[0]);
	sw_json_policy_active(stdout, policy, &view, true);
	free(policy);
}

static void print_changes(const char *kind)
{
	static char path[] = "default.mode", before[] = "monitor", after[] = "enforce";
	struct sw_change change = { SW_CHANGE_CHANGED, path, before, after };
	const struct sw_changes changes = { 1, &change };
	struct sw_policy_view view = policy_view();
	static struct sw_policy policy;
	const struct sw_policy_done done = { .action = "confirmed",
					     .saved = true,
					     .view = &view,
					     .changes = &changes,
					     .policy = &policy,
					     .secret_changed = true };
	const struct sw_policy_difference difference = { .file = "new.yaml",
							 .changes = &changes,
							 .secret_compared = true,
							 .secret_before = { 7 },
							 .secret_after = { 0x3f9a01c2, 7 } };

	sw_policy_default(&policy);
	policy.rules[SW_SERVICE_DEFAULT].flood.mode = SW_FLOOD_ALWAYS;

	if (!strcmp(kind, "done"))
		sw_json_policy_done(stdout, &done, true);
	else
		sw_json_policy_diff(stdout, &difference, true);
}

static void print_status(void)
{
	static const char *const tables[] = { "sources", "suspects", "proven", "verified" };
	struct sw_status *status = calloc(1, sizeof(*status));

	if (!status)
		exit(1);
	status->attached = true;
	strcpy(status->pin_dir, "/sys/fs/bpf/synward");
	status->taken_ns = 100 * S;
	status->identity.abi_version = SW_ABI_VERSION;
	status->identity.handshake_buckets = 65536 / SW_WAYS;
	status->identity.connection_buckets = 131072 / SW_WAYS;
	status->policy = policy_view();
	status->interface_count = 1;
	for (int i = 0; i < SW_OCCUPANCY_COUNT; i++)
		status->occupancy[i] = (struct sw_occupancy){ tables[i], 1000, 10 };
	status->interfaces[0] = (struct sw_status_interface){ .record = interface("eth0", true),
							      .ingress_program = 7,
							      .egress_program = 8 };
	status->map_count = 2;
	strcpy(status->maps[0].name, "connections");
	strcpy(status->maps[1].name, "handshakes");
	sw_json_status(stdout, status, true);
	free(status);
}

static void print_list(void)
{
	struct sw_handshake_view view = { .age_ms = 10, .expires_ms = 20 };
	struct sw_handshake_list list = { .total = 1, .count = 1, .views = &view };

	view.attempt = (struct sw_attempt){ .orig = client,
					    .resp = client,
					    .isn_resp = { 1, 2 },
					    .seen = 0xffff,
					    .phase = SW_PHASE_SYN_RECEIVED };
	sw_json_list(stdout, &list, true);
}

static void print_events(void)
{
	const struct sw_event_names names = { "eth0", "web" };
	struct sw_flood_event longest = { .evidence = { .ms = 200 }, .on_ms = 3000 };
	struct sw_event *event = &longest.head;

	event->anomalies = ~0ULL >> (64 - SW_ANOMALY_COUNT);
	event->outcome = SW_OUTCOME_REJECTED;
	event->phase = SW_PHASE_SYN_RECEIVED;
	event->reason = SW_REASON_ICMP;
	event->flow.orig = client;
	event->flow.resp = server;
	for (event->type = 0; event->type < SW_EVENT_TYPE_COUNT; event->type++)
		sw_json_event(stdout, event, &names, 1700000000 * S);
}

static void print_attach(void)
{
	struct sw_attach_result result = { .name = "eth0",
					   .note = "a reason",
					   .mode = SW_MODE_TC,
					   .created = true,
					   .policy = "saved" };

	sw_json_attach(stdout, &result, 1, true);
}

static void print_detach(void)
{
	struct sw_detach_result result = { .name = "eth0" };

	sw_json_detach(stdout, &result, 1, true);
}

static void print_upgrade(void)
{
	struct sw_upgrade *upgrade = calloc(1, sizeof(*upgrade));

	if (!upgrade)
		exit(1);
	upgrade->count = 1;
	strcpy(upgrade->interfaces[0].name, "eth0");
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		upgrade->interfaces[0].hooks[hook] = (enum sw_upgraded)hook;
		upgrade->interfaces[0].before[hook] = 41;
		upgrade->interfaces[0].after[hook] = 57;
	}
	sw_json_upgrade(stdout, upgrade, true);
	free(upgrade);
}

static void print_explanations(void)
{
	const struct sw_explanation *all[3];
	unsigned int count = sw_explanations_of("midstream", all);

	count += sw_explanations_of("syn_rate", all + count);
	sw_json_explanations(stdout, all, count, true);
}

static void print_top_sources(void)
{
	struct sw_top_source sources[] = { { .addr = client }, { .addr = server } };
	struct sw_top top = { .taken_ns = 100 * S, .span_ms = 20000, .count = 2 };

	fill((__u64 *)top.totals, sizeof(top.totals), 1000);
	fill((__u64 *)top.followed, sizeof(top.followed), 900);
	for (int i = 0; i < 2; i++)
		fill((__u64 *)sources[i].kinds, sizeof(sources[i].kinds), 100 * (i + 1));
	top.sources = sources;
	sw_top_sort(&top, SW_TOP_BY_SYNS);
	sw_json_top_sources(stdout, &top, SW_TOP_BY_SYNS, 20, true);
}

static void print_list_entries(void)
{
	struct sw_entry rows[] = {
		{ .prefix = { .addr = client, .length = 128 },
		  .hits = 7,
		  .reason = "why",
		  .added_s = 1000000000,
		  .expires_s = UINT32_MAX },
		{ .prefix = { .addr = { .bytes = { 0x20 } }, .length = 8 },
		  .reason = "",
		  .automatic = true },
	};
	const struct sw_entries entries = { .rows = rows, .count = 2 };

	sw_json_entries(stdout, SW_LIST_BLOCK, &entries, 0, true);
}

static void print_list_change(void)
{
	const struct sw_list_change change = { 1, 2, 3, 4, 5, 6 };
	const struct sw_policy_view view = policy_view();

	sw_json_list_change(stdout, SW_LIST_BLOCK, &change, &view, true);
}

static void print_list_check(void)
{
	struct sw_entry entry = { .prefix = { client, 128 },
				  .added_s = 1700000000,
				  .expires_s = UINT32_MAX,
				  .reason = "scans" };
	const struct sw_entries met[SW_LIST_COUNT] = { [SW_LIST_BLOCK] = { &entry, 1, 1, NULL } };
	const struct sw_policy_view view = policy_view();

	sw_json_list_check(stdout, &client, met, &view, true);
}

int main(int argc, char **argv)
{
	const char *kind = argc == 2 ? argv[1] : "";

	if (!strcmp(kind, "prometheus") || !strcmp(kind, "openmetrics") || !strcmp(kind, "stats") ||
	    !strcmp(kind, "score") || !strcmp(kind, "top_anomalies") ||
	    !strcmp(kind, "top_services"))
		print_stats(kind);
	else if (!strcmp(kind, "policy"))
		print_policy();
	else if (!strcmp(kind, "done") || !strcmp(kind, "diff"))
		print_changes(kind);
	else if (!strcmp(kind, "armed"))
		sw_json_armed(stdout, true, true, true, true);
	else if (!strcmp(kind, "status"))
		print_status();
	else if (!strcmp(kind, "list"))
		print_list();
	else if (!strcmp(kind, "event"))
		print_events();
	else if (!strcmp(kind, "attach"))
		print_attach();
	else if (!strcmp(kind, "detach"))
		print_detach();
	else if (!strcmp(kind, "upgrade"))
		print_upgrade();
	else if (!strcmp(kind, "explain"))
		print_explanations();
	else if (!strcmp(kind, "top_sources"))
		print_top_sources();
	else if (!strcmp(kind, "entries"))
		print_list_entries();
	else if (!strcmp(kind, "list_change"))
		print_list_change();
	else if (!strcmp(kind, "list_check"))
		print_list_check();
	else
		return 2;
	return 0;
}
