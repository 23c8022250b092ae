/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_PIPELINE_H
#define SYNWARD_PIPELINE_H

/*
 * The way of one packet: parse, sanity, classify, follow, decide, count and emit.
 *
 * The functions that are not static are verified each by itself, once, whoever calls them: inlined
 * into one program, the verifier would walk every path through one for every path to it. They
 * return 0 unless they say otherwise, and find the working memory of their CPU by themselves.
 */

#include "inquiry.h" /* before core/follow.h, which needs it */

#include "adopt.h"
#include "clock.h"
#include "core/classify.h"
#include "core/hash.h"
#include "core/parse.h"
#include "core/sanity.h"
#include "count.h"
#include "emit.h"
#include "enforce.h"
#include "glimpse.h"
#include "learn.h"
#include "martian.h"
#include "one_sided.h"
#include "routine.h"
#include "syn_fate.h"
#include "take_cookie.h"
#include "translated.h"

/* The packet's stateless anomalies: a dozen independent bits, hence thousands of paths. */
__noinline __u64 examine(const struct sw_packet *packet)
{
	return packet ? sw_sanity(packet) : 0;
}

/* Asks the connections table. Returns 1 if that settles it. */
__noinline int follow_connection(const struct sw_packet *packet, struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	enum sw_relation relation = SW_RELATION_NONE;
	struct sw_place place;
	bool settled;

	if (!packet || !inquiry || !finding ||
	    !locate(packet, inquiry->hash, &inquiry->now, &place))
		return 1;
	place.side = inquiry->side;
	/* not every routine segment is plain */
	if (!inquiry->anomalies && sw_connection_quick(&place, packet, inquiry->segment))
		return 1;
	settled = sw_follow_connection(&place, packet, inquiry->segment, finding, &relation);
	inquiry->relation = relation;
	return settled;
}

/*
 * A handshake has the timeouts of its responder's service: where a SYN goes to, and a SYN-ACK comes
 * from. Other segments may be of either end.
 */
__noinline int service_for_timeouts(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	int service;

	if (!packet || !inquiry)
		return SW_SERVICE_DEFAULT;
	if (inquiry->segment == SW_SEGMENT_SYNACK)
		return find_service(&packet->src, packet->sport, inquiry->policy);
	service = find_service(&packet->dst, packet->dport, inquiry->policy);
	if (service != SW_SERVICE_DEFAULT || inquiry->segment == SW_SEGMENT_SYN)
		return service;
	return find_service(&packet->src, packet->sport, inquiry->policy);
}

/* Asks the handshakes table. Returns 1 if the connections table is to hear of it. */
__noinline int follow_handshake(const struct sw_packet *packet, const struct inquiry *inquiry,
				__u32 service)
{
	struct sw_finding *finding = my_finding();
	const struct sw_policy *policy;
	struct sw_place place = {};
	__u32 key;

	if (!packet || !inquiry || !finding)
		return 0;
	policy = policy_of(inquiry->policy);
	if (!policy)
		return 0;
	place.timeout_ms = policy->rules[service & (SW_SERVICE_SLOTS - 1)].timeout_ms;
	key = sw_bucket_index(inquiry->hash, load.handshake_buckets);
	place.handshakes = bpf_map_lookup_elem(&handshakes, &key);
	place.owners = bpf_map_lookup_elem(&owners, &key);
	place.hint = hint_in(handshake_hints, key);
	if (!place.handshakes || !place.owners || !place.hint)
		return 0;
	place.now = inquiry->now;
	place.tag = sw_tag(inquiry->hash);
	place.side = inquiry->side;
	finding->owned = policy_has(inquiry->policy, SW_HAS_HALF_OPEN | SW_HAS_OWNERS);
	finding->owner = inquiry->owner;
	finding->handshake.refuse = inquiry->refuse;
	return sw_follow_handshake(&place, packet, inquiry->segment, inquiry->relation, finding);
}

