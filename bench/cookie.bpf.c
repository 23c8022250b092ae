// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What SYN cookies cost by themselves: a SYN is parsed and answered, a first ACK is checked, a
 * client is challenged, and nothing is decided, followed or counted.
 */
#include "../bpf/repeat.h" /* before core/parse_tcp.h, which needs it */

#include "../bpf/core/answer.h"
#include "../bpf/core/cookie.h"
#include "../bpf/core/parse.h"
#include "../include/synward/verdict.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Milliseconds in a tick, times 2^20, as in the programs that attach loads. */
const volatile __u32 tick_ms_q20 = 4 << 20;
/* if not 0, the time instead of the clock's */
const volatile __u32 fixed_ms;
/* 1: challenge instead of answering for the server */
const volatile __u8 challenge;
/* 1: a bad ACK is dropped only if the kernel does not know its connection, either */
const volatile __u8 ask_kernel = 1;

struct cookie_state {
	struct sw_cookie_keys keys;
	struct sw_cookie_offer offer;
	__u32 pad;
	__u64 good;
	__u64 bad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cookie_state);
} states SEC(".maps");

static __always_inline struct cookie_state *my_state(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&states, &key);
}

static __always_inline __u32 now_ms(void)
{
	return fixed_ms ? fixed_ms : bpf_jiffies64() * tick_ms_q20 >> 20;
}

static __always_inline struct sw_cursor cursor_at(struct xdp_md *ctx, __u32 offset)
{
	return (struct sw_cursor){ (const __u8 *)(__u64)ctx->data + (offset & SW_MAX_OFFSET),
				   (const __u8 *)(__u64)ctx->data_end };
}

__noinline int parse_step(struct xdp_md *ctx, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(ctx, offset);

	if (packet)
		sw_parse_step(&cursor, packet);
	return cursor.pos - (const __u8 *)(__u64)ctx->data;
}

/* Writes the answer. Returns by how many bytes it begins later than the frame, or SW_NO_ANSWER. */
__noinline int write_answer(struct xdp_md *ctx, __u32 tcp, const struct sw_packet *syn,
			    const struct sw_cookie_answer *answer)
{
	struct sw_syn_frame frame = { .start = (__u8 *)(__u64)ctx->data,
				      .end = (const __u8 *)(__u64)ctx->data_end,
				      .tcp = tcp };
	__u32 length;

	if (!syn || !answer)
		return SW_NO_ANSWER;
	frame.link_length = syn->link_length;
	return sw_answer(&frame, syn, answer, &length);
}

static __always_inline int answer_syn(struct xdp_md *ctx, __u32 options_at,
				      const struct sw_packet *syn)
{
	const struct cookie_state *state = my_state();
	struct sw_cookie_answer answer = {};
	int later;

	if (!state || !sw_is_answerable(syn))
		return XDP_DROP;
	if (challenge) {
		if (!sw_challenge_make(&state->keys, NULL, syn, now_ms(), &answer))
			return XDP_PASS;
	} else {
		sw_cookie_make(&state->keys, NULL, &state->offer, syn, now_ms(), &answer);
	}
	later = write_answer(ctx, options_at - sizeof(struct wire_tcp), syn, &answer);
	if (later < 0 || (later && bpf_xdp_adjust_head(ctx, later)))
		return XDP_DROP;
	return XDP_TX;
}

static __always_inline bool kernel_knows(struct xdp_md *ctx, const struct sw_packet *packet)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size, state;

	if (sw_addr_is_v4(&packet->src)) {
		tuple.ipv4.saddr = packet->src.words[3];
		tuple.ipv4.daddr = packet->dst.words[3];
		tuple.ipv4.sport = sw_htons(packet->sport);
		tuple.ipv4.dport = sw_htons(packet->dport);
		size = sizeof(tuple.ipv4);
	} else {
		for (int i = 0; i < 4; i++) {
			tuple.ipv6.saddr[i] = packet->src.words[i];
			tuple.ipv6.daddr[i] = packet->dst.words[i];
		}
		tuple.ipv6.sport = sw_htons(packet->sport);
		tuple.ipv6.dport = sw_htons(packet->dport);
		size = sizeof(tuple.ipv6);
	}
	sk = bpf_skc_lookup_tcp(ctx, &tuple, size, -1, 0);
	if (!sk)
		return false;
	state = sk->state;
	bpf_sk_release(sk);
	return state != 10; /* LISTEN */
}

static __always_inline int check_ack(struct xdp_md *ctx, const struct sw_packet *ack)
{
	struct cookie_state *state = my_state();
	struct sw_cookie_options agreed;

	if (!state)
		return XDP_ABORTED;
	if (sw_cookie_check(&state->keys, NULL, &state->offer, ack, now_ms(), &agreed)) {
		state->good++;
		return XDP_PASS;
	}
	state->bad++;
	return ask_kernel && kernel_knows(ctx, ack) ? XDP_PASS : XDP_DROP;
}

static __always_inline int check_rst(const struct sw_packet *rst)
{
	const struct cookie_state *state = my_state();

	return state && sw_challenge_check(&state->keys, NULL, rst, now_ms()) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int cookie_xdp(struct xdp_md *ctx)
{
	struct sw_cursor cursor = cursor_at(ctx, 0);
	struct sw_packet packet = {};
	__u32 offset;

	sw_parse(&cursor, ctx->data_end - ctx->data, &packet);
	offset = cursor.pos - (const __u8 *)(__u64)ctx->data;
	for (int i = 0; i < SW_MAX_PARSE_STEPS && packet.rest; i++)
		offset = parse_step(ctx, offset, &packet);
	if (packet.kind != SW_KIND_TCP)
		return XDP_PASS;
	cursor = cursor_at(ctx, offset);
	sw_parse_timestamp(&cursor, &packet);
	if ((packet.flags & (WIRE_TCP_SYN | WIRE_TCP_ACK)) == WIRE_TCP_SYN)
		return answer_syn(ctx, offset, &packet);
	if (packet.flags & WIRE_TCP_SYN)
		return XDP_PASS;
	if (packet.flags & WIRE_TCP_RST)
		return check_rst(&packet);
	return check_ack(ctx, &packet);
}
