// SPDX-License-Identifier: GPL-2.0-or-later
/* What status says about the policy. */
#include "flood_report.h"
#include "policy_report.h"
#include "report.h"

#include "../base/printable.h"
#include "../base/number.h"
#include "../model/names.h"
#include "../text/table.h"

const char *sw_status_words(const struct sw_policy_view *view)
{
	if (!view->armed)
		return "disarmed: nothing is dropped";
	switch (sw_policy_mode(view)) {
	case SW_MODE_MONITOR:
		return "monitoring only: nothing is dropped";
	case SW_MODE_MIXED:
		return "enforcing for some services";
	case SW_MODE_ENFORCE:
		break;
	}
	return "enforcing";
}

#define READINESS_SIZE 192

/* What does not concern all interfaces: for which strict rules still warm up. */
static const char *for_some(char text[READINESS_SIZE], const char *state,
			    const struct sw_policy_view *view, const struct sw_row_view *row)
{
	uint64_t left_ms = 0;
	const char *name = NULL;
	uint32_t others = 0;
	char left[SW_NUMBER_SIZE];
	int length = snprintf(text, READINESS_SIZE, "%s", state);

	for (uint32_t i = 0; i < view->watcher_count; i++) {
		uint64_t its_ms = sw_warm_up_left_ms(&view->watchers[i], row);

		if (!its_ms)
			continue;
		others += !!name;
		name = view->watchers[i].name;
		if (its_ms > left_ms)
			left_ms = its_ms;
	}
	if (!name)
		return text;
	length += snprintf(text + length, READINESS_SIZE - length, "; %s", SW_PRINTABLE_NAME(name));
	if (others)
		length += snprintf(text + length, READINESS_SIZE - length, " and %u more", others);
	snprintf(text + length, READINESS_SIZE - length, " warming up for %s more",
		 sw_format_duration(left, left_ms));
	return text;
}

/* Whether strict anomalies drop, in words. */
static const char *readiness(char text[READINESS_SIZE], const struct sw_policy_view *view,
			     const struct sw_row_view *row)
{
	char left[SW_NUMBER_SIZE], state[READINESS_SIZE / 2];
	uint64_t left_ms;
	enum sw_readiness ready = sw_policy_readiness(view, row, &left_ms);

	sw_format_duration(left, left_ms);
	switch (ready) {
	case SW_STRICT_OFF:
		return "off";
	case SW_STRICT_WARMING_UP:
		snprintf(text, READINESS_SIZE, "warming up for %s more", left);
		return text;
	case SW_STRICT_UNSURE:
		snprintf(state, sizeof(state), "waiting: both sides seen %u of %u times",
			 row->both_sided, SW_ENOUGH_BOTH_SIDED);
		break;
	case SW_STRICT_SUSPENDED:
		snprintf(text, READINESS_SIZE, "suspended for %s: %s", left,
			 sw_row_was_moved(row) ? "connections from elsewhere" :
						 "one-sided handshakes");
		return text;
	case SW_STRICT_LOWERED:
		snprintf(state, sizeof(state), "lowered for %s: connections were evicted", left);
		break;
	case SW_STRICT_READY:
		return for_some(text, "ready", view, row);
	}
	return for_some(text, state, view, row);
}

static void print_rows(FILE *out, const struct sw_policy_view *view)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lll");
	char text[READINESS_SIZE];

	sw_table_cell(table, "SERVICE");
	sw_table_cell(table, "MODE");
	sw_table_cell(table, "STRICT");
	for (uint32_t i = 0; i < view->row_count; i++) {
		const struct sw_row_view *row = &view->rows[i];

		sw_table_cell(table, "%s", row->name);
		sw_table_cell(table, "%s", row->rules.enforce ? "enforce" : "monitor");
		sw_table_cell(table, "%s", readiness(text, view, row));
	}
	sw_table_print(table, out);
}

static void print_limits(FILE *out, const struct sw_policy_view *view)
{
	const char *separator = "";

	fprintf(out, "%-13s ", "limits");
	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++) {
		if (!sw_has_limit(view, i))
			continue;
		fprintf(out, "%s%s", separator, sw_limit_words[i].name);
		separator = ", ";
	}
	fputs(*separator ? "\n" : "none\n", out);
}

