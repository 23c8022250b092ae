// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The entries. What a packet goes through is in pipeline.h; what may be known about it, in core/.
 */
#include "repeat.h" /* before core/parse_tcp.h, which needs it */

#include "ingress_xdp.h" /* before what is the same for XDP and TC */

#include "core/checksum.h"
#include "lists.h"
#include "handover.h"
#include "parse_skb.h"
#include "pipeline.h"
#include "replay.h"
#include "sweep.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A further step of parsing. Returns the offset at which the next goes on. */
__noinline int parse_step_xdp(struct xdp_md *ctx, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(ctx->data, ctx->data_end, offset);

	if (packet)
		sw_parse_step(&cursor, packet);
	return cursor.pos - (const __u8 *)(__u64)ctx->data;
}

/* Add what is wrong with the checksums to what is known of the packet. Return 0. */
__noinline int check_ip_sum_xdp(struct xdp_md *ctx, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(ctx->data, ctx->data_end, 0);

	if (packet)
		sw_check_ip_sum(&cursor, packet);
	return 0;
}

__noinline int check_tcp_sum_xdp(struct xdp_md *ctx, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(ctx->data, ctx->data_end, offset);

	if (packet)
		sw_check_tcp_sum(&cursor, packet);
	return 0;
}

static __always_inline enum xdp_action xdp_action(struct xdp_md *ctx, enum sw_verdict verdict)
{
	switch (verdict) {
	case SW_VERDICT_DROPPED:
		return XDP_DROP;
	case SW_VERDICT_ANSWERED:
		return tc_mark_of(ctx->data_meta, ctx->data) ? XDP_PASS : XDP_TX;
	default:
		return XDP_PASS;
	}
}

/*
 * The same where a frame lies in several buffers, of which the context has the first. TCP options that go
 * on in the next one cannot be read: the frame is one that is cut off.
 */
__noinline int parse_step_frags(struct xdp_md *ctx, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor options = cursor_at(ctx->data, ctx->data_end, offset);

	if (packet && packet->rest == SW_REST_OPTIONS &&
	    !sw_peek(&options, packet->doff * 4U - (__u32)sizeof(struct wire_tcp))) {
		packet->kind = SW_KIND_MALFORMED;
		packet->rest = SW_REST_NONE;
		return offset;
	}
	return parse_step_xdp(ctx, offset, packet);
}

/*
 * A frame of so many bytes that came in, or was captured; or in parts, of which the context has the
 * first: without all the headers it is one that is cut off.
 */
static __always_inline int receive(struct xdp_md *ctx, __u32 length, bool in_parts)
{
	struct sw_cursor cursor = cursor_at(ctx->data, ctx->data_end, 0);
	struct sw_packet packet = {};
	enum sw_verdict verdict;
	__u32 offset;

	if (!in_parts && load.replay) {
		struct replay_frame *frame = replay_frame();

		if (frame)
			length = frame->length;
	}
	sw_parse(&cursor, length, &packet);
	offset = cursor.pos - (const __u8 *)(__u64)ctx->data;
	for (int i = 0; i < SW_MAX_PARSE_STEPS && packet.rest; i++)
		offset = in_parts ? parse_step_frags(ctx, offset, &packet) :
				    parse_step_xdp(ctx, offset, &packet);
	if (load.checksums) {
		check_ip_sum_xdp(ctx, &packet);
		check_tcp_sum_xdp(ctx, offset - sizeof(struct wire_tcp), &packet);
	}
	verdict = inspect(ctx, &packet, offset - sizeof(struct wire_tcp), SW_INGRESS);
	count_traffic(SW_INGRESS, length, verdict, packet.kind, false);
	return xdp_action(ctx, verdict);
}

/* Everything that an interface receives. */
SEC("xdp")
int sw_xdp(struct xdp_md *ctx)
{
	return receive(ctx, ctx->data_end - ctx->data, false);
}

/*
 * The same where frames may lie in several buffers. Headers are not fetched from behind, nor is an answer
 * cut to the first buffer: what such a helper let go of, veth gave back a second time (Linux 6.18).
 */
SEC("?xdp.frags")
int sw_xdp_frags(struct xdp_md *ctx)
{
	return receive(ctx, bpf_xdp_get_buff_len(ctx), true);
}

/*
 * What goes up into the stack, where a policy has cookies. Whatever is wrong with it has been dropped
 * before; here it is only looked for the ACK that ends a handshake.
 */
SEC("tc")
int sw_handover(struct __sk_buff *skb)
{
	const struct tc_mark *mark = fresh_mark(skb);
	struct sw_packet packet = {};
	__u32 offset, by_route;

	if (mark) {
		by_route = mark->by_route;
		offset = parse_skb(skb, &packet);
		return send_from_tc(skb, &packet, offset - sizeof(struct wire_tcp), by_route);
	}
	if (!policy_has(settings.policy, SW_HAS_FLOOD_DEFENCE))
		return TC_ACT_UNSPEC;
	note_tc_ran(skb, clock_ms());
	if (!honours_cookies() || !hands_over(settings.policy))
		return TC_ACT_UNSPEC;
	offset = parse_skb(skb, &packet);
	return hand_over(skb, &packet, offset);
}

/* A segment that came in on another attached interface was followed there. */
static __always_inline bool is_forwarded(const struct __sk_buff *skb)
{
	struct sw_interface_key key = { .netns = load.netns, .ifindex = skb->ingress_ifindex };

	return key.ifindex && bpf_map_lookup_elem(&attached, &key);
}

