/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_PRIVILEGES_H
#define SYNWARD_PLATFORM_PRIVILEGES_H

/*
 * Gives up every capability for good, and what a program that is run from here could gain. For whoever
 * only reads, and listens to others. Returns 0 or a -errno with its line.
 */
int sw_drop_privileges(void);

#endif
