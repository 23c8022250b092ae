/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_COLUMNS_H
#define SYNWARD_TESTS_COLUMNS_H

/* Texts as wide as a terminal is. */

#include <stdlib.h>

/* What is printed from here on is for a terminal of that width; NULL: it may be of any. */
static inline void set_columns(const char *columns)
{
	if (columns)
		setenv("COLUMNS", columns, 1);
	else
		unsetenv("COLUMNS");
}

#endif
