// SPDX-License-Identifier: GPL-2.0-or-later
#include "entries.h"

#include "../base/printable.h"
#include "../base/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_ROOM 65536U

/* A piece of memory for texts; the newest is the first. */
struct sw_texts {
	struct sw_texts *older;
	size_t used;
	const char *last;
	char bytes[TEXT_ROOM];
};

static int no_memory(void)
{
	return sw_error(ENOMEM, "not enough memory for so many prefixes");
}

int sw_entries_add(struct sw_entries *entries, const struct sw_entry *entry)
{
	size_t room = entries->room ? entries->room * 2 : 64;
	struct sw_entry *rows;

	if (entries->count == entries->room) {
		rows = reallocarray(entries->rows, room, sizeof(*rows));
		if (!rows)
			return no_memory();
		entries->rows = rows;
		entries->room = room;
	}
	entries->rows[entries->count] = *entry;
	entries->rows[entries->count].order = (uint32_t)entries->count;
	entries->count++;
	return 0;
}

const char *sw_entries_text(struct sw_entries *entries, const char *text, size_t length)
{
	struct sw_texts *texts = entries->texts;
	char *copy;

	if (!length)
		return "";
	if (texts && texts->last && strlen(texts->last) == length &&
	    !memcmp(texts->last, text, length))
		return texts->last;
	if (!texts || TEXT_ROOM - texts->used < length + 1) {
		texts = length < TEXT_ROOM ? malloc(sizeof(*texts)) : NULL;
		if (!texts) {
			no_memory();
			return NULL;
		}
		texts->older = entries->texts;
		texts->used = 0;
		entries->texts = texts;
	}
	copy = texts->bytes + texts->used;
	memcpy(copy, text, length);
	copy[length] = '\0';
	texts->used += length + 1;
	texts->last = copy;
	return copy;
}

int sw_prefix_compare(const struct sw_prefix *a, const struct sw_prefix *b)
{
	int order = memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));

	return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int compare(const void *a, const void *b)
{
	const struct sw_entry *x = a, *y = b;
	int order = sw_prefix_compare(&x->prefix, &y->prefix);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static bool is_sorted(const struct sw_entries *entries)
{
	for (size_t i = 1; i < entries->count; i++)
		if (compare(&entries->rows[i - 1], &entries->rows[i]) > 0)
			return false;
	return true;
}

size_t sw_entries_settle(struct sw_entries *entries)
{
	size_t kept = 0, repeated = 0;

	if (!is_sorted(entries))
		qsort(entries->rows, entries->count, sizeof(*entries->rows), compare);
	for (size_t i = 0; i < entries->count; i++) {
		const struct sw_entry *row = &entries->rows[i];

		if (i + 1 < entries->count && !sw_prefix_compare(&row->prefix, &row[1].prefix))
			repeated++;
		else if (!row->dead)
			entries->rows[kept++] = *row;
	}
	entries->count = kept;
	return repeated;
}

static int compare_hits(const void *a, const void *b)
{
	const struct sw_entry *x = a, *y = b;

	if (x->hits != y->hits)
		return x->hits < y->hits ? 1 : -1;
	return sw_prefix_compare(&x->prefix, &y->prefix);
}

void sw_entries_sort_by_hits(struct sw_entries *entries)
{
	qsort(entries->rows, entries->count, sizeof(*entries->rows), compare_hits);
}

size_t sw_entries_lower_bound(const struct sw_entries *entries, const struct sw_prefix *prefix)
{
	size_t low = 0, high = entries->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sw_prefix_compare(&entries->rows[middle].prefix, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct sw_entry *sw_entries_find(const struct sw_entries *entries,
				       const struct sw_prefix *prefix)
{
	size_t at = sw_entries_lower_bound(entries, prefix);

	if (at == entries->count || sw_prefix_compare(&entries->rows[at].prefix, prefix))
		return NULL;
	return &entries->rows[at];
}

void sw_entries_free(struct sw_entries *entries)
{
	struct sw_texts *older;

	for (struct sw_texts *texts = entries->texts; texts; texts = older) {
		older = texts->older;
		free(texts);
	}
	free(entries->rows);
	*entries = (struct sw_entries){};
}

/* ---- reasons */

static bool is_blank(unsigned char letter)
{
	return isspace(letter) || iscntrl(letter);
}

bool sw_clean_reason(char reason[SW_REASON_SIZE], const char *text, size_t length)
{
	size_t used = 0, step;

	while (length && is_blank((unsigned char)text[length - 1]))
		length--;
	for (; length; text += step, length -= step) {
		size_t valid = sw_utf8_length(text, length);
		bool is_space = valid && (*text == ' ' || sw_is_control(text, valid));

		step = valid ? valid : 1;
		if (used + step >= SW_REASON_SIZE)
			break;
		if (is_space && !used)
			continue; /* nothing begins with one, so that what is clean stays as it is */
		if (valid && !is_space) {
			memcpy(reason + used, text, step);
			used += step;
		} else {
			reason[used++] = is_space ? ' ' : '?';
		}
	}
	while (used && reason[used - 1] == ' ') /* where it was cut */
		used--;
	reason[used] = '\0';
	return !length;
}
