// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "report.h"

#include "../base/address.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../model/names.h"
#include "../text/prose.h"
#include "../text/table.h"

#define NS_PER_S 1000000000ULL

/* ---- entries as text */

static uint64_t shown(const struct sw_entries *entries, uint64_t limit)
{
	return limit && limit < entries->count ? limit : entries->count;
}

/* How long it has yet to live; less than nothing is nothing. */
static uint64_t left_ms(const struct sw_entry *entry, uint64_t boot_s)
{
	return entry->expires_s > boot_s ? (entry->expires_s - boot_s) * 1000 : 0;
}

static void add_cells(struct sw_table *table, const struct sw_entry *entry, uint64_t boot_s)
{
	char text[SW_PREFIX_SIZE], number[SW_NUMBER_SIZE], moment[SW_TIMESTAMP_SIZE];

	sw_table_cell(table, "%s", sw_format_prefix(text, &entry->prefix));
	sw_table_cell(table, "%s", sw_format_count(number, entry->hits));
	sw_table_cell(table, "%s",
		      entry->expires_s ? sw_format_duration(number, left_ms(entry, boot_s)) :
					 "never");
	sw_table_cell(table, "%s", entry->automatic ? "auto" : "manual");
	sw_table_cell(table, "%s",
		      entry->added_s ? sw_format_moment(moment, entry->added_s * NS_PER_S) : "-");
	sw_table_cell(table, "%s", entry->reason);
}

static void add_headings(struct sw_table *table)
{
	static const char *const headings[] = { "PREFIX", "HITS",  "EXPIRES IN",
						"SOURCE", "ADDED", "REASON" };

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
}

void sw_text_entries(FILE *out, enum sw_list list, const struct sw_entries *entries, uint64_t limit)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrlll");
	uint64_t count = shown(entries, limit), boot_s = sw_boot_s();
	char a[SW_NUMBER_SIZE], b[SW_NUMBER_SIZE];

	if (!entries->count) {
		fprintf(out, "the %s list is empty\n", sw_list_words[list].name);
		return;
	}
	add_headings(table);
	for (uint64_t i = 0; i < count; i++)
		add_cells(table, &entries->rows[i], boot_s);
	sw_table_print(table, out);
	if (count < entries->count)
		fprintf(out, "the first %s of %s; --all shows all\n", sw_format_count(a, count),
			sw_format_count(b, entries->count));
}

/* ---- and as JSON */

static void put_time(json_t *object, const char *key, uint64_t wall_s)
{
	if (wall_s)
		sw_json_put_time(object, key, wall_s * NS_PER_S);
	else
		sw_json_put(object, key, json_null());
}

static json_t *row(const struct sw_entry *entry, uint64_t boot_s, int64_t apart_s)
{
	json_t *object = json_object();
	char text[SW_PREFIX_SIZE];

	sw_json_put_text(object, "prefix", sw_format_prefix(text, &entry->prefix));
	sw_json_put_text(object, "family", sw_prefix_is_v4(&entry->prefix) ? "ipv4" : "ipv6");
	sw_json_put_number(object, "hits", entry->hits);
	sw_json_put_text(object, "source", entry->automatic ? "auto" : "manual");
	sw_json_put_text(object, "reason", entry->reason);
	put_time(object, "added", entry->added_s);
	put_time(object, "expires", entry->expires_s ? (uint64_t)(entry->expires_s + apart_s) : 0);
	if (entry->expires_s)
		sw_json_put_number(object, "expires_in_ms", left_ms(entry, boot_s));
	return object;
}

void sw_json_entries(FILE *out, enum sw_list list, const struct sw_entries *entries, uint64_t limit,
		     bool pretty)
{
	uint64_t count = shown(entries, limit), boot_s = sw_boot_s();
	int64_t apart_s = sw_boot_to_wall_s();
	json_t *root = sw_json_root();
	struct sw_json_rows rows;

	sw_json_put_text(root, "list", sw_list_words[list].name);
	sw_json_put_number(root, "total", entries->count);
	sw_json_rows_begin(&rows, out, root, "prefixes", pretty);
	for (uint64_t i = 0; i < count; i++)
		sw_json_rows_add(&rows, row(&entries->rows[i], boot_s, apart_s));
	sw_json_rows_end(&rows);
}

/* ---- what becomes of what is on the block list */

enum effect {
	EFFECT_PASSES,
	EFFECT_ALLOWED,
	EFFECT_COUNTED,
	EFFECT_DROPPED_IN_PART,
	EFFECT_DROPPED
};

/* As JSON has them. */
static const char *const effects[] = {
	[EFFECT_PASSES] = "passes",   [EFFECT_ALLOWED] = "allowed",
	[EFFECT_COUNTED] = "counted", [EFFECT_DROPPED_IN_PART] = "dropped_in_part",
	[EFFECT_DROPPED] = "dropped",
};

static enum effect effect_of(const struct sw_policy_view *view)
{
	if (!sw_policy_drops(view))
		return EFFECT_COUNTED;
	return sw_policy_mode(view) == SW_MODE_ENFORCE ? EFFECT_DROPPED : EFFECT_DROPPED_IN_PART;
}

