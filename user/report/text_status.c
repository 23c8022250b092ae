// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_report.h"
#include "policy_report.h"
#include "report.h"
#include "self_check.h"

#include "../base/printable.h"
#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../model/names.h"
#include "../text/prose.h"
#include "../text/table.h"
#include "../text/wrap.h"

#include <inttypes.h>
#include <string.h>

static void interfaces(FILE *out, const struct sw_status *status)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("llllll");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "INTERFACE");
	sw_table_cell(table, "NETNS");
	sw_table_cell(table, "MODE");
	sw_table_cell(table, "EGRESS");
	sw_table_cell(table, "FOR");
	sw_table_cell(table, "STATE");
	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_status_interface *from = &status->interfaces[i];
		uint64_t age_ms = (status->taken_ns - from->record.attached_ns) / 1000000;

		sw_table_cell(table, "%s (%u)", SW_PRINTABLE_NAME(from->record.name),
			      from->record.ifindex);
		sw_table_cell(table, "%u", from->record.netns);
		sw_table_cell(table, "%s",
			      sw_attach_mode_words(from->record.mode, from->record.xdp_frags));
		sw_table_cell(table, "%s", sw_tc_hook_name(from->record.tc_hook));
		sw_table_cell(table, "%s", sw_format_duration(text, age_ms));
		if (from->ingress == SW_HEALTH_OK && from->egress == SW_HEALTH_OK)
			sw_table_cell(table, "ok");
		else
			sw_table_cell(table, "ingress %s, egress %s", sw_health_name(from->ingress),
				      sw_health_name(from->egress));
	}
	sw_table_print(table, out);
}

/* The worse one of its two hooks: what cannot be looked at hides nothing that was seen. */
static enum sw_health health_of(const struct sw_status_interface *from)
{
	if (from->ingress != SW_HEALTH_OK && from->ingress != SW_HEALTH_UNKNOWN)
		return from->ingress;
	return from->egress != SW_HEALTH_OK ? from->egress : from->ingress;
}

/* What is wrong with the hooks of an interface. */
static void print_health(FILE *out, const struct sw_status_interface *from, const char *name)
{
	bool filters_only = from->record.mode == SW_MODE_TC && from->record.tc_hook == SW_TC_CLSACT;
	enum sw_health health = health_of(from);

	if (health == SW_HEALTH_GONE && filters_only)
		fprintf(out,
			"the interface no longer exists here, or was moved, and no filter goes "
			"along. "
			"To watch it where it is now: synward attach %s; to forget it: synward "
			"detach "
			"%s\n",
			name, name);
	else if (health == SW_HEALTH_GONE)
		fprintf(out,
			"the interface no longer exists. If it exists again: synward attach %s; to "
			"forget it: synward detach %s\n",
			name, name);
	else if (health == SW_HEALTH_MOVED)
		fprintf(out,
			"the interface was moved. To follow it, where it is now: synward attach "
			"%s; "
			"to forget it: synward detach %s\n",
			name, name);
	else if (from->hidden)
		fprintf(out,
			"its network namespace %u cannot be found from here. If it has ended: "
			"synward "
			"detach %s; else, as root where it can be found: synward status\n",
			from->record.netns, name);
	else if (health == SW_HEALTH_UNKNOWN)
		fprintf(out, "this user may not read its hooks; as root: synward status\n");
	else if (health == SW_HEALTH_FOREIGN)
		fprintf(out,
			"another program has replaced synward's in its own link; to restore it: "
			"synward attach %s\n",
			name);
	else
		fprintf(out, "a hook is missing; to restore it: synward attach %s\n", name);
}

/* One line for each thing that is wrong, with what to do; faults_only: but not for what this user may not look at. */
static void problems(FILE *out, const struct sw_status *status, bool faults_only)
{
	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_status_interface *from = &status->interfaces[i];
		const char *name = SW_PRINTABLE_NAME(from->record.name);

		sw_text_flood_problems(out, from);
		if (sw_status_interface_ok(from) ||
		    (faults_only && health_of(from) == SW_HEALTH_UNKNOWN))
			continue;
		fprintf(out, "%sdegraded:%s %s: ", sw_style(out, SW_STYLE_BAD),
			sw_style(out, SW_STYLE_NONE), name);
		print_health(out, from, name);
	}
	sw_text_self_checks(out, &status->policy);
	sw_text_secret_problems(out, &status->policy);
	if (!status->interface_count)
		fprintf(out,
			"%sdegraded:%s nothing is watched: the attached interfaces were deleted "
			"with their network namespace. Attach another interface, or end synward: "
			"synward detach --all\n",
			sw_style(out, SW_STYLE_BAD), sw_style(out, SW_STYLE_NONE));
	if (status->sweeper == SW_SWEEPER_STOPPED)
		fprintf(out,
			"%sdegraded:%s the sweeper has stopped, so silent handshakes do not time "
			"out. Detach all interfaces and attach them again\n",
			sw_style(out, SW_STYLE_BAD), sw_style(out, SW_STYLE_NONE));
}

