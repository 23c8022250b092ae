/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_SINKS_JOURNALD_H
#define SYNWARD_SINKS_JOURNALD_H

/*
 * systemd's journal, by its native protocol: a datagram of NAME=value lines for each entry. libsystemd would bring four
 * libraries of compression and cryptography along for that. Errors are -errno with their line recorded.
 */

#include <stdbool.h>
#include <stddef.h>

struct sw_journald {
	int fd;
	bool away; /* and that has been told */
};

#define SW_JOURNALD_NONE                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

int sw_journald_open(struct sw_journald *journald);
void sw_journald_close(struct sw_journald *journald);

/*
 * Sends an entry; no value may hold the end of a line. Returns 0; -EAGAIN without a line recorded while nobody takes it: that
 * the service has gone, as when it is started anew, is noted when it begins and when it is over; one that has no room for it
 * is waited for a tenth of a second only. Or another -errno.
 */
int sw_journald_put(struct sw_journald *journald, const char *entry, size_t length);

#endif
