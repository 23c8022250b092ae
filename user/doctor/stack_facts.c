// SPDX-License-Identifier: GPL-2.0-or-later
/* What an interface is made of, and what stands on it. */
#include "facts.h"
#include "../platform/netlink.h"

#include "../base/error.h"

#include <errno.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

struct link {
	uint32_t ifindex;
	const char *name;
	const char *kind;
	uint32_t below; /* IFLA_LINK, if that is in this network namespace */
	uint32_t master;
	uint32_t mtu;
	uint32_t flags;
	bool elsewhere;
	int bond_mode;
};

struct survey {
	struct sw_stack_facts *facts;
	uint32_t ifindex;
	uint32_t below, master; /* of the one in question */
	bool found;
};

static int take_bond(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_BOND_MODE)
		link->bond_mode = mnl_attr_get_u8(attribute);
	return MNL_CB_OK;
}

static int take_info(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		link->kind = mnl_attr_get_str(attribute);
	if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA && !strcmp(link->kind, "bond"))
		mnl_attr_parse_nested(attribute, take_bond, link);
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		link->name = mnl_attr_get_str(attribute);
		break;
	case IFLA_LINK:
		link->below = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		link->elsewhere = true;
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

static struct link parse(const struct nlmsghdr *message)
{
	const struct ifinfomsg *about = mnl_nlmsg_get_payload(message);
	struct link link = { .ifindex = (uint32_t)about->ifi_index,
			     .flags = about->ifi_flags,
			     .name = "",
			     .kind = "",
			     .bond_mode = -1 };

	mnl_attr_parse(message, sizeof(*about), take_attribute, &link);
	/* a veth's other end is beside it, not below */
	if (link.elsewhere || !strcmp(link.kind, "veth") || link.below == link.ifindex)
		link.below = 0;
	return link;
}

static int take_own(const struct nlmsghdr *message, void *context)
{
	struct survey *survey = context;
	struct sw_stack_facts *facts = survey->facts;
	struct link link = parse(message);

	if (link.ifindex != survey->ifindex)
		return MNL_CB_OK;
	survey->found = true;
	survey->below = link.below;
	survey->master = link.master;
	facts->mtu = link.mtu;
	facts->up = link.flags & IFF_UP;
	facts->bond_mode = link.bond_mode;
	sw_format(facts->kind, sizeof(facts->kind), "%s", link.kind);
	return MNL_CB_OK;
}

static void relate(struct sw_stack_facts *facts, const struct link *link)
{
	if (facts->related_count < sizeof(facts->related) / sizeof(facts->related[0]))
		facts->related[facts->related_count++] = link->ifindex;
}

static int take_other(const struct nlmsghdr *message, void *context)
{
	const struct survey *survey = context;
	struct sw_stack_facts *facts = survey->facts;
	struct link link = parse(message);

	if (link.ifindex == survey->ifindex)
		return MNL_CB_OK;
	if (link.ifindex == survey->master) {
		sw_format(facts->master, sizeof(facts->master), "%s", link.name);
		sw_format(facts->master_kind, sizeof(facts->master_kind), "%s", link.kind);
	} else if (link.master == survey->ifindex || link.ifindex == survey->below) {
		sw_fact_append(facts->lower, link.name);
	} else if (link.below == survey->ifindex) {
		sw_fact_append(strcmp(link.kind, "vlan") ? facts->others : facts->vlans, link.name);
	} else {
		return MNL_CB_OK;
	}
	relate(facts, &link);
	return MNL_CB_OK;
}

static int dump(mnl_cb_t take, struct survey *survey)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *about;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->ifi_family = AF_UNSPEC;
	return sw_netlink_ask(NETLINK_ROUTE, request, take, survey);
}

void sw_read_stack(uint32_t ifindex, struct sw_stack_facts *facts)
{
	struct survey survey = { .facts = facts, .ifindex = ifindex };
	int error = dump(take_own, &survey);

	facts->bond_mode = survey.found ? facts->bond_mode : -1;
	if (!error && !survey.found)
		error = -ENODEV;
	if (!error)
		error = dump(take_other, &survey);
	facts->error = -error;
}
