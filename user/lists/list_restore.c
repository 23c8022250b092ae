// SPDX-License-Identifier: GPL-2.0-or-later
/* The lists come back when something is attached. */
#include "../base/cleanup.h"
#include "../base/error.h"
#include "list_build.h"
#include "list_journal.h"
#include "lists.h"
#include "protected.h"

/* What the file says must not come back if it would block the host; its addresses may have changed. */
static int drop_protected(const struct sw_instance *instance, struct sw_entries *entries)
{
	SW_AUTO_GUARD struct sw_guard guard = {};
	const struct sw_guarded *who;
	const struct sw_entry *entry;
	char reason[SW_GUARD_REASON_SIZE];
	size_t next = 0;
	int error = sw_guard_collect(instance, &guard);

	while (!error && (entry = sw_guard_find(&guard, entries, &next, &who))) {
		sw_note("left out of the block list: %s", sw_guard_explain(reason, entry, who));
		entries->rows[entry - entries->rows].dead = true;
		sw_entries_settle(entries);
		next--; /* another one may be in the same way */
	}
	return error;
}

int sw_lists_restore(const struct sw_instance *instance, const char *state_dir)
{
	SW_AUTO_LISTS struct sw_lists lists = SW_LISTS_NONE;
	struct sw_entries known[SW_LIST_COUNT] = {};
	int error = sw_lists_open(instance, &lists);

	if (!error)
		error = sw_journal_read(state_dir, known);
	if (!error)
		error = drop_protected(instance, &known[SW_LIST_BLOCK]);
	for (int i = 0; i < SW_LIST_COUNT && !error; i++) {
		SW_AUTO_LIST_GENERATION struct sw_list_generation made = SW_LIST_GENERATION_NONE;
		struct sw_list_recipe recipe = { .entries = &known[i] };

		if (!known[i].count)
			continue;
		error = sw_list_build(&lists, (enum sw_list)i, &recipe, &made);
		if (!error)
			error = sw_list_generation_install(&lists, (enum sw_list)i, &made);
	}
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&known[i]);
	return error;
}
