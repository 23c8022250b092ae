/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_WALL_CLOCK_H
#define SYNWARD_PLATFORM_WALL_CLOCK_H

/* What the kernel knows of its time of day. */

#include <stdbool.h>
#include <stdint.h>

struct sw_wall_clock {
	bool synchronised;	 /* somebody keeps it: NTP, PTP ... */
	int32_t tai_minus_utc_s; /* between its two clocks: 0 until somebody has told it */
};

void sw_wall_clock_read(struct sw_wall_clock *clock);

#endif
