/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DOCTOR_DRIVERS_H
#define SYNWARD_DOCTOR_DRIVERS_H

/* What is known of drivers and XDP that no kernel tells: a table, each line with its source. */

#include <stdbool.h>
#include <stdint.h>

/* When a driver takes the link down for a moment. */
enum sw_link_reset {
	SW_RESET_UNKNOWN,
	SW_RESET_NEVER,
	SW_RESET_FIRST, /* with the first program and without the last, not when one replaces another */
	SW_RESET_EVERY, /* with each program */
};

/* What a driver asks of the queues. */
enum sw_queue_need {
	SW_QUEUES_ANY,
	SW_QUEUES_COMBINED,  /* receiving and sending ones must be the same */
	SW_QUEUES_HALF,	     /* at most half of what there may be */
	SW_QUEUES_ONE_A_CPU, /* one more for each CPU, or sending waits for a lock */
};

struct sw_driver {
	const char *name;   /* as ethtool -i says it */
	const char *native; /* the Linux that first took an XDP program there; NULL: none does */
	const char *frags;  /* the same of one for frames in several buffers; NULL: none does */
	uint32_t mtu;	    /* the largest without frags, on x86 with 4 KiB pages; 0: unknown */
	enum sw_link_reset reset;
	enum sw_queue_need queues;
	bool refuses_lro;    /* takes no program while LRO is on */
	bool refuses_gro_hw; /* the same of GRO in hardware */
	const char *trap;    /* what else to know; NULL: nothing */
	const char *source;
};

/* NULL if the table has no line of that name. */
const struct sw_driver *sw_driver_find(const char *name);

/* The index-th line, NULL behind the last. */
const struct sw_driver *sw_driver_at(unsigned int index);

#endif
