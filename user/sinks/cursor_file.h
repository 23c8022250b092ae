/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_SINKS_CURSOR_FILE_H
#define SYNWARD_SINKS_CURSOR_FILE_H

/*
 * A file with one line, which says how far a reader has come. It is written in place, so that this costs no more than a
 * call and can be done for each event: what it tells of ends with the machine, so a crash of that is no concern.
 * Errors are -errno with their line recorded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sw_cursor_file {
	const char *path; /* the caller's */
	int fd;
	dev_t device; /* of what fd is, to notice that the path names it no more */
	ino_t inode;
	bool is_new; /* it says nothing yet but what it was begun with */
};

#define SW_CURSOR_FILE_NONE                                                                        \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Opens or makes a regular file that nobody else keeps. An empty one is begun with that line, so that a file that cannot
 * be written is an error before anything is told of which it should know.
 */
int sw_cursor_file_open(const char *path, const char *first_line, struct sw_cursor_file *file);
void sw_cursor_file_close(struct sw_cursor_file *file);

/* What it says, a NUL as "?", so that no file looks empty that is not; what does not fit is cut off. */
int sw_cursor_file_read(const struct sw_cursor_file *file, char *line, size_t size);

/*
 * Replaces what it says by a line, with its end, that is as long as all others. A file that was removed is made again,
 * which is noted; if another one is there in its place, or its directory is gone, that is an error.
 */
int sw_cursor_file_write(struct sw_cursor_file *file, const char *line);

#endif
