// SPDX-License-Identifier: GPL-2.0-or-later
#include "prefix_file.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/input.h"
#include "source.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LINE       4096
#define PROGRESS_LINES 16384U

static bool is_fine(const char *text, struct sw_prefix *prefix)
{
	return sw_parse_prefix(text, prefix) == SW_PREFIX_FINE && !sw_prefix_is_everything(prefix);
}

int sw_prefix_take(const char *where, const char *text, struct sw_prefix *prefix)
{
	char shown[SW_SHOWN_SIZE], meant[SW_PREFIX_SIZE];
	struct sw_prefix parsed = {};

	switch (sw_parse_prefix(text, &parsed)) {
	case SW_PREFIX_NO_ADDRESS:
		return sw_error(EINVAL,
				"%s: %s: expected an address or a prefix, such as 192.0.2.7, "
				"192.0.2.0/24 or 2001:db8::/32",
				where, sw_source_shown(shown, text));
	case SW_PREFIX_NO_LENGTH:
		return sw_error(EINVAL,
				"%s: %s: expected a length behind the slash, at most 32 for IPv4 "
				"and 128 for IPv6",
				where, sw_source_shown(shown, text));
	case SW_PREFIX_MAPPED:
		return sw_error(
			EINVAL,
			"%s: %s: this is IPv4 in the notation of IPv6; write it as IPv4, such "
			"as 192.0.2.0/24",
			where, sw_source_shown(shown, text));
	case SW_PREFIX_HOST_BITS:
		return sw_error(
			EINVAL, "%s: %s: bits behind the length are set; the prefix would be %s",
			where, sw_source_shown(shown, text), sw_format_prefix(meant, &parsed));
	case SW_PREFIX_FINE:
		break;
	}
	if (parsed.length == (sw_prefix_is_v4(&parsed) ? SW_V4_BITS : 0))
		return sw_error(
			EINVAL,
			"%s: %s is every address; a list takes prefixes of at least one bit", where,
			sw_source_shown(shown, text));
	*prefix = parsed;
	return 0;
}

/* One file under way. */
struct reading {
	const char *name;
	struct sw_entries *entries;
	uint32_t line;
};

static const char separators[] = " \t\r\n\v\f,;#";

/* Behind the prefix is the reason, or a comment, which says the same. */
static int take_reason(struct reading *reading, const char *text, struct sw_entry *entry)
{
	char reason[SW_REASON_SIZE];

	text += strspn(text, separators);
	sw_clean_reason(reason, text, strlen(text));
	entry->reason = sw_entries_text(reading->entries, reason, strlen(reason));
	return entry->reason ? 0 : -ENOMEM;
}

static int complain(const struct reading *reading, const char *text)
{
	struct sw_prefix prefix;
	char where[512];

	sw_format(where, sizeof(where), "%s:%u", reading->name, reading->line);
	return sw_prefix_take(where, text, &prefix);
}

static int take_line(struct reading *reading, char *line)
{
	struct sw_entry entry = { .line = reading->line };
	char *end;
	int error;

	if (reading->line == 1 && !strncmp(line, "\xef\xbb\xbf", 3))
		line += 3; /* what some editors put before UTF-8 */
	line += strspn(line, " \t\r\n\v\f");
	if (!*line || *line == '#' || *line == ';')
		return 0;
	end = line + strcspn(line, separators);
	if (*end) {
		error = take_reason(reading, end, &entry);
		if (error)
			return error;
		*end = '\0';
	} else {
		entry.reason = "";
	}
	if (is_fine(line, &entry.prefix))
		return sw_entries_add(reading->entries, &entry);
	return complain(reading, line);
}

/*
 * A line of less than size bytes, its newline included. Returns its length, which strlen() is not if there is a NUL in
 * it; 0 at the end.
 */
static size_t get_line(FILE *file, char *line, size_t size)
{
	size_t length = 0;
	int letter = 0;

	while (length < size - 1 && letter != '\n' && (letter = getc_unlocked(file)) != EOF)
		line[length++] = (char)letter;
	line[length] = '\0';
	return length;
}

static int read_lines(struct reading *reading, FILE *file, sw_file_progress *progress,
		      void *context)
{
	char line[MAX_LINE];
	uint64_t done = 0, all = 0;
	struct stat about;
	size_t length;

	if (!fstat(fileno(file), &about) && S_ISREG(about.st_mode))
		all = (uint64_t)about.st_size;
	while ((length = get_line(file, line, sizeof(line)))) {
		int error;

		reading->line++;
		done += length;
		if (length == sizeof(line) - 1 && line[length - 1] != '\n')
			return sw_error(
				EINVAL,
				"%s:%u: a line of more than %u bytes; expected one prefix a "
				"line",
				reading->name, reading->line, MAX_LINE - 2);
		/* or what is behind it would go without a word */
		if (strlen(line) < length)
			return sw_error(EINVAL,
					"%s:%u: a line with a NUL byte in it; expected text, one "
					"prefix a line",
					reading->name, reading->line);
		error = take_line(reading, line);
		if (error)
			return error;
		if (progress && reading->line % PROGRESS_LINES == 0)
			progress(context, done, all, reading->line);
	}
	if (ferror(file))
		return sw_error(EINVAL, "%s: cannot read this list of prefixes: %s", reading->name,
				sw_errno_text(errno));
	return 0;
}

int sw_prefix_file_read(const char *path, struct sw_entries *entries, sw_file_progress *progress,
			void *context)
{
	struct reading reading = { .name = sw_input_name(path), .entries = entries };
	SW_AUTO_FILE FILE *file = sw_input_open(path);

	if (!file)
		return sw_error(EINVAL, "%s: cannot read this list of prefixes: %s", reading.name,
				sw_errno_text(errno));
	return read_lines(&reading, file, progress, context);
}
