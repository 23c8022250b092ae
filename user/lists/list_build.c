// SPDX-License-Identifier: GPL-2.0-or-later
#include "list_build.h"

#include "../base/time.h"
#include "list_journal.h"

#include <errno.h>
#include <string.h>

#define PROGRESS_ROWS 8192U

/* One generation under construction. */
struct building {
	const struct sw_list_recipe *recipe;
	struct sw_prefixes *table;
	uint64_t done;
	uint64_t all;
	uint32_t now_s;
};

static void step(struct building *building)
{
	const struct sw_list_recipe *recipe = building->recipe;

	building->done++;
	if (recipe->progress && building->done % PROGRESS_ROWS == 0)
		recipe->progress(recipe->context, building->done, building->all);
}

/* The hits are counted on in the old one until the new one has taken its place. */
static int copy_row(void *context, struct sw_list_row *row)
{
	const struct sw_prefix prefix = { .addr = row->addr, .length = row->length };
	struct building *building = context;
	struct sw_list_key key = sw_list_key(&prefix, building->table->seed);

	step(building);
	if (!sw_list_is_live(row, building->now_s))
		return 0;
	return sw_prefixes_insert(building->table, &key, 0, row->expires_s);
}

static int put_entry(struct building *building, const struct sw_entry *entry)
{
	struct sw_list_key key = sw_list_key(&entry->prefix, building->table->seed);
	struct sw_list_row *row = sw_prefixes_find(building->table, &key);

	step(building);
	if (!row)
		return sw_prefixes_insert(building->table, &key, 0, entry->expires_s);
	row->expires_s = entry->expires_s;
	return 0;
}

/* Returns non-zero if there was no room. */
static int fill(struct building *building)
{
	const struct sw_list_recipe *recipe = building->recipe;
	const struct sw_entries *entries = recipe->entries;
	int full = recipe->old ? sw_list_generation_walk(recipe->old, copy_row, building) : 0;

	for (size_t i = 0; i < entries->count && !full; i++)
		full = put_entry(building, &entries->rows[i]);
	return full;
}

int sw_list_build(const struct sw_lists *lists, enum sw_list list,
		  const struct sw_list_recipe *recipe, struct sw_list_generation *generation)
{
	struct building building = { .recipe = recipe,
				     .table = &generation->prefixes,
				     .now_s = (uint32_t)sw_boot_s() };
	uint64_t old = recipe->old && recipe->old->prefixes.about ?
			       recipe->old->prefixes.about->entries :
			       0;
	uint32_t buckets = sw_buckets_for(old + recipe->entries->count);
	int error;

	building.all = old + recipe->entries->count;
	if (buckets < recipe->buckets)
		buckets = recipe->buckets;
	for (;; buckets *= 2) {
		error = sw_list_generation_create(lists, list, buckets, generation);
		if (error || !fill(&building))
			return error;
		sw_list_generation_close(generation);
		building.done = 0;
	}
}

/* ---- and back */

struct collection {
	struct sw_entries *entries;
	uint32_t now_s;
};

static int collect_row(void *context, struct sw_list_row *row)
{
	struct collection *collection = context;
	struct sw_entry entry = { .prefix = { .addr = row->addr, .length = row->length },
				  .hits = __atomic_load_n(&row->hits, __ATOMIC_RELAXED),
				  .expires_s = row->expires_s,
				  .reason = "" };

	return sw_list_is_live(row, collection->now_s) ?
		       sw_entries_add(collection->entries, &entry) :
		       0;
}

int sw_list_collect(const struct sw_list_generation *generation, struct sw_entries *entries)
{
	struct collection collection = { entries, (uint32_t)sw_boot_s() };
	int error = sw_list_generation_walk(generation, collect_row, &collection);

	sw_entries_settle(entries);
	return error;
}

int sw_list_annotate(struct sw_entries *entries, const struct sw_entries *from)
{
	size_t at = 0;

	for (size_t i = 0; i < entries->count; i++) {
		struct sw_entry *row = &entries->rows[i];
		const struct sw_entry *known;

		while (at < from->count &&
		       sw_prefix_compare(&from->rows[at].prefix, &row->prefix) < 0)
			at++;
		if (at == from->count)
			break;
		known = &from->rows[at];
		if (sw_prefix_compare(&known->prefix, &row->prefix))
			continue;
		row->added_s = known->added_s;
		row->reason = sw_entries_text(entries, known->reason, strlen(known->reason));
		if (!row->reason)
			return -ENOMEM;
	}
	return 0;
}

static void free_all(struct sw_entries lists[SW_LIST_COUNT])
{
	for (int list = 0; list < SW_LIST_COUNT; list++)
		sw_entries_free(&lists[list]);
}

static int collect_current(const struct sw_lists *lists, enum sw_list list,
			   struct sw_entries *entries)
{
	SW_AUTO_LIST_GENERATION struct sw_list_generation generation = SW_LIST_GENERATION_NONE;
	int error = sw_list_generation_open(lists, list, &generation);

	return error ? error : sw_list_collect(&generation, entries);
}

int sw_list_rewrite_journal(const struct sw_lists *lists, const char *state_dir, enum sw_list list,
			    const struct sw_list_generation *generation,
			    const struct sw_entries *added)
{
	struct sw_entries known[SW_LIST_COUNT] = {}, all[SW_LIST_COUNT] = {};
	int error = sw_journal_read(state_dir, known);

	for (int i = 0; i < SW_LIST_COUNT && !error; i++) {
		error = i == (int)list ? sw_list_collect(generation, &all[i]) :
					 collect_current(lists, (enum sw_list)i, &all[i]);
		if (!error)
			error = sw_list_annotate(&all[i], &known[i]);
		if (!error && i == (int)list && added)
			error = sw_list_annotate(&all[i], added);
	}
	if (!error)
		error = sw_journal_write(state_dir, all);
	free_all(known);
	free_all(all);
	return error;
}
