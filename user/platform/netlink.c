// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink.h"

#include <errno.h>
#include <sys/socket.h>

/* One that has given its whole answer is kept for the next question: to make one costs more than to ask. */
static struct {
	struct mnl_socket *socket;
	int bus;
	unsigned int asked;
} kept;

void sw_netlink_let_go(void)
{
	if (kept.socket)
		mnl_socket_close(kept.socket);
	kept.socket = NULL;
}

static int prepare(int bus)
{
	if (kept.socket && kept.bus == bus)
		return 0;
	sw_netlink_let_go();
	kept.socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	kept.bus = bus;
	if (!kept.socket || mnl_socket_bind(kept.socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return 0;
}

static int ask(struct nlmsghdr *request, mnl_cb_t take, void *context)
{
	char buffer[SW_NETLINK_SIZE];
	ssize_t length;
	int more;

	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) !=
	    NLM_F_DUMP)				   /* two bits, of which NLM_F_EXCL is one */
		request->nlmsg_flags |= NLM_F_ACK; /* so that there is an end */
	request->nlmsg_seq = ++kept.asked;
	if (mnl_socket_sendto(kept.socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(kept.socket, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, request->nlmsg_seq,
				  mnl_socket_get_portid(kept.socket), take, context);
	} while (more > 0);
	return more < 0 ? -errno : 0;
}

int sw_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *context)
{
	int error = prepare(bus);

	if (!error)
		error = ask(request, take, context);
	/* of what is answered by an error, more may follow, which is no answer to the next question */
	if (error)
		sw_netlink_let_go();
	return error;
}
