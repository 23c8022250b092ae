/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LIVE_BROWSE_H
#define SYNWARD_LIVE_BROWSE_H

/* Pages on a screen, made again and again, to be sorted and scrolled. */

#include "../text/page.h"

#include <stdint.h>

struct sw_browse_view {
	char key; /* that brings it up */
	const char *name;
};

struct sw_browse {
	const char *title;
	const struct sw_browse_view *views;
	int view_count;
	uint64_t period_ms;

	/*
	 * Reads and makes the page of a view, which the browser frees. Returns 0 or a -errno whose
	 * line has been recorded.
	 */
	int (*look)(void *context, int view, struct sw_page *page);
	void *context;
};

/*
 * Shows the pages until somebody quits or a signal comes. Returns 0; -ENOTTY without a line if this
 * terminal cannot show them; or what look() returned. The terminal is as before then.
 */
int sw_browse(const struct sw_browse *browse, int view);

#endif
