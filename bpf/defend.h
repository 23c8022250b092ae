/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_DEFEND_H
#define SYNWARD_DEFEND_H

/*
 * What a SYN meets under a flood: it is answered in place, and nothing is remembered of it. What becomes of
 * the ACK that brings the cookie back is in take_cookie.h.
 */

#include "addressee.h"
#include "adopt.h"
#include "alike.h"
#include "cookie_keys.h"
#include "enforce.h"
#include "flood.h"
#include "raw_cookie.h"
#include "remembered.h"
#include "syn_fate.h"
#include "symptoms.h"

/* ---- which way */

/*
 * How floods to somebody are kept off: for whom we do not speak, there is no listener here to help. Of
 * whom nobody was heard yet, cookies may come back that were sent when somebody was. And of the kernel's
 * cookies, where it does not honour them, not even a policy can say that it does not matter who was heard.
 */
static __always_inline enum sw_flood_way way_to(const struct sw_addressee *addressee,
						enum sw_addressee_kind behind, __u32 policy)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	enum sw_flood_way way;

	if (!offer || behind == SW_HEARD_ELSEWHERE)
		return SW_WAY_CHALLENGE;
	way = offer->ways[policy & (SW_OFFER_WAYS - 1)];
	if (way == SW_WAY_KERNEL && addressee && heard_kind(addressee) == SW_HEARD_ELSEWHERE)
		return SW_WAY_CHALLENGE;
	return way;
}

/* The same of the destination of a packet that came in, if it was heard lately; *behind: who it is. */
static __always_inline enum sw_flood_way way_to_destination(const struct sw_packet *packet,
							    const struct inquiry *inquiry,
							    enum sw_addressee_kind *behind)
{
	const struct sw_addressee *addressee = find_addressee(&packet->dst, packet->dport);

	*behind = who_is_behind(addressee, &packet->dst, inquiry->policy, inquiry->now.ms);
	return way_to(addressee, *behind, inquiry->policy);
}

/* ---- SYNs */

/* Is so much going on that no SYN may go into a listener's queue, whoever has sent it? */
static __always_inline bool is_flooded(const struct sw_flood_state *state,
				       const struct sw_flood_rules *rules)
{
	return state->half_open >= rules->half_open || state->syn_rate >= rules->syn_rate;
}

/* Of a source that has proven itself: does its SYN pass? */
static __always_inline bool passes_verified(const struct sw_flood_state *state,
					    const struct sw_flood_rules *rules, __u64 source,
					    __u32 now_ms, enum sw_flood_way way)
{
	/* whoever is challenged has no other way in */
	if (way != SW_WAY_CHALLENGE && is_flooded(state, rules))
		return false;
	return passes_remembered(source, now_ms, way == SW_WAY_CHALLENGE);
}

/* What wants_answer() says of a SYN that passes, and of one for whose connection there is no room. */
#define LET_PASS SW_FLOOD_WAY_COUNT
#define NO_ROOM	 (SW_FLOOD_WAY_COUNT + 1)

/* With the way, how to answer: */
#define SAID_WAY_MASK  0xffU
#define SAID_NO_WSCALE (1U << 8) /* no window scale is agreed on */
#define SAID_BY_TC     SEND_BY_TC
#define SAID_BY_ROUTE  SEND_BY_ROUTE
#define SAID_REMEDIES  (1U << 11) /* with_remedies() has more to say */
#define SAID_SAMPLED   (1U << 12) /* it is remembered that it was answered */
#define SAID_MSS_SHIFT 16	  /* the MSS to tell; 0: that of the interface */

/*
 * By which way a SYN is answered if nothing speaks for it: LET_PASS also where nobody answers, or where it
 * is time to hear that. The kernel honours its cookies only while it sends some itself, so it has to
 * be heard doing so, whatever the policy says.
 */
static __always_inline __u32 way_of_syn(const struct sw_packet *syn, const struct inquiry *inquiry,
					struct sw_addressee *addressee)
{
	enum sw_addressee_kind behind = who_is_behind(addressee, &syn->dst, inquiry->policy,
						      inquiry->now.ms);
	enum sw_flood_way way = way_to(addressee, behind, inquiry->policy);
	struct sw_service_counters *mine;
	bool must_hear = way == SW_WAY_KERNEL || !policy_has(inquiry->policy, SW_HAS_UNHEARD);
	bool by_tc = must_be_sent_by_tc(addressee) || (must_hear && has_lost_tags(syn, addressee));

