// SPDX-License-Identifier: GPL-2.0-or-later
#include "net_links.h"

#include "../base/error.h"
#include "netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* One message under way. */
struct reading {
	struct sw_net_link link;
	bool elsewhere; /* what it stands on is in another network namespace */
};

static int take_bond(const struct nlattr *attribute, void *context)
{
	struct sw_net_link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_BOND_MODE)
		link->bond_mode = mnl_attr_get_u8(attribute);
	return MNL_CB_OK;
}

static int take_bridge(const struct nlattr *attribute, void *context)
{
	struct sw_net_link *link = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_BR_NF_CALL_IPTABLES:
	case IFLA_BR_NF_CALL_IP6TABLES:
		link->calls_iptables |= mnl_attr_get_u8(attribute) != 0;
	}
	return MNL_CB_OK;
}

static int take_info(const struct nlattr *attribute, void *context)
{
	struct sw_net_link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		sw_format(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
	if (mnl_attr_get_type(attribute) != IFLA_INFO_DATA)
		return MNL_CB_OK;
	if (!strcmp(link->kind, "bond"))
		mnl_attr_parse_nested(attribute, take_bond, link);
	if (!strcmp(link->kind, "bridge"))
		mnl_attr_parse_nested(attribute, take_bridge, link);
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct reading *reading = context;
	struct sw_net_link *link = &reading->link;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		sw_format(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_LINK:
		link->below = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		reading->elsewhere = true;
		break;
	case IFLA_MASTER:
		link->master = mnl_attr_get_u32(attribute);
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, take_info, link);
	}
	return MNL_CB_OK;
}

static int add(struct sw_net_links *links, const struct sw_net_link *link)
{
	uint32_t room = links->room ? 2 * links->room : 32;
	struct sw_net_link *more;

	if (links->count == links->room) {
		more = realloc(links->all, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		links->all = more;
		links->room = room;
	}
	links->all[links->count++] = *link;
	return 0;
}

static int take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *about = mnl_nlmsg_get_payload(message);
	struct reading reading = { .link = { .ifindex = (uint32_t)about->ifi_index,
					     .flags = about->ifi_flags,
					     .bond_mode = -1 } };
	struct sw_net_link *link = &reading.link;

	mnl_attr_parse(message, sizeof(*about), take_attribute, &reading);
	/* a veth's other end is beside it, not below */
	if (reading.elsewhere || !strcmp(link->kind, "veth") || link->below == link->ifindex)
		link->below = 0;
	if (!add(context, link))
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

int sw_net_links_read(struct sw_net_links *links)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *about;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->ifi_family = AF_UNSPEC;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS); /* most of the work */
	*links = (struct sw_net_links){};
	return sw_netlink_ask(NETLINK_ROUTE, request, take_link, links);
}

void sw_net_links_free(struct sw_net_links *links)
{
	free(links->all);
	*links = (struct sw_net_links){};
}

const struct sw_net_link *sw_net_links_find(const struct sw_net_links *links, uint32_t ifindex)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (links->all[i].ifindex == ifindex)
			return &links->all[i];
	return NULL;
}
