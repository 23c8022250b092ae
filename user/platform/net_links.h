/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_NET_LINKS_H
#define SYNWARD_PLATFORM_NET_LINKS_H

/* The interfaces of the network namespace that this process is in, and how they stand on each other. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct sw_net_link {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	char kind[16];	 /* "" of a card; else veth, bond, vlan, bridge ... */
	uint32_t below;	 /* whose frames it takes, such as a VLAN; 0: nobody's in this namespace */
	uint32_t master; /* the bond or bridge whose port it is, or 0 */
	uint32_t mtu;
	uint32_t flags; /* IFF_* */
	int bond_mode;	/* as the kernel numbers them; -1: it is none */
	bool calls_iptables; /* a bridge whose own setting has netfilter of IP look at what it passes on */
};

struct sw_net_links {
	struct sw_net_link *all;
	uint32_t count, room;
};

#define SW_AUTO_NET_LINKS __attribute__((cleanup(sw_net_links_free)))

/* Reads them all. Returns 0 or -errno; records no line. */
int sw_net_links_read(struct sw_net_links *links);
void sw_net_links_free(struct sw_net_links *links);

/* NULL if there is none of that index. */
const struct sw_net_link *sw_net_links_find(const struct sw_net_links *links, uint32_t ifindex);

#endif
