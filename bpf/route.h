/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ROUTE_H
#define SYNWARD_ROUTE_H

/* Where the host would send what comes in. */

#include "core/packet.h"
#include "core/wire.h"

#include <bpf/bpf_helpers.h>

/* of the kernel's AF_* and BPF_FIB_LKUP_RET_* */
enum {
	FAMILY_IPV4 = 2,
	FAMILY_IPV6 = 10,
	FIB_FORWARDED = 0,
	FIB_NO_NEIGHBOUR = 7,
};

/*
 * By which interface the host sends on what has come in from one address for another. 0: by none, since it does not
 * forward, has no route, or the packet is for itself. Not inlined: it takes much stack.
 */
__noinline int route_of(ingress_ctx *ctx, const struct sw_addr *from, const struct sw_addr *to)
{
	struct bpf_fib_lookup route = { .l4_protocol = WIRE_IP_TCP };
	long found;

	if (!ctx || !from || !to)
		return 0;
	route.ifindex = ctx->ingress_ifindex;
	if (sw_addr_is_v4(to)) {
		route.family = FAMILY_IPV4;
		route.ipv4_src = from->words[3];
		route.ipv4_dst = to->words[3];
	} else {
		route.family = FAMILY_IPV6;
		for (int i = 0; i < 4; i++) {
			route.ipv6_src[i] = from->words[i];
			route.ipv6_dst[i] = to->words[i];
		}
	}
	found = bpf_fib_lookup(ctx, &route, sizeof(route), 0);
	return found == FIB_FORWARDED || found == FIB_NO_NEIGHBOUR ? route.ifindex : 0;
}

/* Does the host send what is for an address on to somebody else? */
static __always_inline bool is_routed_on(ingress_ctx *ctx, const struct sw_addr *from,
					 const struct sw_addr *to)
{
	return route_of(ctx, from, to);
}

#endif
