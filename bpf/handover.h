/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_HANDOVER_H
#define SYNWARD_HANDOVER_H

/*
 * Gives the listener the handshake that a cookie has completed (Linux 6.9): where a socket buffer
 * exists, the ACK gets a request socket with what was agreed on, and TCP makes a connection of it.
 */

#include "conntrack.h"
#include "parse_skb.h"
#include "take_cookie.h"
#include "listener.h"

#include <bpf/bpf_helpers.h>

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

/*
 * A listener is found until TCP has seen the ACK. GRO hands over whole lists: the data that came with
 * the ACK are here before that, would be given a request of their own, and be lost. TCP takes them in
 * order, though, and by then there is a connection. So it is remembered what each CPU has handed
 * over, and what follows there passes at once.
 *
 * What comes to another CPU, or later, and still finds the listener although the server was not heard, belongs to a
 * handshake that has not been taken: not yet, or as a rule because nobody accepts connections. The listener would reset
 * it; it is dropped as it is of a handshake that the kernel follows itself, and the client tries again
 * from where its first data are.
 */
#define HANDED	       4096U /* flows; who comes after the same slot's last one takes it */
#define HANDED_NOW_MS  8U    /* a list is done in less, and nobody repeats anything that soon */
#define HANDED_LONG_MS 8000U /* longer than the first few repetitions are apart */

enum handed {
	HANDED_NEVER,
	HANDED_NOW,
	HANDED_BEFORE,
};

/* Hash of a flow, then its CPU, then the time: a word, so that CPUs read and write it as a whole. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HANDED);
	__type(key, __u32);
	__type(value, __u64);
} handed_flows SEC(".maps");

#define HANDED_TIME_MASK 0xffffffffULL
#define HANDED_CPU_SHIFT 32
#define HANDED_CPU_MASK	 (0xffULL << HANDED_CPU_SHIFT)
#define HANDED_FLOW_MASK (~(HANDED_CPU_MASK | HANDED_TIME_MASK))

static __always_inline __u64 *handed_slot(__u64 hash)
{
	__u32 key = hash & (HANDED - 1);

	return bpf_map_lookup_elem(&handed_flows, &key);
}

static __always_inline __u64 on_this_cpu(__u64 hash)
{
	__u64 cpu = bpf_get_smp_processor_id();

	return (hash & HANDED_FLOW_MASK) | (cpu << HANDED_CPU_SHIFT & HANDED_CPU_MASK);
}

/* Has the flow been handed over? Now: on this CPU. */
static __always_inline enum handed when_handed(__u64 hash, __u32 now_ms)
{
	const volatile __u64 *slot = handed_slot(hash);
	__u64 last = slot ? *slot : 0;
	__u32 ago = now_ms - (__u32)last;

	if (!slot || (last ^ hash) & HANDED_FLOW_MASK || ago >= HANDED_LONG_MS)
		return HANDED_NEVER;
	return ago < HANDED_NOW_MS && !((last ^ on_this_cpu(hash)) & HANDED_CPU_MASK) ?
		       HANDED_NOW :
		       HANDED_BEFORE;
}

static __always_inline void remember_handed(__u64 hash, __u32 ms)
{
	__u64 *slot = handed_slot(hash);

	if (slot)
		*slot = on_this_cpu(hash) | ms;
}

/*
 * What was agreed on, as far as the listener may still have it: the kernel refuses what a sysctl forbids
 * by now, and the client gets along without.
 */
static __always_inline void request_of(const struct sw_cookie_options *agreed, __u8 allowed,
				       struct bpf_tcp_req_attrs *attrs)
{
	__u8 options = agreed->options & allowed;

	attrs->mss = agreed->mss;
	attrs->rcv_tsval = agreed->tsval;
	attrs->rcv_tsecr = agreed->tsecr;
	attrs->tstamp_ok = !!(options & SW_OFFER_TIMESTAMP);
	attrs->sack_ok = !!(options & SW_OFFER_SACK);
	attrs->ecn_ok = !!(options & SW_OFFER_ECN);
	attrs->wscale_ok = !!(options & SW_OFFER_WSCALE);
	attrs->snd_wscale = agreed->snd_wscale;
	attrs->rcv_wscale = agreed->rcv_wscale;
}

/* Does an ACK bring a cookie of one set, and what does that say was agreed on? */
__noinline int is_cookie_of(const struct sw_packet *ack, struct sw_cookie_options *agreed,
			    __u32 now_ms, __u32 which)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = cookie_set(which);

	return ack && agreed && offer && keys &&
	       sw_cookie_check(keys, my_cookie_memos(), offer, ack, now_ms, agreed);
}

/* Of any set. */
static __always_inline bool recall_cookie(const struct sw_packet *ack,
					  struct sw_cookie_options *agreed, __u32 now_ms)
{
	return is_cookie_of(ack, agreed, now_ms, SW_COOKIE_SET_ACTIVE) ||
	       (is_honoured(SW_COOKIE_SET_SECOND) &&
		is_cookie_of(ack, agreed, now_ms, SW_COOKIE_SET_SECOND)) ||
	       (is_honoured(SW_COOKIE_SET_FORMER) &&
		is_cookie_of(ack, agreed, now_ms, SW_COOKIE_SET_FORMER));
}

/*
 * The kernel refuses what does not begin with IP, and of two VLAN tags it has put only the outer one
 * aside by now. So that is taken off meanwhile, which puts the inner one in its place.
 */
static __always_inline int assign_request(struct __sk_buff *skb, struct sock *sk,
					  struct bpf_tcp_req_attrs *attrs)
{
	bool is_double = skb->vlan_present && is_vlan(sw_ntohs(skb->protocol));
	__u16 protocol = skb->vlan_proto, tci = skb->vlan_tci;
	int error;