static void before(FILE *out, const char *name, const char *what,
		   const struct sw_programs_before *programs)
{
	for (uint32_t i = 0; i < programs->count; i++)
		fprintf(out,
			"%s: program %s (id %u) runs before synward on what %s: synward never sees "
			"a packet that it drops or redirects\n",
			name, SW_PRINTABLE_NAME(programs->rows[i].name), programs->rows[i].id,
			what);
}

static void fallbacks(FILE *out, const struct sw_status *status)
{
	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_interface *record = &status->interfaces[i].record;
		const char *name = SW_PRINTABLE_NAME(record->name);

		if (record->mode == SW_MODE_GENERIC)
			fprintf(out,
				"%s: generic XDP runs after the kernel has built its packet, so it "
				"costs more than native XDP\n",
				name);
		if (record->tc_hook == SW_TC_CLSACT)
			fprintf(out, "%s: clsact filter rather than TCX\n", name);
		before(out, name, "comes in", &status->interfaces[i].before_ingress);
		before(out, name, "leaves", &status->interfaces[i].before_egress);
		before(out, name, "comes up", &status->interfaces[i].before_handover);
	}
}

static void table_line(FILE *out, const struct sw_status *status, const char *label,
		       const char *map, uint64_t used, uint64_t capacity)
{
	char a[SW_NUMBER_SIZE], b[SW_NUMBER_SIZE], c[SW_NUMBER_SIZE];
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < status->map_count; i++)
		if (!strcmp(status->maps[i].name, map))
			bytes = status->maps[i].bytes;
	fprintf(out, "%-13s %s of %s, %s\n", label, sw_format_count(a, used),
		sw_format_count(b, capacity), sw_format_bytes(c, bytes));
}

static void memory(FILE *out, const struct sw_status *status)
{
	char text[SW_NUMBER_SIZE], exact[SW_NUMBER_SIZE];

	fprintf(out, "%-13s %s (%s bytes) in %u maps\n", "memory",
		sw_format_bytes(text, status->map_bytes), sw_format_count(exact, status->map_bytes),
		status->map_count);
}

static void settings(FILE *out, const struct sw_status *status)
{
	char text[SW_NUMBER_SIZE], item[64];
	int width = sw_wrap_width(sw_prose_base(out));
	int column = fprintf(out, "%-13s", "timeouts");

	/* a name and its time stay together */
	for (int i = 0; i < SW_TIMEOUT_COUNT; i++) {
		sw_format(item, sizeof(item), "%s %s%s", sw_timeout_words[i].name,
			  sw_format_duration(text, status->settings.timeout_ms[i]),
			  i + 1 < SW_TIMEOUT_COUNT ? "," : "");
		if (column + 1 + (int)strlen(item) > width)
			column = fprintf(out, "\n%13s", "") - 1;
		column += fprintf(out, " %s", item);
	}
	fprintf(out, "\n%-13s ", "events");
	if (status->settings.events_per_second)
		fprintf(out, "at most %u per second and CPU\n", status->settings.events_per_second);
	else
		fprintf(out, "without limit\n");
}

static void attached(FILE *out, const struct sw_status *status)
{
	static const char *const sweepers[] = { "unknown", "running", "stopped" };

	fprintf(out, "%sattached%s, %s (%s)\n", sw_style(out, SW_STYLE_GOOD),
		sw_style(out, SW_STYLE_NONE), sw_status_words(&status->policy), status->pin_dir);
	interfaces(out, status);
	problems(out, status, false);
	fallbacks(out, status);
	sw_text_status_policy(out, &status->policy);
	sw_text_status_ways(out, status);
	table_line(out, status, "half-open", "handshakes", status->half_open,
		   (uint64_t)status->identity.handshake_buckets * SW_WAYS);
	table_line(out, status, "connections", "connections", status->connections,
		   (uint64_t)status->identity.connection_buckets * SW_WAYS);
	memory(out, status);
	settings(out, status);
	fprintf(out, "%-13s %s\n", "sweeper", sweepers[status->sweeper]);
}

void sw_text_status_faults(FILE *out, const struct sw_status *status)
{
	SW_AUTO_FREE char *text = NULL;
	size_t size;
	FILE *all = open_memstream(&text, &size);
	const char *end;

	if (!all)
		return;
	problems(all, status, true);
	if (fclose(all))
		return;
	for (const char *line = text; (end = strchr(line, '\n')); line = end + 1)
		if (!strncmp(line, "degraded: ", strlen("degraded: ")))
			fprintf(out, "%.*s\n", (int)(end - line), line);
}

void sw_text_status(FILE *out, const struct sw_status *status)
{
	FILE *prose = sw_prose_begin(out);

	if (status->attached)
		attached(prose, status);
	else
		fprintf(prose, "not attached (nothing in %s)\n", status->pin_dir);
	sw_prose_end(prose);
}
