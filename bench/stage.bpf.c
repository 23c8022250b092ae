// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The wire between the honest client, the flood and the victim, and the peer that only drops. Which
 * interface is which is known beforehand: bench/stage.py gives them these numbers and addresses.
 */
#include "../include/synward/base.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum {
	TO_VICTIM = 10,
	TO_CLIENT = 11,
};

/* of locally administered MAC addresses, the last four bytes; the first two are 02:53 */
#define CLIENT_MAC 0x57000001

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct ethernet {
	__u16 destination[3];
	__u16 source[3];
	__u16 type;
};

static __always_inline bool is_client(const __u16 mac[3])
{
	return mac[1] == bpf_htons(CLIENT_MAC >> 16) && mac[2] == bpf_htons(CLIENT_MAC & 0xffff);
}

/* What the client sends. */
SEC("xdp")
int from_client(struct xdp_md *ctx __unused)
{
	return bpf_redirect(TO_VICTIM, 0);
}

/* What the victim sends: to the client, or else to sources that do not exist. */
SEC("xdp")
int from_victim(struct xdp_md *ctx)
{
	const struct ethernet *frame = (const struct ethernet *)(__u64)ctx->data;

	if (frame + 1 > (const struct ethernet *)(__u64)ctx->data_end)
		return XDP_DROP;
	return is_client(frame->destination) ? bpf_redirect(TO_CLIENT, 0) : XDP_DROP;
}

/* What any program at the driver costs. */
SEC("xdp")
int pass_all(struct xdp_md *ctx __unused)
{
	return XDP_PASS;
}

/* The bound: who is honest is known beforehand. */
SEC("xdp")
int drop_strangers(struct xdp_md *ctx)
{
	const struct ethernet *frame = (const struct ethernet *)(__u64)ctx->data;

	if (frame + 1 > (const struct ethernet *)(__u64)ctx->data_end)
		return XDP_PASS;
	return is_client(frame->source) ? XDP_PASS : XDP_DROP;
}
