/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ONE_SIDED_H
#define SYNWARD_ONE_SIDED_H

/*
 * Connections of which only the opener's direction passes here: they count as unfinished no more. Whoever spoofs
 * addresses can go on as they do, so what he says is not enough. The kernel knows of its own; of others, that their
 * service answers elsewhere; and what it answers here all the same, within half a second, keeps its place.
 */

#include "adopt.h"
#include "count.h"
#include "enforce.h"

/* Does a service answer elsewhere, as far as can be known? At an address of ours the kernel would have vouched. */
__noinline int answers_elsewhere(const struct sw_packet *packet, __u32 word)
{
	const struct sw_service_state *state;

	if (!packet || is_ours(&packet->dst))
		return 0;
	state = service_state_of(word, find_service(&packet->dst, packet->dport, word));
	return state && sw_answers_elsewhere(state, clock_ms64());
}

__noinline int follow_one_sided(const struct sw_packet *packet, const struct inquiry *inquiry,
				int known)
{
	struct sw_finding *finding = my_finding();
	struct sw_place place = {};
	__u32 key;

	if (!packet || !inquiry || !finding)
		return 0;
	key = sw_bucket_index(inquiry->hash, load.handshake_buckets);
	place.handshakes = bpf_map_lookup_elem(&handshakes, &key);
	place.owners = bpf_map_lookup_elem(&owners, &key);
	if (!place.handshakes || !place.owners)
		return 0;
	place.timeout_ms = settings.timeout_ms;
	place.now = inquiry->now;
	place.tag = sw_tag(inquiry->hash);
	sw_follow_one_sided(&place, packet, known, finding);
	return 0;
}

/* One that the kernel knows has been completed, whoever saw it. */
static __always_inline void note_known(const struct sw_packet *packet,
				       const struct inquiry *inquiry)
{
	struct sw_service_counters *mine;

	if (!policy_has(inquiry->policy, SW_HAS_FLOOD_DEFENCE))
		return;
	mine = service_counters(inquiry->policy, service_of(packet, SW_INGRESS, inquiry->policy));
	if (mine)
		mine->evidence[SW_EVIDENCE_COMPLETED]++;
}

/*
 * What becomes of an attempt whose opener goes on. Returns 1 if the kernel has the connection. Verified by itself, as
 * the programs have no stack left.
 */
__noinline int let_go_on(ingress_ctx *ctx, const struct sw_packet *packet,
			 const struct inquiry *inquiry)
{
	bool known;

	if (!packet || !inquiry)
		return 0;
	known = !load.replay && holds_connection(what_kernel_holds(ctx, packet, SW_INGRESS));
	if (known)
		note_known(packet, inquiry);
	if (known || answers_elsewhere(packet, inquiry->policy))
		follow_one_sided(packet, inquiry, known);
	return known;
}

#endif
