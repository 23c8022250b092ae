/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_LIST_JOURNAL_H
#define SYNWARD_LISTS_LIST_JOURNAL_H

/*
 * What outlives a detach and a reboot: a journal of the lists in the state directory, a line for each
 * change:
 *
 *	# synward state 1
 *	block 192.0.2.0/24 added=1764000000 expires=- reason="scans every night"
 *	block 192.0.2.0/24 deleted=1764003600
 *	allow all deleted=1764003600
 *
 * Times are of day, in seconds. The last line about a prefix counts. A change is appended by one
 * write and is on the disk when the function returns. A line that is damaged, as the last one may be
 * after a power cut, is left out with a note.
 */

#include "../model/entries.h"

#include <synward/list.h>

#define SW_JOURNAL_FILE "lists.state" /* with a dot, which no instance has in its name */

/*
 * Reads the entries of all lists, settled, without those that have expired. Where there is no file
 * they are empty. Returns 0 or -errno with a line; what was filled in until then is the caller's to
 * free.
 */
int sw_journal_read(const char *dir, struct sw_entries lists[SW_LIST_COUNT]);

/* Appends that entries were added, or with deleted that they were taken out. */
int sw_journal_append(const char *dir, enum sw_list list, const struct sw_entries *entries,
		      bool deleted);

/* Appends that a list was emptied. */
int sw_journal_append_clear(const char *dir, enum sw_list list);

/* Puts a new file with these entries in the place of the old one. */
int sw_journal_write(const char *dir, const struct sw_entries lists[SW_LIST_COUNT]);

/* How many lines the file has; 0 if there is none, or it cannot be read. */
uint64_t sw_journal_lines(const char *dir);

#endif
