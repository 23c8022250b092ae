/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_ONE_CPU_H
#define SYNWARD_TESTS_ONE_CPU_H

/* What each CPU has for itself, a budget or a table, is tested on one. _GNU_SOURCE is defined. */

#include <sched.h>
#include <stdbool.h>

/* The process runs where it is from here on. */
static inline bool stay_on_this_cpu(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	return !sched_setaffinity(0, sizeof(here), &here);
}

#endif