static void print_effect(FILE *out, const struct sw_policy_view *view)
{
	const char *separator = " ";

	switch (effect_of(view)) {
	case EFFECT_DROPPED:
		fputs("packets from there are dropped", out);
		break;
	case EFFECT_DROPPED_IN_PART:
		fputs("packets from there are dropped if they are for a service that enforces:",
		      out);
		for (uint32_t i = 0; i < view->row_count; i++) {
			if (!view->rows[i].rules.enforce)
				continue;
			fprintf(out, "%s%s", separator, view->rows[i].name);
			separator = ", ";
		}
		fputs("; others are only counted", out);
		break;
	default:
		fprintf(out, "packets from there are only counted, not dropped: %s",
			view->armed ? "the policy has no mode: enforce" :
				      "synward is disarmed; to arm it: synward arm");
	}
}

/* ---- one address */

static enum effect effect_on(const struct sw_entries met[SW_LIST_COUNT],
			     const struct sw_policy_view *view)
{
	if (met[SW_LIST_ALLOW].count)
		return EFFECT_ALLOWED;
	return met[SW_LIST_BLOCK].count ? effect_of(view) : EFFECT_PASSES;
}

void sw_text_list_check(FILE *to, const struct sw_addr *addr,
			const struct sw_entries met[SW_LIST_COUNT],
			const struct sw_policy_view *view)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("llrrlll");
	FILE *out = sw_prose_begin(to);
	char text[SW_ADDRESS_SIZE];

	fprintf(out, "%s is on ", sw_format_address(text, addr));
	switch (effect_on(met, view)) {
	case EFFECT_PASSES:
		fputs("neither list", out);
		break;
	case EFFECT_ALLOWED:
		fprintf(out, "the allow list%s: packets from there are never dropped",
			met[SW_LIST_BLOCK].count ? ", which goes before the block list" : "");
		break;
	default:
		fputs("the block list: ", out);
		print_effect(out, view);
	}
	fputc('\n', out);
	sw_table_cell(table, "LIST");
	add_headings(table);
	for (int list = 0; list < SW_LIST_COUNT; list++) {
		for (size_t i = 0; i < met[list].count; i++) {
			sw_table_cell(table, "%s", sw_list_words[list].name);
			add_cells(table, &met[list].rows[i], sw_boot_s());
		}
	}
	sw_table_print(table, out);
	sw_prose_end(out);
}

void sw_json_list_check(FILE *out, const struct sw_addr *addr,
			const struct sw_entries met[SW_LIST_COUNT],
			const struct sw_policy_view *view, bool pretty)
{
	json_t *root = sw_json_root(), *entries, *one;
	char text[SW_ADDRESS_SIZE];

	sw_json_put_text(root, "address", sw_format_address(text, addr));
	sw_json_put_text(root, "effect", effects[effect_on(met, view)]);
	entries = sw_json_put(root, "entries", json_array());
	for (int list = 0; list < SW_LIST_COUNT; list++) {
		for (size_t i = 0; i < met[list].count; i++) {
			one = row(&met[list].rows[i], sw_boot_s(), sw_boot_to_wall_s());
			sw_json_put_text(one, "list", sw_list_words[list].name);
			json_array_append_new(entries, one);
		}
	}
	sw_json_print(out, root, pretty);
}

/* ---- what a change has done */

static void say(FILE *out, const char **separator, uint64_t count, const char *what)
{
	char text[SW_NUMBER_SIZE];

	if (!count)
		return;
	fprintf(out, "%s%s %s", *separator, sw_format_count(text, count), what);
	*separator = ", ";
}

void sw_text_list_change(FILE *to, enum sw_list list, const struct sw_list_change *change,
			 const struct sw_policy_view *view)
{
	FILE *out = sw_prose_begin(to);
	const char *separator = ": ";
	char text[SW_NUMBER_SIZE];

	fputs(sw_list_words[list].name, out);
	say(out, &separator, change->added, "added");
	say(out, &separator, change->updated, "updated");
	say(out, &separator, change->removed, "removed");
	say(out, &separator, change->duplicates, "given more than once");
	if (!change->added && !change->updated && !change->removed)
		fprintf(out, "%snothing changed", separator);
	fprintf(out, "; %s on the list\n", sw_format_count(text, change->entries));
	if (change->lost_expiry)
		fprintf(out,
			"  %s of those updated had an expiry and %s none now: without --expires a "
			"prefix stays until it is deleted\n",
			sw_format_count(text, change->lost_expiry),
			change->lost_expiry == 1 ? "has" : "have");
	if (view && effect_of(view) != EFFECT_DROPPED) {
		fputs("  ", out);
		print_effect(out, view);
		fputc('\n', out);
	}
	sw_prose_end(out);
}

void sw_json_list_change(FILE *out, enum sw_list list, const struct sw_list_change *change,
			 const struct sw_policy_view *view, bool pretty)
{
	json_t *root = sw_json_root();

	sw_json_put_text(root, "list", sw_list_words[list].name);
	sw_json_put_number(root, "added", change->added);
	sw_json_put_number(root, "updated", change->updated);
	sw_json_put_number(root, "lost_expiry", change->lost_expiry);
	sw_json_put_number(root, "removed", change->removed);
	sw_json_put_number(root, "duplicates", change->duplicates);
	sw_json_put_number(root, "total", change->entries);
	if (view)
		sw_json_put_text(root, "effect", effects[effect_of(view)]);
	sw_json_print(out, root, pretty);
}
