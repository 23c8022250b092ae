// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/mounts.h"
#include "../platform/netns.h"
#include "../platform/sysctl.h"
#include "../platform/netlink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define CLIENT_INTERFACE "swdoctor1"

enum { PATIENCE_MS = 5000, PATIENCE_S = 5 };

/* Of the blocks for documentation (RFC 5737, RFC 3849): no host has them. */
static const char *const addresses[2][2] = {
	{ "192.0.2.1", "2001:db8:5377::1" }, /* the server's */
	{ "192.0.2.2", "2001:db8:5377::2" },
};

static int own_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* What a new namespace may have inherited, and would not fit a server or its client. */
static void settle_namespace(void)
{
	sw_sysctl_write("ipv4/ip_forward", 0);
	sw_sysctl_write("ipv4/conf/all/rp_filter", 0);
	sw_sysctl_write("ipv4/conf/default/rp_filter", 0);
	sw_sysctl_write("ipv6/conf/all/forwarding", 0);
	sw_sysctl_write("ipv6/conf/all/disable_ipv6", 0);
	sw_sysctl_write("ipv6/conf/default/disable_ipv6", 0);
}

static int make_pair(int client)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nlattr *info, *data, *peer;

	request->nlmsg_type = RTM_NEWLINK;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, SW_STAGE_INTERFACE);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, CLIENT_INTERFACE);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)client);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return sw_netlink_ask(NETLINK_ROUTE, request, NULL, NULL);
}

static int set_up(const char *name)
{
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

static int add_address(const char *name, sa_family_t family, const char *text)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	size_t length = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	struct ifaddrmsg *about;
	struct in6_addr address;

	inet_pton(family, text, &address);
	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->ifa_family = family;
	about->ifa_prefixlen = family == AF_INET ? 24 : 64;
	about->ifa_flags = IFA_F_NODAD; /* there at once */
	about->ifa_index = if_nametoindex(name);
	mnl_attr_put(request, IFA_LOCAL, length, &address);
	mnl_attr_put(request, IFA_ADDRESS, length, &address);
	return sw_netlink_ask(NETLINK_ROUTE, request, NULL, NULL);
}

/* A veth takes what the other end's XDP sends only with a program of its own, or with GRO. */
static void take_answers(const char *name)
{
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value gro = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&gro };

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0)
		(void)ioctl(fd, SIOCETHTOOL, &request); /* else TC sends the answers */
}

static int furnish(const struct sw_stage *stage, int end, const char *name)
{
	int error = set_up("lo");

	if (!error)
		error = set_up(name);
	if (!error)
		error = add_address(name, AF_INET, addresses[end][0]);
	if (!error && stage->ipv6)
		error = add_address(name, AF_INET6, addresses[end][1]);
	take_answers(name);
	return error;
}

static bool mount_own_bpffs(void)
{
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("bpf", SW_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700");
}

/* ---- a handshake */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t server_address(sa_family_t family, union address *address)
{
	*address = (union address){ .any.sa_family = family };
	if (family == AF_INET) {
		address->v4.sin_port = htons(SW_STAGE_PORT);
		inet_pton(family, addresses[0][0], &address->v4.sin_addr);
		return sizeof(address->v4);
	}
	address->v6.sin6_port = htons(SW_STAGE_PORT);
	inet_pton(family, addresses[0][1], &address->v6.sin6_addr);
	return sizeof(address->v6);
}

static int listen_there(sa_family_t family)
{
	SW_AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t length = server_address(family, &address);

	if (fd < 0 || bind(fd, &address.any, length) || listen(fd, 16))
		return -1;
	return sw_take_fd(&fd);
}

/* Made in the client's namespace, a socket stays there. */
static int client_socket(const struct sw_stage *stage, sa_family_t family)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	SW_AUTO_FD int fd = -1;

	if (sw_netns_go(stage->client))
		return -1;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sw_netns_go(stage->server) || fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return -1;
	return sw_take_fd(&fd);
}

static bool is_ready(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };

	if (poll(&wanted, 1, PATIENCE_MS) == 1)
		return true;
	errno = ETIMEDOUT;
	return false;
}

const char *sw_stage_shake_hands(const struct sw_stage *stage, sa_family_t family)
{
	int listener = stage->listeners[family == AF_INET6];
	SW_AUTO_FD int client = -1, server = -1;
	union address address;
	socklen_t length = server_address(family, &address);
	char heard;

	client = client_socket(stage, family);
	if (client < 0)
		return "make a client";
	if (connect(client, &address.any, length))
		return "connect";
	if (write(client, "!", 1) != 1)
		return "send";
	if (!is_ready(listener))
		return "be accepted";
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		return "be accepted";
	if (!is_ready(server) || read(server, &heard, 1) != 1)
		return "be heard";
	return NULL;
}

const char *sw_stage_make(struct sw_stage *stage)
{
	int error;

	if (sw_netns_make(CLONE_NEWNS))
		return "make a network namespace";
	if (!mount_own_bpffs())
		return "mount a bpffs of its own";
	settle_namespace();
	stage->ipv6 = sw_sysctl_read("ipv6/conf/all/disable_ipv6", 0, 1) == 0;
	stage->client = own_namespace();
	if (stage->client < 0 || sw_netns_make(0))
		return "make a second network namespace";
	settle_namespace();
	stage->server = own_namespace();
	error = stage->server < 0 ? -errno : make_pair(stage->client);
	if (error) {
		errno = -error;
		return "make a veth pair";
	}
	error = furnish(stage, 0, SW_STAGE_INTERFACE);
	stage->listeners[0] = listen_there(AF_INET);
	stage->listeners[1] = stage->ipv6 ? listen_there(AF_INET6) : -1;
	if (!error && stage->listeners[0] < 0)
		error = -errno;
	if (!error)
		error = sw_netns_go(stage->client);
	if (!error)
		error = furnish(stage, 1, CLIENT_INTERFACE);
	if (!error)
		error = sw_netns_go(stage->server);
	errno = -error;
	return error ? "give a veth pair its addresses" : NULL;
}
