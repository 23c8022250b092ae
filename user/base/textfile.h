/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_TEXTFILE_H
#define SYNWARD_BASE_TEXTFILE_H

#include <stdio.h>

/*
 * Replaces the file of that name in a directory, for everybody to read (mode 0644), by what print writes:
 * who opens it meets the old one or the new one, whole, also after a crash. print gets the context.
 * Returns 0, or -errno with a line; then the old one is as it was.
 */
int sw_textfile_replace(const char *dir, const char *name,
			void (*print)(FILE *out, const void *context), const void *context);

#endif
