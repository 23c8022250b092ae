// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The flood: each run of the program is one segment of a random source, or none if it is not time
 * for one yet. BPF_PROG_TEST_RUN runs it with live frames, and so as fast as a core can.
 */
#include "flood.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct flood_settings settings = {};

/* Only one core runs the program. */
__u64 random_state = 0;
__u64 next_ns = 0;
__u64 sent = 0;

/* Knuth's MMIX generator, of whose state the upper bits are the good ones. */
static __always_inline __u64 next_random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state;
}

static __always_inline bool is_due(void)
{
	__u64 now, late;

	if (sent >= settings.count)
		return false;
	if (!settings.interval_ns)
		return true;
	now = bpf_ktime_get_ns();
	if (now < next_ns)
		return false;
	late = now - next_ns;
	next_ns = (late > settings.catch_up_ns ? now : next_ns) + settings.interval_ns;
	return true;
}

/* The checksum of what a sum, not folded, was made of. */
static __always_inline __u16 checksum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Port, sequence and acknowledgement number of the TCP header at tcp, and what depends on them. */
static __always_inline void fill_tcp(__u8 *tcp, const volatile struct flood_frame *frame, __u64 sum)
{
	__u64 random = next_random(), numbers = next_random();
	__u16 port = random >> 40 | 0x0080; /* in either byte order not 0 */
	__u32 seq = numbers >> 32, ack = frame->is_ack ? (random >> 32) * 2654435761U : 0;

	*(__u16 *)(tcp + FLOOD_TCP_PORT) = port;
	*(__u32 *)(tcp + FLOOD_TCP_SEQ) = seq;
	*(__u32 *)(tcp + FLOOD_TCP_ACK) = ack;
	*(__u16 *)(tcp + FLOOD_TCP_SUM) = checksum(frame->tcp_sum + sum + port + seq + ack);
}

/* Sources in 10.0.0.0/8: 2^24 addresses, each with thousands of ports. */
static __always_inline void fill_v4(__u8 *data, const volatile struct flood_frame *frame)
{
	__u32 source = bpf_htonl(10 << 24 | next_random() >> 40);

	*(__u32 *)(data + FLOOD_V4_SOURCE) = source;
	*(__u16 *)(data + FLOOD_V4_IP_SUM) = checksum(frame->ip_sum + source);
	fill_tcp(data + FLOOD_V4_TCP, frame, source);
}

/* Sources in 2001:db8::/32, each of a /64 of its own. */
static __always_inline void fill_v6(__u8 *data, const volatile struct flood_frame *frame)
{
	__u32 prefix = next_random() >> 32, high = next_random() >> 32, low = high * 2654435761U;
	__u32 *source = (__u32 *)(data + FLOOD_V6_SOURCE);

	source[1] = prefix;
	source[2] = high;
	source[3] = low;
	fill_tcp(data + FLOOD_V6_TCP, frame, (__u64)prefix + high + low);
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	const volatile struct flood_frame *frame = &settings.frames[0];

	if (data + FLOOD_FRAME_SIZE > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	if (!is_due())
		return XDP_DROP;
	if (settings.kinds > 1 && next_random() >> 63)
		frame = &settings.frames[1];
	for (int i = 0; i < FLOOD_WORDS; i++)
		((__u64 *)data)[i] = frame->words[i];
	if (settings.is_v6)
		fill_v6(data, frame);
	else
		fill_v4(data, frame);
	if (bpf_xdp_adjust_tail(ctx, (int)frame->length - FLOOD_FRAME_SIZE))
		return XDP_ABORTED;
	sent++;
	return bpf_redirect(settings.ifindex, 0);
}
