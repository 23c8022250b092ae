/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LOAD_H
#define SYNWARD_LOAD_H

#include "base.h"

/*
 * What one loaded program is told once and for all. The verifier knows these as constants and
 * removes the branches that they make dead: a feature that is off is not there.
 */
struct load_constants {
	__u64 seed[2];
	__u32 handshake_buckets;
	__u32 connection_buckets;
	__u32 tick_ms_q20;   /* milliseconds in one of the kernel's jiffies, times 2^20 */
	__u32 event_records; /* of the journal of events; never 0 */
	__u32 followed; /* attempts that a CPU enters in a window of 16 ms, in the long run; 0: all */
	__u32 burst;	/* as many at once, of what it has left unused; at least followed */
	__u32 netns;	/* inode number of the interface's network namespace */
	__u8 slot;	/* the interface's place in the maps */
	__u8 replay;	/* the time and the frame's length come from replay_state */
	__u8 checksums;	     /* verify those of what comes in */
	__u8 ordered_stores; /* 1: CPUs see each other's stores in order, as x86 and s390 do */
	__u8 raw_cookies;    /* the kernel makes and checks cookies for us */
	__u8 handover; /* the kernel takes handshakes for its listeners from us; of TC's program */
	__u8 pad[6];
};

#if defined(__x86_64__) || defined(__s390x__)
#define SW_ORDERED_STORES 1
#else
#define SW_ORDERED_STORES 0
#endif

#endif
