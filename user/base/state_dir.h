/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_STATE_DIR_H
#define SYNWARD_BASE_STATE_DIR_H

/* The directory on disk for what outlives a detach and a reboot. */

#include <stdio.h>

#define SW_STATE_PATH 512

/* Writes dir/name. -ENAMETOOLONG with its line if that is too long. */
int sw_state_dir_path(const char *dir, const char *name, char path[SW_STATE_PATH]);

/*
 * Is it a file, or nothing? What is neither may keep whoever opens it waiting for ever, as a FIFO does.
 * 0, or -EPROTO with its line.
 */
int sw_state_dir_check(const char *path);

/*
 * Opens the directory, made if it is not there, and locks it until *fd is closed: two pin
 * directories may have been given the same one.
 */
int sw_state_dir_open(const char *dir, int *fd);

/*
 * Writes a file of an open directory anew: there is the old one or the new one, each as a whole,
 * whoever is killed meanwhile, and also after a power cut. write gets context, and returns 0, or -1
 * with errno. Returns 0 or -errno, without a line.
 */
int sw_state_dir_replace(int dir_fd, const char *name,
			 int (*write)(FILE *file, const void *context), const void *context);

#endif
