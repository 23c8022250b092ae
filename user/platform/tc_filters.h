/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_TC_FILTERS_H
#define SYNWARD_PLATFORM_TC_FILTERS_H

#include <synward/counters.h>

#include <stdbool.h>
#include <stdint.h>

#define SW_MAX_FILTERS 64 /* of one priority: as many as there are places for interfaces */

struct sw_filter {
	uint32_t handle;
	uint32_t program; /* its BPF program's id, 0 if it is of another kind */
	char name[32];	  /* of that program, as it was attached; may be empty, and be cut off */
};

/* What a clsact qdisc of an interface holds. */
struct sw_filters {
	bool clsact;	/* there is one */
	uint32_t count; /* of its filters, in both directions */
	uint32_t found; /* of these, those of the direction and the priority that were asked for */
	struct sw_filter rows[SW_MAX_FILTERS];
	uint32_t
		before; /* programs of that direction whose filters come earlier; as many as there is room for */
	uint32_t programs_before[4];
};

/*
 * Looks at an interface of this network namespace, and for the filters of a direction and priority. libbpf
 * could tell of one only whose handle is known, and prints to stderr if it is not there. Returns 0 or
 * -errno; records no line.
 */
int sw_filters_read(uint32_t ifindex, enum sw_direction direction, uint32_t priority,
		    struct sw_filters *filters);

/* That with the handle; NULL if there is none. */
const struct sw_filter *sw_filters_find(const struct sw_filters *filters, uint32_t handle);

#endif
