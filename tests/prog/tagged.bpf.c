// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What test_tc runs: BPF_PROG_TEST_RUN gives no buffer a tag beside it. */
#include "tagged.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tagged_next SEC(".maps");

/* Puts a tag beside the frame, as the kernel does before TC sees it, and goes on with the program. */
SEC("tc")
int tagged(struct __sk_buff *skb)
{
	if (!bpf_skb_vlan_push(skb, bpf_htons(TAGGED_PROTOCOL), TAGGED_TCI))
		bpf_tail_call(skb, &tagged_next, 0);
	return TC_ACT_STOLEN;
}
