// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Has an end's frames come from another address of the link than those for it go to. */
#include <synward/base.h>

#include <bpf/bpf_helpers.h>

#define SOURCE 6 /* its offset in a frame */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int from_elsewhere(struct __sk_buff *skb)
{
	const __u8 elsewhere[] = { 0x02, 0x53, 0x57, 0xff, 0xff, 0xff };

	bpf_skb_store_bytes(skb, SOURCE, elsewhere, sizeof(elsewhere), 0);
	return TC_ACT_UNSPEC;
}
