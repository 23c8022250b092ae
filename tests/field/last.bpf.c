// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program of somebody else's, behind which no other one sees a packet. */
#include <synward/base.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int end_chain(struct __sk_buff *skb __unused)
{
	return TC_ACT_OK;
}
