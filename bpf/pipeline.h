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

#include "lock.h" /* before core/follow.h, which needs it */

#include "adopt.h"
#include "clock.h"
#include "core/classify.h"
#include "core/decide.h"
#include "core/follow.h"
#include "core/hash.h"
#include "core/parse.h"
#include "core/sanity.h"
#include "count.h"
#include "emit.h"

/* What is known of a packet when the tables are asked. */
struct inquiry {
	__u64 hash;
	__u64 anomalies; /* the stateless ones */
	struct sw_now now;
	__u8 segment;	/* enum sw_segment */
	__u8 relation;	/* enum sw_relation */
	__u8 direction; /* enum sw_direction */
	__u8 pad[5];
};

/* One CPU handles one packet at a time, with softirqs off; its stack has no room for this. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_finding);
} findings SEC(".maps");

static __always_inline struct sw_finding *my_finding(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&findings, &key);
}

static __always_inline const struct sw_settings *current_settings(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&settings, &key);
}

/* Finds the two buckets of a flow. */
static __always_inline bool locate(__u64 hash, const struct sw_now *now, struct sw_place *place)
{
	__u32 handshake = sw_bucket_index(hash, load.handshake_buckets);
	__u32 connection = sw_bucket_index(hash, load.connection_buckets);
	const struct sw_settings *set = current_settings();

	place->handshakes = bpf_map_lookup_elem(&handshakes, &handshake);
	place->connections = bpf_map_lookup_elem(&connections, &connection);
	place->filter = bpf_map_lookup_elem(&connection_filter, &connection);
	if (!set || !place->handshakes || !place->connections || !place->filter)
		return false;
	place->timeout_ms = set->timeout_ms;
	place->tag = sw_tag(hash);
	place->now = *now;
	return true;
}

/* Is it, being plain, one of the many segments of a live connection that change nothing? */
static __always_inline bool is_routine(const struct sw_packet *packet,
				       const struct inquiry *inquiry)
{
	__u32 key = sw_bucket_index(inquiry->hash, load.connection_buckets);
	const struct sw_settings *set = current_settings();
	struct sw_place place = {
		.connections = bpf_map_lookup_elem(&connections, &key),
		.now = inquiry->now,
		.tag = sw_tag(inquiry->hash),
	};

	if (!set || !place.connections)
		return false;
	place.timeout_ms = set->timeout_ms;
	return sw_connection_quick(&place, packet, SW_SEGMENT_ACK);
}

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

	if (!packet || !inquiry || !finding || !locate(inquiry->hash, &inquiry->now, &place))
		return 1;
	/* not every routine segment is plain */
	if (!inquiry->anomalies && sw_connection_quick(&place, packet, inquiry->segment))
		return 1;
	settled = sw_follow_connection(&place, packet, inquiry->segment, finding, &relation);
	inquiry->relation = relation;
	return settled;
}

/* Asks the handshakes table. */
__noinline int follow_handshake(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_place place;

	if (!packet || !inquiry || !finding || !locate(inquiry->hash, &inquiry->now, &place))
		return 0;
	sw_follow_handshake(&place, packet, inquiry->segment, inquiry->relation, finding);
	return 0;
}

/* Enters a connection that the kernel vouches for. */
__noinline int follow_adopted(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_counters *mine = my_counters();
	struct sw_place place;

	if (!packet || !inquiry || !finding || !mine ||
	    !locate(inquiry->hash, &inquiry->now, &place))
		return 0;
	sw_follow_adopted(&place, packet, finding);
	mine->tallies[SW_TALLY_CONNECTIONS_ADOPTED]++;
	return 0;
}

/* Counts what was found and tells about it. Returns the verdict. */
__noinline int conclude(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	const struct sw_settings *set = current_settings();
	__u32 synack_to_ack_us = SW_LATENCY_UNKNOWN;
	const struct sw_handshake_step *step;
	struct sw_decision decision;
	__u64 armed;

	if (!packet || !inquiry || !finding || !set)
		return SW_VERDICT_PASSED;
	finding->anomalies |= inquiry->anomalies;
	if (is_uneventful(finding))
		return SW_VERDICT_PASSED;
	step = &finding->handshake;
	/* what leaves has been decided on by whoever sent it: only what comes in is dropped */
	armed = inquiry->direction == SW_INGRESS ? set->drop_anomalies : 0;
	decision = sw_decide(finding->anomalies & ~step->tolerated, armed, step->belongs);
	if (step->completed != SW_OUTCOME_NONE && step->ended.synack_us)
		synack_to_ack_us = clock_us() - step->ended.synack_us;
	count_finding(finding, &decision, synack_to_ack_us);
	if (step->end == SW_END_JUDGED || step->end == SW_END_EVICTED)
		emit_end(set, inquiry->now.ms, inquiry->direction, step, finding->anomalies,
			 synack_to_ack_us);
	if (step->stray != SW_OUTCOME_NONE)
		emit_packet(set, inquiry->now.ms, inquiry->direction, SW_EVENT_HANDSHAKE, packet,
			    finding->anomalies, step->stray, decision.verdict);
	else if (finding->anomalies & set->event_anomalies)
		emit_packet(set, inquiry->now.ms, inquiry->direction, SW_EVENT_ANOMALY, packet,
			    finding->anomalies, SW_OUTCOME_NONE, decision.verdict);
	return decision.verdict;
}

/* Judges the packet by itself. Returns false if there is nothing more to find out. */
static __always_inline bool judge_alone(const struct sw_packet *packet, struct inquiry *inquiry)
{
	inquiry->anomalies = examine(packet);
	inquiry->segment = sw_classify(packet, inquiry->anomalies);
	return inquiry->segment != SW_SEGMENT_NONE || inquiry->anomalies;
}

/* Asks the connections, then the handshakes, then the kernel. */
static __always_inline void follow(void *ctx, const struct sw_packet *packet,
				   struct inquiry *inquiry, const struct sw_finding *finding)
{
	struct sw_place place;

	if (!locate(inquiry->hash, &inquiry->now, &place))
		return;
	if (sw_connection_maybe(&place) && follow_connection(packet, inquiry))
		return;
	follow_handshake(packet, inquiry);
	if (finding->unknown && !load.replay && kernel_vouches(ctx, packet, inquiry->direction))
		follow_adopted(packet, inquiry);
}

/* Everything there is to find out about a packet, and what to do about it. */
static __always_inline enum sw_verdict inspect(void *ctx, const struct sw_packet *packet,
					       enum sw_direction direction)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	struct inquiry inquiry = { .direction = direction };
	bool plain = sw_is_plain(packet);
	struct sw_finding *finding;

	if (!plain && !judge_alone(packet, &inquiry))
		return SW_VERDICT_PASSED;
	inquiry.now.ms = clock_ms();
	/* before any table is read: the exact clock waits for all loads that are under way */
	if ((inquiry.segment == SW_SEGMENT_SYN || inquiry.segment == SW_SEGMENT_SYNACK) &&
	    may_time(inquiry.now.ms))
		inquiry.now.us = clock_us();
	inquiry.hash = sw_flow_hash(packet, seed);
	if (plain && (is_routine(packet, &inquiry) || !judge_alone(packet, &inquiry)))
		return SW_VERDICT_PASSED;

	finding = my_finding();
	if (!finding)
		return SW_VERDICT_PASSED;
	sw_finding_init(finding);
	if (inquiry.segment != SW_SEGMENT_NONE)
		follow(ctx, packet, &inquiry, finding);
	return conclude(packet, &inquiry);
}

#endif
