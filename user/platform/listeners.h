/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_LISTENERS_H
#define SYNWARD_PLATFORM_LISTENERS_H

/* Who listens by TCP, as the kernel tells it (sock_diag(7)). */

#include <synward/flow.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_listener {
	struct sw_addr addr; /* 0.0.0.0 is mapped, too, so that it differs from :: */
	uint16_t port;
	uint32_t waiting; /* connections that nobody has accepted yet ... */
	uint32_t backlog; /* ... and how many may */
	bool mptcp;
	bool is_signed; /* by TCP-MD5; told to whoever is privileged only */
};

/*
 * Calls take for each listener of this network namespace, those of IPv4 first. One of :: is also one of IPv4,
 * unless it was told not to be. Nobody has to be privileged. Returns 0 or -errno without a line; take may have been called by then.
 */
int sw_listeners_dump(void (*take)(const struct sw_listener *listener, void *context),
		      void *context);

/* Does it take connections to any address of its family? */
bool sw_listener_is_any(const struct sw_listener *listener);

#endif
