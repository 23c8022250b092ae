/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_ERRORS_H
#define SYNWARD_TESTS_ERRORS_H

/* In place of user/base/error.c, which needs a library that such a test is not about. */

#include "../../user/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char recorded[512]; /* the last message */
static unsigned int notes; /* how many there were */

int sw_error(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recorded, sizeof(recorded), format, args);
	va_end(args);
	return error > 0 ? -error : error;
}

const char *sw_errno_text(int error)
{
	return strerror(error < 0 ? -error : error);
}

void sw_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recorded, sizeof(recorded), format, args);
	va_end(args);
	notes++;
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

#endif
