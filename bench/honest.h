/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_HONEST_H
#define SYNWARD_BENCH_HONEST_H

/* What the honest client and the honest server agree on, and need both. */

#include "../user/base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST	    "?"
#define ANSWER_SIZE 64

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Parses an address of either family. Returns 0 or sw_error()'s code. */
static inline int parse_endpoint(const char *address, uint16_t port, union endpoint *endpoint)
{
	*endpoint = (union endpoint){ .v4 = { .sin_port = htons(port) } };
	if (inet_pton(AF_INET, address, &endpoint->v4.sin_addr) == 1) {
		endpoint->any.sa_family = AF_INET;
		return 0;
	}
	*endpoint = (union endpoint){ .v6 = { .sin6_port = htons(port) } };
	if (inet_pton(AF_INET6, address, &endpoint->v6.sin6_addr) == 1) {
		endpoint->any.sa_family = AF_INET6;
		return 0;
	}
	return sw_error(EINVAL, "%s: expected an IPv4 or IPv6 address", address);
}

static inline socklen_t endpoint_size(const union endpoint *endpoint)
{
	return endpoint->any.sa_family == AF_INET ? sizeof(endpoint->v4) : sizeof(endpoint->v6);
}

/* As many descriptors as may be; and whoever started this takes it along when he dies. */
static inline void settle_in(void)
{
	struct rlimit files;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* whose harness was killed before that gets no signal any more */
	if (getppid() == 1)
		exit(1);
	signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

#endif
