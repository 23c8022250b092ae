/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_PROGRESS_H
#define SYNWARD_TEXT_PROGRESS_H

/* A bar on stderr for what takes long, if somebody watches. */

#include <stdbool.h>
#include <stdint.h>

struct sw_progress {
	const char *unit; /* what is counted, in the plural */
	uint64_t started_ns;
	uint64_t shown_ns;
	bool watched;
};

/* unit must stay as long as progress does. */
void sw_progress_start(struct sw_progress *progress, const char *unit);

/* Shows how far it is, now and then: done of all (0: unknown), and a count of what was done. */
void sw_progress_step(struct sw_progress *progress, uint64_t done, uint64_t all, uint64_t count);

/* Takes the bar away. */
void sw_progress_end(struct sw_progress *progress);

#endif
