/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_FLOOD_H
#define SYNWARD_BENCH_FLOOD_H

/* What the flood's program in the kernel and the one that runs it share. */

#include "../include/synward/base.h"

/*
 * A frame is written whole, in words, and then cut to its length: at least one byte always goes, so
 * that the kernel takes the length anew (the frame is a page that comes back from the victim, which
 * may have answered in it).
 */
#define FLOOD_WORDS	 12
#define FLOOD_FRAME_SIZE (FLOOD_WORDS * 8)

/* Where things are in a frame: Ethernet without a tag, IP without options or extensions. */
enum {
	FLOOD_V4_IP_SUM = 14 + 10,
	FLOOD_V4_SOURCE = 14 + 12,
	FLOOD_V4_TCP = 14 + 20,
	FLOOD_V6_SOURCE = 14 + 8,
	FLOOD_V6_TCP = 14 + 40,
};

/* of a TCP header */
enum {
	FLOOD_TCP_PORT = 0,
	FLOOD_TCP_SEQ = 4,
	FLOOD_TCP_ACK = 8,
	FLOOD_TCP_SUM = 16,
};

/*
 * What all segments of one kind have in common. Sums are those of RFC 1071 in memory's byte order,
 * not folded, over all that does not change; what changes is 0 in the words.
 */
struct flood_frame {
	__u64 words[FLOOD_WORDS];
	__u64 ip_sum;
	__u64 tcp_sum; /* with the pseudo header */
	__u32 length;
	__u32 is_ack; /* it has an acknowledgement number, at random */
};

struct flood_settings {
	struct flood_frame frames[2]; /* by turns at random if they are two */
	__u32 kinds;
	__u32 is_v6;
	__u32 ifindex;
	__u32 padding;
	__u64 interval_ns; /* between two segments; 0: as fast as it goes */
	__u64 catch_up_ns; /* being late by more than this is forgotten */
	__u64 count;	   /* no more segments than these */
};

#endif
