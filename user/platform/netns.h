/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_NETNS_H
#define SYNWARD_PLATFORM_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/* The inode number of our network namespace; 0 if it cannot be told. */
uint32_t sw_netns_own(void);

/*
 * What no other network namespace has had since the boot, of the one that we are in; 0 if the kernel does
 * not tell (before 5.14).
 */
uint64_t sw_netns_cookie(void);

/*
 * A socket of the network namespace that we are in, to ask for its interfaces by; -1: there is none. It is kept until we go
 * elsewhere, and never closed by others. Of IPv4, which whoever reads counters has to have; AF_UNIX may be out of reach
 * (RestrictAddressFamilies= of the exporter's unit).
 */
int sw_netns_socket(void);

/* May this process look at the namespaces of others? If not, that it finds none says nothing. */
bool sw_netns_may_look(void);

/*
 * Steps into the network namespace with that inode number: *saved becomes the way back, or -1 if we
 * are in it already. Namespaces are looked for among those with a name and those of processes.
 * Returns 0, -ENOENT if none was found, or another -errno. Records no line.
 */
int sw_netns_enter(uint32_t netns, int *saved);

/*
 * Into that of a descriptor, or into a new one, with other namespaces (CLONE_NEW...) that are to be new, too. What is
 * remembered of our own is forgotten, so nobody else calls setns() or unshare() for one. Return 0 or -errno.
 */
int sw_netns_go(int fd);
int sw_netns_make(int others);

/* Those that can be entered by sw_netns_enter(), each once. The caller frees them. Returns how many, or -ENOMEM. */
int sw_netns_list(uint32_t **netns);

/* Steps back and closes the way. */
void sw_netns_leave(int *saved);

#define SW_AUTO_NETNS __attribute__((cleanup(sw_netns_leave)))

#endif
