// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VLAN and QinQ without the kernel's 8021q module: the two ends of a wire push tags on all they
 * send and pop them from all they receive. And a counter on the XDP hook, which proves what XDP
 * sees there.
 */
#include <synward/base.h>

#include <bpf/bpf_helpers.h>

#define IN_NETWORK_ORDER(x) ((__u16)((x) << 8 | (x) >> 8))
#define ETH_P_8021Q	    0x8100
#define ETH_P_8021AD	    0x88a8
#define SERVICE_VLAN	    100
#define CUSTOMER_VLAN	    7
#define ETHERTYPE_OFFSET    12

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Frames by the number of their tags, as XDP sees them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} tag_counts SEC(".maps");

SEC("tc")
int push_one(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, IN_NETWORK_ORDER(ETH_P_8021Q), CUSTOMER_VLAN);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int push_two(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, IN_NETWORK_ORDER(ETH_P_8021Q), CUSTOMER_VLAN);
	bpf_skb_vlan_push(skb, IN_NETWORK_ORDER(ETH_P_8021AD), SERVICE_VLAN);
	return TC_ACT_UNSPEC;
}

/* The kernel has taken the outer tag out of the frame when TC comes; what is left, goes now. */
SEC("tc")
int pop_all(struct __sk_buff *skb)
{
	if (skb->vlan_present)
		bpf_skb_vlan_pop(skb);
	if (skb->vlan_present)
		bpf_skb_vlan_pop(skb);
	return TC_ACT_UNSPEC;
}

/* A switch's port for tagged frames takes no others. */
SEC("tc")
int only_tagged(struct __sk_buff *skb)
{
	return skb->vlan_present ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

static __always_inline bool is_tag(__u16 ethertype)
{
	return ethertype == IN_NETWORK_ORDER(ETH_P_8021Q) ||
	       ethertype == IN_NETWORK_ORDER(ETH_P_8021AD);
}

/* Also of frames in several buffers: a veth takes no other program where the MTU is large. */
SEC("xdp.frags")
int count_tags(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(__u64)ctx->data, *end = (void *)(__u64)ctx->data_end;
	const __u16 *ethertype = (const void *)(data + ETHERTYPE_OFFSET);
	__u64 *count;
	__u32 tags = 0;

	if ((const __u8 *)(ethertype + 3) > end)
		return XDP_PASS;
	if (is_tag(ethertype[0]))
		tags = is_tag(ethertype[2]) ? 2 : 1;
	count = bpf_map_lookup_elem(&tag_counts, &tags);
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_PASS;
}
