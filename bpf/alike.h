/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ALIKE_H
#define SYNWARD_ALIKE_H

/*
 * The SYNs of a flood are alike: but for who sends them and to which number, what there is to find out about one holds for
 * all that a CPU gets for one address and port in one tick of the coarse clock. So the first of them in a tick goes the
 * long way (defend.h), and what that has found is written down; the others are answered by it, in one function.
 *
 * What is written down: the service, and that SYNs to it get cookies for the hand-over, sent by XDP (in mode tc, by TC),
 * unless something speaks for one. What may change within a tick is asked each time. A tick is 1 to 10 ms.
 */

#include "addressee.h"
#include "cookie_keys.h"
#include "enforce.h"
#include "flood.h"
#include "remembered.h"
#include "syn_fate.h"

/* How the last SYN to an address and port was answered. */
struct alike {
	__u64 addressee; /* addressee_hash() */
	__u32 now_ms;	 /* the tick */
	__u32 policy;	 /* settings.policy */
	__u16 mss;	 /* to tell; 0: that of the interface */
	__u8 service;
	__u8 link_length; /* of the SYN: one with fewer tags may have to be answered in another way */
	__u8 samples;	  /* some are remembered, for the self-check */
	__u8 pad[3];
};

/* Of one CPU, which handles one packet at a time. Direct-mapped: those that meet take the long way. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct alike);
} alikes SEC(".maps");

static __always_inline struct alike *alike_of(__u64 addressee)
{
	__u32 key = addressee >> 60;

	return bpf_map_lookup_elem(&alikes, &key);
}

/* What answer_alike() returns of a SYN that has to go the long way; else enum syn_fate. */
#define NOT_ALIKE (-1)

/* Writes down how a SYN has been answered: by the hand-over, and in the way that is usual. */
static __always_inline void note_alike(const struct sw_packet *syn, const struct inquiry *inquiry,
				       __u64 addressee, __u16 mss, bool samples)
{
	struct alike *alike = alike_of(addressee);

	if (!alike)
		return;
	alike->addressee = addressee;
	alike->now_ms = inquiry->now.ms;
	alike->policy = inquiry->policy;
	alike->mss = mss;
	alike->service = inquiry->service;
	alike->link_length = syn->link_length;
	alike->samples = samples;
}

/* May a SYN be answered as others of its service are? What speaks for it is asked on the long way. */
static __always_inline bool is_alike(const struct alike *alike, const struct sw_packet *syn,
				     const struct inquiry *inquiry,
				     const struct sw_flood_state *state)
{
	return state->on && state->check_phase == SW_CHECK_ANSWERS && !state->remedies &&
	       is_armed() && !may_have_connection(inquiry->hash) &&
	       !(alike->samples && sw_is_sampled(inquiry->hash, state->sample_shift)) &&
	       !has_attempt(syn, inquiry);
}

/*
 * Answers a SYN to an address and port, which addressee is the hash of, as another one was in this tick. Returns what
 * becomes of it, with inquiry->service set; or NOT_ALIKE.
 */
__noinline int answer_alike(ingress_ctx *ctx, const struct sw_packet *syn, struct inquiry *inquiry,
			    __u64 addressee)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = active_cookie_keys();
	const struct alike *alike = alike_of(addressee);
	struct sw_cookie_answer answer;
	struct sw_flood_state *state;

	if (!ctx || !syn || !inquiry || !offer || !keys || !alike ||
	    alike->addressee != addressee || alike->now_ms != inquiry->now.ms ||
	    alike->policy != inquiry->policy || alike->link_length != syn->link_length ||
	    syn->facts || syn->options & SW_OPT_SIGNED)
		return NOT_ALIKE;
	state = flood_of(inquiry->policy, alike->service);
	if (!state || !is_alike(alike, syn, inquiry, state))
		return NOT_ALIKE;
	sketch_source(state, memory_hash(&syn->src));
	inquiry->service = alike->service;
	sw_cookie_make(keys, my_cookie_memos(), offer, syn, inquiry->now.ms, &answer);
	if (alike->mss)
		answer.mss = alike->mss;
	return put_answer_here(ctx, inquiry->tcp, syn, &answer) ? SYN_GETS_COOKIE : SYN_UNSENT;
}

#endif
