/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_BRIDGE_NETFILTER_H
#define SYNWARD_PLATFORM_BRIDGE_NETFILTER_H

/* br_netfilter: bridges whose ports' segments netfilter looks at as if they were routed. */

#include "net_links.h"

/* May any bridge of this network namespace have it? Not where the module is not loaded. */
bool sw_bridges_may_call_netfilter(void);

/*
 * The bridge above an interface, one of links, that has it; NULL: there is none. Before netfilter looks at a segment,
 * it loses the socket that was found for it (setup_pre_routing() in net/bridge/br_netfilter_hooks.c).
 */
const struct sw_net_link *sw_bridge_with_netfilter(const struct sw_net_links *links,
						   uint32_t ifindex);

#endif
