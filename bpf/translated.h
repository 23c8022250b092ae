/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TRANSLATED_H
#define SYNWARD_TRANSLATED_H

/*
 * What conntrack knows of flows that this host forwards. Where addresses are translated (NAT) between two attached
 * interfaces, what answers comes in by another name than what was asked; conntrack knows both, so each flow goes by the
 * one under which it was opened. And of a flow of which the tables know nothing, conntrack may have seen both directions.
 *
 * Only what belongs to nothing known is asked about; where conntrack was not there at the attach, nothing is.
 */

#include "conntrack.h"
#include "inquiry.h"
#include "martian.h"
#include "policy.h"

/* What conntrack says of the flow of a segment that came in. */
enum tracked {
	TRACKED = 1 << 0,
	TRACKED_ANSWERS = 1 << 1, /* the segment is of who did not open it */
	TRACKED_BOTH = 1 << 2,	  /* both directions were seen to go on */
	TRACKED_RENAMED =
		1 << 3, /* the packet goes by the name now under which its flow was opened */
};

static __always_inline void take_name(struct sw_addr *addr, const union nf_inet_addr *from, bool v4)
{
	if (v4) {
		addr->words[3] = from->all[0];
		return;
	}
	addr->words[0] = from->all[0];
	addr->words[1] = from->all[1];
	addr->words[2] = from->all[2];
	addr->words[3] = from->all[3];
}

/* Of an answer. What an error quotes was sent by the opener, and has been translated. */
static __always_inline void rename_as_opened(struct sw_packet *packet, const struct nf_conn *known,
					     bool quoted)
{
	const struct nf_conntrack_tuple *opened = &known->tuplehash[CONNTRACK_ORIGINAL].tuple;
	bool v4 = sw_addr_is_v4(&packet->src);

	take_name(quoted ? &packet->src : &packet->dst, &opened->src.u3, v4);
	take_name(quoted ? &packet->dst : &packet->src, &opened->dst.u3, v4);
	packet->sport = sw_ntohs(quoted ? opened->src.u.all : opened->dst.u.all);
	packet->dport = sw_ntohs(quoted ? opened->dst.u.all : opened->src.u.all);
}

/* Returns TRACKED_*. Renames the packet where it is to. */
__noinline int ask_conntrack(ingress_ctx *ctx, struct sw_packet *packet, int rename)
{
	struct conntrack_options options = { .netns_id = -1, .protocol = WIRE_IP_TCP };
	struct bpf_sock_tuple tuple = {};
	struct nf_conn *known;
	int found = TRACKED;
	__u32 size, status;
	bool quoted;

	if (!ctx || !packet || !has_conntrack())
		return 0;
	quoted = packet->kind == SW_KIND_ICMP_ERROR;
	if (quoted)
		size = socket_tuple(&tuple, &packet->dst, packet->dport, &packet->src,
				    packet->sport);
	else
		size = socket_tuple(&tuple, &packet->src, packet->sport, &packet->dst,
				    packet->dport);
	known = ct_lookup_ingress(ctx, &tuple, size, &options, sizeof(options));
	if (!known)
		return 0;
	status = known->status;
	if (options.direction != CONNTRACK_ORIGINAL)
		found |= TRACKED_ANSWERS;
	if (status & CONNTRACK_SEEN_REPLY && status & CONNTRACK_ASSURED)
		found |= TRACKED_BOTH;
	if (rename && found & TRACKED_ANSWERS && status & CONNTRACK_NAT) {
		rename_as_opened(packet, known, quoted);
		found |= TRACKED_RENAMED;
	}
	bpf_ct_release(known);
	return found;
}

/* Is an attempt of that name being followed? Needs no lock: what that can cost is a question too many, or too few. */
static __always_inline bool opened_here(__u64 hash)
{
	__u32 key = sw_bucket_index(hash, load.handshake_buckets);
	const struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	__u16 tag = sw_tag(hash);

	for (__u32 way = 0; bucket && way < SW_WAYS; way++)
		if (bucket->tags[way] == tag && bucket->attempts[way].phase != SW_PHASE_STRAY &&
		    bucket->attempts[way].phase != SW_PHASE_SYNACK_FIRST)
			return true;
	return false;
}

/*
 * A segment that came in, of no connection, and no SYN. If it answers what has left here by another name, that is its name from now on.
 * Only where something is forwarded that was followed where it came in: else what leaves has the name of what answers.
 * Returns whether it was renamed.
 */
__noinline int is_renamed(ingress_ctx *ctx, struct sw_packet *packet, struct inquiry *inquiry)
{
	const __u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_finding *finding = my_finding();
	struct sw_addr from;

	if (!ctx || !packet || !inquiry || !finding || load.replay ||
	    !(settings.forwarders & forwarder_bit()) || inquiry->segment == SW_SEGMENT_ILLEGAL ||
	    inquiry->segment == SW_SEGMENT_UNDECODABLE || opened_here(inquiry->hash))
		return false;
	from = packet->src;
	finding->asked = true;
	finding->tracked = ask_conntrack(ctx, packet, true);
	if (!(finding->tracked & TRACKED_RENAMED))
		return false;
	finding->came_from = from;
	inquiry->hash = sw_flow_hash(packet, seed);
	return true;
}

/* What conntrack says of a flow that is forwarded, and whose segment goes by its own name. */
static __always_inline __u8 tracked_as(ingress_ctx *ctx, struct sw_packet *packet,
				       struct sw_finding *finding)
{
	if (!finding->asked && !is_ours(&packet->dst)) {
		finding->asked = true;
		finding->tracked = ask_conntrack(ctx, packet, false);
	}
	return finding->tracked;
}

/*
 * Where a segment is seen, as sw_side(), and whether that tells of which end it is not: where something is forwarded to. A
 * mirror port has no side, nor has a bridge that is told everything.
 */
static __always_inline __u8 where_seen(const struct inquiry *inquiry)
{
	__u8 side = sw_side(load.slot, inquiry->direction == SW_EGRESS);

	if (inquiry->direction == SW_INGRESS && settings.forwarders & forwarder_bit() &&
	    !policy_has(inquiry->policy, SW_HAS_HAIRPIN))
		side |= SW_SIDE_TELLS;
	return side;
}

/* Are both ends of what seems to come by the wrong side behind this interface? */
static __always_inline bool is_hairpin(ingress_ctx *ctx, const struct sw_packet *packet,
				       const struct inquiry *inquiry,
				       const struct sw_finding *finding)
{
	return !policy_has(inquiry->policy, SW_HAS_NO_HAIRPIN) &&
	       are_both_there(
		       ctx, finding->tracked & TRACKED_RENAMED ? &finding->came_from : &packet->src,
		       &packet->dst);
}

#endif
