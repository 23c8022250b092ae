// SPDX-License-Identifier: GPL-2.0-or-later
/* What an interface is made of, and what stands on it. */
#include "facts.h"

#include "../base/error.h"
#include "../platform/bridge_netfilter.h"

#include <errno.h>
#include <string.h>

static void relate(struct sw_stack_facts *facts, const struct sw_net_link *link)
{
	if (facts->related_count < sizeof(facts->related) / sizeof(facts->related[0]))
		facts->related[facts->related_count++] = link->ifindex;
}

static void take_own(struct sw_stack_facts *facts, const struct sw_net_link *own)
{
	facts->mtu = own->mtu;
	facts->up = own->flags & IFF_UP;
	facts->bond_mode = own->bond_mode;
	sw_format(facts->kind, sizeof(facts->kind), "%s", own->kind);
}

static void take_other(struct sw_stack_facts *facts, const struct sw_net_link *own,
		       const struct sw_net_link *link)
{
	if (link->ifindex == own->ifindex)
		return;
	if (link->ifindex == own->master) {
		sw_format(facts->master, sizeof(facts->master), "%s", link->name);
		sw_format(facts->master_kind, sizeof(facts->master_kind), "%s", link->kind);
	} else if (link->master == own->ifindex || link->ifindex == own->below) {
		sw_fact_append(facts->lower, link->name);
	} else if (link->below == own->ifindex) {
		sw_fact_append(strcmp(link->kind, "vlan") ? facts->others : facts->vlans,
			       link->name);
	} else {
		return;
	}
	relate(facts, link);
}

void sw_read_stack(uint32_t ifindex, struct sw_stack_facts *facts)
{
	SW_AUTO_NET_LINKS struct sw_net_links links = {};
	const struct sw_net_link *own, *bridge;

	facts->bond_mode = -1;
	facts->error = -sw_net_links_read(&links);
	if (facts->error)
		return;
	own = sw_net_links_find(&links, ifindex);
	if (!own) {
		facts->error = ENODEV;
		return;
	}
	take_own(facts, own);
	for (uint32_t i = 0; i < links.count; i++)
		take_other(facts, own, &links.all[i]);
	bridge = sw_bridge_with_netfilter(&links, ifindex);
	if (bridge)
		sw_format(facts->netfilter_bridge, sizeof(facts->netfilter_bridge), "%s",
			  bridge->name);
}
