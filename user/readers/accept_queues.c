// SPDX-License-Identifier: GPL-2.0-or-later
#include "accept_queues.h"

#include "../model/policy.h"
#include "../platform/netlink.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct search {
	const struct sw_policy *policy;
	struct sw_accept_queue *queues;
	int family;
};

static bool has_port(const struct sw_service *service, unsigned int port)
{
	for (uint32_t i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return !service->port_count;
}

/* Who listens on any IPv6 address may take IPv4 as well. */
static bool may_reach(const struct search *search, const struct sw_service *service,
		      unsigned int port)
{
	return has_port(service, port) &&
	       (search->family == AF_INET6 || service->family != SW_FAMILY_IPV6);
}

static void add(struct sw_accept_queue *queue, const struct inet_diag_msg *listener)
{
	/* of a listener these are who waits to be accepted, and how many may */
	queue->listeners++;
	queue->full += listener->idiag_rqueue > listener->idiag_wqueue;
	queue->length += listener->idiag_rqueue;
	queue->limit += listener->idiag_wqueue;
}

static struct sw_addr address_of(const struct search *search, const struct inet_diag_msg *listener)
{
	struct sw_addr addr = { .words[2] = SW_V4_MAPPED_WORD };

	if (search->family == AF_INET)
		memcpy(addr.bytes + 12, listener->id.idiag_src, 4);
	else
		memcpy(addr.bytes, listener->id.idiag_src, sizeof(addr.bytes));
	return addr;
}

static bool is_any(const struct search *search, const struct inet_diag_msg *listener)
{
	static const __be32 any[4];

	return !memcmp(listener->id.idiag_src, any, search->family == AF_INET ? 4 : 16);
}

static int take_listener(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *listener = mnl_nlmsg_get_payload(message);
	const struct search *search = context;
	const struct sw_policy *policy = search->policy;
	unsigned int port = ntohs(listener->id.idiag_sport);
	struct sw_addr addr = address_of(search, listener);

	if (!is_any(search, listener)) {
		add(&search->queues[sw_policy_find(policy, &addr, port)], listener);
		return MNL_CB_OK;
	}
	for (uint32_t i = 0; i < policy->service_count; i++)
		if (may_reach(search, &policy->services[i], port))
			add(&search->queues[i], listener);
	return MNL_CB_OK;
}

int sw_accept_queues_add(const struct sw_policy *policy,
			 struct sw_accept_queue queues[SW_SERVICE_SLOTS])
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int error = 0;

	for (unsigned int i = 0; i < 2 && !error; i++) {
		struct search search = { policy, queues, families[i] };
		char buffer[SW_NETLINK_SIZE];
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
		struct inet_diag_req_v2 *about;

		request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		request->nlmsg_flags = NLM_F_DUMP;
		about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
		about->sdiag_family = families[i];
		about->sdiag_protocol = IPPROTO_TCP;
		about->idiag_states = 1 << TCP_LISTEN;
		error = sw_netlink_ask(NETLINK_SOCK_DIAG, request, take_listener, &search);
	}
	return error;
}
