/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_CLEANUP_H
#define SYNWARD_BASE_CLEANUP_H

/* Variables that release what they hold when they go out of scope. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A descriptor; -1 is none. errno survives, so that a failure can still be explained. */
static inline void sw_close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void sw_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void sw_close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void sw_close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define SW_AUTO_FD   __attribute__((cleanup(sw_close_fd)))
#define SW_AUTO_FREE __attribute__((cleanup(sw_free_pointer)))
#define SW_AUTO_DIR  __attribute__((cleanup(sw_close_dir)))
#define SW_AUTO_FILE __attribute__((cleanup(sw_close_file)))

/* Hands a descriptor on, so that the scope's end no longer closes it. */
static inline int sw_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
