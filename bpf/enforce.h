/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ENFORCE_H
#define SYNWARD_ENFORCE_H

/*
 * What is done about a packet. Allow-listed sources are looked for last: only what would lose a
 * packet asks for them, so that everybody else pays nothing.
 */

#include "inquiry.h"

#include "emit.h"
#include "core/sides.h"
#include "evidence.h"
#include "limits.h"
#include "policy.h"
#include "top.h"

/* Has the packet a source that a list may name? That of an error about TCP is what it quotes. */
static __always_inline bool has_source(const struct sw_packet *packet)
{
	return packet->kind != SW_KIND_ICMP_ERROR && packet->kind != SW_KIND_NOT_IP;
}

static __always_inline bool is_allowed(const struct sw_addr *source, __u32 lists)
{
	return lists & 1 << SW_LIST_ALLOW && list_lookup(SW_LIST_ALLOW, source);
}

static __always_inline bool enforces(const struct sw_policy *policy, __u32 service)
{
	return policy->rules[service & (SW_SERVICE_SLOTS - 1)].enforce && is_armed();
}

/* Tells who a segment with anomalies, that came in, is of. */
static __always_inline void note_anomalies(const struct sw_packet *packet, __u64 anomalies,
					   __u32 now_ms)
{
	if (anomalies & SW_TOP_ANOMALY_MASK && has_source(packet))
		top_note(&packet->src, SW_TOP_ANOMALIES, now_ms);
}

/* Counts for the packet's service that something was found, or dropped. */
static __always_inline void count_service(__u32 word, __u32 service, bool anomalous, bool completed,
					  enum sw_limit limit, bool dropped)
{
	struct sw_service_counters *mine;

	if (!policy_has(word, SW_HAS_SERVICES | SW_HAS_FLOOD_DEFENCE))
		return;
	mine = service_counters(word, service);
	if (!mine)
		return;
	mine->anomalies += anomalous;
	mine->completed += completed;
	mine->dropped += dropped;
	if (limit != SW_LIMIT_NONE)
		mine->limits[limit & (SW_LIMIT_SLOTS - 1)]++;
}

/*
 * Is the source of a packet that came in on a list that drops it? Returns the verdict. An error about a flow is of who
 * sends it, and for who sent what it quotes.
 */
__noinline int check_lists(const struct sw_packet *packet, __u32 word, __u32 lists)
{
	const struct sw_policy *policy = policy_of(word);
	enum sw_limit limit = SW_LIMIT_NONE;
	bool enforced, quotes;
	struct sw_addr source;
	__u32 service;

	if (!packet || !policy)
		return SW_VERDICT_PASSED;
	quotes = packet->kind == SW_KIND_ICMP_ERROR;
	source = quotes ? packet->told_by : packet->src;
	if (lists & 1 << SW_LIST_BLOCK && list_lookup(SW_LIST_BLOCK, &source))
		limit = SW_LIMIT_BLOCK_LIST;
	else if (lists & SW_LISTS_AUTO_BLOCK && is_auto_blocked(&source))
		limit = SW_LIMIT_AUTO_BLOCK;
	if (limit == SW_LIMIT_NONE || is_allowed(&source, lists))
		return SW_VERDICT_PASSED;
	service = service_of(packet, quotes ? SW_EGRESS : SW_INGRESS, word);
	enforced = enforces(policy, service);
	count_limit(limit, enforced);
	count_service(word, service, false, false, limit, enforced);
	if (enforced)
		return SW_VERDICT_DROPPED;
	score_suspect(&source, 0, 1ULL << (limit & 63), 0);
	return SW_VERDICT_PASSED;
}

#define CONNECTION_HAS_NUMBER 0x100

/* The state of a packet's connection in one bucket, as connection_state() has it. */
static __always_inline int connection_state_in(__u32 index, __u16 tag,
					       const struct sw_packet *packet, __u32 now_ms)
{
	const struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &index);
	const struct sw_now now = { .ms = now_ms };
	struct sw_connection_view view;
	__u32 way;

	if (!bucket)
		return -1;
	sw_connection_find(bucket, tag, packet, &now, settings.timeout_ms, &view);
	way = view.way & (SW_WAYS - 1);
	if (view.way >= SW_WAYS || is_given_up(bucket->states[way]))
		return -1;
	return bucket->states[way] |
	       (is_credible(&bucket->connections[way], packet, view.from_orig) ?
			CONNECTION_HAS_NUMBER :
			0);
}

