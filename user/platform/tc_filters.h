/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_TC_FILTERS_H
#define SYNWARD_PLATFORM_TC_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

/* What a clsact qdisc of an interface holds. */
struct sw_filters {
	bool clsact;	  /* there is one */
	uint32_t count;	  /* of its filters, in both directions */
	bool found;	  /* one of them is the one that was asked for */
	uint32_t program; /* of that one: its BPF program's id, 0 if it is of another kind */
};

/*
 * Looks at an interface of this network namespace, and for the egress filter at a place. libbpf
 * could tell of that one only, and prints to stderr if it is not there. Returns 0 or -errno;
 * records no line.
 */
int sw_filters_read(uint32_t ifindex, uint32_t priority, uint32_t handle,
		    struct sw_filters *filters);

#endif