	if (behind != SW_NOBODY_HEARD &&
	    (way != SW_WAY_KERNEL || is_heard(addressee, inquiry->now.ms)) &&
	    (!by_tc || tc_runs(tc_note(), inquiry->now.ms))) {
		if (must_hear && is_asked_again(syn, addressee, inquiry->now.ms)) {
			/* a lone client's second try may be just the one */
			note_sampled(inquiry, syn->seq, SAMPLED_PASSES);
			return LET_PASS;
		}
		if (must_hear && behind == SW_HEARD_HERE && is_full(addressee, inquiry->now.ms))
			return NO_ROOM;
		return way | (by_tc ? SAID_BY_TC : 0) |
		       (addressee ? addressee->mss : 0) << SAID_MSS_SHIFT;
	}
	mine = service_counters(inquiry->policy, inquiry->service);
	if (mine)
		mine->evidence[SW_EVIDENCE_UNHEARD]++;
	return LET_PASS;
}

/* What wants_answer() says where something has helped, or is tried. */
__noinline int with_remedies(const struct sw_packet *syn, const struct inquiry *inquiry, __u32 said)
{
	const struct sw_flood_state *state;

	if (!syn || !inquiry)
		return said;
	state = flood_of(inquiry->policy, inquiry->service);
	if (!state)
		return said;
	if (state->remedies & SW_REMEDY_CONNTRACK)
		said |= SAID_NO_WSCALE;
	/* what is for somebody behind a bridge has no route here */
	if (state->remedies & SW_REMEDY_TC && !(said & SAID_BY_TC) &&
	    tc_runs(tc_note(), inquiry->now.ms))
		said |= SAID_BY_TC | (is_ours(&syn->dst) ? SAID_BY_ROUTE : 0);
	return said;
}

/* Are some of a service's SYNs remembered, for the self-check? */
static __always_inline bool samples(const struct sw_flood_rules *rules)
{
	return rules->self_check && !load.replay;
}

/*
 * Is the SYN to be answered instead of passing? Returns by which enum sw_flood_way, and how, LET_PASS or
 * NO_ROOM. A SYN whose flow is a connection goes on: its server has the right to ask
 * back (RFC 5961 section 4). So does one that is repeated, since its SYN-ACK was lost before the flood
 * was noticed: the server remembers it, and would reset whoever brought back another number.
 */
__noinline int wants_answer(const struct sw_packet *packet, const struct inquiry *inquiry,
			    struct sw_addressee *addressee)
{
	const struct sw_flood_rules *rules;
	const struct sw_policy *policy;
	struct sw_flood_state *state;
	__u64 source;
	__u32 said;

	if (!packet || !inquiry)
		return LET_PASS;
	policy = policy_of(inquiry->policy);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!policy || !state)
		return LET_PASS;
	source = memory_hash(&packet->src);
	sketch_source(state, source);
	rules = &policy->rules[inquiry->service & (SW_SERVICE_SLOTS - 1)].flood;
	if (!state->on || rules->mode == SW_FLOOD_OFF || !sw_is_answerable(packet) ||
	    stands_aside(state, inquiry->hash) || !enforces(policy, inquiry->service) ||
	    is_allowed(&packet->src, inquiry->lists))
		return LET_PASS;
	said = way_of_syn(packet, inquiry, addressee);
	if (said == LET_PASS ||
	    passes_verified(state, rules, source, inquiry->now.ms, said & SAID_WAY_MASK) ||
	    (may_have_connection(inquiry->hash) &&
	     connection_state(packet, inquiry->now.ms) >= 0) ||
	    has_attempt(packet, inquiry))
		return LET_PASS;
	if (samples(rules) && sw_is_sampled(inquiry->hash, state->sample_shift) &&
	    said != NO_ROOM && !(packet->options & SW_OPT_SIGNED)) {
		touch_answered(inquiry->hash);
		said |= SAID_SAMPLED;
	}
	return state->remedies ? said | SAID_REMEDIES : said;
}

