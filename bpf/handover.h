/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_HANDOVER_H
#define SYNWARD_HANDOVER_H

/*
 * Gives the listener the handshake that a cookie has completed (Linux 6.9): where a socket buffer
 * exists, the ACK gets a request socket with what was agreed on, and TCP makes a connection of it.
 */

#include "defend.h"

#include <bpf/bpf_helpers.h>

/* Of the kernel's structure only what is read; CO-RE finds where that is. */
struct sock {
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
} __attribute__((preserve_access_index));

struct tcp_sock;

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

/*
 * A listener is found until TCP has seen the ACK. GRO hands over whole lists: the data that came with
 * the ACK are here before that, would be given a request of their own, and be lost. TCP takes them in
 * order, though, and by then there is a connection. So each CPU remembers what it has handed over, and
 * lets pass what follows at once.
 *
 * What follows later and still finds the listener belongs to a handshake that was not taken, as a
 * rule because nobody accepts connections. The listener would reset it; it is dropped as it is of a
 * handshake that the kernel follows itself, and the client tries again from where its first data are.
 */
#define HANDED	       256U
#define HANDED_NOW_MS  8U    /* a list is done in less, and nobody repeats anything that soon */
#define HANDED_LONG_MS 8000U /* longer than the first few repetitions are apart */

enum handed {
	HANDED_NEVER,
	HANDED_NOW,
	HANDED_BEFORE,
};

struct handed_flows {
	__u64 flow[HANDED]; /* hash of a flow, its low bits replaced by the time */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handed_flows);
} handed_flows SEC(".maps");

#define HANDED_TIME_MASK 0xffffffffULL

static __always_inline __u64 *handed_slot(__u64 hash)
{
	__u32 key = 0;
	struct handed_flows *all = bpf_map_lookup_elem(&handed_flows, &key);

	return all ? &all->flow[hash & (HANDED - 1)] : NULL;
}

/* When was the flow handed over on this CPU? */
static __always_inline enum handed when_handed(__u64 hash, __u32 now_ms)
{
	const __u64 *slot = handed_slot(hash);
	__u32 ago;

	if (!slot || (*slot ^ hash) & ~HANDED_TIME_MASK)
		return HANDED_NEVER;
	ago = now_ms - (__u32)*slot;
	if (ago >= HANDED_LONG_MS)
		return HANDED_NEVER;
	return ago < HANDED_NOW_MS ? HANDED_NOW : HANDED_BEFORE;
}

static __always_inline void remember_handed(__u64 hash, __u32 ms)
{
	__u64 *slot = handed_slot(hash);

	if (slot)
		*slot = (hash & ~HANDED_TIME_MASK) | ms;
}

static __always_inline void request_of(const struct sw_cookie_options *agreed,
				       struct bpf_tcp_req_attrs *attrs)
{
	attrs->mss = agreed->mss;
	attrs->rcv_tsval = agreed->tsval;
	attrs->rcv_tsecr = agreed->tsecr;
	attrs->tstamp_ok = !!(agreed->options & SW_OFFER_TIMESTAMP);
	attrs->sack_ok = !!(agreed->options & SW_OFFER_SACK);
	attrs->ecn_ok = !!(agreed->options & SW_OFFER_ECN);
	attrs->wscale_ok = !!(agreed->options & SW_OFFER_WSCALE);
	attrs->snd_wscale = agreed->snd_wscale;
	attrs->rcv_wscale = agreed->rcv_wscale;
}

static __always_inline struct bpf_sock *find_socket(struct __sk_buff *skb,
						    const struct sw_packet *packet)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = socket_tuple(&tuple, &packet->src, packet->sport, &packet->dst, packet->dport);

	return bpf_skc_lookup_tcp(skb, &tuple, size, THIS_NETNS, 0);
}

/* Is it an ACK with a cookie, and what does that say was agreed on? */
__noinline int recall_cookie(const struct sw_packet *ack, struct sw_cookie_options *agreed)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = cookie_secrets();

	return ack && agreed && offer && keys &&
	       sw_cookie_check(keys, offer, ack, clock_ms(), agreed);
}

/*
 * Gives the listener a handshake, unless too many wait there to be accepted. Returns what is to be
 * done with the segment.
 */
static __always_inline int give_to_listener(struct __sk_buff *skb, struct tcp_sock *listener,
					    const struct sw_cookie_options *agreed, __u64 hash,
					    __u32 now_ms)
{
	struct sock *sk = (struct sock *)listener;
	struct sw_counters *mine = my_counters();
	struct bpf_tcp_req_attrs attrs = {};

	if (!mine)
		return TC_ACT_UNSPEC;
	if (sk->sk_ack_backlog > sk->sk_max_ack_backlog) {
		/* not now: what comes with it shall not pass, either */
		remember_handed(hash, now_ms - HANDED_NOW_MS);
		mine->tallies[SW_TALLY_HANDOVERS_FAILED]++;
		return TC_ACT_SHOT;
	}
	request_of(agreed, &attrs);
	if (bpf_sk_assign_tcp_reqsk(skb, sk, &attrs, sizeof(attrs))) {
		mine->tallies[SW_TALLY_HANDOVERS_FAILED]++;
		return TC_ACT_UNSPEC;
	}
	remember_handed(hash, now_ms);
	mine->tallies[SW_TALLY_HANDOVERS]++;
	return TC_ACT_UNSPEC;
}

/* Returns what is to be done with the segment. */
static __always_inline int hand_over(struct __sk_buff *skb, const struct sw_packet *ack)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] }, hash = sw_flow_hash(ack, seed);
	struct sw_cookie_options agreed = {};
	__u32 now_ms = clock_ms();
	enum handed handed = when_handed(hash, now_ms);
	bool valid = recall_cookie(ack, &agreed);
	struct bpf_sock *found;
	struct tcp_sock *listener;
	int action = TC_ACT_UNSPEC;

	if (handed == HANDED_NOW || (!valid && handed == HANDED_NEVER) ||
	    ack->flags & (WIRE_TCP_SYN | WIRE_TCP_RST))
		return TC_ACT_UNSPEC;
	found = find_socket(skb, ack);
	if (!found)
		return TC_ACT_UNSPEC;
	if (found->state != TCP_STATE_LISTEN)
		goto out;
	action = TC_ACT_SHOT;
	if (!valid)
		goto out;
	listener = bpf_skc_to_tcp_sock(found);
	if (listener)
		action = give_to_listener(skb, listener, &agreed, hash, now_ms);
out:
	bpf_sk_release(found);
	return action;
}

#endif
