// SPDX-License-Identifier: GPL-2.0-or-later
#include "bridge_netfilter.h"

#include "sysctl.h"

#include <stddef.h>
#include <string.h>

#define MAX_ABOVE 8 /* a VLAN of a bond's, in a bridge, and so on: nobody stands higher */

static long setting(const char *name)
{
	return sw_sysctl_read(name, 0, -1);
}

bool sw_bridges_may_call_netfilter(void)
{
	return setting("bridge/bridge-nf-call-iptables") >= 0;
}

static bool calls_netfilter(const struct sw_net_link *bridge)
{
	return sw_bridges_may_call_netfilter() &&
	       (bridge->calls_iptables || setting("bridge/bridge-nf-call-iptables") > 0 ||
		setting("bridge/bridge-nf-call-ip6tables") > 0);
}

static const struct sw_net_link *search(const struct sw_net_links *links, uint32_t ifindex,
					int height)
{
	const struct sw_net_link *port = sw_net_links_find(links, ifindex), *found = NULL;

	if (!port || height > MAX_ABOVE)
		return NULL;
	for (uint32_t i = 0; i < links->count && !found; i++) {
		const struct sw_net_link *above = &links->all[i];
		bool is_master = above->ifindex == port->master;

		if (is_master && !strcmp(above->kind, "bridge") && calls_netfilter(above))
			found = above;
		else if (is_master || (above->below == ifindex && !strcmp(above->kind, "vlan")))
			found = search(links, above->ifindex, height + 1);
	}
	return found;
}

const struct sw_net_link *sw_bridge_with_netfilter(const struct sw_net_links *links,
						   uint32_t ifindex)
{
	return search(links, ifindex, 0);
}
