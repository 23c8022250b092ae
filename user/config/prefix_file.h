/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_PREFIX_FILE_H
#define SYNWARD_CONFIG_PREFIX_FILE_H

/*
 * Prefixes as people write them: on the command line, or in a file, one a line, each with a reason
 * behind it if there is one. A list takes neither everything nor an address with a length that does
 * not fit it.
 */

#include "../model/entries.h"

/*
 * Takes one prefix from a text. where says what it is a part of and begins the message. Returns 0 or
 * -EINVAL with a line recorded.
 */
int sw_prefix_take(const char *where, const char *text, struct sw_prefix *prefix);

/* Called now and then: how many bytes of all (0: unknown) were read, and how many lines. */
typedef void sw_file_progress(void *context, uint64_t done, uint64_t all, uint64_t lines);

/*
 * Adds the prefixes of a file ("-": standard input) to the entries, each with its line, and its
 * reason unless that was given before. Returns 0; -EINVAL if it cannot be read or has a mistake, with
 * its line recorded; or -ENOMEM. The entries then hold what came before.
 */
int sw_prefix_file_read(const char *path, struct sw_entries *entries, sw_file_progress *progress,
			void *context);

#endif
