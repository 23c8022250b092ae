// SPDX-License-Identifier: GPL-2.0-or-later
#include "accept_queues.h"

#include "../model/policy.h"
#include "../platform/listeners.h"

struct search {
	const struct sw_policy *policy;
	struct sw_accept_queue *queues;
};

static bool has_port(const struct sw_service *service, unsigned int port)
{
	for (uint32_t i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return !service->port_count;
}

/* Who listens on any IPv6 address may take IPv4 as well. */
static bool may_reach(const struct sw_listener *listener, const struct sw_service *service)
{
	return has_port(service, listener->port) &&
	       (!sw_addr_is_v4(&listener->addr) || service->family != SW_FAMILY_IPV6);
}

static void add(struct sw_accept_queue *queue, const struct sw_listener *listener)
{
	queue->listeners++;
	queue->full += listener->waiting > listener->backlog;
	queue->length += listener->waiting;
	queue->limit += listener->backlog;
}

static void take(const struct sw_listener *listener, void *context)
{
	const struct search *search = context;
	const struct sw_policy *policy = search->policy;

	if (!sw_listener_is_any(listener)) {
		add(&search->queues[sw_policy_find(policy, &listener->addr, listener->port)],
		    listener);
		return;
	}
	for (uint32_t i = 0; i < policy->service_count; i++)
		if (may_reach(listener, &policy->services[i]))
			add(&search->queues[i], listener);
}

int sw_accept_queues_add(const struct sw_policy *policy,
			 struct sw_accept_queue queues[SW_SERVICE_SLOTS])
{
	struct search search = { policy, queues };

	return sw_listeners_dump(take, &search);
}
