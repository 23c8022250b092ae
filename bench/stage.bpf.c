// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The wire between the honest client, the flood and the victim, and the peers that do the least: one drops
 * the flood, one turns it round. Which interface is which is known beforehand: bench/stage.py gives them
 * these numbers and addresses.
 */
#include "../bpf/repeat.h" /* before core/parse_tcp.h, which needs it */

#include "../bpf/core/checksum.h"
#include "../bpf/core/wire.h"
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

/* ---- what answers at least */

#define TURNED_FLAGS (WIRE_TCP_SYN | WIRE_TCP_ACK | WIRE_TCP_RST | WIRE_TCP_FIN)

static __always_inline void exchange(__u32 *a, __u32 *b, int words)
{
	for (int i = 0; i < words; i++) {
		__u32 kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/*
 * Makes a SYN-ACK of a SYN, in place: it has the SYN's options and number, acknowledges that, and its sum is the SYN's
 * but for what has changed. Returns false if it is no SYN.
 */
static __always_inline bool turn_tcp(struct wire_tcp *tcp)
{
	__u16 port = tcp->source, flags = tcp->offset_flags;
	__u32 acked = sw_htonl(sw_ntohl(tcp->seq) + 1);
	__u64 sum;

	if ((sw_ntohs(flags) & TURNED_FLAGS) != WIRE_TCP_SYN)
		return false;
	/* RFC 1624: what goes is added as its complement */
	sum = (__u16)~tcp->checksum + (__u64)acked + (__u32)~tcp->ack + sw_htons(WIRE_TCP_ACK);
	tcp->source = tcp->destination;
	tcp->destination = port;
	tcp->ack = acked;
	tcp->offset_flags = flags | sw_htons(WIRE_TCP_ACK);
	tcp->checksum = ~sw_sum_fold(sum);
	return true;
}

static __always_inline void turn_ethernet(struct ethernet *frame)
{
	for (int i = 0; i < 3; i++) {
		__u16 kept = frame->source[i];

		frame->source[i] = frame->destination[i];
		frame->destination[i] = kept;
	}
}

static __always_inline bool turn_ipv4(struct wire_ipv4 *ip, const void *end)
{
	struct wire_tcp *tcp = (struct wire_tcp *)(ip + 1);

	if ((const void *)(tcp + 1) > end || ip->version_ihl != 0x45 ||
	    ip->protocol != WIRE_IP_TCP || !turn_tcp(tcp))
		return false;
	exchange(&ip->source, &ip->destination, 1);
	return true;
}

static __always_inline bool turn_ipv6(struct wire_ipv6 *ip, const void *end)
{
	struct wire_tcp *tcp = (struct wire_tcp *)(ip + 1);

	if ((const void *)(tcp + 1) > end || ip->next_header != WIRE_IP_TCP || !turn_tcp(tcp))
		return false;
	exchange(ip->source, ip->destination, 4);
	return true;
}

/* Sends each SYN back as a SYN-ACK without a cookie: nobody can answer and do less. */
SEC("xdp")
int turn_strangers(struct xdp_md *ctx)
{
	struct ethernet *frame = (struct ethernet *)(__u64)ctx->data;
	const void *end = (const void *)(__u64)ctx->data_end;
	bool turned = false;

	if (frame + 1 > (const struct ethernet *)end || is_client(frame->source))
		return XDP_PASS;
	if (frame->type == sw_htons(WIRE_ETH_IPV4))
		turned = turn_ipv4((struct wire_ipv4 *)(frame + 1), end);
	else if (frame->type == sw_htons(WIRE_ETH_IPV6))
		turned = turn_ipv6((struct wire_ipv6 *)(frame + 1), end);
	if (!turned)
		return XDP_PASS;
	turn_ethernet(frame);
	return XDP_TX;
}
