/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_HANDOVER_H
#define SYNWARD_HANDOVER_H

/*
 * Gives the listener the handshake that a cookie has completed (Linux 6.9): where a socket buffer
 * exists, the ACK gets a request socket with what was agreed on, and TCP makes a connection of it.
 */

#include "defend.h"

#include <bpf/bpf_helpers.h>

/* Only pointed at, but libbpf asks that it be more than a name, as it is in the kernel. */
struct sock {
	int unused;
};

struct tcp_sock;

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

/*
 * A listener is found until TCP has seen the ACK. GRO hands over whole lists: the data that came
 * with the ACK are here before that, would be given a request of their own, and be lost. So each
 * CPU remembers what it has just handed over, and sends what follows once around.
 */
#define JUST_HANDED    256U
#define JUST_HANDED_MS 8U

struct just_handed {
	__u64 flow[JUST_HANDED]; /* hash of a flow, its low bits replaced by the time */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct just_handed);
} just_handed SEC(".maps");

#define HANDED_TIME_MASK 0xffffffffULL

/* Was the flow handed over on this CPU a moment ago? If not, it is now. */
static __always_inline bool was_just_handed(__u64 hash, __u32 now_ms)
{
	__u32 key = 0;
	struct just_handed *all = bpf_map_lookup_elem(&just_handed, &key);
	__u64 *slot, was;

	if (!all)
		return false;
	slot = &all->flow[hash & (JUST_HANDED - 1)];
	was = *slot;
	*slot = (hash & ~HANDED_TIME_MASK) | now_ms;
	return !((was ^ hash) & ~HANDED_TIME_MASK) && now_ms - (__u32)was < JUST_HANDED_MS;
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

/* Returns what is to be done with the segment. */
static __always_inline int hand_over(struct __sk_buff *skb, const struct sw_packet *ack)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_cookie_options agreed = {};
	struct bpf_tcp_req_attrs attrs = {};
	struct sw_counters *mine = my_counters();
	struct bpf_sock *found;
	struct tcp_sock *listener;
	int action = TC_ACT_UNSPEC;

	if (!mine || !recall_cookie(ack, &agreed))
		return TC_ACT_UNSPEC;
	found = find_socket(skb, ack);
	if (!found)
		return TC_ACT_UNSPEC;
	if (found->state != TCP_STATE_LISTEN)
		goto out;
	if (was_just_handed(sw_flow_hash(ack, seed), clock_ms())) {
		action = bpf_redirect(skb->ifindex, BPF_F_INGRESS);
		goto out;
	}
	listener = bpf_skc_to_tcp_sock(found);
	if (!listener)
		goto out;
	request_of(&agreed, &attrs);
	if (bpf_sk_assign_tcp_reqsk(skb, (struct sock *)listener, &attrs, sizeof(attrs)))
		mine->tallies[SW_TALLY_HANDOVERS_FAILED]++;
	else
		mine->tallies[SW_TALLY_HANDOVERS]++;
out:
	bpf_sk_release(found);
	return action;
}

#endif
