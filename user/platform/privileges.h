/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_PRIVILEGES_H
#define SYNWARD_PLATFORM_PRIVILEGES_H

#include <stdbool.h>

/*
 * Gives up every capability for good, and what a program that is run from here could gain. For whoever
 * only reads, and listens to others. Returns 0 or a -errno with its line.
 */
int sw_drop_privileges(void);

/* Has this process done that? What the kernel shows only to the privileged need not be asked for, then. */
bool sw_privileges_are_dropped(void);

#endif