	if (is_double && bpf_skb_vlan_pop(skb))
		return -1;
	error = bpf_sk_assign_tcp_reqsk(skb, sk, attrs, sizeof(*attrs));
	if (is_double && bpf_skb_vlan_push(skb, protocol, tci))
		return -1; /* without memory: the client says it again */
	return error;
}

/* Is what SYNs are answered with to be handed over? */
static __always_inline bool hands_over(__u32 policy)
{
	const struct sw_cookie_offer *offer = cookie_offer();

	return offer && offer->ways[policy & (SW_OFFER_WAYS - 1)] == SW_WAY_HANDOVER;
}

/* Has the firewall here to be told of what is handed over to the service? */
static __always_inline bool tells_conntrack(__u32 policy, __u32 service)
{
	const struct sw_flood_state *state = flood_of(policy, service);

	return state && state->remedies & SW_REMEDY_CONNTRACK;
}

/* What is known of a segment that goes up with a cookie. */
struct handover {
	__u64 flow; /* its hash */
	__u32 now_ms;
	__u32 policy; /* settings.policy */
	__u32 service;
};

/*
 * Gives the listener a handshake, unless too many wait there to be accepted. Returns what is to be
 * done with the segment.
 */
static __always_inline int give_to_listener(struct __sk_buff *skb, struct tcp_sock *listener,
					    const struct sw_packet *ack,
					    const struct sw_cookie_options *agreed,
					    const struct handover *handover)
{
	struct sw_queue queue = queue_of(listener);
	struct sw_counters *mine = my_counters();
	struct bpf_tcp_req_attrs attrs = {};

	if (!mine)
		return TC_ACT_UNSPEC;
	if (queue_is_full(&queue) && is_armed()) {
		/* not now: what comes with it shall not pass, either */
		remember_handed(handover->flow, handover->now_ms - HANDED_NOW_MS);
		give_up_probe(&ack->src, ack->sport, handover->service);
		mine->tallies[SW_TALLY_HANDOVERS_FAILED]++;
		return TC_ACT_SHOT;
	}
	if (tells_conntrack(handover->policy, handover->service))
		tell_conntrack(skb, ack);
	request_of(agreed, offers_of(listener), &attrs);
	if (assign_request(skb, (struct sock *)listener, &attrs)) {
		mine->tallies[SW_TALLY_HANDOVERS_FAILED]++;
		return TC_ACT_UNSPEC;
	}
	remember_handed(handover->flow, handover->now_ms);
	mine->tallies[SW_TALLY_HANDOVERS]++;
	return TC_ACT_UNSPEC;
}

/*
 * Has the connection of a client's segment been there, and is over? Whoever repeats the ACK that brings its cookie,
 * and be it the client, gets no other one; and what comes later is refused by the kernel, as ever. It is enough that
 * the server has said something, and one end has ended it: then it had been handed over. The former alone would not be:
 * if the client's interface is attached, too, it has heard our answer, and taken it for the server's.
 */
__noinline int was_taken(const struct sw_packet *segment, __u64 hash, int has_cookie)
{
	__u32 key = bucket_of(segment, hash);
	struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &key);
	bool taken;

	if (!segment || !bucket || !sw_lock(&bucket->lock))
		return 0;
	taken = sw_connection_was_taken(bucket, sw_tag(hash), segment, has_cookie);
	sw_unlock(&bucket->lock);
	return taken;
}

/* Returns what is to be done with an ACK. */
static __always_inline int hand_over_ack(struct __sk_buff *skb, const struct sw_packet *ack)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] }, hash = sw_flow_hash(ack, seed);
	struct sw_cookie_options agreed = {};
	struct handover handover = { .flow = hash, .now_ms = clock_ms() };
	__u32 now_ms = handover.now_ms;
	enum handed handed = when_handed(hash, now_ms);
	bool valid = recall_cookie(ack, &agreed, now_ms);
	struct bpf_sock *found;
	struct sw_counters *mine;
	struct tcp_sock *listener;
	int action = TC_ACT_UNSPEC;

	if (handed == HANDED_NOW || (!valid && handed == HANDED_NEVER) ||
	    ack->flags & (WIRE_TCP_SYN | WIRE_TCP_RST))
		return TC_ACT_UNSPEC;
	found = find_socket(skb, ack);
	if (!found)
		return TC_ACT_UNSPEC;
	mine = my_counters();
	if (found->state != TCP_STATE_LISTEN || !mine || (!valid && !is_armed()))
		goto out;
	if (was_taken(ack, hash, valid)) {
		mine->tallies[SW_TALLY_HANDOVERS_REPLAYED] += valid;
		goto out;
	}
	action = TC_ACT_SHOT;
	if (!valid) {
		mine->tallies[SW_TALLY_HANDOVERS_HELD_BACK]++;
		goto out;
	}
	handover.policy = settings.policy;
	handover.service = service_of(ack, SW_INGRESS, settings.policy);
	if (handed == HANDED_BEFORE)
		begin_probe(ack, hash, handover.policy, handover.service, now_ms);
	listener = bpf_skc_to_tcp_sock(found);
	if (listener)
		action = give_to_listener(skb, listener, ack, &agreed, &handover);
out:
	bpf_sk_release(found);
	return action;
}

/*
 * Looks whether a segment is the ACK that ends a handshake; what is behind its headers begins at the offset. Returns
 * what is to be done with it.
 */
static __always_inline int hand_over(struct __sk_buff *skb, struct sw_packet *packet, __u32 offset)
{
	struct sw_cursor options = cursor_at(skb->data, skb->data_end, offset);

	if (packet->kind != SW_KIND_TCP)
		return TC_ACT_UNSPEC;
	sw_parse_timestamp(&options, packet);
	return hand_over_ack(skb, packet);
}

#endif
