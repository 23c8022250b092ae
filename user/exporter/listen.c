// SPDX-License-Identifier: GPL-2.0-or-later
#include "listen.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* How many connections wait here while as many are served as there may be. */
#define BACKLOG 256

static bool take_address(const char *text, size_t length, struct sw_endpoint *endpoint)
{
	bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
	char inner[INET6_ADDRSTRLEN];

	if (bracketed) {
		text++;
		length -= 2;
	}
	if (!sw_format(inner, sizeof(inner), "%.*s", (int)length, text))
		return false;
	if (bracketed) {
		endpoint->v6.sin6_family = AF_INET6;
		endpoint->length = sizeof(endpoint->v6);
		return inet_pton(AF_INET6, inner, &endpoint->v6.sin6_addr) == 1;
	}
	endpoint->v4.sin_family = AF_INET;
	endpoint->length = sizeof(endpoint->v4);
	return inet_pton(AF_INET, inner, &endpoint->v4.sin_addr) == 1;
}

static bool is_group(const struct sw_endpoint *endpoint)
{
	in_addr_t v4 = ntohl(endpoint->v4.sin_addr.s_addr);

	if (endpoint->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&endpoint->v6.sin6_addr);
	return IN_MULTICAST(v4) || v4 == INADDR_BROADCAST;
}

int sw_endpoint_parse(const char *text, struct sw_endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	struct sw_endpoint made = {};
	uint64_t port;

	if (!colon || !take_address(text, (size_t)(colon - text), &made) ||
	    !sw_parse_number(colon + 1, &port) || port > UINT16_MAX)
		return sw_error(EINVAL,
				"--listen %s: expected an address and a port, such as "
				"127.0.0.1:9945 or [::1]:9945",
				text);
	if (is_group(&made))
		return sw_error(EINVAL,
				"--listen %s: that is an address of a group, to which nobody can "
				"connect; expected one of this host",
				text);
	made.v4.sin_port = htons((uint16_t)port);
	*endpoint = made;
	return 0;
}

const char *sw_endpoint_text(char text[SW_ENDPOINT_TEXT], const struct sw_endpoint *endpoint)
{
	bool is_v6 = endpoint->any.sa_family == AF_INET6;
	const void *address = is_v6 ? (const void *)&endpoint->v6.sin6_addr :
				      (const void *)&endpoint->v4.sin_addr;
	char inner[INET6_ADDRSTRLEN] = "";

	inet_ntop(endpoint->any.sa_family, address, inner, sizeof(inner));
	sw_format(text, SW_ENDPOINT_TEXT, is_v6 ? "[%s]:%u" : "%s:%u", inner,
		  ntohs(endpoint->v4.sin_port));
	return text;
}

/* The ports of both families are at one place. */
static int failed(const struct sw_endpoint *endpoint, int error)
{
	bool is_low = error == EACCES && ntohs(endpoint->v4.sin_port) < IPPORT_RESERVED;
	char text[SW_ENDPOINT_TEXT];

	return sw_error(error, "cannot listen on %s: %s%s", sw_endpoint_text(text, endpoint),
			sw_errno_text(error),
			is_low ? "; a port below 1024 takes CAP_NET_BIND_SERVICE: choose another "
				 "one, such as 9945" :
				 "");
}

int sw_endpoint_listen(struct sw_endpoint *endpoint)
{
	SW_AUTO_FD int fd = socket(endpoint->any.sa_family,
				   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	/* who listens here again need not wait until the last connection is forgotten */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (endpoint->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    bind(fd, &endpoint->any, endpoint->length) || listen(fd, BACKLOG) ||
	    getsockname(fd, &endpoint->any, &endpoint->length))
		return failed(endpoint, errno);
	return sw_take_fd(&fd);
}
