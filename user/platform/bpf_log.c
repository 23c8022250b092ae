// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf_log.h"

#include "../base/error.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

static bool is_verbose;
static _Thread_local char reason[256]; /* of what this thread has loaded */

/* The verifier's verdict is the last line before its statistics. */
static void keep_verdict(const char *text)
{
	const char *end = strstr(text, "\nprocessed "), *start;

	if (!end)
		return;
	for (start = end; start > text && start[-1] != '\n'; start--)
		;
	sw_format(reason, sizeof(reason), "%.*s", (int)(end - start), start);
}

static int take(enum libbpf_print_level level, const char *format, va_list args)
{
	static _Thread_local char text[1 << 16];
	va_list again;

	if (is_verbose)
		return vfprintf(stderr, format, args);
	if (level != LIBBPF_WARN)
		return 0;
	va_copy(again, args);
	vsnprintf(text, sizeof(text), format, again);
	va_end(again);
	if (strstr(text, "BEGIN PROG LOAD LOG"))
		keep_verdict(text);
	else if (!reason[0] && !strncmp(text, "libbpf: ", 8))
		sw_format(reason, sizeof(reason), "%.*s", (int)strcspn(text + 8, "\n"), text + 8);
	return 0;
}

void sw_bpf_log_start(bool verbose)
{
	is_verbose = verbose;
	reason[0] = '\0';
	libbpf_set_print(take);
}

const char *sw_bpf_log_reason(void)
{
	return reason;
}