/* The floods of the services that are defended: the verdict, and the evidence for it. */
static void print_floods(FILE *out, const struct sw_policy_view *view)
{
	if (!(view->features & SW_HAS_FLOOD_DEFENCE))
		return;
	fprintf(out, "%-13s %s: %s\n", "floods", sw_flood_way_name(view->flood_way),
		view->flood_way < SW_FLOOD_WAY_COUNT ? sw_flood_way_words[view->flood_way].meaning :
						       "not the same way at all interfaces");
	for (uint32_t i = 0; i < view->row_count; i++)
		if (view->rows[i].rules.flood.mode != SW_FLOOD_OFF)
			sw_text_flood(out, view, &view->rows[i]);
}

void sw_text_secret(FILE *out, const struct sw_policy_view *view)
{
	fprintf(out, "cookies are made with %08x", view->secret_ids[0]);
	if (view->secret_ids[1])
		fprintf(out, ", and those made with %08x are honoured, too", view->secret_ids[1]);
}

/* What other hosts can be compared by; never the secret itself. */
static void print_secret(FILE *out, const struct sw_policy_view *view)
{
	if (!sw_policy_shares(view) || !view->secret_ids[0])
		return;
	fprintf(out, "%-13s shared: ", "secret");
	sw_text_secret(out, view);
	fputc('\n', out);
}

void sw_text_secret_problems(FILE *out, const struct sw_policy_view *view)
{
	if (!sw_policy_shares(view))
		return;
	if (sw_secret_is_missing(view))
		fprintf(out,
			"%sdegraded:%s the policy has flood_defence.shared_secret, and no secret "
			"is loaded, so other hosts cannot check this host's cookies; to load it: "
			"synward policy apply\n",
			sw_style(out, SW_STYLE_BAD), sw_style(out, SW_STYLE_NONE));
	if (!view->clock_synchronised)
		fprintf(out,
			"%snote:%s no time daemon sets this host's clock. If it differs from other "
			"hosts by a minute or more, they cannot check its cookies; to set it: "
			"timedatectl set-ntp on\n",
			sw_style(out, SW_STYLE_WARN), sw_style(out, SW_STYLE_NONE));
	if (view->tai_changed)
		fprintf(out,
			"%snote:%s the kernel's TAI offset has changed since the secret was "
			"loaded, so the clock of the cookies is wrong by that much; to correct it: "
			"synward policy apply\n",
			sw_style(out, SW_STYLE_WARN), sw_style(out, SW_STYLE_NONE));
}

static bool is_plain(const struct sw_policy_view *view)
{
	return view->row_count == 1 && !view->rows[0].rules.strict;
}

void sw_text_status_policy(FILE *out, const struct sw_policy_view *view)
{
	char text[SW_NUMBER_SIZE], age[SW_NUMBER_SIZE];
	unsigned int services = view->row_count - 1;

	fprintf(out, "%-13s %s, %u %s, active for %s\n", "policy",
		sw_mode_name(sw_policy_mode(view)), services,
		sw_noun(services, "service", "services"), sw_format_duration(age, view->active_ms));
	if (view->pending)
		fprintf(out,
			"%s%-13s the kernel restores the previous policy in %s; to keep this one: "
			"synward policy confirm%s\n",
			sw_style(out, SW_STYLE_WARN), "",
			sw_format_duration(text, view->pending_left_ms),
			sw_style(out, SW_STYLE_NONE));
	if (view->rolled_back)
		fprintf(out, "%-13s %u %s, because nobody confirmed\n", "rolled back",
			view->rolled_back, sw_noun(view->rolled_back, "time", "times"));
	if (!is_plain(view))
		print_rows(out, view);
	print_limits(out, view);
	print_floods(out, view);
	print_secret(out, view);
	fprintf(out, "%-13s %s %s allowed, %s blocked\n", "lists",
		sw_format_count(text, view->list_entries[SW_LIST_ALLOW]),
		sw_noun(view->list_entries[SW_LIST_ALLOW], "prefix", "prefixes"),
		sw_format_count(age, view->list_entries[SW_LIST_BLOCK]));
	if (view->auto_block.enabled || view->auto_blocks)
		fprintf(out, "%-13s %s of at most %u %s\n", "auto-blocks",
			sw_format_count(text, view->auto_blocks), view->auto_block.maximum,
			sw_noun(view->auto_block.maximum, "source", "sources"));
}
