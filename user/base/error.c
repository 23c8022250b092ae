// SPDX-License-Identifier: GPL-2.0-or-later
#include "error.h"

#include "printable.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 2048

/* of each thread, since several may load programs at a time */
static _Thread_local char recorded[LINE_SIZE];
static bool lacks;

/* As JSON has them. */
static const char *const failures[SW_FAILURE_END - SW_NOT_ATTACHED] = {
	[0] = "not_attached",
	[SW_DETACHED - SW_NOT_ATTACHED] = "detached",
	[SW_NOT_ALLOWED - SW_NOT_ATTACHED] = "not_allowed",
	[SW_DAMAGED - SW_NOT_ATTACHED] = "damaged",
	[SW_OTHER_VERSION - SW_NOT_ATTACHED] = "other_version",
};

/* NULL: it is an errno. */
static const char *failure_name(int error)
{
	int failure = abs(error);

	return failure >= SW_NOT_ATTACHED && failure < SW_FAILURE_END ?
		       failures[failure - SW_NOT_ATTACHED] :
		       NULL;
}

int sw_error(int error, const char *format, ...)
{
	va_list args;

	if (!recorded[0]) {
		va_start(args, format);
		vsnprintf(recorded, sizeof(recorded), format, args);
		va_end(args);
	}
	return error > 0 ? -error : error;
}

const char *sw_error_text(void)
{
	return recorded[0] ? recorded : NULL;
}

void sw_error_clear(void)
{
	recorded[0] = '\0';
}

void sw_output_lacks(void)
{
	lacks = true;
}

bool sw_output_lacked(void)
{
	bool lacked = lacks;

	lacks = false;
	return lacked;
}

const char *sw_errno_text(int error)
{
	if (failure_name(error))
		return failure_name(error);
	error = abs(error);
	if (error == 524) /* ENOTSUPP: drivers return it though user space has no name for it */
		error = EOPNOTSUPP;
	return strerror(error);
}

void sw_error_json(FILE *out, int error, const char *text)
{
	json_t *root = json_pack("{s:i,s:s}", "schema", 1, "error", text);

	if (root && failure_name(error))
		json_object_set_new(root, "failure", json_string(failure_name(error)));
	if (!root)
		return;
	json_dumpf(root, out, JSON_COMPACT);
	putc('\n', out);
	json_decref(root);
}

/* By one write, since others may write to the same place, and their lines would be mixed with a part of ours. */
static void tell_line(const char *printable)
{
	char line[SW_PRINTABLE_GROWTH * LINE_SIZE + 16];

	sw_format(line, sizeof(line), "synward: %s\n", printable);
	fwrite(line, 1, strlen(line), stderr);
}

void sw_error_report(int error, bool json)
{
	const char *text = SW_PRINTABLE(recorded[0] ? recorded : sw_errno_text(error),
					sizeof(recorded));

	tell_line(text);
	if (json)
		sw_error_json(stdout, error, text);
}

void sw_note(const char *format, ...)
{
	char text[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell_line(SW_PRINTABLE(text, sizeof(text)));
}

bool sw_format(char *text, unsigned long size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length >= 0 && (unsigned long)length < size;
}
