/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_LISTEN_H
#define SYNWARD_EXPORTER_LISTEN_H

#include <netinet/in.h>

#define SW_ENDPOINT_TEXT 64

/* On how many places one process may listen. */
#define SW_MAX_SOCKETS 16

/* Where to listen. */
struct sw_endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
};

/* Takes ADDRESS:PORT, an IPv6 address in brackets. Returns 0, or -EINVAL with its line; *endpoint is untouched then. */
int sw_endpoint_parse(const char *text, struct sw_endpoint *endpoint);

/* As it is parsed. Returns text. */
const char *sw_endpoint_text(char text[SW_ENDPOINT_TEXT], const struct sw_endpoint *endpoint);

/*
 * Opens a socket there that does not block. Of port 0, the kernel chooses, and *endpoint becomes what it
 * has chosen. Returns the descriptor, or a -errno with its line.
 */
int sw_endpoint_listen(struct sw_endpoint *endpoint);

#endif
