/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOOD_H
#define SYNWARD_FLOOD_H

#include "base.h"

/* When SYNs to a service are answered with cookies: X(ID, name, meaning). */
#define SW_FLOOD_MODES(X)                                                                          \
	X(OFF, off, "never")                                                                       \
	X(ADAPTIVE, adaptive, "while there is a flood")                                            \
	X(ALWAYS, always, "always")

enum sw_flood_mode {
#define X(id, name, meaning) SW_FLOOD_##id,
	SW_FLOOD_MODES(X)
#undef X
		SW_FLOOD_MODE_COUNT
};

/* What a flood of a service is, and what its end. */
struct sw_flood_rules {
	__u32 half_open; /* unfinished handshakes of the service, from which on it is one */
	__u32 syn_rate;	 /* SYNs a second, from which on it is one if most are not completed */
	__u32 calm_ms;	 /* how long less than half of that must come, or most be completed */
	__u8 mode;	 /* enum sw_flood_mode */
	__u8 pad[3];
};

#define SW_MAX_FLOOD_HALF_OPEN 16777216U
#define SW_MAX_FLOOD_SYN_RATE  100000000U
#define SW_MIN_FLOOD_CALM_MS   1000U
#define SW_MAX_FLOOD_CALM_MS   (24U * 3600 * 1000)

#define SW_DEFAULT_FLOOD_HALF_OPEN 1024U
#define SW_DEFAULT_FLOOD_SYN_RATE  5000U
#define SW_DEFAULT_FLOOD_CALM_MS   10000U

/* Why a service's SYNs are answered with cookies: X(ID, name, meaning). */
#define SW_FLOOD_REASONS(X)                                                                        \
	X(NONE, none, "they are not")                                                              \
	X(ALWAYS, always, "the policy says so")                                                    \
	X(HALF_OPEN, half_open, "too many handshakes were unfinished")                             \
	X(SYN_RATE, syn_rate, "SYNs came too fast, and most were not completed")

enum sw_flood_reason {
#define X(id, name, meaning) SW_FLOOD_REASON_##id,
	SW_FLOOD_REASONS(X)
#undef X
		SW_FLOOD_REASON_COUNT
};

/* How a flood is kept off: X(ID, name, meaning). */
#define SW_FLOOD_WAYS(X)                                                                           \
	X(HANDOVER, handover, "our cookies, handed over to the listener as completed handshakes")  \
	X(KERNEL, kernel, "the kernel's cookies, which it checks by itself; no TCP options")       \
	X(CHALLENGE, challenge, "sources must answer a challenge, then their SYNs pass")

enum sw_flood_way {
#define X(id, name, meaning) SW_WAY_##id,
	SW_FLOOD_WAYS(X)
#undef X
		SW_FLOOD_WAY_COUNT
};

/* How often the sweeper looks, in its ticks and about in milliseconds. */
#define SW_FLOOD_TICKS 4U

/* Of how many bits the sketch of a period's sources is made. */
#define SW_FLOOD_SKETCH_BITS 1024U

/*
 * A service's flood, while a policy is active: one value of the map "floods", whose keys are those
 * of "service_state". The sweeper writes it, and packets set bits of the sketch.
 */
struct sw_flood_state {
	__u32 on;	  /* SYNs are answered with cookies */
	__u32 honour;	  /* cookies that were sent may still come back: until honour_ms */
	__u32 honour_ms;  /* these times are of the coarse clock */
	__u32 changed_ms; /* since when on is as it is */
	__u32 calm_ms;	  /* since when there is no flood any more, while on */
	__u32 reason;	  /* enum sw_flood_reason of the last time it was on */
	__u32 floods;	  /* how often it went on */
	__u32 left_open; /* unfinished handshakes when it went off: an old flood's, not a new one's */
	/* the evidence of the last period that was looked at, a second's worth */
	__u32 syn_rate;
	__u32 completed_rate;
	__u32 half_open;
	__u32 looked_ms;
	__u64 syns; /* totals then */
	__u64 completed;
	__u64 sources[SW_FLOOD_SKETCH_BITS / 64]; /* a bit for each hash of a source since then */
	__u64 sources_before[SW_FLOOD_SKETCH_BITS / 64]; /* of the period before */
};

SW_STATIC_ASSERT(sizeof(struct sw_flood_rules) == 16, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_flood_state) == 64 + 256, "no hidden padding");

#endif
