/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_NETLINK_H
#define SYNWARD_PLATFORM_NETLINK_H

/* One question to the kernel by netlink, and its answer. */

#include <libmnl/libmnl.h>

#define SW_NETLINK_SIZE 32768

/*
 * Sends a request, whose flags it completes, and calls take (may be NULL) for each message of the
 * answer, or until the acknowledgement. Returns 0 or -errno; records no line.
 */
int sw_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *context);

#endif
