// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interface receives, seen by TC instead of XDP. An object of its own, which is loaded only where that was asked
 * for; it shares all maps with the other one but its constants.
 */
#include "repeat.h" /* before core/parse_tcp.h, which needs it */

#include "ingress_skb.h" /* before what is the same for XDP and TC */

#include "core/checksum.h"
#include "handover.h"
#include "parse_skb.h"
#include "pipeline.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The packet at hand: the stack has no room for it. One CPU handles one at a time, with softirqs off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_packet);
} received SEC(".maps");

static __always_inline struct sw_packet *my_received(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&received, &key);
}

/* Add what is wrong with the checksums to what is known of the packet. Return 0. */
__noinline int check_ip_sum_tc(struct __sk_buff *skb, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(skb->data, skb->data_end, 0);

	if (packet)
		sw_check_ip_sum(&cursor, packet);
	return 0;
}

/* Not of what was merged: the sums of the segments are gone, and the kernel has checked them. */
__noinline int check_tcp_sum_tc(struct __sk_buff *skb, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(skb->data, skb->data_end, offset);

	if (packet && !skb->gso_size)
		sw_check_tcp_sum(&cursor, packet);
	return 0;
}

/*
 * What passes is looked at for the ACK that ends a handshake, where SYNs may be answered. Returns what is to be done with
 * it.
 */
__noinline int hand_over_passed(struct __sk_buff *skb, struct sw_packet *packet, __u32 offset)
{
	/* the function by which it is done is missing in older kernels */
	if (!load.handover || !packet || !policy_has(settings.policy, SW_HAS_FLOOD_DEFENCE) ||
	    !honours_cookies() || !hands_over(settings.policy))
		return TC_ACT_UNSPEC;
	return hand_over(skb, packet, offset);
}

/* Everything that an interface receives. What several segments were merged to is one segment with more data. */
SEC("tc")
int sw_tc(struct __sk_buff *skb)
{
	__u32 offset, length = skb->len; /* before it becomes an answer */
	struct sw_packet *packet = my_received();
	enum sw_verdict verdict;

	if (!packet)
		return TC_ACT_UNSPEC;
	if (policy_has(settings.policy, SW_HAS_FLOOD_DEFENCE))
		note_tc_ran(skb, clock_ms());
	__builtin_memset(packet, 0, sizeof(*packet));
	offset = parse_skb(skb, packet);
	note_tag(skb, packet);
	if (load.checksums) {
		check_ip_sum_tc(skb, packet);
		check_tcp_sum_tc(skb, offset - sizeof(struct wire_tcp), packet);
	}
	verdict = inspect(skb, packet, offset - sizeof(struct wire_tcp), SW_INGRESS);
	count_traffic(SW_INGRESS, length, verdict, packet->kind, false);
	if (verdict == SW_VERDICT_DROPPED)
		return TC_ACT_SHOT;
	if (verdict == SW_VERDICT_ANSWERED)
		return TC_ACT_REDIRECT; /* as send_answer() has said */
	return hand_over_passed(skb, packet, offset);
}
