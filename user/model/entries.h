/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_ENTRIES_H
#define SYNWARD_MODEL_ENTRIES_H

/*
 * The prefixes of a list with all that is known of each, as plain data: up to millions, so texts are
 * kept together and once.
 */

#include <synward/policy.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_REASON_SIZE 256 /* with its end */

struct sw_entry {
	struct sw_prefix prefix;
	uint64_t hits;
	uint64_t added_s;   /* time of day; 0: unknown */
	const char *reason; /* "" for none; text of the entries or static */
	uint32_t expires_s; /* CLOCK_BOOTTIME; 0: never */
	uint32_t order;	    /* in which it was added */
	uint32_t line;	    /* of the file that it was read from; 0: of none */
	bool automatic;	    /* a source that was blocked for what it did */
	bool dead;	    /* taken out again: sw_entries_settle() removes it */
};

/* The order in which entries are: by address, then by length, IPv4 first. As strcmp(). */
int sw_prefix_compare(const struct sw_prefix *a, const struct sw_prefix *b);

struct sw_texts;

/* All zeros are an empty one. */
struct sw_entries {
	struct sw_entry *rows;
	size_t count;
	size_t room;
	struct sw_texts *texts;
};

/* What a change of a list has done. */
struct sw_list_change {
	uint64_t added;
	uint64_t updated;
	uint64_t lost_expiry; /* of those updated: they had one, and have none now */
	uint64_t removed;
	uint64_t duplicates; /* of those given */
	uint64_t entries;    /* that there are now */
};

/* Appends a copy of the entry; its order is set, its reason is not copied. 0 or -ENOMEM with a line. */
int sw_entries_add(struct sw_entries *entries, const struct sw_entry *entry);

/*
 * Keeps a text as long as the entries. One that is the same as the last is kept once. NULL with a
 * line recorded if there is no memory.
 */
const char *sw_entries_text(struct sw_entries *entries, const char *text, size_t length);

/*
 * Sorts by prefix, keeps the last that was added of each prefix and removes
 * those that are dead. Returns how many had a later one.
 */
size_t sw_entries_settle(struct sw_entries *entries);

/* Sorts by hits, the most first, and then as above; nothing can be found in them any more. */
void sw_entries_sort_by_hits(struct sw_entries *entries);

/* The entry of a prefix, or NULL; the entries have been settled. */
const struct sw_entry *sw_entries_find(const struct sw_entries *entries,
				       const struct sw_prefix *prefix);

/* The first that is not before the prefix; count if all are. The entries have been settled. */
size_t sw_entries_lower_bound(const struct sw_entries *entries, const struct sw_prefix *prefix);

/* Empties them and frees what they hold. */
void sw_entries_free(struct sw_entries *entries);

#define SW_AUTO_ENTRIES __attribute__((cleanup(sw_entries_free)))

/*
 * Makes a text fit to be a reason: control characters become spaces, what is not UTF-8 becomes
 * question marks, and spaces at both ends go. Returns false if it was too long and was cut.
 */
bool sw_clean_reason(char reason[SW_REASON_SIZE], const char *text, size_t length);

#endif
