/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_REPLAY_H
#define SYNWARD_REPLAY_H

/*
 * How a capture gets through the very program that guards an interface: user space fills a batch,
 * then has sw_feed run once for each frame of it in a single call. sw_feed makes the frame the
 * packet, sets the clock to the capture's, and tail-calls the program.
 */

#include "../include/synward/replay.h"
#include "maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* SW_REPLAY_BATCH in a replay: nobody else pays for it */
	__type(key, __u32);
	__type(value, struct sw_replay_frame);
} replay_batch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} replay_target SEC(".maps");

/* The frame at hand. */
struct replay_frame {
	__u64 now_ns;
	__u32 length; /* on the wire */
	__u32 next;   /* of the batch */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct replay_frame);
} replay_state SEC(".maps");

static __always_inline struct replay_frame *replay_frame(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&replay_state, &key);
}

/* Puts the next frame of the batch into the packet. */
static __always_inline bool replay_feed(struct xdp_md *ctx)
{
	struct replay_frame *state = replay_frame();
	struct sw_replay_frame *frame;
	__u32 captured;

	if (!state)
		return false;
	frame = bpf_map_lookup_elem(&replay_batch, &state->next);
	if (!frame)
		return false;
	state->next++;
	state->now_ns = frame->time_ns;
	state->length = frame->length;
	captured = frame->captured;
	if (captured < SW_REPLAY_MIN_FRAME || captured > SW_REPLAY_MAX_FRAME)
		return false;
	if (bpf_xdp_adjust_tail(ctx, (int)captured - (int)bpf_xdp_get_buff_len(ctx)))
		return false;
	return bpf_xdp_store_bytes(ctx, 0, frame->bytes, captured) == 0;
}

#endif
