/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_JOURNAL_LINE_H
#define SYNWARD_LISTS_JOURNAL_LINE_H

/* The lines of the state file. */

#include "../model/entries.h"

#include <synward/list.h>

#include <stdlib.h>

#define SW_JOURNAL_PIECE 65536U

/* How the clock of the file stands to the one of the entries. */
struct sw_journal_times {
	int64_t apart_s; /* sw_boot_to_wall_s() */
	uint64_t boot_s; /* now */
};

/*
 * Takes a line into the entries of its list; an expired entry is as good as deleted.
 * Returns 0, -EBADMSG if the line is damaged, or -ENOMEM with a line recorded.
 */
int sw_journal_parse(char *line, size_t length, const struct sw_journal_times *times,
		     struct sw_entries lists[SW_LIST_COUNT]);

/* Text that grows; failed once there was no memory. */
struct sw_journal_text {
	char *bytes;
	size_t length;
	size_t room;
	int64_t apart_s;
	bool failed;
};

static inline void sw_journal_text_free(struct sw_journal_text *text)
{
	free(text->bytes);
}
#define SW_AUTO_JOURNAL_TEXT __attribute__((cleanup(sw_journal_text_free)))

/* Appends the line of an entry, or that a prefix was deleted (NULL: all of them). */
void sw_journal_put(struct sw_journal_text *text, enum sw_list list, const struct sw_entry *entry);
void sw_journal_put_deleted(struct sw_journal_text *text, enum sw_list list,
			    const struct sw_prefix *prefix);

#endif
