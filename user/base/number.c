// SPDX-License-Identifier: GPL-2.0-or-later
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LETTERS 64 /* of a word that is held against others */

bool sw_parse_number(const char *text, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*out = value;
	return true;
}

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "ms", 1 },	  { "s", 1000 },     { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { "", 1000 },
};

bool sw_parse_duration(const char *text, uint64_t *ms)
{
	double value;
	char *end;

	if (!isdigit((unsigned char)text[0]) || strpbrk(text, "xXeEpP"))
		return false;
	value = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value = value * units[i].ms + 0.5;
		if (value >= (double)(1ULL << 53))
			return false;
		*ms = value;
		return true;
	}
	return false;
}

const char *sw_format_duration(char text[SW_NUMBER_SIZE], uint64_t ms)
{
	uint64_t seconds = ms / 1000;

	if (ms < 1000)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "ms", ms);
	else if (ms < 10000 && ms % 1000)
		snprintf(text, SW_NUMBER_SIZE, "%.1fs", ms / 1000.0);
	else if (seconds < 60)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "s", seconds);
	else if (seconds < 3600 && seconds % 60)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "m%" PRIu64 "s", seconds / 60,
			 seconds % 60);
	else if (seconds < 3600)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "m", seconds / 60);
	else if (seconds < 86400 && seconds / 60 % 60)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "h%" PRIu64 "m", seconds / 3600,
			 seconds / 60 % 60);
	else if (seconds < 86400)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "h", seconds / 3600);
	else if (seconds / 3600 % 24)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "d%" PRIu64 "h", seconds / 86400,
			 seconds / 3600 % 24);
	else
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "d", seconds / 86400);
	return text;
}

const char *sw_format_exact_duration(char text[SW_NUMBER_SIZE], uint64_t ms)
{
	size_t unit = 0;

	/* without a unit is the last row, and not meant here */
	for (size_t i = 1; ms && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		if (ms % units[i].ms == 0)
			unit = i;
	if (!ms)
		unit = 1;
	snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "%s", ms / units[unit].ms, units[unit].name);
	return text;
}

const char *sw_format_latency(char text[SW_NUMBER_SIZE], uint64_t us)
{
	const char *unit = us < 1000000 ? "ms" : "s";
	double value = us < 1000000 ? us / 1e3 : us / 1e6;

	if (us < 1000)
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 "us", us);
	else
		snprintf(text, SW_NUMBER_SIZE, "%.*f%s",
			 value < 10  ? 2 :
			 value < 100 ? 1 :
				       0,
			 value, unit);
	return text;
}

const char *sw_format_bytes(char text[SW_NUMBER_SIZE], uint64_t bytes)
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = bytes;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(text, SW_NUMBER_SIZE, "%" PRIu64 " B", bytes);
		return text;
	}
	for (value /= 1024; value >= 1024 && i + 1 < sizeof(names) / sizeof(names[0]); i++)
		value /= 1024;
	snprintf(text, SW_NUMBER_SIZE, "%.1f %s", value, names[i]);
	return text;
}

const char *sw_format_count(char text[SW_NUMBER_SIZE], uint64_t count)
{
	char digits[SW_NUMBER_SIZE];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *out = text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

const char *sw_noun(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

const char *sw_format_choices(char *text, size_t size, const char *const *choices)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; choices[i] && length < size; i++) {
		const char *between = !i ? "" : choices[i + 1] ? ", " : " or ";

		snprintf(text + length, size - length, "%s%s", between, choices[i]);
		length += strlen(text + length);
	}
	return text;
}

const char *sw_format_compact(char text[SW_NUMBER_SIZE], uint64_t count)
{
	static const char units[] = "MGTPE";
	double value = (double)count / 1e6;
	size_t unit = 0;

	if (count < 10000000)
		return sw_format_count(text, count);
	for (; value >= 999.5; value /= 1000)
		unit++;
	snprintf(text, SW_NUMBER_SIZE, "%.*f%c",
		 value < 9.995 ? 2 :
		 value < 99.95 ? 1 :
				 0,
		 value, units[unit]);
	return text;
}

size_t sw_word_distance(const char *a, const char *b)
{
	size_t rows[3][MOST_LETTERS + 1], length_a = strlen(a), length_b = strlen(b);

	if (length_a > MOST_LETTERS || length_b > MOST_LETTERS)
		return MOST_LETTERS;
	for (size_t i = 0; i <= length_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];

		for (size_t j = 0; j <= length_b; j++) {
			if (!i || !j) {
				row[j] = i + j;
				continue;
			}
			row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < row[j])
				row[j] = above[j] + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    twice[j - 2] + 1 < row[j])
				row[j] = twice[j - 2] + 1;
		}
	}
	return rows[length_a % 3][length_b];
}

void sw_word_nearest(const char **best, const char *typed, const char *word)
{
	size_t length = strlen(typed), distance = sw_word_distance(typed, word);
	size_t most = length > 6 ? length / 3 : length > 4 ? 2 : 1;

	/* a word of which no letter stays is not meant */
	if (distance > most || distance >= length)
		return;
	if (!*best || distance < sw_word_distance(typed, *best))
		*best = word;
}
