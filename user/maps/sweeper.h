/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_SWEEPER_H
#define SYNWARD_MAPS_SWEEPER_H

#include "../model/snapshot.h"
#include "../platform/instance.h"

/*
 * The value of the map "sweepers", struct sweeper of bpf/maps.h: a timer, which only the kernel can read,
 * the two places where it goes on, how often it ran, and the time of its last run.
 */
struct sw_sweeper_value {
	uint64_t timer[2];
	uint32_t places[2];
	uint32_t ticks;
	uint32_t pad;
	uint64_t swept_ns;
};

/* Does the kernel's timer still sweep the tables? */
enum sw_sweeper sw_sweeper_state(const struct sw_instance *instance);

/* The kernel's coarse clock, in milliseconds. Records its errors. */
int sw_coarse_clock(const struct sw_instance *instance, uint64_t *now_ms);

/* The same modulo 2^32, as the tables' entries have it. */
int sw_entry_clock(const struct sw_instance *instance, uint32_t *now_ms);

#endif