/*
 * Looks for the connection of a packet, as the short way of its segments does, without a lock. Returns
 * its state, SW_CONN_*, and CONNECTION_HAS_NUMBER if the packet's may be that of its end; -1 if there is none.
 */
__noinline int connection_state(const struct sw_packet *packet, __u32 now_ms)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] }, hash;
	__u32 index;
	int state;

	if (!packet)
		return -1;
	hash = sw_flow_hash(packet, seed);
	index = sw_bucket_index(hash, load.connection_buckets);
	state = connection_state_in(index, sw_tag(hash), packet, now_ms);
	if (state >= 0)
		return state;
	index = sw_other_bucket(index, sw_tag(hash), load.connection_buckets);
	return connection_state_in(index, sw_tag(hash), packet, now_ms);
}

/* Is a packet one of a live connection, by its number, too? That only the two ends know. */
static __always_inline bool has_connection(const struct sw_packet *packet, __u32 now_ms)
{
	int state = connection_state(packet, now_ms);

	return state >= 0 && state & CONNECTION_HAS_NUMBER && !is_closed(state);
}

/*
 * Drops a packet for what it is by itself, before anything is asked about its flow: that is what
 * makes it cheap, and keeps it out of the tables. Returns the verdict.
 */
__noinline int drop_alone(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	const struct sw_standing standing = { .enforced = true };
	const struct sw_policy *policy;
	struct sw_decision decision;
	__u32 service;

	if (!packet || !inquiry)
		return SW_VERDICT_PASSED;
	policy = policy_of(inquiry->policy);
	if (!policy)
		return SW_VERDICT_PASSED;
	service = service_of(packet, SW_INGRESS, inquiry->policy) & (SW_SERVICE_SLOTS - 1);
	decision = sw_decide(inquiry->anomalies, &policy->rules[service], &standing);
	if (!decision.dropped || !enforces(policy, service) ||
	    is_allowed(&packet->src, inquiry->lists))
		return SW_VERDICT_PASSED;
	count_anomalies(inquiry->anomalies, decision.dropped, 0);
	note_anomalies(packet, inquiry->anomalies, clock_ms());
	count_service(inquiry->policy, service, true, false, SW_LIMIT_NONE, true);
	if (policy_has(inquiry->policy, SW_HAS_AUTO_BLOCK) &&
	    (!policy->auto_block.own_flows || has_connection(packet, clock_ms())))
		note_offence(&packet->src, inquiry->policy, clock_ms());
	if (inquiry->anomalies & settings.event_anomalies)
		emit_packet(clock_ms(), SW_INGRESS, SW_EVENT_ANOMALY, packet, inquiry->anomalies,
			    SW_OUTCOME_NONE, SW_VERDICT_DROPPED);
	return SW_VERDICT_DROPPED;
}

/* A SYN is over a limit: counts and tells. */
static __always_inline void meet_limit(const struct sw_packet *packet,
				       const struct inquiry *inquiry, bool dropped)
{
	const struct sw_policy *policy = policy_of(inquiry->policy);

	count_limit(inquiry->limit, dropped);
	count_service(inquiry->policy, inquiry->service, false, false, inquiry->limit, dropped);
	if (!policy)
		return;
	if (!dropped)
		score_suspect(&packet->src, 0, 1ULL << (inquiry->limit & 63), 0);
	/* many sources together fill a service: none of them is to blame for that */
	if (policy_has(inquiry->policy, SW_HAS_AUTO_BLOCK) &&
	    inquiry->limit != SW_LIMIT_HALF_OPEN_SERVICE && !policy->auto_block.own_flows)
		note_offence(&packet->src, inquiry->policy, inquiry->now.ms);
	emit_limit(inquiry->now.ms, packet, inquiry->limit, inquiry->service, policy->generation,
		   dropped ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED);
}

