/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LEARN_H
#define SYNWARD_LEARN_H

/* Forwarded connections whose beginning was not seen: no kernel here vouches for them. */

#include "enforce.h"

/*
 * Both ends of a forwarded flow were heard, whose beginning we cannot have seen, or have forgotten. Is it taken for a
 * connection? One whose ends were heard apart counts as moved here, too, unless evictions explain it.
 */
__noinline int learn(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	const struct sw_finding *finding = my_finding();
	const struct sw_handshake_step *step;
	__u32 to, from, here;

	if (!packet || !inquiry || !finding)
		return false;
	step = &finding->handshake;
	to = find_service(&packet->dst, packet->dport, inquiry->policy);
	from = find_service(&packet->src, packet->sport, inquiry->policy);
	here = inquiry->direction == SW_INGRESS ? to : from;
	if (is_warming_up(inquiry->policy, here, load.slot) ||
	    is_warming_up(inquiry->policy, here, step->opposite & (SW_SIDE_OUT - 1)))
		return true;
	if (!step->apart || is_ours(&packet->dst) || is_ours(&packet->src))
		return step->heard;
	if (!step->heard && !is_suspended(inquiry->policy, to) &&
	    !is_suspended(inquiry->policy, from))
		return false;
	if (has_forgotten())
		return true;
	/* where both ends are of one service, the higher port is taken for the source's */
	if (to != from || packet->sport > packet->dport)
		note_moved(&packet->src, to, inquiry->policy);
	if (to != from || packet->sport <= packet->dport)
		note_moved(&packet->dst, from, inquiry->policy);
	return true;
}

static __always_inline bool is_learned(const struct sw_packet *packet,
				       const struct sw_finding *finding,
				       const struct inquiry *inquiry)
{
	return policy_has(inquiry->policy, SW_HAS_STRICT) && finding->handshake.two_sided &&
	       learn(packet, inquiry);
}

#endif
