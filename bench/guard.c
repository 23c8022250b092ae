// SPDX-License-Identifier: GPL-2.0-or-later
#include "guard.h"

#include "../user/base/error.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_NAMESPACE -1

struct link {
	uint32_t ifindex;
	char kind[32];
	char alias[256];
	bool has_peer;
	int32_t peer_namespace; /* as this namespace numbers others, or OWN_NAMESPACE */
};

static int take_info(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		sw_format(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, take_info, link);
	case IFLA_IFALIAS:
		sw_format(link->alias, sizeof(link->alias), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_LINK:
		link->has_peer = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_namespace = (int32_t)mnl_attr_get_u32(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *about = mnl_nlmsg_get_payload(message);
	struct link *link = context;

	link->ifindex = (uint32_t)about->ifi_index;
	return mnl_attr_parse(message, sizeof(*about), take_attribute, link);
}

/* An interface by its name, of this namespace or of one that it has a number for. */
static int read_link(struct mnl_socket *socket, const char *name, int32_t namespace,
		     struct link *link)
{
	char buffer[32768];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *about;
	ssize_t length;

	*link = (struct link){ .peer_namespace = OWN_NAMESPACE };
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST;
	about = mnl_nlmsg_put_extra_header(message, sizeof(*about));
	about->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	if (namespace != OWN_NAMESPACE)
		mnl_attr_put_u32(message, IFLA_TARGET_NETNSID, (uint32_t) namespace);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 0, mnl_socket_get_portid(socket),
				     take_link, link) < 0)
		return -errno;
	return 0;
}

/*
 * The namespace of the first process, which not everyone may look at; or the kernel's first one,
 * which alone has the settings that count for all.
 */
static bool is_machines_namespace(void)
{
	struct stat ours, first;

	if (!access("/proc/sys/net/core/netdev_max_backlog", F_OK))
		return true;
	return !stat("/proc/self/ns/net", &ours) && !stat("/proc/1/ns/net", &first) &&
	       ours.st_dev == first.st_dev && ours.st_ino == first.st_ino;
}

static bool is_marked(struct mnl_socket *socket, int32_t namespace, const char *secret)
{
	size_t length = strlen(GUARD_MARK);
	struct link loopback;

	return !read_link(socket, "lo", namespace, &loopback) &&
	       !strncmp(loopback.alias, GUARD_MARK, length) &&
	       !strcmp(loopback.alias + length, secret);
}

static int check(struct mnl_socket *socket, const char *interface, const char *secret,
		 uint32_t *ifindex)
{
	struct link link;
	int error;

	if (is_machines_namespace())
		return sw_error(EPERM,
				"%s: this is the network namespace of the machine: a flood stays "
				"in the namespaces that bench/flood.py makes",
				interface);
	if (strlen(secret) != GUARD_SECRET_LENGTH || !is_marked(socket, OWN_NAMESPACE, secret))
		return sw_error(EPERM,
				"%s: this network namespace does not carry the laboratory's mark: "
				"only bench/flood.py makes those that may be flooded",
				interface);
	error = read_link(socket, interface, OWN_NAMESPACE, &link);
	if (error)
		return sw_error(error, "%s: no such interface here: %s", interface,
				sw_errno_text(error));
	if (strcmp(link.kind, "veth"))
		return sw_error(EPERM, "%s: is not a veth%s%s: nothing else may be flooded",
				interface, *link.kind ? " but a " : "", link.kind);
	if (!link.has_peer)
		return sw_error(EPERM, "%s: is a veth without another end", interface);
	if (link.peer_namespace != OWN_NAMESPACE && !is_marked(socket, link.peer_namespace, secret))
		return sw_error(EPERM,
				"%s: its other end is in a network namespace that does not carry "
				"the laboratory's mark",
				interface);
	*ifindex = link.ifindex;
	return 0;
}

int guard_check(const char *interface, const char *secret, uint32_t *ifindex)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int error;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		error = sw_error(errno, "cannot ask the kernel for its interfaces: %s",
				 sw_errno_text(errno));
	else
		error = check(socket, interface, secret, ifindex);
	if (socket)
		mnl_socket_close(socket);
	return error;
}
