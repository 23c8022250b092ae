/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TAKE_COOKIE_H
#define SYNWARD_TAKE_COOKIE_H

/*
 * What comes back of what SYNs were answered with: the ACK that brings a cookie makes a connection, the RST
 * that answers a challenge verifies its source; any other ACK of nothing known dies here.
 */

#include "defend.h"

/* Enters the connection of a valid cookie, as if its handshake had been followed. */
__noinline int accept_cookie(const struct sw_packet *ack, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_counters *mine = my_counters();
	struct sw_place place;

	if (!ack || !inquiry || !finding || !mine ||
	    !go_to(finding->room, inquiry->hash, &inquiry->now, &place))
		return 0;
	sw_end_unentered(ack, true, SW_OUTCOME_ACCEPTED, sw_side(load.slot, false), &inquiry->now,
			 &finding->handshake);
	enter_completed(&place, SW_CONN_UNHEARD, finding);
	remember(memory_hash(&ack->src), inquiry->now.ms);
	mine->tallies[SW_TALLY_COOKIES_ACCEPTED]++;
	if (!load.replay)
		begin_probe(ack, inquiry->hash, inquiry->policy, inquiry->service, inquiry->now.ms);
	return 0;
}

enum cookie_verdict {
	COOKIE_NOT_ASKED, /* nobody expects one: go on as ever */
	COOKIE_VALID,
	COOKIE_BAD,
};

/* Looks whether an ACK brings a cookie of one set back; its timestamp has been read. */
__noinline int check_cookie(const struct sw_packet *ack, struct inquiry *inquiry, __u32 which)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = cookie_set(which);
	struct sw_cookie_options agreed;
	const struct sw_flood_state *state;
	enum sw_addressee_kind behind;
	enum sw_flood_way way;

	if (!ack || !inquiry || !offer || !keys || !honours_cookies())
		return COOKIE_NOT_ASKED;
	inquiry->service = service_of(ack, SW_INGRESS, inquiry->policy);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!state)
		return COOKIE_NOT_ASKED;
	way = way_to_destination(ack, inquiry, &behind);
	if (way == SW_WAY_CHALLENGE)
		return COOKIE_NOT_ASKED;
	if (way == SW_WAY_KERNEL ?
		    is_kernel_cookie(ack) :
		    sw_cookie_check(keys, my_cookie_memos(), offer, ack, inquiry->now.ms, &agreed))
		/* while it defends itself, the kernel's own answers are its cookies, too */
		return has_attempt(ack, inquiry) ? COOKIE_NOT_ASKED : COOKIE_VALID;
	/* what it lets pass may be answered by the kernel's own cookies */
	return state->on && state->check_phase == SW_CHECK_ANSWERS ? COOKIE_BAD : COOKIE_NOT_ASKED;
}

/*
 * An ACK whose flow the kernel does not know, to a service under a flood: counts it, unless we know
 * the flow. Of a SYN that passed, the kernel may have kept nothing and sent a cookie of its own. That
 * is a good one where the kernel checks all: a later segment would be reset there, if the ACK is lost.
 * Returns the verdict.
 */
__noinline int drop_bad_cookie(const struct sw_packet *ack, const struct inquiry *inquiry)
{
	const struct sw_addressee *addressee;
	enum sw_addressee_kind behind;
	const struct sw_policy *policy;
	bool enforced;

	if (!ack || !inquiry)
		return SW_VERDICT_PASSED;
	policy = policy_of(inquiry->policy);
	addressee = find_addressee(&ack->dst, ack->dport);
	behind = last_behind(addressee, &ack->dst, inquiry->policy);
	if (!policy || behind != SW_HEARD_HERE || is_allowed(&ack->src, inquiry->lists) ||
	    (way_to(addressee, behind, inquiry->policy) != SW_WAY_KERNEL &&
	     has_attempt(ack, inquiry)))
		return SW_VERDICT_PASSED;
	enforced = enforces(policy, inquiry->service);
	count_limit(SW_LIMIT_BAD_COOKIE, enforced);
	count_service(inquiry->policy, inquiry->service, false, false, SW_LIMIT_BAD_COOKIE,
		      enforced);
	return enforced ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED;
}

/* Of any set; beside the first one hardly ever any is honoured. */
static __always_inline enum cookie_verdict look_for_cookie(const struct sw_packet *ack,
							   struct inquiry *inquiry)
{
	enum cookie_verdict verdict = check_cookie(ack, inquiry, SW_COOKIE_SET_ACTIVE);

	if (verdict == COOKIE_VALID || !honours_cookies())
		return verdict;
	if ((is_honoured(SW_COOKIE_SET_SECOND) &&
	     check_cookie(ack, inquiry, SW_COOKIE_SET_SECOND) == COOKIE_VALID) ||
	    (is_honoured(SW_COOKIE_SET_FORMER) &&
	     check_cookie(ack, inquiry, SW_COOKIE_SET_FORMER) == COOKIE_VALID))
		return COOKIE_VALID;
	return verdict;
}

/*
 * Takes an ACK of no connection that is known to the cookies. A bad one is dropped only where a listener
 * would get it: the kernel may know what was pushed out of our tables, and behind a gateway is who
 * has opened a connection himself, by an address of ours.
 */
static __always_inline enum cookie_verdict bring_cookie(ingress_ctx *ctx, struct sw_packet *packet,
							struct inquiry *inquiry)
{
	struct sw_cursor options = {
		(const __u8 *)(__u64)ctx->data +
			((inquiry->tcp + sizeof(struct wire_tcp)) & SW_MAX_OFFSET),
		(const __u8 *)(__u64)ctx->data_end,
	};
	enum cookie_verdict verdict;

	sw_parse_timestamp(&options, packet);
	verdict = look_for_cookie(packet, inquiry);
	if (verdict == COOKIE_VALID) {
		find_room(packet, inquiry);
		accept_cookie(packet, inquiry);
	} else if (verdict == COOKIE_BAD && ((!load.replay && !only_listens(ctx, packet)) ||
					     drop_bad_cookie(packet, inquiry) == SW_VERDICT_PASSED))
		verdict = COOKIE_NOT_ASKED;
	return verdict;
}

/*
 * Is it the RST that answers a challenge? Then its source is verified, and nobody else needs to see
 * the RST. Returns the verdict.
 */
__noinline int take_challenge_answer(const struct sw_packet *rst, const struct inquiry *inquiry)
{
	const struct sw_cookie_keys *keys = active_cookie_keys();
	struct sw_service_counters *mine;
	enum sw_addressee_kind behind;
	enum sw_flood_way way;
	__u32 service;

	if (!rst || !inquiry || !keys || !honours_cookies())
		return SW_VERDICT_PASSED;
	way = way_to_destination(rst, inquiry, &behind);
	if ((behind == SW_HEARD_HERE && way != SW_WAY_CHALLENGE) ||
	    (!sw_challenge_check(keys, my_cookie_memos(), rst, inquiry->now.ms) &&
	     !is_other_challenge(rst, inquiry->now.ms)))
		return SW_VERDICT_PASSED;
	remember(memory_hash(&rst->src), inquiry->now.ms);
	service = service_of(rst, SW_INGRESS, inquiry->policy);
	count_limit(SW_LIMIT_CHALLENGE_ANSWER, true);
	count_service(inquiry->policy, service, false, false, SW_LIMIT_CHALLENGE_ANSWER, true);
	mine = service_counters(inquiry->policy, service);
	if (mine)
		mine->evidence[SW_EVIDENCE_PROVED]++;
	return SW_VERDICT_DROPPED;
}

#endif
