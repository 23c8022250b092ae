// SPDX-License-Identifier: GPL-2.0-or-later
#include "error.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char recorded[1024];

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

const char *sw_errno_text(int error)
{
	error = abs(error);
	if (error == 524) /* ENOTSUPP: drivers return it though user space has no name for it */
		error = EOPNOTSUPP;
	return strerror(error);
}

void sw_error_report(int error, bool json)
{
	const char *text = recorded[0] ? recorded : sw_errno_text(error);
	json_t *root;

	fprintf(stderr, "synward: %s\n", text);
	if (!json)
		return;
	root = json_pack("{s:i,s:s}", "schema", 1, "error", text);
	if (root) {
		json_dumpf(root, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(root);
	}
}

void sw_note(const char *format, ...)
{
	va_list args;

	fputs("synward: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
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
