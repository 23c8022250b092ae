/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SWEEPER_H
#define SYNWARD_TESTS_SWEEPER_H

/* The sweeper's timer as the kernel runs it: for tests that wait until it has come by. */

#include "../../user/maps/sweeper.h"
#include "prog.h"

#include <time.h>

static inline __u64 monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static inline void pause_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static inline __u32 sweeper_ticks(const struct prog *prog)
{
	struct sw_sweeper_value value;
	__u32 zero = 0;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog->skeleton->maps.sweepers), &zero, &value),
	     "sweepers");
	return value.ticks;
}

/*
 * Until the sweeper, once it has been started, has begun so many ticks; it gives up after half a minute.
 * The first of them may have read the clock before this was called, and the last may not be over.
 */
static inline void wait_for_ticks(const struct prog *prog, __u32 count)
{
	__u32 from = sweeper_ticks(prog);
	__u64 until = monotonic_ms() + 30000;

	while (sweeper_ticks(prog) - from < count) {
		must(monotonic_ms() < until, "the sweeper runs");
		pause_a_moment();
	}
}

#endif
