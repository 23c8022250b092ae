// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a state file's lines, and as a file of prefixes: what comes out is fit for a list, and
 * what is written of it says the same again.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../lib/errors.h"

#include "../../user/base/address.c"
#include "../../user/base/printable.c"
#include "../../user/model/entries.c"
#include "../../user/model/names.c"
#include "../../user/base/number.c"
#include "../../user/base/time.c"
#include "../../user/config/prefix_file.c"
#include "../../user/lists/journal_line.c"

/* In place of source.c, which is about YAML. */
const char *sw_source_shown(char shown[SW_SHOWN_SIZE], const char *text)
{
	sw_format(shown, SW_SHOWN_SIZE, "%s", text);
	return shown;
}

static const struct sw_journal_times times = { .apart_s = 1000000, .boot_s = 1000 };

static void check_entry(const struct sw_entry *entry)
{
	struct sw_prefix around = sw_prefix_around(&entry->prefix.addr, entry->prefix.length);
	char reason[SW_REASON_SIZE];

	assert(entry->prefix.length >= 1 && entry->prefix.length <= 128);
	assert(!sw_prefix_is_everything(&entry->prefix));
	assert(sw_addr_equal(&around.addr, &entry->prefix.addr));
	assert(sw_clean_reason(reason, entry->reason, strlen(entry->reason)));
	assert(!strcmp(reason, entry->reason));
	assert(!entry->expires_s || entry->dead || entry->expires_s > times.boot_s);
}

static void check_round_trip(const struct sw_entry *entry)
{
	SW_AUTO_JOURNAL_TEXT struct sw_journal_text text = { .apart_s = times.apart_s };
	struct sw_entries lists[SW_LIST_COUNT] = {};
	const struct sw_entry *again;
	char line[STATE_LINE_ROOM] = "";

	sw_journal_put(&text, SW_LIST_BLOCK, entry);
	memcpy(line, text.bytes, text.length);
	assert(!sw_journal_parse(line, text.length, &times, lists));
	again = lists[SW_LIST_BLOCK].rows;
	assert(!sw_prefix_compare(&again->prefix, &entry->prefix));
	assert(again->expires_s == entry->expires_s && again->added_s == entry->added_s);
	assert(!strcmp(again->reason, entry->reason));
	sw_entries_free(&lists[SW_LIST_BLOCK]);
}

static void check_entries(struct sw_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		check_entry(&entries->rows[i]);
		/* where the clock is behind, what is left is given anew */
		if (!entries->rows[i].dead &&
		    entries->rows[i].added_s <= times.boot_s + times.apart_s)
			check_round_trip(&entries->rows[i]);
	}
	sw_entries_settle(entries);
	for (size_t i = 1; i < entries->count; i++)
		assert(sw_prefix_compare(&entries->rows[i - 1].prefix, &entries->rows[i].prefix) <
		       0);
	sw_entries_free(entries);
}

static void as_state(const uint8_t *bytes, size_t length)
{
	struct sw_entries lists[SW_LIST_COUNT] = {};
	char *line = malloc(length + 1);

	while (length) {
		const uint8_t *end = memchr(bytes, '\n', length);
		size_t step = end ? (size_t)(end - bytes) + 1 : length;

		memcpy(line, bytes, step);
		line[step] = '\0';
		sw_journal_parse(line, step, &times, lists);
		bytes += step;
		length -= step;
	}
	for (int i = 0; i < SW_LIST_COUNT; i++)
		check_entries(&lists[i]);
	free(line);
}

static void as_file(const uint8_t *bytes, size_t length)
{
	struct sw_entries entries = {};
	struct reading reading = { .name = "file", .entries = &entries };
	FILE *file = fmemopen((void *)bytes, length, "r");

	assert(file);
	read_lines(&reading, file, NULL, NULL);
	fclose(file);
	check_entries(&entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length) {
		as_state(bytes, length);
		as_file(bytes, length);
	}
	return 0;
}
