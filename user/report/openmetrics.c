// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenMetrics 1.0.0. Of a page in the text format 0.0.4 as we print it, it differs in two things: a
 * counter's family has the name of its samples without their _total, and the page has an end. All of
 * our counters end in _total, and nothing else does.
 */
#include "openmetrics.h"

#include <string.h>

#define SUFFIX "_total"

/* The end of the name in a line such as "# TYPE NAME counter"; NULL: it is no such line. */
static const char *name_end(const char *line)
{
	static const char *const heads[] = { "# HELP ", "# TYPE " };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (!strncmp(line, heads[i], strlen(heads[i])))
			return line + strlen(heads[i]) + strcspn(line + strlen(heads[i]), " \n");
	return NULL;
}

void sw_openmetrics(FILE *out, const char *page)
{
	while (*page) {
		const char *end = strchrnul(page, '\n'), *name = name_end(page), *next = end;

		if (*end)
			next++;
		if (name && (size_t)(name - page) > strlen(SUFFIX) &&
		    !memcmp(name - strlen(SUFFIX), SUFFIX, strlen(SUFFIX))) {
			fwrite(page, 1, (size_t)(name - page) - strlen(SUFFIX), out);
			page = name;
		}
		fwrite(page, 1, (size_t)(next - page), out);
		page = next;
	}
	fputs("# EOF\n", out);
}
