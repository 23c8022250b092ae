/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_ATTACH_FILE_H
#define SYNWARD_CONFIG_ATTACH_FILE_H

/*
 * A file that says what the command line of attach says: which interfaces, and its options. The keys
 * are the options' own names, with _ for -, and "timeouts" has the names of the timeouts below it.
 */

#include "../text/options.h"

#include <synward/config.h>

#include <stdint.h>

struct sw_attach_file {
	void *data; /* what libcyaml has made of it */
	char *const *interfaces;
	uint32_t interface_count;
};

#define SW_AUTO_ATTACH_FILE __attribute__((cleanup(sw_attach_file_close)))

/*
 * Reads a file ("-": standard input) and sets the values of the options that it names, as the command
 * line would; of the table, what is a text or a callback is the command line's alone. timeout_ms of
 * what it does not name stay. Returns 0, or -EINVAL with "FILE:LINE: ..." recorded for the first thing
 * that is wrong with it, -ENOMEM; options before that one are set then.
 */
int sw_attach_file_open(const char *path, const struct sw_option *options,
			uint32_t timeout_ms[SW_TIMEOUT_COUNT], struct sw_attach_file *file);
void sw_attach_file_close(struct sw_attach_file *file);

#endif
