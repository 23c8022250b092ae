/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_INPUT_H
#define SYNWARD_BASE_INPUT_H

/* Files that are named on the command line, where "-" is standard input. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How messages call it. */
static inline const char *sw_input_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

/* To be closed as any file: standard input itself stays open. NULL, and errno, on failure. */
static inline FILE *sw_input_open(const char *path)
{
	if (strcmp(path, "-"))
		return fopen(path, "re");
	return fdopen(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), "r");
}

#endif
