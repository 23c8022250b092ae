// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What bench_packet measures synward's programs against, and what it puts in front of them: a
 * program that gives the packet a new source, or not, and then calls the program under test in its
 * place. With the bare drop as that program, the same steps make the floor.
 */
#include "../bpf/repeat.h" /* before core/parse_tcp.h, which needs it */

#include "../bpf/core/parse.h"
#include "../include/synward/base.h"
#include "listed.h"
#include <bpf/bpf_helpers.h>

#define LRU_ENTRIES 65536

/* Where the source is in the frames of bench_packet: Ethernet without a tag, IP without options. */
enum {
	V4_SOURCE = 14 + 12,
	V4_PORTS = 14 + 20,
	V6_SOURCE = 14 + 8,
	V6_SOURCE_END = 14 + 8 + 8, /* its lower half */
	V6_PORTS = 14 + 40,
};

/* Of those frames, as bytes in memory. */
#define BYTES4(a, b, c, d)   ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)
#define V4_SERVER	     BYTES4(192, 0, 2, 2)
#define V6_SERVER_WORDS	     BYTES4(0x20, 1, 0x0d, 0xb8), BYTES4(0, 1, 0, 0), 0, BYTES4(0, 0, 0, 2)
#define V6_CLIENT_FIRST_WORD BYTES4(0x20, 1, 0x0d, 0xb8)
#define SERVER_PORT	     BYTES4(443 >> 8, 443 & 0xff, 0, 0)
#define SYN_OFFSET_FLAGS     BYTES4(10 << 4, 2, 0, 0) /* 40 bytes of header, SYN */

#define V4_LENGTH BYTES4(0, 60, 0, 0)
#define V6_LENGTH BYTES4(0, 40, 0, 0)

enum {
	V4_LENGTH_AT = 14 + 2,
	V6_LENGTH_AT = 14 + 4,
	TCP_DESTINATION = 2,
	TCP_ACK = 8,
	TCP_OFFSET_FLAGS = 12,
	TCP_HEADER = 20,
};

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The program under test. A constant index makes the call a direct jump. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct flow_key {
	__u32 words[10];
};

struct flow_value {
	__u64 words[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LRU_ENTRIES);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} lru SEC(".maps");

/* Only one program runs at a time, and on one CPU. */
__u64 random_state = 1;

/*
 * Knuth's MMIX generator, of whose state the upper half is the good one. It costs a nanosecond at
 * most: whatever is in the floor hides what is above it.
 */
static __always_inline __u64 next_random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state;
}

static __always_inline __u16 random_port(__u64 random)
{
	return random >> 20 | 0x0080; /* in either byte order not 0 */
}

/* The packet as it is. */
SEC("xdp")
int leave(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* A source in 10.0.0.0/8: 2^24 addresses, each with thousands of ports. */
SEC("xdp")
int random_source(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V4_PORTS + sizeof(__u16) > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u32 *)(data + V4_SOURCE) = (random >> 32 & ~0xffU) | 10;
	*(__u16 *)(data + V4_PORTS) = random_port(random);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

static __always_inline int from_listed(struct xdp_md *ctx, __u32 of)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V4_PORTS + sizeof(__u16) > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u32 *)(data + V4_SOURCE) = bench_listed((random >> 32) * of >> 32);
	*(__u16 *)(data + V4_PORTS) = random_port(random);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* Any of the addresses that bench_packet has put on a list. */
SEC("xdp")
int listed_source(struct xdp_md *ctx)
{
	return from_listed(ctx, BENCH_LISTED);
}

/* One of a few of them: those that attack just now. */
SEC("xdp")
int listed_few(struct xdp_md *ctx)
{
	return from_listed(ctx, BENCH_LISTED_FEW);
}

/* The lower half of the source's address. */
SEC("xdp")
int random_source_v6(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V6_PORTS + sizeof(__u16) > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u64 *)(data + V6_SOURCE_END) = random;
	*(__u16 *)(data + V6_PORTS) = random_port(random);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* Makes a SYN again of the answer that was written over it: what else differs is looked at by nobody. */
static __always_inline void renew_tcp(__u8 *tcp)
{
	*(__u16 *)(tcp + TCP_DESTINATION) = SERVER_PORT;
	*(__u32 *)(tcp + TCP_ACK) = 0;
	*(__u16 *)(tcp + TCP_OFFSET_FLAGS) = SYN_OFFSET_FLAGS;
}

