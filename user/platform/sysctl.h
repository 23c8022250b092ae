/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_SYSCTL_H
#define SYNWARD_PLATFORM_SYSCTL_H

/* Numbers of /proc/sys/net, of the network namespace that this process is in. */

/* The index-th number of a sysctl, or what it would be without. */
long sw_sysctl_read(const char *name, int index, long without);

/* Returns 0 or -errno without a line. */
int sw_sysctl_write(const char *name, long value);

#endif
