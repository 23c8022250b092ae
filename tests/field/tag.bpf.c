// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Puts the tag of a VLAN beside each frame that has none there, before anybody else sees it leave, as a VLAN's
 * device does.
 */
#include <synward/base.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int push_tag(struct __sk_buff *skb)
{
	if (!skb->vlan_present)
		bpf_skb_vlan_push(skb, bpf_htons(0x8100), 10);
	return TC_ACT_UNSPEC;
}