/* Takes a SYN that came in to its limits. Returns the verdict. */
__noinline int limit_syn(const struct sw_packet *packet, struct inquiry *inquiry)
{
	const struct sw_policy *policy;
	bool enforced;

	if (!packet || !inquiry)
		return SW_VERDICT_PASSED;
	policy = policy_of(inquiry->policy);
	if (!policy)
		return SW_VERDICT_PASSED;
	if (!policy_has(inquiry->policy, SW_HAS_SERVICES))
		inquiry->service = SW_SERVICE_DEFAULT;
	inquiry->limit = admit(&packet->src, inquiry->service, inquiry->policy);
	if (inquiry->limit == UNCOUNTED) {
		inquiry->limit = SW_LIMIT_NONE;
		return SW_VERDICT_PASSED;
	}
	if (inquiry->limit == SW_LIMIT_NONE) {
		inquiry->owner = sw_owner(inquiry->policy & SW_POLICY_SLOT_MASK, policy->generation,
					  inquiry->service);
		return SW_VERDICT_PASSED;
	}
	if (is_allowed(&packet->src, inquiry->lists)) {
		inquiry->limit = SW_LIMIT_NONE;
		return SW_VERDICT_PASSED;
	}
	enforced = enforces(policy, inquiry->service);
	if (inquiry->limit == SW_LIMIT_SYN_RATE) {
		meet_limit(packet, inquiry, enforced);
		return enforced ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED;
	}
	/* a SYN of a handshake that is known may pass: the limit is about new ones */
	inquiry->refuse = enforced;
	return SW_VERDICT_PASSED;
}

/* What was booked for a SYN, once its handshake has been looked for. Returns the verdict. */
__noinline int settle_limits(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	const struct sw_finding *finding = my_finding();
	const struct sw_handshake_step *step;
	struct sw_addr source;

	if (!packet || !inquiry || !finding)
		return SW_VERDICT_PASSED;
	step = &finding->handshake;
	if (inquiry->owner && !step->booked)
		release(&packet->src, inquiry->owner);
	if (finding->released) {
		source = step->ended.orig;
		release(&source, finding->released);
	}
	if (inquiry->limit == SW_LIMIT_NONE || inquiry->limit == SW_LIMIT_SYN_RATE ||
	    (!step->refused && !step->booked))
		return SW_VERDICT_PASSED;
	meet_limit(packet, inquiry, step->refused);
	return step->refused ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED;
}

/*
 * May a segment that belongs to nothing known be of a connection that was pushed out of its table? Whoever was, may
 * have been silent since for as long as one is remembered.
 */
static __always_inline bool has_forgotten(void)
{
	return settings.evicted_ms && (__s64)(clock_ms64() - settings.evicted_ms) <
					      settings.timeout_ms[SW_TIMEOUT_ESTABLISHED];
}

/* A live connection was pushed out. Once a second will do: every CPU reads what is written here. */
static __always_inline void note_eviction(void)
{
	__u64 now_ms = clock_ms64();

	if ((!settings.evicted_ms || now_ms - settings.evicted_ms >= 1000))
		settings.evicted_ms = now_ms;
}

/* Is a packet of a service whose strict rules wait? Then the answers that it sends pass, whatever they are sent to. */
static __always_inline bool comes_from_suspended(const struct sw_packet *packet, __u32 word)
{
	return policy_has(word, SW_HAS_SERVICES) &&
	       is_suspended(word, find_service(&packet->src, packet->sport, word));
}

/*
 * What is to be done about the anomalies that were found. It is not called by conclude(), as the
 * stack would be too deep for what looks at the lists.
 */
