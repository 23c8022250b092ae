/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_REPLAY_FRAME_H
#define SYNWARD_REPLAY_FRAME_H

#include "base.h"

#define SW_REPLAY_BATCH	    1024U
#define SW_REPLAY_MIN_FRAME 14U	 /* an Ethernet header; shorter ones are padded with zeros */
#define SW_REPLAY_MAX_FRAME 496U /* the headers are in it, whatever is stacked */

/* One frame of a capture (the map "replay_batch"). */
struct sw_replay_frame {
	__u64 time_ns;
	__u32 length;	/* on the wire */
	__u32 captured; /* of it in bytes[] */
	__u8 bytes[SW_REPLAY_MAX_FRAME];
};

SW_STATIC_ASSERT(sizeof(struct sw_replay_frame) == 512, "frames of a batch lie without gaps");

/* What the program sw_sweep reads from the start of its packet. */
struct sw_sweep_request {
	__u8 ethernet[16]; /* unused: room for the header that every packet is thought to have */
	__u32 first;	   /* bucket */
	__u32 count;
	__u32 force;	   /* 1: every entry ends now, as if silence followed */
	__u32 connections; /* 1: buckets of the connections table, else of the handshakes */
};

#endif
