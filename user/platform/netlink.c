// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink.h"

#include <errno.h>
#include <sys/socket.h>

static int ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t take, void *context)
{
	char buffer[SW_NETLINK_SIZE];
	ssize_t length;
	int more;

	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) !=
	    NLM_F_DUMP)				   /* two bits, of which NLM_F_EXCL is one */
		request->nlmsg_flags |= NLM_F_ACK; /* so that there is an end */
	request->nlmsg_seq = 1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket), take,
				  context);
	} while (more > 0);
	return more < 0 ? -errno : 0;
}

int sw_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *context)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int error;

	if (!socket)
		return -errno;
	error = ask(socket, request, take, context);
	mnl_socket_close(socket);
	return error;
}
