// SPDX-License-Identifier: GPL-2.0-or-later
#include "timeouts.h"

#include "../base/error.h"
#include "../base/number.h"
#include "../model/names.h"

#include <errno.h>
#include <string.h>

static int unknown_timeout(const char *argument)
{
	char names[128] = "";

	for (int i = 0; i < SW_TIMEOUT_COUNT; i++)
		sw_format(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			  i ? ", " : "", sw_timeout_words[i].name);
	return sw_error(EINVAL, "--timeout %s: expected NAME=DURATION with a NAME of %s", argument,
			names);
}

int sw_parse_timeout(const char *argument, void *timeouts)
{
	const char *equals = strchr(argument, '=');
	char name[32], high[SW_NUMBER_SIZE];
	uint64_t ms;
	int index;

	if (!equals || !sw_format(name, sizeof(name), "%.*s", (int)(equals - argument), argument))
		return unknown_timeout(argument);
	for (char *letter = name; *letter; letter++)
		if (*letter == '-')
			*letter = '_';
	index = sw_word_index(sw_timeout_words, SW_TIMEOUT_COUNT, name);
	if (index < 0)
		return unknown_timeout(argument);
	if (!sw_parse_duration(equals + 1, &ms) || ms < SW_MIN_TIMEOUT_MS || ms > SW_MAX_TIMEOUT_MS)
		return sw_error(EINVAL,
				"--timeout %s: expected a duration from %ums to %s, such as 500ms, "
				"2s or 1h",
				argument, SW_MIN_TIMEOUT_MS,
				sw_format_duration(high, SW_MAX_TIMEOUT_MS));
	((uint32_t *)timeouts)[index] = (uint32_t)ms;
	return 0;
}
