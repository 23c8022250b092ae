// SPDX-License-Identifier: GPL-2.0-or-later
/* What commands have done about the policy, and what a file would change. */
#include "policy_report.h"
#include "report.h"

#include "../base/input.h"
#include "../base/number.h"
#include "../text/prose.h"
#include "../text/table.h"

#include <string.h>

const char *sw_mode_name(enum sw_policy_mode mode)
{
	return mode == SW_MODE_MONITOR ? "monitor" : mode == SW_MODE_ENFORCE ? "enforce" : "mixed";
}

static void print_change(FILE *out, const struct sw_change *change)
{
	static const struct {
		char sign;
		enum sw_style style;
	} looks[] = {
		[SW_CHANGE_ADDED] = { '+', SW_STYLE_GOOD },
		[SW_CHANGE_REMOVED] = { '-', SW_STYLE_BAD },
		[SW_CHANGE_CHANGED] = { '~', SW_STYLE_WARN },
	};

	fprintf(out, "%s%c %s", sw_style(out, looks[change->kind].style), looks[change->kind].sign,
		change->path);
	if (change->kind == SW_CHANGE_CHANGED)
		fprintf(out, ": %s -> %s", change->before, change->after);
	else if (*change->before || *change->after)
		fprintf(out, ": %s%s", change->before, change->after);
	fprintf(out, "%s\n", sw_style(out, SW_STYLE_NONE));
}

static void print_changes(FILE *out, const struct sw_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		print_change(out, &changes->changes[i]);
}

#define NAMES 4U /* so many services are named, of those with one mode */

/* Those whose rules are enforced, or those whose rules are not, and what they do. */
static void print_rows(FILE *out, const struct sw_policy_view *view, bool enforce)
{
	unsigned int all = 0, named = 0;

	for (uint32_t i = 0; i < view->row_count; i++)
		all += !view->rows[i].rules.enforce == !enforce;
	for (uint32_t i = 0; i < view->row_count && named < NAMES; i++) {
		if (!view->rows[i].rules.enforce != !enforce)
			continue;
		fprintf(out, "%s%s",
			!named		 ? "" :
			named + 1 == all ? " and " :
					   ", ",
			view->rows[i].name);
		named++;
	}
	if (all > named)
		fprintf(out, " and %u more", all - named);
	fprintf(out, " %s",
		enforce ? sw_noun(all, "enforces", "enforce") :
			  sw_noun(all, "only counts", "only count"));
}

/* In one clause what the policy does now. */
static void print_effect(FILE *out, const struct sw_policy_view *view)
{
	enum sw_policy_mode mode = sw_policy_mode(view);

	if (mode != SW_MODE_MONITOR)
		print_rows(out, view, true);
	if (mode == SW_MODE_MIXED)
		fputs("; ", out);
	if (mode != SW_MODE_ENFORCE)
		print_rows(out, view, false);
	if (!view->armed)
		fputs(", but disarmed: nothing is dropped", out);
	else if (!sw_policy_drops(view))
		fputs(": nothing is dropped", out);
}

void sw_text_policy_done(FILE *to, const struct sw_policy_done *done)
{
	const struct sw_policy_view *view = done->view;
	FILE *out = sw_prose_begin(to);
	char left[SW_NUMBER_SIZE];

	print_changes(out, done->changes);
	if (done->secret_changed) {
		fprintf(out, "%s~ shared secret: ", sw_style(out, SW_STYLE_WARN));
		sw_text_secret(out, view);
		fprintf(out, "%s\n", sw_style(out, SW_STYLE_NONE));
	}
	if (strcmp(done->action, "confirmed") == 0) {
		if (!done->waited)
			fputs("nothing waited to be confirmed: this policy is kept already\n", out);
	} else if (!done->changes->count && !done->secret_changed)
		fputs("no change: this policy was active already\n", out);
	for (const char *at = done->action; *at; at++)
		fputc(*at == '_' ? ' ' : *at, out);
	fputs(": ", out);
	print_effect(out, view);
	fputc('\n', out);
	sw_text_policy_idle(out, done->policy);
	if (done->untried)
		fputs("The policy itself is the active one, so it is not on trial, and you need "
		      "not confirm it.\n",
		      out);
	if (view->pending)
		fprintf(out,
			"If you do not confirm within %s, the kernel restores the previous policy. "
			"To keep this one:\n    synward policy confirm\n",
			sw_format_duration(left, view->pending_left_ms));
	sw_prose_end(out);
}

void sw_text_policy_comment(FILE *out, const struct sw_policy_view *view)
{
	char age[SW_NUMBER_SIZE], left[SW_NUMBER_SIZE];

	fputs("# ", out);
	print_effect(out, view);
	fprintf(out, "\n# generation %u, active for %s\n", view->generation,
		sw_format_duration(age, view->active_ms));
	if (view->pending)
		fprintf(out,
			"# the kernel restores the previous policy in %s, unless this one is "
			"confirmed\n",
			sw_format_duration(left, view->pending_left_ms));
}

bool sw_secret_differs(const struct sw_policy_difference *difference)
{
	return difference->secret_compared &&
	       memcmp(difference->secret_before, difference->secret_after,
		      sizeof(difference->secret_before)) != 0;
}

bool sw_policy_differs(const struct sw_policy_difference *difference)
{
	return difference->changes->count || sw_secret_differs(difference);
}

static void print_secret_ids(FILE *out, const uint32_t ids[2])
{
	if (!ids[0])
		fputs("none", out);
	for (unsigned int i = 0; i < 2 && ids[i]; i++)
		fprintf(out, "%s%08x", i ? ", " : "", ids[i]);
}

static void print_difference(FILE *out, const struct sw_policy_difference *difference)
{
	if (!sw_policy_differs(difference))
		fprintf(out, "no difference: %s is the active policy\n",
			sw_input_name(difference->file));
	print_changes(out, difference->changes);
	if (!sw_secret_differs(difference))
		return;
	fprintf(out, "%s~ shared secret differs: ", sw_style(out, SW_STYLE_WARN));
	print_secret_ids(out, difference->secret_before);
	fputs(" -> ", out);
	print_secret_ids(out, difference->secret_after);
	fprintf(out, "%s\n", sw_style(out, SW_STYLE_NONE));
}

void sw_text_policy_diff(FILE *out, const struct sw_policy_difference *difference)
{
	FILE *prose = sw_prose_begin(out);

	print_difference(prose, difference);
	sw_prose_end(prose);
}