/* Tells the connections table, after find_room(). */
__noinline int tell_connections(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_place place;

	if (packet && inquiry && finding &&
	    go_to(finding->room, inquiry->hash, &inquiry->now, &place))
		sw_tell_connections(&place, packet, finding);
	return 0;
}

/*
 * Enters a connection that the kernel vouches for, or both of whose ends we have heard. That the
 * segment was one of nothing known to us is counted, and is no reason to drop it.
 */
__noinline int follow_adopted(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_counters *mine = my_counters();
	struct sw_place place;

	if (!packet || !inquiry || !finding || !mine ||
	    !go_to(finding->room, inquiry->hash, &inquiry->now, &place))
		return 0;
	sw_follow_adopted(&place, packet, finding);
	finding->handshake.tolerated |= SW_BIT(MIDSTREAM);
	mine->tallies[SW_TALLY_CONNECTIONS_ADOPTED]++;
	return 0;
}

/* Counts what was found and tells about it. Returns the verdict. */
__noinline int conclude(const struct sw_packet *packet, struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	__u32 synack_to_ack_us = SW_LATENCY_UNKNOWN;
	const struct sw_handshake_step *step;
	const struct sw_decision *decision;

	if (!packet || !inquiry || !finding)
		return SW_VERDICT_PASSED;
	decision = &inquiry->decision;
	if (is_uneventful(finding))
		return SW_VERDICT_PASSED;
	if (finding->connection.evicted || finding->connection.forgot)
		note_eviction();
	if (finding->handshake.end == SW_END_EVICTED && load.followed &&
	    !policy_has(inquiry->policy, FOLLOWS_ALL))
		keep_evicted(inquiry->now.ms);
	if (inquiry->direction == SW_INGRESS)
		note_anomalies(packet, finding->anomalies, inquiry->now.ms);
	step = &finding->handshake;
	if (finding->anomalies || step->completed != SW_OUTCOME_NONE) {
		note_evidence(packet, inquiry);
		count_service(inquiry->policy, inquiry->service, finding->anomalies,
			      step->completed != SW_OUTCOME_NONE, SW_LIMIT_NONE, decision->dropped);
	}
	if (step->end == SW_END_JUDGED && step->outcome == SW_OUTCOME_ONE_SIDED)
		note_one_sided(&step->ended, inquiry->policy);
	if (step->completed != SW_OUTCOME_NONE && step->ended.synack_us)
		synack_to_ack_us = clock_us() - step->ended.synack_us;
	count_finding(finding, decision, synack_to_ack_us);
	if (step->end == SW_END_JUDGED || step->end == SW_END_EVICTED)
		emit_end(inquiry->now.ms, inquiry->direction, step, packet, finding->anomalies,
			 synack_to_ack_us);
	if (step->stray != SW_OUTCOME_NONE)
		emit_packet(inquiry->now.ms, inquiry->direction, SW_EVENT_HANDSHAKE, packet,
			    finding->anomalies, step->stray, decision->verdict);
	else if (finding->anomalies & settings.event_anomalies)
		emit_packet(inquiry->now.ms, inquiry->direction, SW_EVENT_ANOMALY, packet,
			    finding->anomalies, SW_OUTCOME_NONE, decision->verdict);
	return decision->verdict;
}

/* Judges the packet by itself. Returns false if there is nothing more to find out. */
static __always_inline bool judge_alone(const struct sw_packet *packet, struct inquiry *inquiry)
{
	if (sw_is_usual_syn(packet)) {
		inquiry->segment = SW_SEGMENT_SYN;
		return true;
	}
	inquiry->anomalies = examine(packet);
	inquiry->segment = sw_classify(packet, inquiry->anomalies);
	return inquiry->segment != SW_SEGMENT_NONE || inquiry->anomalies;
}

/* Can a segment that comes in answer, reject or end something, whatever is known of its flow? */
static __always_inline bool may_end_something(const struct sw_packet *packet,
					      const struct inquiry *inquiry)
{
	return inquiry->segment == SW_SEGMENT_SYNACK || inquiry->segment == SW_SEGMENT_RST ||
	       (inquiry->segment == SW_SEGMENT_ACK && packet->flags & WIRE_TCP_FIN);
}

