/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SYMPTOMS_H
#define SYNWARD_SYMPTOMS_H

/*
 * What tells an attack from a server that is busy or broken: whether it answers, how late its
 * handshakes are completed, and how many connections wait there to be accepted. Counted for each
 * service, and only while a policy keeps floods off.
 */

#include "adopt.h"
#include "enforce.h"
#include "flood.h"
#include "listener.h"

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

/* ---- of the accept queue */

/*
 * Looks how many connections wait for the listener of a SYN to accept them. It is the caller who
 * sees to it that this is done once in a tick of the coarse clock, however many SYNs come.
 */
__noinline int look_at_queue(struct xdp_md *ctx, const struct sw_packet *syn,
			     const struct inquiry *inquiry)
{
	struct sw_flood_state *state;
	struct sw_service_counters *mine;
	struct sw_queue queue;

	if (!syn || !inquiry || !is_ours(&syn->dst) || !accept_queue(ctx, syn, &queue))
		return 0;
	state = flood_of(inquiry->policy, inquiry->service);
	mine = service_counters(inquiry->policy, inquiry->service);
	if (!state || !mine)
		return 0;
	mine->evidence[SW_EVIDENCE_QUEUE_LOOKS]++;
	mine->evidence[SW_EVIDENCE_QUEUE_FULL] += queue_is_full(&queue);
	/* what another CPU notes at the same moment is as true */
	if (queue.waiting >= state->queue)
		state->queue = queue.waiting;
	state->queue_room = queue.room;
	return 0;
}

#endif
