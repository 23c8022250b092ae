/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_SINKS_LINE_FILE_H
#define SYNWARD_SINKS_LINE_FILE_H

/* A file to which whole lines are appended. Errors are -errno with their line recorded. */

#include <stdbool.h>
#include <stddef.h>

struct sw_line_file {
	const char *path; /* the caller's */
	int fd;
	bool full; /* and that has been told */
};

#define SW_LINE_FILE_NONE                                                                          \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Opens or makes a regular file that nobody else appends to, and ends a line that was left half. */
int sw_line_file_open(const char *path, struct sw_line_file *file);
void sw_line_file_close(struct sw_line_file *file);

bool sw_line_file_is_open(const struct sw_line_file *file);

/*
 * Opens the file that has the path now, since the one that had it was moved away. Returns 0; -EAGAIN, as
 * sw_line_file_put() does, if there is no room for it, and then it is not open; or another -errno.
 */
int sw_line_file_reopen(struct sw_line_file *file);

/*
 * Appends a line with its end, whole or not at all. Returns 0; -EAGAIN without a line recorded if there is no room, which is
 * noted when it begins and when it is over; or another -errno.
 */
int sw_line_file_put(struct sw_line_file *file, const char *line, size_t length);

#endif