/* Takes a SYN that came in to the handshakes. */
static __always_inline void follow_syn(void *ctx, const struct sw_packet *syn,
				       struct inquiry *inquiry, struct sw_finding *finding,
				       __u32 service)
{
	finding->handshake.crossing = SW_CROSSING_ASKS;
	follow_handshake(syn, inquiry, service);
	if (finding->handshake.crossing == SW_CROSSING_ASKED &&
	    find_out_crossing(ctx, syn, inquiry))
		follow_handshake(syn, inquiry, service);
}

/* The handshakes again, after a look at whether a side tells anything. Returns as follow_handshake() does. */
static __always_inline bool follow_by_side(void *ctx, const struct sw_packet *packet,
					   struct inquiry *inquiry, struct sw_finding *finding,
					   __u32 service, enum sw_direction direction)
{
	bool told;

	if (direction == SW_INGRESS && inquiry->segment == SW_SEGMENT_SYN) {
		follow_syn(ctx, packet, inquiry, finding, service);
		return false;
	}
	told = follow_handshake(packet, inquiry, service);
	if (direction != SW_INGRESS || !(finding->anomalies & SW_BIT(WRONG_SIDE)) ||
	    !is_hairpin(ctx, packet, inquiry, finding))
		return told;
	finding->anomalies &= ~SW_BIT(WRONG_SIDE);
	finding->handshake.anomalies &= ~SW_BIT(WRONG_SIDE);
	inquiry->side &= ~SW_SIDE_TELLS;
	return follow_handshake(packet, inquiry, service);
}

/*
 * Asks the connections, then the handshakes, then the kernel; and between them, under a flood,
 * whether the packet brings a cookie back. Returns the verdict.
 */
static __always_inline enum sw_verdict follow(void *ctx, struct sw_packet *packet,
					      struct inquiry *inquiry, struct sw_finding *finding,
					      enum sw_direction direction)
{
	__u32 service = SW_SERVICE_DEFAULT;
	enum holding held = HOLDS_NOTHING;

	if (direction == SW_INGRESS && may_end_something(packet, inquiry) &&
	    is_martian(ctx, packet, inquiry))
		return SW_VERDICT_PASSED;
	if (may_have_connection(inquiry->hash) && follow_connection(packet, inquiry))
		return SW_VERDICT_PASSED;
	if (direction == SW_INGRESS && inquiry->segment != SW_SEGMENT_SYN &&
	    inquiry->relation == SW_RELATION_NONE && is_renamed(ctx, packet, inquiry) &&
	    may_have_connection(inquiry->hash) && follow_connection(packet, inquiry))
		return SW_VERDICT_PASSED;
	if (direction == SW_INGRESS && inquiry->segment == SW_SEGMENT_ACK &&
	    inquiry->relation == SW_RELATION_NONE && packet->link_length &&
	    policy_has(inquiry->policy, SW_HAS_FLOOD_DEFENCE)) {
		switch (bring_cookie(ctx, packet, inquiry)) {
		case COOKIE_VALID:
			return SW_VERDICT_PASSED;
		case COOKIE_BAD:
			return SW_VERDICT_DROPPED;
		case COOKIE_NOT_ASKED:
			break;
		}
	}
	if (direction == SW_INGRESS && inquiry->segment == SW_SEGMENT_RST &&
	    policy_has(inquiry->policy, SW_HAS_FLOOD_DEFENCE) &&
	    take_challenge_answer(packet, inquiry) == SW_VERDICT_DROPPED)
		return SW_VERDICT_DROPPED;
	if (direction == SW_INGRESS && inquiry->segment == SW_SEGMENT_ACK &&
	    is_martian(ctx, packet, inquiry))
		return SW_VERDICT_PASSED;
	if (may_be_recognised(inquiry) &&
	    (recognise(packet, inquiry) ||
	     (direction == SW_INGRESS && inquiry->segment == SW_SEGMENT_SYNACK &&
	      recognise_beside(ctx, packet, inquiry)))) {
		if (finding->handshake.completed != SW_OUTCOME_NONE) {
			find_room(packet, inquiry);
			tell_connections(packet, inquiry);
		}
		return SW_VERDICT_PASSED;
	}
	if (policy_has(inquiry->policy, SW_HAS_SERVICE_TIMEOUTS))
		service = service_for_timeouts(packet, inquiry);
	if (follow_by_side(ctx, packet, inquiry, finding, service, direction)) {
		find_room(packet, inquiry);
		tell_connections(packet, inquiry);
	}
	if (finding->handshake.goes_on && direction == SW_INGRESS &&
	    policy_has(inquiry->policy, SW_HAS_HALF_OPEN | SW_HAS_OWNERS) &&
	    let_go_on(ctx, packet, inquiry))
		held = HOLDS_CONNECTION;
	else if (finding->unknown && !load.replay)
		held = what_kernel_holds(ctx, packet, inquiry->direction);
	if (holds_connection(held) || (held == HOLDS_NOTHING && finding->unknown &&
				       (is_learned(packet, finding, inquiry) ||
					(direction == SW_INGRESS && !load.replay &&
					 tracked_as(ctx, packet, finding) & TRACKED_BOTH)))) {
		find_room(packet, inquiry);
		follow_adopted(packet, inquiry);
		if (load.followed && held == HOLDS_BEGINNING)
			count_beginning(packet, inquiry);
	} else if (held == HOLDS_ATTEMPT) {
		finding->handshake.tolerated |= SW_BIT(MIDSTREAM);
	}
	return SW_VERDICT_PASSED;
}

