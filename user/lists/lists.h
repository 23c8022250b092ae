/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_LISTS_H
#define SYNWARD_LISTS_LISTS_H

/*
 * The allow and the block list: what is attached has them, and the state file, so that they outlive
 * it. Each function changes both or none, or says what it could not do. As elsewhere, 0, or a
 * -errno or enum sw_failure whose line has been recorded.
 */

#include "../model/entries.h"

#include <synward/list.h>

struct sw_instance;

/* Which list of whom. */
struct sw_list_target {
	const char *pin_dir;
	const char *state_dir;
	enum sw_list list;
};

/* Called now and then while a table is made. */
typedef void sw_list_progress(void *context, uint64_t done, uint64_t all);

/*
 * Adds entries, or gives those that are there another expiry and reason. where begins a message
 * about one of them; if the entries have lines of a file, the line follows it. They are settled.
 */
int sw_list_add(const struct sw_list_target *target, struct sw_entries *entries, const char *where,
		struct sw_list_change *change);

/*
 * The same for very many: packets go on looking at the old list until the new one is whole. With
 * replace the entries are all that is left.
 */
int sw_list_load(const struct sw_list_target *target, struct sw_entries *entries, const char *where,
		 bool replace, sw_list_progress *progress, void *context,
		 struct sw_list_change *change);

/* Takes out entries; -ESRCH if one of them is not there, and then all stay. They are settled. */
int sw_list_delete(const struct sw_list_target *target, struct sw_entries *entries,
		   struct sw_list_change *change);

/* Takes out everything. */
int sw_list_clear(const struct sw_list_target *target, struct sw_list_change *change);

/* All entries, settled, those that were blocked for what they did included. */
int sw_list_read(const struct sw_list_target *target, struct sw_entries *entries);

/*
 * The entries that a packet from an address meets: of each list the longest prefix, and of the block list
 * the source that was blocked for what it did. met is to be empty; the caller frees it, also after an error.
 */
int sw_lists_check(const char *pin_dir, const char *state_dir, const struct sw_addr *addr,
		   struct sw_entries met[SW_LIST_COUNT]);

/*
 * Makes both lists what the state file says, less what has expired and what must not be blocked,
 * which is noted. For an instance that has just been made.
 */
int sw_lists_restore(const struct sw_instance *instance, const char *state_dir);

#endif
