// SPDX-License-Identifier: GPL-2.0-or-later
#include "journal_line.h"

#include "../base/address.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../model/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ALL		"all"
#define STATE_LINE_ROOM (SW_PREFIX_SIZE + 2 * SW_REASON_SIZE + 128)

/* ---- writing */

/* Has room for a line; NULL if there is none. */
static char *line_room(struct sw_journal_text *text)
{
	size_t room = text->room ? text->room * 2 : SW_JOURNAL_PIECE + STATE_LINE_ROOM;
	char *bytes;

	if (text->room - text->length >= STATE_LINE_ROOM)
		return text->bytes + text->length;
	bytes = realloc(text->bytes, room);
	if (!bytes) {
		text->failed = true;
		return NULL;
	}
	text->bytes = bytes;
	text->room = room;
	return bytes + text->length;
}

/* In quotes, with a backslash before quotes and backslashes. Returns its length. */
static size_t quote(char *to, const char *reason)
{
	char *start = to;

	*to++ = '"';
	for (; *reason; reason++) {
		if (*reason == '"' || *reason == '\\')
			*to++ = '\\';
		*to++ = *reason;
	}
	*to++ = '"';
	return (size_t)(to - start);
}

void sw_journal_put(struct sw_journal_text *text, enum sw_list list, const struct sw_entry *entry)
{
	char prefix[SW_PREFIX_SIZE], expires[24] = "-", *line = line_room(text);
	int length;

	if (!line)
		return;
	if (entry->expires_s)
		sw_format(expires, sizeof(expires), "%" PRId64, entry->expires_s + text->apart_s);
	length = sprintf(line,
			 "%s %s added=%" PRIu64 " expires=%s reason=", sw_list_words[list].name,
			 sw_format_prefix(prefix, &entry->prefix), entry->added_s, expires);
	length += (int)quote(line + length, entry->reason);
	line[length++] = '\n';
	text->length += (size_t)length;
}

void sw_journal_put_deleted(struct sw_journal_text *text, enum sw_list list,
			    const struct sw_prefix *prefix)
{
	char shown[SW_PREFIX_SIZE], *line = line_room(text);

	if (line)
		text->length += (size_t)sprintf(
			line, "%s %s deleted=%" PRIu64 "\n", sw_list_words[list].name,
			prefix ? sw_format_prefix(shown, prefix) : ALL, sw_wall_s());
}

/* ---- reading */

/* The next word, which ends with a space or the line; NULL if there is none. */
static char *next_word(char **at)
{
	char *word = *at, *end = word + strcspn(word, " ");

	if (end == word)
		return NULL;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool take_time(const char *word, const char *key, uint64_t *seconds)
{
	size_t length = strlen(key);

	return !strncmp(word, key, length) && sw_parse_number(word + length, seconds);
}

/* Undoes quote(), in place. NULL if it is not what that makes. */
static char *unquote(char *text)
{
	static const char key[] = "reason=\"";
	char *to, *from;

	if (strncmp(text, key, strlen(key)) != 0)
		return NULL;
	text += strlen(key);
	for (to = from = text; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	if (strcmp(from, "\"") != 0)
		return NULL;
	*to = '\0';
	return text;
}

/*
 * Until when an entry holds that was added and expires at these times of day. Who was added in times to come
 * shows that the clock is behind, as at a boot without a battery before the time was set: years would seem
 * to be left, so it is given again what it was given.
 */
static int64_t expiry_of(const struct sw_journal_times *times, uint64_t added_s, uint64_t seconds)
{
	uint64_t now_s = times->boot_s + (uint64_t)times->apart_s;

	if (added_s <= now_s)
		return (int64_t)seconds - times->apart_s;
	/* written anew while the clock was behind: in no time that is known would it still hold */
	if (seconds <= added_s || seconds - added_s > UINT32_MAX)
		return 0;
	return (int64_t)(times->boot_s + seconds - added_s);
}

/* What follows the prefix: times, then the reason. */
static int take_rest(char *rest, const struct sw_journal_times *times, struct sw_entry *entry,
		     struct sw_entries *entries)
{
	char reason[SW_REASON_SIZE], *word = next_word(&rest), *text;
	uint64_t seconds;
	int64_t boot_s;

	if (word && take_time(word, "deleted=", &seconds)) {
		entry->dead = true;
		return *rest ? -EBADMSG : 0;
	}
	if (!word || !take_time(word, "added=", &entry->added_s))
		return -EBADMSG;
	word = next_word(&rest);
	if (word && take_time(word, "expires=", &seconds)) {
		boot_s = expiry_of(times, entry->added_s, seconds);
		entry->dead = boot_s <= (int64_t)times->boot_s || boot_s > UINT32_MAX;
		entry->expires_s = (uint32_t)boot_s;
	} else if (!word || strcmp(word, "expires=-") != 0) {
		return -EBADMSG;
	}
	text = unquote(rest);
	if (!text || !sw_clean_reason(reason, text, strlen(text)))
		return -EBADMSG;
	entry->reason = sw_entries_text(entries, reason, strlen(reason));
	return entry->reason ? 0 : -ENOMEM;
}

int sw_journal_parse(char *line, size_t length, const struct sw_journal_times *times,
		     struct sw_entries lists[SW_LIST_COUNT])
{
	struct sw_entry entry = { .reason = "" };
	struct sw_entries *entries;
	char *word, *prefix;
	int list, error;

	if (strlen(line) != length)
		return -EBADMSG;
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || !line[0])
		return 0;
	word = next_word(&line);
	list = word ? sw_word_index(sw_list_words, SW_LIST_COUNT, word) : -1;
	prefix = next_word(&line);
	if (list < 0 || !prefix)
		return -EBADMSG;
	entries = &lists[list];
	error = take_rest(line, times, &entry, entries);
	if (error)
		return error;
	if (!strcmp(prefix, ALL) && entry.dead) {
		entries->count = 0;
		return 0;
	}
	if (sw_parse_prefix(prefix, &entry.prefix) != SW_PREFIX_FINE ||
	    sw_prefix_is_everything(&entry.prefix))
		return -EBADMSG;
	return sw_entries_add(entries, &entry);
}
