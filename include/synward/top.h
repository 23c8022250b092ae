/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TOP_H
#define SYNWARD_TOP_H

#include "anomaly.h"
#include "flow.h"

/*
 * Who sends the most, in memory that does not grow with the number of senders. Each CPU has a sketch
 * of its own for each kind of event: sets of four sources, Space-Saving in each (Metwally, Agrawal
 * and El Abbadi, 2005). A source that finds no place takes that of the least in its set, and inherits
 * its count as an error. So of each set, with W events counted in it:
 *
 *   - what a source that is in it has really had is between count - error and count;
 *   - no error, and no count of a source that is not in it, is more than the least of its counts,
 *     which is at most W / 4: whoever has more than a quarter of his set's events is in it.
 *
 * A secret seed decides on the set, so nobody can choose his neighbours.
 *
 * "Now" is the current window of the coarse clock and the one before, of which one is written and
 * the other kept: halving old counts instead would need half the memory, but then no number would
 * be one of events any more, and no error one of those.
 *
 * Up to SW_TOP_EXACT events in 16 ms on each CPU are counted one by one: whoever is not under a flood
 * reads exact numbers. Of what is beyond that, one in SW_TOP_SAMPLE is taken and counts as so many.
 * The distance to the next that is taken is random, uniform from 1 to twice SW_TOP_SAMPLE less one: no
 * period that traffic may have falls in step with it.
 */

/* What is counted: X(ID, name, meaning). Of what is received only. */
#define SW_TOP_KINDS(X)                                                                            \
	X(SYNS, syns, "SYNs received from it")                                                     \
	X(ANOMALIES, anomalies, "segments received from it with an anomaly that is not ordinary")

enum sw_top_kind {
#define X(id, name, meaning) SW_TOP_##id,
	SW_TOP_KINDS(X)
#undef X
		SW_TOP_KIND_COUNT
};

/* Those that a segment is counted for; whose default action is pass, honest traffic shows daily. */
#define SW_TERM_PASS(id, name, action, ...) SW_TERM_IF(PASS, id, action)
#define SW_TOP_ANOMALY_MASK                                                                        \
	(~(0ULL SW_ANOMALIES(SW_TERM_PASS)) & (~0ULL >> (64 - SW_ANOMALY_COUNT)))

#define SW_TOP_SETS 128U /* a power of two */
#define SW_TOP_WAYS 4U

#define SW_TOP_WINDOW_SHIFT 14 /* of milliseconds: 16.384 s */
#define SW_TOP_WINDOW_MS    (1U << SW_TOP_WINDOW_SHIFT)
#define SW_TOP_BANKS	    2U /* the current window's sets, and those of the one before */

#define SW_TOP_EXACT_SHIFT 4 /* of milliseconds: 16 ms */
#define SW_TOP_EXACT	   256U
#define SW_TOP_SAMPLE	   64U
#define SW_TOP_MAX_GAP	   (2 * SW_TOP_SAMPLE - 1)

/* IPv4 sources are whole addresses, IPv6 sources are networks: one host has all of its /64. */
#define SW_TOP_PREFIX4 32U
#define SW_TOP_PREFIX6 64U

struct sw_top_entry {
	struct sw_addr source;
	__u32 count;   /* 0: free */
	__u32 error;   /* of count, inherited */
	__u32 samples; /* of count - error, how many times SW_TOP_SAMPLE was added at once */
	__u32 pad;
};

/* One value of the map "top_sources". */
struct sw_top_set {
	__u32 window; /* that all of it is of; another's is as good as empty */
	__u32 pad;
	struct sw_top_entry entries[SW_TOP_WAYS];
};

#define SW_TOP_KEYS (SW_TOP_KIND_COUNT * SW_TOP_BANKS * SW_TOP_SETS)

/* How one CPU comes from events to those that count. Only its owner writes it. */
struct sw_top_sampler {
	__u64 random;	/* 0: has yet to be seeded */
	__u32 gap;	/* events until the next that counts, that one included */
	__u32 exact;	/* how many are still counted one by one; 0: the gap was drawn */
	__u32 slice;	/* of 16 ms, that exact is for */
	__u32 drawn_ms; /* when a gap was last drawn, give or take one; 0: never */
};

/* The value of the map "top_samplers". */
struct sw_top_samplers {
	struct sw_top_sampler kinds[SW_TOP_KIND_COUNT];
};

/*
 * Windows are numbered modulo 2^18: a set that nobody touched for 49 days to the second is taken for
 * a current one.
 */
static __always_inline __u32 sw_top_window(__u32 now_ms)
{
	return now_ms >> SW_TOP_WINDOW_SHIFT;
}

#define SW_TOP_WINDOW_MASK (~0U >> SW_TOP_WINDOW_SHIFT)

/* Where a set is in the map. */
static __always_inline __u32 sw_top_key(enum sw_top_kind kind, __u32 window, __u32 set)
{
	return (kind * SW_TOP_BANKS + (window & (SW_TOP_BANKS - 1))) * SW_TOP_SETS +
	       (set & (SW_TOP_SETS - 1));
}

/* What a source that is not in the set may have had in the window without being in it. */
static __always_inline __u32 sw_top_floor(const struct sw_top_set *set, __u32 window)
{
	__u32 least = set->entries[0].count;

	if (set->window != window)
		return 0;
	for (__u32 way = 1; way < SW_TOP_WAYS; way++)
		if (set->entries[way].count < least)
			least = set->entries[way].count;
	return least;
}

SW_STATIC_ASSERT(sizeof(struct sw_top_entry) == 32, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_top_set) == 136, "no hidden padding");
SW_STATIC_ASSERT(SW_TOP_KIND_COUNT == 2, "a power of two: a mask is all the verifier asks for");
SW_STATIC_ASSERT((SW_TOP_SETS & (SW_TOP_SETS - 1)) == 0, "a mask picks the set");

#endif