/* What a SYN is answered with, as wants_answer() has said. Returns 1, or 0 if it has to pass. */
__noinline int make_answer(const struct sw_packet *syn, struct sw_cookie_answer *answer, __u32 said,
			   __u32 now_ms)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = active_cookie_keys();
	__u32 way = said & SAID_WAY_MASK, mss = said >> SAID_MSS_SHIFT;
	long cookie;

	if (!offer || !keys || !syn || !answer || !offer->ttl)
		return 0;
	if (way == SW_WAY_HANDOVER) {
		sw_cookie_make(keys, my_cookie_memos(), offer, syn, now_ms, answer);
		if (mss)
			answer->mss = mss;
		return 1;
	}
	if (way == SW_WAY_CHALLENGE)
		return sw_challenge_make(keys, my_cookie_memos(), syn, now_ms, answer);
	cookie = kernel_cookie(syn);
	if (cookie < 0)
		return 0;
	answer->seq = cookie;
	answer->ack = syn->seq + 1;
	answer->mss = mss ? mss : sw_addr_is_v4(&syn->src) ? offer->mss4 : offer->mss6;
	answer->window = offer->window;
	answer->ttl = offer->ttl;
	return 1;
}

/*
 * Writes down how a SYN has been answered, if it holds for all others of this tick, too. It does not where sources are
 * asked for by lists, or those that have proven themselves may pass, nor where a listener's queue may be full in no time.
 */
static __always_inline void note_if_usual(const struct sw_packet *syn,
					  const struct inquiry *inquiry,
					  const struct sw_addressee *addressee, __u64 hash,
					  __u32 said)
{
	const struct sw_policy *policy = policy_of(inquiry->policy);
	const struct sw_flood_state *state = flood_of(inquiry->policy, inquiry->service);
	const struct sw_flood_rules *rules;

	if (!policy || !state || (said & SAID_WAY_MASK) != SW_WAY_HANDOVER ||
	    said & (SAID_NO_WSCALE | SAID_BY_TC | SAID_BY_ROUTE | SAID_REMEDIES) ||
	    inquiry->lists & 1 << SW_LIST_ALLOW || (addressee && addressee->few))
		return;
	rules = &policy->rules[inquiry->service & (SW_SERVICE_SLOTS - 1)].flood;
	if (is_flooded(state, rules))
		note_alike(syn, inquiry, hash, said >> SAID_MSS_SHIFT, samples(rules));
}

/* Answers a SYN if it has to be. */
static __always_inline enum syn_fate answer_syn(ingress_ctx *ctx, struct sw_packet *syn,
						struct inquiry *inquiry, __u64 hash)
{
	struct sw_addressee *addressee = addressee_of(hash);
	struct sw_cookie_answer answer = {};
	__u32 said, way;

	if (!load.replay && is_time_to_look(inquiry, addressee)) {
		look_at_listener(ctx, syn, inquiry, hash);
		look_at_probes_in_time(ctx, inquiry);
	}
	said = wants_answer(syn, inquiry, addressee);
	if (said & SAID_REMEDIES)
		said = with_remedies(syn, inquiry, said);
	way = said & SAID_WAY_MASK;
	if (said & SAID_NO_WSCALE)
		syn->options &= ~SW_OPT_WSCALE; /* as if it had not asked for that */
	if (way == NO_ROOM) {
		count_limit(SW_LIMIT_ACCEPT_QUEUE, true);
		count_service(inquiry->policy, inquiry->service, false, false,
			      SW_LIMIT_ACCEPT_QUEUE, false); /* dropped: by count_syn() */
		return SYN_NO_ROOM;
	}
	if (way == LET_PASS ||
	    (syn->options & SW_OPT_SIGNED && !load.replay && checks_signatures(ctx, syn)) ||
	    !make_answer(syn, &answer, said, inquiry->now.ms) ||
	    (said & SAID_SAMPLED && note_sampled(inquiry, syn->seq, sampled_way(way))) ||
	    !may_answer(ctx, said))
		return SYN_PASSES;
	if (!put_answer(ctx, inquiry->tcp, syn, &answer))
		return SYN_UNSENT;
	if (way == SW_WAY_CHALLENGE)
		return SYN_GETS_CHALLENGE;
	note_if_usual(syn, inquiry, addressee, hash, said);
	return SYN_GETS_COOKIE;
}

#endif
