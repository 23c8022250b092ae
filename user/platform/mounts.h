/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_MOUNTS_H
#define SYNWARD_PLATFORM_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#define SW_BPFFS "/sys/fs/bpf"

/* What a user is told to type: by default the kernel lets everybody in, and make what pins are taken for. */
#define SW_MOUNT_BPFFS "mount -t bpf -o mode=0700 bpf " SW_BPFFS

/* Is what the descriptor is of on bpffs? */
bool sw_is_bpffs(int fd);

/* Is there a /proc, and one that knows this process? */
bool sw_proc_is_mounted(void);

/*
 * The process in whose mount namespace pins belong: pid 1, or the outermost ancestor whose
 * namespace may be looked at; at worst ourselves.
 */
pid_t sw_mount_keeper(void);

/* Mounts a bpffs on SW_BPFFS in that process's mount namespace, unless one is there. Records its errors. */
int sw_mount_bpffs(pid_t keeper);

#endif
