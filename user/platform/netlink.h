/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_NETLINK_H
#define SYNWARD_PLATFORM_NETLINK_H

/* One question to the kernel by netlink, and its answer. */

#include <libmnl/libmnl.h>

#define SW_NETLINK_SIZE 32768

/*
 * Sends a request, whose flags it completes, and calls take (may be NULL) for each message of the
 * answer, or until the acknowledgement. take returns MNL_CB_OK, or MNL_CB_ERROR, never MNL_CB_STOP: the
 * rest would be taken for the answer to the next question. Nor does it ask one itself. Returns 0 or -errno; records no
 * line.
 */
int sw_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *context);

/*
 * Closes the socket that is kept for the next question: it is of the network namespace in which it was opened, and keeps
 * that one alive. For who goes to another one.
 */
void sw_netlink_let_go(void);

#endif
