/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_SINKS_SAME_FILE_H
#define SYNWARD_SINKS_SAME_FILE_H

#include <stdbool.h>

/*
 * Do two paths lead to one file, by links too, or would they if it were made? False where that cannot be told, as of a
 * directory that is not there.
 */
bool sw_same_file(const char *one, const char *other);

#endif