/* What a SYN that came in meets before its handshake is looked for. Returns the verdict. */
static __always_inline enum sw_verdict receive_syn(void *ctx, struct sw_packet *packet,
						   struct inquiry *inquiry, __u64 addressee)
{
	int fate = SYN_PASSES;

	top_note(&packet->src, SW_TOP_SYNS, inquiry->now.ms);
	if (policy_has(inquiry->policy, SW_HAS_SERVICES | SW_HAS_FLOOD_DEFENCE)) {
		fate = policy_has(inquiry->policy, SW_HAS_FLOOD_DEFENCE) && honours_cookies() ?
			       answer_alike(ctx, packet, inquiry, addressee) :
			       NOT_ALIKE;
		if (fate == NOT_ALIKE) {
			inquiry->service = service_of(packet, SW_INGRESS, inquiry->policy);
			fate = policy_has(inquiry->policy, SW_HAS_FLOOD_DEFENCE) ?
				       answer_syn(ctx, packet, inquiry, addressee) :
				       SYN_PASSES;
		}
		count_syn(inquiry, fate);
		if (fate != SYN_PASSES)
			return verdict_on_syn(fate);
	}
	if (policy_has(inquiry->policy, SW_HAS_SYN_RATE | SW_HAS_HALF_OPEN))
		return limit_syn(packet, inquiry);
	return SW_VERDICT_PASSED;
}

/*
 * Decides, and once more if what is to be dropped turns out to be awaited: a SYN-ACK of whose SYN nothing is known any
 * more, or was never seen. Nobody else pays for the question.
 */
static __always_inline void judge(void *ctx, struct sw_packet *packet, struct inquiry *inquiry,
				  struct sw_finding *finding, enum sw_direction direction)
{
	decide(packet, inquiry);
	if (direction != SW_INGRESS || load.replay ||
	    !((inquiry->decision.dropped | inquiry->decision.would_drop) &
	      SW_BIT(UNSOLICITED_SYNACK)) ||
	    (!is_awaited(ctx, packet) && !(tracked_as(ctx, packet, finding) & TRACKED_ANSWERS)))
		return;
	finding->handshake.tolerated |= SW_BIT(UNSOLICITED_SYNACK);
	decide(packet, inquiry);
}

/* The tag of what is sent, which lies beside the frame where the device puts it in. */
static __always_inline void note_tag(const struct __sk_buff *skb, struct sw_packet *packet)
{
	if (!skb->vlan_present)
		return;
	packet->vlans[1] = packet->vlans[0];
	packet->vlans[0] = sw_vlan(skb->vlan_tci);
}

