/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_GRID_H
#define SYNWARD_TEXT_GRID_H

/*
 * Rows and columns that can be sorted and fitted into a width, whoever draws them: a file, line by
 * line, or a screen, piece by piece.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_GRID_COLUMNS 12

struct sw_grid_column {
	const char *heading;
	char align;   /* 'l' or 'r' */
	uint8_t rank; /* where there is no room, the highest goes first; 0: never */
};

struct sw_grid;

/* Where each column begins and how wide it is, in characters; width 0: it is not shown. */
struct sw_grid_layout {
	int starts[SW_GRID_COLUMNS];
	int widths[SW_GRID_COLUMNS];
};

/* columns must outlive the grid. NULL without memory, which all functions here accept and sw_output_lacks() is told. */
struct sw_grid *sw_grid_new(const struct sw_grid_column *columns, int count);
void sw_grid_free(struct sw_grid *grid);

/*
 * Append a cell to the current row, beginning a new one behind the last column. One is sorted by
 * its text, the other by the value that its text stands for. The text is copied.
 */
void sw_grid_text(struct sw_grid *grid, const char *text);
void sw_grid_number(struct sw_grid *grid, double value, const char *text);

/* Whole rows. */
size_t sw_grid_rows(const struct sw_grid *grid);
int sw_grid_columns(const struct sw_grid *grid);
const char *sw_grid_heading(const struct sw_grid *grid, int column);
char sw_grid_align(const struct sw_grid *grid, int column); /* 'l' or 'r' */
const char *sw_grid_cell(const struct sw_grid *grid, size_t row, int column);

/*
 * Sorts by a column, numbers with the largest first and texts with the least; below 0, and among
 * equals, by the order in which the rows came. reverse: the other way round.
 */
void sw_grid_sort(struct sw_grid *grid, int column, bool reverse);

/*
 * Works out what fits into a width, each column with two characters before it; 0: everything.
 * Returns the width that is used.
 */
int sw_grid_fit(const struct sw_grid *grid, int width, struct sw_grid_layout *layout);

static inline void sw_grid_cleanup(struct sw_grid **grid)
{
	sw_grid_free(*grid);
}
#define SW_AUTO_GRID __attribute__((cleanup(sw_grid_cleanup)))

#endif