/* As random_source, for a program that answers. */
SEC("xdp")
int renewed_source(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V4_PORTS + TCP_HEADER > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u32 *)(data + V4_SOURCE) = (random >> 32 & ~0xffU) | 10;
	*(__u32 *)(data + V4_SOURCE + 4) = V4_SERVER;
	*(__u16 *)(data + V4_LENGTH_AT) = V4_LENGTH;
	*(__u16 *)(data + V4_PORTS) = random_port(random);
	renew_tcp(data + V4_PORTS);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int renewed_source_v6(struct xdp_md *ctx)
{
	static const __u32 server[4] = { V6_SERVER_WORDS };
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();
	__u32 *addresses = (__u32 *)(data + V6_SOURCE);

	if (data + V6_PORTS + TCP_HEADER > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u16 *)(data + V6_LENGTH_AT) = V6_LENGTH;
	addresses[0] = V6_CLIENT_FIRST_WORD;
	addresses[1] = 0;
	addresses[2] = random >> 32;
	addresses[3] = random;
	for (int i = 0; i < 4; i++)
		addresses[4 + i] = server[i];
	*(__u16 *)(data + V6_PORTS) = random_port(random);
	renew_tcp(data + V6_PORTS);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* A source in 10.0.0.0/8, and an acknowledged number, as an ACK flood has them. */
SEC("xdp")
int random_ack(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V4_PORTS + TCP_HEADER > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u32 *)(data + V4_SOURCE) = (random >> 32 & ~0xffU) | 10;
	*(__u16 *)(data + V4_PORTS) = random_port(random);
	*(__u32 *)(data + V4_PORTS + TCP_ACK) = random >> 24;
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int random_ack_v6(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(__u64)ctx->data;
	__u64 random = next_random();

	if (data + V6_PORTS + TCP_HEADER > (__u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	*(__u64 *)(data + V6_SOURCE_END) = random;
	*(__u16 *)(data + V6_PORTS) = random_port(random);
	*(__u32 *)(data + V6_PORTS + TCP_ACK) = random >> 24;
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* The floor. */
SEC("xdp")
int bare_drop(struct xdp_md *ctx __unused)
{
	return XDP_DROP;
}

/* The obvious way to remember a SYN, and nothing but that: no parser, no states, no report. */
SEC("xdp")
int lru_insert(struct xdp_md *ctx)
{
	const __u8 *data = (const __u8 *)(__u64)ctx->data;
	struct flow_value value = {};
	struct flow_key key = {};

	if (data + V4_PORTS + sizeof(__u32) > (const __u8 *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	key.words[0] = *(const __u32 *)(data + V4_SOURCE);
	key.words[1] = *(const __u32 *)(data + V4_SOURCE + 4);
	key.words[2] = *(const __u32 *)(data + V4_PORTS);
	bpf_map_update_elem(&lru, &key, &value, 0);
	return XDP_DROP;
}

static __always_inline struct sw_cursor cursor_at(struct xdp_md *ctx, __u32 offset)
{
	return (struct sw_cursor){ (const __u8 *)(__u64)ctx->data + (offset & SW_MAX_OFFSET),
				   (const __u8 *)(__u64)ctx->data_end };
}

/* A further step of parsing, as sw_xdp takes it. */
__noinline int parse_step(struct xdp_md *ctx, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(ctx, offset);

	if (packet)
		sw_parse_step(&cursor, packet);
	return cursor.pos - (const __u8 *)(__u64)ctx->data;
}

/* Whoever has a packet parsed wants to know all of it. */
__noinline int use(const struct sw_packet *packet)
{
	return packet && packet->kind != SW_KIND_MALFORMED ? XDP_PASS : XDP_ABORTED;
}

/* Nobody can find out anything about a packet and do less. */
SEC("xdp")
int parse_and_pass(struct xdp_md *ctx)
{
	struct sw_cursor cursor = cursor_at(ctx, 0);
	struct sw_packet packet = {};
	__u32 offset;

	sw_parse(&cursor, ctx->data_end - ctx->data, &packet);
	offset = cursor.pos - (const __u8 *)(__u64)ctx->data;
	for (int i = 0; i < SW_MAX_PARSE_STEPS && packet.rest; i++)
		offset = parse_step(ctx, offset, &packet);
	return use(&packet);
}