/*
 * Everything there is to find out about a packet, and what to do about it. tcp is where in the frame
 * its TCP header is, if it has one. SW_VERDICT_ANSWERED: the frame is the answer now.
 */
static __always_inline enum sw_verdict inspect(void *ctx, struct sw_packet *packet, __u32 tcp,
					       enum sw_direction direction)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	struct inquiry inquiry = { .direction = direction, .limit = SW_LIMIT_NONE, .tcp = tcp };
	bool plain = sw_is_plain(packet), limited = false;
	struct sw_finding *finding;
	enum sw_verdict verdict;
	__u64 destination;

	inquiry.policy = *(volatile const __u32 *)&settings.policy;
	inquiry.lists = settings.lists | (settings.auto_blocks ? SW_LISTS_AUTO_BLOCK : 0);
	if (direction == SW_INGRESS && inquiry.lists & ~(1U << SW_LIST_ALLOW) &&
	    packet->kind != SW_KIND_NOT_IP &&
	    check_lists(packet, inquiry.policy, inquiry.lists) == SW_VERDICT_DROPPED)
		return SW_VERDICT_DROPPED;
	if (!plain && !judge_alone(packet, &inquiry))
		return SW_VERDICT_PASSED;
	if (direction == SW_INGRESS && inquiry.anomalies &&
	    policy_has(inquiry.policy, SW_HAS_ENFORCE) &&
	    drop_alone(packet, &inquiry) == SW_VERDICT_DROPPED)
		return SW_VERDICT_DROPPED;
	inquiry.now.ms = clock_ms();
	/* of SYNs, one in each tick does so */
	if (direction == SW_INGRESS && inquiry.segment != SW_SEGMENT_SYN &&
	    policy_has(inquiry.policy, SW_HAS_FLOOD_DEFENCE) && !load.replay)
		look_at_probes_in_time(ctx, &inquiry);
	destination = mix_end(&packet->dst, packet->dport, seed);
	inquiry.hash = sw_flow_hash_to(packet, destination, seed);
	if (direction == SW_INGRESS && inquiry.segment == SW_SEGMENT_SYN) {
		verdict = receive_syn(ctx, packet, &inquiry, addressee_hash(destination));
		if (verdict != SW_VERDICT_PASSED)
			return verdict;
		limited = inquiry.owner || inquiry.limit != SW_LIMIT_NONE;
	}
	if (load.followed && !inquiry.anomalies && is_only_counted(packet, &inquiry, limited))
		return SW_VERDICT_PASSED;
	/* before any table is read: the exact clock waits for all loads that are under way */
	if ((inquiry.segment == SW_SEGMENT_SYN || inquiry.segment == SW_SEGMENT_SYNACK) &&
	    may_time(inquiry.now.ms))
		inquiry.now.us = clock_us();
	if (plain && (is_routine(packet, &inquiry) || !judge_alone(packet, &inquiry)))
		return SW_VERDICT_PASSED;

	finding = my_finding();
	if (!finding)
		return SW_VERDICT_PASSED;
	sw_finding_init(finding);
	inquiry.side = where_seen(&inquiry);
	if (inquiry.segment != SW_SEGMENT_NONE &&
	    follow(ctx, packet, &inquiry, finding, direction) == SW_VERDICT_DROPPED)
		return SW_VERDICT_DROPPED;
	if ((limited || finding->released) && settle_limits(packet, &inquiry) == SW_VERDICT_DROPPED)
		return SW_VERDICT_DROPPED;
	if (policy_has(inquiry.policy, SW_HAS_FLOOD_DEFENCE))
		note_symptoms(packet, &inquiry);
	if (finding->anomalies | inquiry.anomalies ||
	    finding->handshake.completed != SW_OUTCOME_NONE)
		judge(ctx, packet, &inquiry, finding, direction);
	if (direction == SW_EGRESS)
		note_tag(ctx, packet);
	return conclude(packet, &inquiry);
}

#endif
