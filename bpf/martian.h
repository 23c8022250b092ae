/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_MARTIAN_H
#define SYNWARD_MARTIAN_H

/*
 * What comes in where it cannot come from. XDP runs before the kernel looks at sources, so whoever can send to the wire
 * could speak for this host, or for both ends of a handshake.
 */

#include "adopt.h"
#include "inquiry.h"
#include "policy.h"
#include "route.h"

/* Has this host a connection, whole or half-open, for which it would receive the segment? */
static __always_inline bool is_expected(void *ctx, const struct sw_packet *packet)
{
	__u32 state = socket_state(ctx, &packet->src, packet->sport, &packet->dst, packet->dport);

	return state && state != TCP_STATE_LISTEN;
}

/*
 * Does the source of a segment that came in mean this host? The addresses were noted by a command, and one of them may
 * have moved to another host since, as they do when a pair fails over: then this host has a connection with it, or a
 * route to it.
 */
static __always_inline bool is_from_us(ingress_ctx *ctx, const struct sw_packet *packet)
{
	return !(packet->facts & SW_PKT_LOOPBACK) && is_ours(&packet->src) &&
	       !is_expected(ctx, packet) && !is_routed_on(ctx, &packet->dst, &packet->src);
}

/*
 * Is a segment that came in nobody's? It is not dropped unless it is for this host: on its way to others it may be
 * bridged, and of another host that has the same address.
 */
__noinline int is_martian(ingress_ctx *ctx, const struct sw_packet *packet, struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();

	if (!packet || !inquiry || !finding || !is_from_us(ctx, packet))
		return false;
	if (!is_ours(&packet->dst))
		finding->handshake.tolerated |= SW_BIT(MARTIAN_SOURCE);
	inquiry->anomalies |= SW_BIT(MARTIAN_SOURCE);
	return true;
}

/*
 * Two SYNs came in, one from either end: have they crossed? Not if this host is one of the ends, which has sent none.
 * Returns whether the second one is to be followed.
 */
__noinline int find_out_crossing(ingress_ctx *ctx, const struct sw_packet *syn,
				 struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();

	if (!ctx || !syn || !inquiry || !finding)
		return 0;
	finding->handshake.crossing = SW_CROSSING_ANY;
	if (syn->facts & SW_PKT_LOOPBACK)
		return 1;
	if (!is_ours(&syn->dst))
		return !is_martian(ctx, syn, inquiry);
	finding->handshake.crossing = SW_CROSSING_NONE;
	return 1;
}

/*
 * Are both ends of a flow behind the interface by which a segment of it came? On a one-armed router, or one with two
 * networks behind an interface, they are, as the host's routes to them say. No stranger decides about these.
 */
static __always_inline bool are_both_there(ingress_ctx *ctx, const struct sw_addr *from,
					   const struct sw_addr *to)
{
	int here = ctx->ingress_ifindex;

	return route_of(ctx, from, to) == here && route_of(ctx, to, from) == here;
}

#endif
