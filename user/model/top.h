/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_TOP_H
#define SYNWARD_MODEL_TOP_H

/*
 * The heavy sources as they were read from the kernel, all CPUs together, as plain data. What the
 * sketch of one CPU promises is in include/synward/top.h; what is made of several is here.
 */

#include <synward/top.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Events of one kind. Of a source with these numbers, what it has really sent in the time is
 * between count - sampling and count + inherited + sampling, with a probability of 95 % if there
 * was sampling, and else for sure.
 */
struct sw_top_measure {
	uint64_t count; /* counted for it since it is followed; a sample as what it stands for */
	uint64_t inherited; /* what it may have had before it was followed, at most */
	uint64_t sampling;  /* how far off count may be from sampling; 0: each event was counted */
	uint64_t current;   /* of count, what is of the current window */
};

struct sw_top_source {
	struct sw_addr addr; /* IPv6: of the network, the rest is 0 */
	struct sw_top_measure kinds[SW_TOP_KIND_COUNT];
};

/* What sources are ranked by. */
enum sw_top_by {
	SW_TOP_BY_SYNS,
	SW_TOP_BY_ANOMALIES,
	SW_TOP_BY_WEIGHT, /* both together */
	SW_TOP_BY_COUNT,
};

struct sw_top {
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
	uint32_t window;   /* the current one */
	uint32_t span_ms;  /* for how long it was counted: the current window and the one before */
	/* of all sources, and of those that are followed: the sum of their counts */
	struct sw_top_measure totals[SW_TOP_KIND_COUNT];
	uint64_t followed[SW_TOP_KIND_COUNT];
	size_t count;
	struct sw_top_source *sources; /* sw_top_sort() says in which order */
};

/* What one CPU has: its copy of every value of the map "top_sources", and its samplers. */
struct sw_top_part {
	const struct sw_top_set *sets; /* SW_TOP_KEYS of them */
	struct sw_top_samplers samplers;
};

/*
 * Was an entry whole in two looks at its set, of which b is the later? If it has only been counted
 * up in between, yes. If it has another source or error since, either look may be torn.
 */
bool sw_top_settled(const struct sw_top_set *a, const struct sw_top_set *b, unsigned int way);

/*
 * Has in a set what a later look has. Entries that are not settled are left without a source, as
 * nothing but a count: that limits what other sources may have had in the set as ever.
 */
void sw_top_settle(struct sw_top_set *set, const struct sw_top_set *later);

/*
 * Adds up what the CPUs have at now_ms of the coarse clock. Fills in all of top but taken_ns, with
 * span_ms at most age_ms, ranked by weight. Returns 0 or -ENOMEM. The caller frees the sources.
 */
int sw_top_merge(const struct sw_top_part *parts, size_t count, uint32_t now_ms, uint64_t age_ms,
		 struct sw_top *top);

void sw_top_sort(struct sw_top *top, enum sw_top_by by);

/* Both kinds, or one, as one measure. */
struct sw_top_measure sw_top_measure(const struct sw_top_measure kinds[SW_TOP_KIND_COUNT],
				     enum sw_top_by by);

/* How far off the truth a count may be to either side. */
uint64_t sw_top_error(const struct sw_top_measure *measure);

/*
 * Events a second between two readings; before is sorted by address. Of a source that was not
 * followed all the time, what is known. Where the readings have no window in common, and where
 * before has nothing in it, the mean of the time that now is of.
 */
double sw_top_rate(const struct sw_top *now, const struct sw_top_source *of,
		   const struct sw_top *before, enum sw_top_by by);

/* For sw_top_rate(). */
void sw_top_sort_by_address(struct sw_top *top);

/* Half of the 95 % interval of a count of which samples were taken as SW_TOP_SAMPLE each. */
uint64_t sw_top_sampling_error(uint64_t samples);

/* How many bits of the address are meant: SW_TOP_PREFIX4 or SW_TOP_PREFIX6. */
unsigned int sw_top_prefix(const struct sw_addr *addr);

void sw_top_free(struct sw_top *top);

#endif
