/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_PREFLIGHT_H
#define SYNWARD_PLATFORM_PREFLIGHT_H

#include <stddef.h>

/* Is all there that attaching needs: capabilities and the kernel's type information? */
int sw_preflight_attach(void);

/* The second of these: does the kernel describe its types? */
int sw_preflight_types(void);

/* Are the capabilities there that detaching needs? */
int sw_preflight_detach(void);

/* For an error of a bpf system call: names the capability that is missing, or "" if none is. */
const char *sw_missing_capabilities(void);

/*
 * The index of an interface of this network namespace. An unknown one is -ENODEV, with a line that
 * names those that are most alike.
 */
int sw_interface_index(const char *name, unsigned int *ifindex);

/* Do its frames begin with an Ethernet header? Of others (tun, WireGuard, PPP) nothing could be read. */
int sw_preflight_frames(const char *name);

#endif