__noinline int decide(const struct sw_packet *packet, struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	const struct sw_policy *policy;
	struct sw_decision decision;
	struct sw_standing standing;
	__u64 anomalies;
	__u32 service;

	if (!packet || !inquiry || !finding)
		return 0;
	policy = policy_of(inquiry->policy);
	if (!policy)
		return 0;
	service = service_of(packet, inquiry->direction, inquiry->policy) & (SW_SERVICE_SLOTS - 1);
	inquiry->service = service;
	finding->anomalies |= inquiry->anomalies;
	if (finding->handshake.denies && policy->rules[service].strict)
		finding->anomalies |= SW_BIT(MIDSTREAM);
	anomalies = finding->anomalies & ~finding->handshake.tolerated;
	if (anomalies & SW_BIT(MIDSTREAM) &&
	    (has_forgotten() || (finding->handshake.repeats && !is_ours(&packet->dst))))
		anomalies &= ~SW_BIT(MIDSTREAM);
	if (sw_is_full(&finding->handshake.view))
		anomalies &= ~SW_BIT(UNSOLICITED_SYNACK); /* its SYN may have had to make way */
	standing.symmetric = finding->handshake.belongs;
	standing.ready = anomalies & sw_droppable(&policy->rules[service]) & SW_MASK_STRICT &&
			 is_ready(inquiry->policy, service) &&
			 !comes_from_suspended(packet, inquiry->policy);
	/* what leaves has been decided on by whoever sent it: only what comes in is dropped */
	standing.enforced = inquiry->direction == SW_INGRESS && enforces(policy, service);
	decision = sw_decide(anomalies, &policy->rules[service], &standing);
	finding->scored = (anomalies & SW_MASK_SCORED) | decision.would_drop;
	if ((decision.dropped || finding->scored) && is_allowed(&packet->src, inquiry->lists)) {
		decision = (struct sw_decision){ .verdict = SW_VERDICT_PASSED };
		finding->scored = 0;
	}
	inquiry->decision = decision;
	return 0;
}

/*
 * An attempt went on although only one of its sides was seen; its flow need not be the packet's. At an address of ours
 * that is no evidence: the kernel vouches for what is true of it, and the rest is made up. Nor is it beside another attempt
 * of its flow: the other end answers one of the two, and whoever knows of that one can make up the other.
 */
__noinline int note_one_sided(const struct sw_attempt *attempt, __u32 word)
{
	const __u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_service_state *state;
	struct sw_addr end;

	if (!attempt || attempt->beside)
		return 0;
	end = attempt->resp;
	if (is_ours(&end))
		return 0;
	state = service_state_of(word, find_service(&end, attempt->resp_port, word));
	end = attempt->orig;
	if (state)
		sw_saw_one_side(state, &end, seed, clock_ms64());
	return 0;
}

/* A connection of a source and a service goes on here whose beginning was not seen. */
static __always_inline void note_moved(const struct sw_addr *source, __u32 service, __u32 word)
{
	const __u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_service_state *state = service_state_of(word, service);

	if (state)
		sw_saw_moved(state, source, seed, clock_ms64());
}

/* An attempt at the packet's service was seen from both sides. */
static __always_inline void note_both_sides(const struct inquiry *inquiry)
{
	struct sw_service_state *state = service_state_of(inquiry->policy, inquiry->service);

	if (state)
		sw_saw_both_sides(state, clock_ms64());
}

/* What a packet says about its source: what it would have lost, and whether it is real. */
__noinline int note_evidence(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	const struct sw_handshake_step *step;
	const struct sw_policy *policy;
	bool offends, own;

	if (!packet || !inquiry || !finding)
		return 0;
	step = &finding->handshake;
	/* what a cookie has opened was seen from one: the answer was ours */
	if (step->completed == SW_OUTCOME_ACCEPTED && !step->opened)
		note_both_sides(inquiry);
	if (inquiry->direction != SW_INGRESS)
		return 0;
	own = inquiry->relation == SW_RELATION_LIVE && has_connection(packet, inquiry->now.ms);
	if (finding->scored && !inquiry->decision.dropped)
		score_suspect(&packet->src, finding->scored, 0, own);
	if (step->completed != SW_OUTCOME_NONE) {
		score_real(&packet->src);
		if (policy_has(inquiry->policy, SW_HAS_AUTO_BLOCK))
			prove_source(&packet->src, inquiry->now.ms);
	}
	policy = policy_of(inquiry->policy);
	offends = inquiry->decision.dropped || inquiry->decision.would_drop;
	if (offends && policy && policy_has(inquiry->policy, SW_HAS_AUTO_BLOCK) &&
	    (own || !policy->auto_block.own_flows))
		note_offence(&packet->src, inquiry->policy, inquiry->now.ms);
	return 0;
}

#endif