/* Everything that an interface sends. What it forwards has been followed where it came in. */
SEC("tc")
int sw_egress(struct __sk_buff *skb)
{
	bool forwarded = is_forwarded(skb), listens = listens_for_answers();
	enum sw_verdict verdict = SW_VERDICT_PASSED;
	struct sw_packet packet = {};

	if (was_sent_by_tc(skb))
		return TC_ACT_UNSPEC;
	if (!forwarded || listens)
		parse_skb(skb, &packet);
	if (listens)
		hear(skb, &packet);
	if (listens && packet.kind == SW_KIND_TCP &&
	    (packet.flags & (WIRE_TCP_RST | WIRE_TCP_ACK)) == WIRE_TCP_RST)
		excuse_probe(skb, &packet, settings.policy);
	if (forwarded)
		note_forwards();
	else
		verdict = inspect(skb, &packet, 0, SW_EGRESS);
	count_traffic(SW_EGRESS, skb->len, verdict, forwarded ? 0 : packet.kind, forwarded);
	return TC_ACT_UNSPEC;
}

/*
 * The programs below are run by the loader, once, by BPF_PROG_TEST_RUN. They are of type XDP, as the
 * one they serve: type syscall is sleepable, and might be preempted while it holds a bucket's lock.
 */

/*
 * Starts the sweeper, or gives it this object's code; run whenever an interface is attached or upgraded, with
 * a struct sw_arm_request as its packet. Returns XDP_PASS if it runs.
 */
SEC("xdp")
int sw_arm(struct xdp_md *ctx)
{
	const struct sw_arm_request *request = (void *)(__u64)ctx->data;
	__u32 key = 0;
	struct sweeper *sweeper = bpf_map_lookup_elem(&sweepers, &key);

	if (!sweeper || (void *)(request + 1) > (void *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	if (!policy_state.since_ms)
		policy_state.since_ms = clock_ms64(); /* the maps are new */
	sweeper->swept_ns = bpf_ktime_get_ns();
	if (!request->goes_on) {
		/* what is older than that is not known of what comes by this interface */
		settings.watching_since_ms[load.slot & (SW_MAX_INTERFACES - 1)] = clock_ms64();
		/* the slot may have been another one's */
		__sync_fetch_and_and(&settings.forwarders, ~forwarder_bit());
	}
	bpf_timer_init(&sweeper->timer, &sweepers, CLOCK_MONOTONIC); /* again: EBUSY, as it is */
	if (bpf_timer_set_callback(&sweeper->timer, sweep_tick) ||
	    bpf_timer_start(&sweeper->timer, SW_SWEEP_PERIOD_NS, 0))
		return XDP_ABORTED;
	return XDP_PASS;
}

/* Sweeps the part of a table that its packet, a struct sw_sweep_request, names. */
SEC("xdp")
int sw_sweep(struct xdp_md *ctx)
{
	const struct sw_sweep_request *request = (void *)(__u64)ctx->data;
	struct sweep_slice slice = { .now.ms = clock_ms() };

	if ((void *)(request + 1) > (void *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	slice.first = request->first;
	slice.force = request->force;
	if (request->connections)
		bpf_loop(request->count, sweep_connections, &slice, 0);
	else
		bpf_loop(request->count, sweep_handshakes, &slice, 0);
	return XDP_PASS;
}

/* Changes which policy is active, as its packet, a struct sw_switch_request, says. */
SEC("xdp")
int sw_switch(struct xdp_md *ctx)
{
	const struct sw_switch_request *request = (void *)(__u64)ctx->data;
	struct sw_switch_request copy;
	bool done;

	if ((void *)(request + 1) > (void *)(__u64)ctx->data_end)
		return XDP_ABORTED;
	copy = *request;
	if (!sw_lock(&policy_state.lock))
		return XDP_ABORTED;
	done = switch_policy(&copy);
	sw_unlock(&policy_state.lock);
	return done ? XDP_PASS : XDP_DROP;
}

/*
 * Puts a notice into the journal of events, as its packet, a struct sw_tell_request, says. So all writers are programs,
 * and none can be killed between taking its number and writing its record.
 */
SEC("xdp")
int sw_tell(struct xdp_md *ctx)
{
	const struct sw_tell_request *request = (void *)(__u64)ctx->data;

	if ((void *)(request + 1) > (void *)(__u64)ctx->data_end ||
	    request->abi_version != SW_ABI_VERSION)
		return XDP_ABORTED;
	return emit_notice(&request->notice) ? XDP_PASS : XDP_DROP;
}

/*
 * Returns the coarse clock's milliseconds, by which user space tells the age of an entry, and writes
 * them without an end into its packet.
 */
SEC("xdp")
int sw_clock(struct xdp_md *ctx)
{
	__u64 *out = (void *)(__u64)ctx->data, now_ms = clock_ms64();

	if ((void *)(out + 1) <= (void *)(__u64)ctx->data_end)
		*out = now_ms;
	return now_ms;
}

/* Makes the next frame of a capture the packet and hands it on. */
SEC("xdp")
int sw_feed(struct xdp_md *ctx)
{
	if (replay_feed(ctx))
		bpf_tail_call(ctx, &replay_target, 0);
	return XDP_ABORTED;
}
