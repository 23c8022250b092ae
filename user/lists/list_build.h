/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_LIST_BUILD_H
#define SYNWARD_LISTS_LIST_BUILD_H

/* From entries to a generation's table, and back. */

#include "../model/entries.h"
#include "list_table.h"
#include "lists.h"

/* What goes into a new generation. */
struct sw_list_recipe {
	const struct sw_list_generation *old; /* its rows stay, but for the expired; NULL: none */
	const struct sw_entries *entries;     /* settled; they go before the old ones */
	uint32_t buckets;		      /* at least so many */
	sw_list_progress *progress;	      /* may be NULL */
	void *context;
};

/* Makes a generation, which is not installed. */
int sw_list_build(const struct sw_lists *lists, enum sw_list list,
		  const struct sw_list_recipe *recipe, struct sw_list_generation *generation);

/* Adds a generation's entries, but for the expired, with their hits, and settles them. */
int sw_list_collect(const struct sw_list_generation *generation, struct sw_entries *entries);

/* Has entries say what others know of them: reason, and since when. Both are settled. */
int sw_list_annotate(struct sw_entries *entries, const struct sw_entries *from);

/*
 * Writes the state file anew: the list as the generation has it, the others as they are. added, if
 * not NULL, knows most about the new ones.
 */
int sw_list_rewrite_journal(const struct sw_lists *lists, const char *state_dir, enum sw_list list,
			    const struct sw_list_generation *generation,
			    const struct sw_entries *added);

#endif
