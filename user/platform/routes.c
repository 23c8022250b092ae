// SPDX-License-Identifier: GPL-2.0-or-later
#include "routes.h"

#include "netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#define ATTEMPTS 10

/* What is asked of the kernel, and who gets the answer. */
struct request {
	uint16_t type;
	mnl_cb_t parse;
	sw_take_address *take;
	void *context;
};

/* The attributes of one message by their type; those that are unknown are left out. */
struct attributes {
	const struct nlattr *of[64];
};

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct attributes *found = context;
	unsigned int type = mnl_attr_get_type(attribute);

	if (type < sizeof(found->of) / sizeof(found->of[0]))
		found->of[type] = attribute;
	return MNL_CB_OK;
}

static void hand_on(const struct request *request, int family, const void *bytes, size_t length,
		    uint32_t ifindex)
{
	struct sw_addr addr = { .words[2] = SW_V4_MAPPED_WORD };

	if (family == AF_INET && length == 4)
		memcpy(addr.bytes + 12, bytes, 4);
	else if (family == AF_INET6 && length == sizeof(addr.bytes))
		memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	else
		return;
	request->take(request->context, &addr, ifindex);
}

static int parse_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *about = mnl_nlmsg_get_payload(message);
	const struct request *request = context;
	const struct nlattr *own;
	struct attributes found = {};

	mnl_attr_parse(message, sizeof(*about), take_attribute, &found);
	/* on a point-to-point link IFA_ADDRESS is the other end's */
	own = found.of[IFA_LOCAL] ? found.of[IFA_LOCAL] : found.of[IFA_ADDRESS];
	if (own)
		hand_on(request, about->ifa_family, mnl_attr_get_payload(own),
			mnl_attr_get_payload_len(own), about->ifa_index);
	return MNL_CB_OK;
}

/* A gateway stands beside its route, or beside one of several ways; it may be of the other family. */
static void parse_gateway(const struct request *request, int family, const struct attributes *of,
			  uint32_t ifindex)
{
	const struct nlattr *gateway = of->of[RTA_GATEWAY], *via = of->of[RTA_VIA];

	if (gateway)
		hand_on(request, family, mnl_attr_get_payload(gateway),
			mnl_attr_get_payload_len(gateway), ifindex);
	if (via && mnl_attr_get_payload_len(via) > sizeof(struct rtvia)) {
		const struct rtvia *other = mnl_attr_get_payload(via);

		hand_on(request, other->rtvia_family, other->rtvia_addr,
			mnl_attr_get_payload_len(via) - sizeof(*other), ifindex);
	}
}

static void parse_ways(const struct request *request, int family, const struct nlattr *ways)
{
	const char *at = mnl_attr_get_payload(ways);
	size_t left = mnl_attr_get_payload_len(ways);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *way = (const struct rtnexthop *)at;
		struct attributes found = {};
		size_t length = way->rtnh_len;

		if (length < sizeof(*way) || length > left)
			break;
		mnl_attr_parse_payload(RTNH_DATA(way), length - sizeof(*way), take_attribute,
				       &found);
		parse_gateway(request, family, &found, (uint32_t)way->rtnh_ifindex);
		length = RTNH_ALIGN(length);
		if (length >= left)
			break;
		at += length;
		left -= length;
	}
}

static int parse_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *about = mnl_nlmsg_get_payload(message);
	const struct request *request = context;
	struct attributes found = {};
	uint32_t ifindex;

	mnl_attr_parse(message, sizeof(*about), take_attribute, &found);
	ifindex = found.of[RTA_OIF] ? mnl_attr_get_u32(found.of[RTA_OIF]) : 0;
	parse_gateway(request, about->rtm_family, &found, ifindex);
	if (found.of[RTA_MULTIPATH])
		parse_ways(request, about->rtm_family, found.of[RTA_MULTIPATH]);
	return MNL_CB_OK;
}

static int ask_once(struct request *request)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *about;

	message->nlmsg_type = request->type;
	message->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(message, sizeof(struct rtmsg));
	about->rtgen_family = AF_UNSPEC;
	return sw_netlink_ask(NETLINK_ROUTE, message, request->parse, request);
}

/* A list that changed while it was told is told again: EINTR. */
static int ask(struct request *request)
{
	int error = -EINTR;

	for (int i = 0; i < ATTEMPTS && error == -EINTR; i++)
		error = ask_once(request);
	return error == -EINTR ? 0 :
				 error; /* routes that never rest: what was seen of them is it */
}

int sw_own_addresses(sw_take_address *take, void *context)
{
	struct request request = { RTM_GETADDR, parse_address, take, context };

	return ask(&request);
}

int sw_gateways(sw_take_address *take, void *context)
{
	struct request request = { RTM_GETROUTE, parse_route, take, context };

	return ask(&request);
}
