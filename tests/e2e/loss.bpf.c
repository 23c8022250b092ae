// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Paths that lose something. Every bare ACK: the client believes it is connected, the server waits on. What
 * leaves by where it came in.
 */
#include <synward/base.h>

#include <bpf/bpf_helpers.h>

#define ETH_P_IP	    0x0800
#define ETH_P_IPV6	    0x86dd
#define IPPROTO_TCP	    6
#define IP4_PROTOCOL	    23 /* offsets in the frame; neither options nor extensions are expected */
#define IP4_TCP_FLAGS	    47
#define IP6_PROTOCOL	    20
#define IP6_TCP_FLAGS	    67
#define IN_NETWORK_ORDER(x) ((__u16)((x) << 8 | (x) >> 8))
#define TCP_FLAGS	    0x3f
#define TCP_ACK		    0x10

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int lose_acks(struct __sk_buff *skb)
{
	bool is_v6 = skb->protocol == IN_NETWORK_ORDER(ETH_P_IPV6);
	__u8 protocol = 0, flags = 0;

	if (!is_v6 && skb->protocol != IN_NETWORK_ORDER(ETH_P_IP))
		return TC_ACT_UNSPEC;
	bpf_skb_load_bytes(skb, is_v6 ? IP6_PROTOCOL : IP4_PROTOCOL, &protocol, 1);
	bpf_skb_load_bytes(skb, is_v6 ? IP6_TCP_FLAGS : IP4_TCP_FLAGS, &flags, 1);
	if (protocol == IPPROTO_TCP && (flags & TCP_FLAGS) == TCP_ACK)
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int lose_what_turns(struct __sk_buff *skb)
{
	return skb->ingress_ifindex == skb->ifindex ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}
