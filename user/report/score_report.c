// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rules are safe to arm: as a table and as JSON. */
#include "../model/score.h"

#include "../base/error.h"
#include "../base/number.h"
#include "../text/prose.h"
#include "../text/table.h"
#include "../text/wrap.h"
#include "json.h"
#include "policy_report.h"

#include <inttypes.h>

#define SENTENCE 160

/* The verdict with its figures. */
static void explain(char text[SENTENCE], const struct sw_score_row *row)
{
	char cleared[SW_NUMBER_SIZE], suspects[SW_NUMBER_SIZE];

	if (row->verdict == SW_SCORE_UNSAFE)
		snprintf(text, SENTENCE, "NOT safe: %s of %s sources completed a handshake later",
			 sw_format_count(cleared, row->cleared),
			 sw_format_count(suspects, row->suspects));
	else if (row->verdict == SW_SCORE_EARLY)
		snprintf(text, SENTENCE, "too early: 0 of %s sources completed a handshake so far",
			 sw_format_count(suspects, row->suspects));
	else
		snprintf(text, SENTENCE, "%s", sw_score_words(row->verdict));
}

static void add_row(struct sw_table *table, const struct sw_score_row *row)
{
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "%s", row->name);
	sw_table_cell(table, "%s", sw_format_count(text, row->would_drop));
	sw_table_cell(table, "%s", sw_format_count(text, row->suspects));
	sw_table_cell(table, "%s", sw_format_count(text, row->cleared));
	sw_table_cell(table, "%s", sw_score_words(row->verdict));
}

static void print_table(FILE *out, const struct sw_snapshot *snapshot, bool all)
{
	static const char *const headings[] = { "RULE", "WOULD DROP", "SOURCES", "COMPLETED",
						"VERDICT" };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrrl");
	bool any = false;

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	for (unsigned int i = 0; i < SW_SCORE_ROWS; i++) {
		struct sw_score_row row = sw_score_row(snapshot, i);

		if (!all && (row.verdict == SW_SCORE_NOT_SEEN || row.verdict == SW_SCORE_COUNTED))
			continue;
		add_row(table, &row);
		any = true;
	}
	if (any)
		sw_table_print(table, out);
	else
		fputs("  no packet has met any rule yet\n", out);
}

static void print_harmed(FILE *out, const struct sw_snapshot *snapshot)
{
	char text[SENTENCE];

	for (unsigned int i = 0; i < SW_SCORE_ROWS; i++) {
		struct sw_score_row row = sw_score_row(snapshot, i);

		if (row.verdict != SW_SCORE_UNSAFE)
			continue;
		explain(text, &row);
		fprintf(out, "%s%s: %s%s\n", sw_style(out, SW_STYLE_BAD), row.name, text,
			sw_style(out, SW_STYLE_NONE));
	}
}

/* Loading takes a while, in which nothing is active yet. */
#define LOADING_MS 60000

static bool was_changed(const struct sw_snapshot *snapshot)
{
	const struct sw_policy_view *policy = &snapshot->policy;

	return policy->generation || policy->rolled_back ||
	       policy->active_ms + LOADING_MS < sw_score_basis(snapshot).watched_ms;
}

/* What there is to judge by, and what it takes. */
static void print_awaited(FILE *out, const struct sw_score_basis *basis)
{
	char watched[SW_NUMBER_SIZE], day[SW_NUMBER_SIZE], completed[SW_NUMBER_SIZE],
		enough[SW_NUMBER_SIZE], sentence[320];

	sw_format(
		sentence, sizeof(sentence),
		"Too early to call any rule safe: that takes %s of the usual traffic (watched for "
		"%s) and %s completed handshakes (so far %s).",
		sw_format_duration(day, SW_SCORE_ENOUGH_MS),
		sw_format_duration(watched, basis->watched_ms),
		sw_format_count(enough, SW_SCORE_ENOUGH_COMPLETED),
		sw_format_count(completed, basis->completed));
	sw_wrap(out, sentence, 0, 0);
}

/* What the figures cannot tell. */
static void print_doubts(FILE *out, const struct sw_snapshot *snapshot)
{
	const struct sw_score_basis basis = sw_score_basis(snapshot);
	uint64_t forgotten = snapshot->total.score.forgotten;
	char text[SW_NUMBER_SIZE], sentence[320];

	if (basis.too_early)
		print_awaited(out, &basis);
	if (was_changed(snapshot))
		sw_wrap(out,
			"The policy has changed meanwhile, so earlier counts may belong to other "
			"limits.",
			0, 0);
	if (!forgotten)
		return;
	snprintf(sentence, sizeof(sentence),
		 "%s %s forgotten before it was known whether they would complete a handshake. "
		 "COMPLETED may be too low, so \"safe to arm\" may be wrong.",
		 sw_format_count(text, forgotten),
		 sw_noun(forgotten, "source was", "sources were"));
	sw_wrap(out, sentence, 0, 0);
}

void sw_text_score(FILE *to, const struct sw_snapshot *snapshot, bool all)
{
	FILE *out = sw_prose_begin(to);
	char watched[SW_NUMBER_SIZE], active[SW_NUMBER_SIZE];

	fprintf(out, "%swatched for %s, this policy for %s%s\n", sw_style(out, SW_STYLE_BOLD),
		sw_format_duration(watched, sw_score_basis(snapshot).watched_ms),
		sw_format_duration(active, snapshot->policy.active_ms),
		sw_style(out, SW_STYLE_NONE));
	print_table(out, snapshot, all);
	print_harmed(out, snapshot);
	print_doubts(out, snapshot);
	sw_prose_end(out);
}

static json_t *row_object(const struct sw_score_row *row)
{
	json_t *object = json_object();
	char text[SENTENCE];

	explain(text, row);
	sw_json_put_number(object, "seen", row->seen);
	sw_json_put_number(object, "would_drop", row->would_drop);
	sw_json_put_number(object, "dropped", row->dropped);
	sw_json_put_number(object, "suspects", row->suspects);
	sw_json_put_number(object, "cleared", row->cleared);
	sw_json_put_text(object, "verdict", sw_score_name(row->verdict));
	sw_json_put_text(object, "words", text);
	return object;
}

void sw_json_score(FILE *out, const struct sw_snapshot *snapshot, bool pretty)
{
	const struct sw_score_basis basis = sw_score_basis(snapshot);
	json_t *root = sw_json_root(), *anomalies, *limits, *awaited;

	sw_json_put_number(root, "watched_ms", basis.watched_ms);
	sw_json_put_bool(root, "enough", basis.watched_ms >= SW_SCORE_ENOUGH_MS);
	sw_json_put_number(root, "completed", basis.completed);
	sw_json_put_bool(root, "too_early", basis.too_early);
	awaited = sw_json_put(root, "awaited", json_object());
	sw_json_put_number(awaited, "watched_ms", SW_SCORE_ENOUGH_MS);
	sw_json_put_number(awaited, "completed", SW_SCORE_ENOUGH_COMPLETED);
	sw_json_put_number(root, "forgotten", snapshot->total.score.forgotten);
	sw_json_put(root, "state", sw_json_policy_state(&snapshot->policy));
	anomalies = sw_json_put(root, "anomalies", json_object());
	limits = sw_json_put(root, "limits", json_object());
	for (unsigned int i = 0; i < SW_SCORE_ROWS; i++) {
		struct sw_score_row row = sw_score_row(snapshot, i);

		sw_json_put(row.is_limit ? limits : anomalies, row.name, row_object(&row));
	}
	sw_json_print(out, root, pretty);
}
