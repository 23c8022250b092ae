/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_PAGE_H
#define SYNWARD_TEXT_PAGE_H

#include "grid.h"

/* What one look shows: some lines about all of it, and rows, the most important first. */
#define SW_PAGE_LINES 4
#define SW_PAGE_WIDTH 128

struct sw_page {
	char lines[SW_PAGE_LINES][SW_PAGE_WIDTH]; /* "" ends them */
	struct sw_grid *grid;
	size_t total; /* rows that there are, of which the grid may have only the first */
};

static inline void sw_page_free(struct sw_page *page)
{
	sw_grid_free(page->grid);
	page->grid = NULL;
}

#define SW_AUTO_PAGE __attribute__((cleanup(sw_page_free)))

#endif
