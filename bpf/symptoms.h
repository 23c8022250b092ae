/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SYMPTOMS_H
#define SYNWARD_SYMPTOMS_H

/*
 * What tells an attack from a server that is busy or broken: whether it answers, how late its
 * handshakes are completed, and how many connections wait there to be accepted. Counted for each
 * service, and only while a policy keeps floods off.
 */

#include "addressee.h"
#include "adopt.h"
#include "enforce.h"
#include "flood.h"
#include "listener.h"
#include "route.h"
#include "self_check.h"

/* ---- of handshakes */

/* Of an attempt whose SYN came in: the service is that of the segment's receiver. */
static __always_inline void note_asked(const struct sw_packet *packet,
				       const struct inquiry *inquiry,
				       const struct sw_handshake_step *step)
{
	bool asked = step->opened && inquiry->segment == SW_SEGMENT_SYN;
	bool completed = step->completed != SW_OUTCOME_NONE;
	bool by_cookie = completed && step->opened;
	struct sw_service_counters *mine;

	if (inquiry->direction != SW_INGRESS || (!asked && !completed))
		return;
	mine = service_counters(inquiry->policy, service_of(packet, SW_INGRESS, inquiry->policy));
	if (!mine)
		return;
	mine->evidence[SW_EVIDENCE_ATTEMPTS] += asked;
	mine->evidence[SW_EVIDENCE_COMPLETED] += completed;
	mine->evidence[SW_EVIDENCE_BY_COOKIE] += by_cookie;
	mine->evidence[SW_EVIDENCE_LATE] += completed && !by_cookie &&
					    inquiry->now.ms - step->ended.started_ms >= SW_LATE_MS;
}

/*
 * Of a segment that answers: the service is that of its sender. What this host has asked others for
 * is not a service's, although it may look so.
 */
static __always_inline void note_answer(const struct sw_packet *packet,
					const struct inquiry *inquiry,
					const struct sw_finding *finding)
{
	const struct sw_handshake_step *step = &finding->handshake;
	/* the client has sent its last ACK, we have seen it, and still the server asks for it */
	bool unaccepted = inquiry->segment == SW_SEGMENT_SYNACK &&
			  inquiry->relation == SW_RELATION_LIVE &&
			  finding->anomalies & SW_BIT(SYNACK_RETRANSMIT);
	struct sw_service_counters *mine;

	if (!step->answered && !step->rejected && !unaccepted)
		return;
	if (inquiry->direction == SW_INGRESS && is_ours(&packet->dst))
		return;
	mine = service_counters(inquiry->policy, service_of(packet, SW_EGRESS, inquiry->policy));
	if (!mine)
		return;
	mine->evidence[SW_EVIDENCE_SYNACKS] += step->answered;
	mine->evidence[SW_EVIDENCE_REFUSED] += step->rejected;
	mine->evidence[SW_EVIDENCE_UNACCEPTED] += unaccepted;
}

/* What a segment that has been followed says about a server. */
__noinline int note_symptoms(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	const struct sw_finding *finding = my_finding();

	if (!packet || !inquiry || !finding)
		return 0;
	if (inquiry->segment == SW_SEGMENT_SYN || inquiry->segment == SW_SEGMENT_ACK)
		note_asked(packet, inquiry, &finding->handshake);
	else
		note_answer(packet, inquiry, finding);
	return 0;
}

/* ---- of the listener */

/*
 * Is it time to look at the listener of a SYN? Once in each tick of the coarse clock, or whenever its queue
 * may be full before the next one; of who was not heard, at one listener of the service.
 */
static __always_inline bool is_time_to_look(const struct inquiry *inquiry,
					    struct sw_addressee *addressee)
{
	__u32 now_ms = inquiry->now.ms & ~LOOKED_BITS;
	struct sw_flood_state *state;
	__u16 now = looked_at(inquiry->now.ms);

	if (addressee) {
		if (looked_at(addressee->looked) != now) {
			addressee->looked = now | (addressee->looked & LOOKED_MUTE);
			return true;
		}
		/* only where there are few: else all CPUs would write here */
		if (addressee->few > 1)
			addressee->few--;
		return addressee->few == 1;
	}
	state = flood_of(inquiry->policy, inquiry->service);
	if (!state || state->queue_looked_ms == now_ms)
		return false;
	state->queue_looked_ms = now_ms;
	return true;
}

/* What an interface offers is what the sysctls say now. */
static __always_inline void renew_offer(const struct tcp_sock *listener)
{
	__u8 options = offers_of(listener);
	__u32 key = load.slot;
	struct sw_cookie_offer *offer = bpf_map_lookup_elem(&cookie_offers, &key);

	if (offer && offer->options != options)
		offer->options = options;
}

/* Of struct sw_addressee: that of the SYN at hand is one of the places. */
static __always_inline __u16 few_of(const struct sw_queue *queue)
{
	if (queue->room > queue->waiting + FEW_PLACES)
		return 0;
	return queue_is_full(queue) ? 1 : queue->room - queue->waiting + 1;
}

/* What was heard of an addressee is not true any more if its listener has become another one. */
static __always_inline void review(struct sw_addressee *addressee, const struct tcp_sock *listener,
				   const struct sw_queue *queue, const struct inquiry *inquiry)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	__u64 heard;
	__u32 way;

	if (!addressee || !offer)
		return;
	if (queue_is_full(queue))
		addressee->looked |= LOOKED_FULL;
	addressee->few = few_of(queue);
	heard = addressee->heard;
	way = offer->ways[inquiry->policy & (SW_OFFER_WAYS - 1)];
	if ((heard & HEARD_KIND_MASK) != SW_HEARD_HERE)
		return;
	if (way == SW_WAY_KERNEL && !takes_kernel_cookies(listener))
		addressee->heard = 0; /* it has been started anew, and has to be heard */
	else if ((way == SW_WAY_HANDOVER && !takes_handovers(listener)) ||
		 (way == SW_WAY_KERNEL && sends_cookies(listener) != 2))
		addressee->heard = (heard & ~(__u64)HEARD_KIND_MASK) | SW_HEARD_ELSEWHERE;
}

static __always_inline void note_queue(const struct sw_queue *queue, const struct inquiry *inquiry)
{
	struct sw_flood_state *state = flood_of(inquiry->policy, inquiry->service);
	struct sw_service_counters *mine = service_counters(inquiry->policy, inquiry->service);

	if (!state || !mine)
		return;
	mine->evidence[SW_EVIDENCE_QUEUE_LOOKS]++;
	mine->evidence[SW_EVIDENCE_QUEUE_FULL] += queue_is_full(queue);
	/* what another CPU notes at the same moment is as true */
	if (queue->waiting >= state->queue)
		state->queue = queue->waiting;
	state->queue_room = queue->room;
}

/* Who must send to its clients. */
static __always_inline void note_sender(struct sw_addressee *addressee, __u32 now_ms)
{
	const volatile struct sw_tc_note *note = tc_note();

	addressee->looked = looked_at(now_ms) | (note && note->must_send ? LOOKED_MUTE : 0);
}

/*
 * Looks at the listener of a SYN: how many connections wait for it to accept them, and whether what is
 * known of it is still so. is_time_to_look() says when.
 */
__noinline int look_at_listener(ingress_ctx *ctx, const struct sw_packet *syn,
				const struct inquiry *inquiry, __u64 hash)
{
	const struct tcp_sock *listener = NULL;
	struct sw_addressee *addressee;
	struct bpf_sock *found;
	struct sw_queue queue;

	if (!syn || !inquiry)
		return 0;
	note_sender_of(ctx);
	addressee = addressee_of(hash);
	if (addressee)
		note_sender(addressee, inquiry->now.ms);
	if (!is_ours(&syn->dst) && !(addressee && heard_kind(addressee) == SW_HEARD_HERE))
		return 0;
	found = find_socket(ctx, syn);
	if (addressee && heard_kind(addressee) == SW_HEARD_HERE &&
	    (!found || is_routed_on(ctx, &syn->src, &syn->dst))) {
		/* it listens no more, or its address is somebody else's now */
		addressee->heard = 0;
	}
	if (!found)
		return 0;
	if (found->state == TCP_STATE_LISTEN)
		listener = bpf_skc_to_tcp_sock(found);
	if (listener) {
		queue = queue_of(listener);
		review(addressee, listener, &queue, inquiry);
		note_queue(&queue, inquiry);
		renew_offer(listener);
	}
	bpf_sk_release(found);
	return 0;
}

#endif
