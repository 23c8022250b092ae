// SPDX-License-Identifier: GPL-2.0-or-later
#include "grid.h"

#include "width.h"

#include "../base/error.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2

struct cell {
	char *text;
	double value;
	bool is_number;
};

struct row {
	struct cell cells[SW_GRID_COLUMNS];
	size_t place; /* before it was sorted */
};

struct sw_grid {
	const struct sw_grid_column *columns;
	int count;
	int filled; /* cells of the last row */
	struct row *rows;
	size_t used; /* the last of them perhaps in part */
	size_t room;
	int sorted_by;
	bool reverse;
};

struct sw_grid *sw_grid_new(const struct sw_grid_column *columns, int count)
{
	struct sw_grid *grid = calloc(1, sizeof(*grid));

	if (!grid) {
		sw_output_lacks();
		return NULL;
	}
	grid->columns = columns;
	grid->count = count < SW_GRID_COLUMNS ? count : SW_GRID_COLUMNS;
	return grid;
}

void sw_grid_free(struct sw_grid *grid)
{
	if (!grid)
		return;
	for (size_t row = 0; row < grid->used; row++)
		for (int i = 0; i < grid->count; i++)
			free(grid->rows[row].cells[i].text);
	free(grid->rows);
	free(grid);
}

static struct cell *next_cell(struct sw_grid *grid)
{
	size_t room = grid->room ? 2 * grid->room : 64;
	struct row *rows;

	if (grid->used && grid->filled < grid->count)
		return &grid->rows[grid->used - 1].cells[grid->filled++];
	if (grid->used == grid->room) {
		rows = realloc(grid->rows, room * sizeof(*rows));
		if (!rows)
			return NULL;
		grid->rows = rows;
		grid->room = room;
	}
	grid->rows[grid->used] = (struct row){ .place = grid->used };
	grid->filled = 1;
	return grid->rows[grid->used++].cells;
}

static void add(struct sw_grid *grid, const char *text, double value, bool is_number)
{
	struct cell *cell = grid ? next_cell(grid) : NULL;

	if (cell)
		*cell = (struct cell){ strdup(text), value, is_number };
	if (!cell || !cell->text)
		sw_output_lacks();
}

void sw_grid_text(struct sw_grid *grid, const char *text)
{
	add(grid, text, 0, false);
}

void sw_grid_number(struct sw_grid *grid, double value, const char *text)
{
	add(grid, text, value, true);
}

size_t sw_grid_rows(const struct sw_grid *grid)
{
	return grid ? grid->used : 0;
}

int sw_grid_columns(const struct sw_grid *grid)
{
	return grid ? grid->count : 0;
}

const char *sw_grid_heading(const struct sw_grid *grid, int column)
{
	return grid->columns[column].heading;
}

char sw_grid_align(const struct sw_grid *grid, int column)
{
	return grid->columns[column].align;
}

const char *sw_grid_cell(const struct sw_grid *grid, size_t row, int column)
{
	const char *text = grid->rows[row].cells[column].text;

	return text ? text : "";
}

static int compare_cells(const struct cell *a, const struct cell *b)
{
	if (a->is_number && b->is_number)
		return (a->value < b->value) - (a->value > b->value);
	return strcmp(a->text ? a->text : "", b->text ? b->text : "");
}

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct row *x = a, *y = b;
	const struct sw_grid *grid = context;
	int order = 0;

	if (grid->sorted_by >= 0)
		order = compare_cells(&x->cells[grid->sorted_by], &y->cells[grid->sorted_by]);
	if (!order)
		order = (x->place > y->place) - (x->place < y->place);
	return grid->reverse ? -order : order;
}

void sw_grid_sort(struct sw_grid *grid, int column, bool reverse)
{
	if (!grid || !grid->used || column >= grid->count)
		return;
	grid->sorted_by = column;
	grid->reverse = reverse;
	qsort_r(grid->rows, grid->used, sizeof(*grid->rows), compare_rows, grid);
}

static int column_width(const struct sw_grid *grid, int column)
{
	int widest = sw_text_width(grid->columns[column].heading);

	for (size_t row = 0; row < grid->used; row++) {
		int width = sw_text_width(sw_grid_cell(grid, row, column));

		if (width > widest)
			widest = width;
	}
	return widest;
}

/* The column to leave out next; -1: none may be. */
static int least_wanted(const struct sw_grid *grid, const struct sw_grid_layout *layout)
{
	int least = -1;

	for (int i = 0; i < grid->count; i++) {
		if (!layout->widths[i] || !grid->columns[i].rank)
			continue;
		if (least < 0 || grid->columns[i].rank >= grid->columns[least].rank)
			least = i;
	}
	return least;
}

int sw_grid_fit(const struct sw_grid *grid, int width, struct sw_grid_layout *layout)
{
	int all = 0, start = 0, least;

	memset(layout, 0, sizeof(*layout));
	for (int i = 0; grid && i < grid->count; i++) {
		layout->widths[i] = column_width(grid, i);
		all += GAP + layout->widths[i];
	}
	while (grid && width && all > width && (least = least_wanted(grid, layout)) >= 0) {
		all -= GAP + layout->widths[least];
		layout->widths[least] = 0;
	}
	for (int i = 0; grid && i < grid->count; i++) {
		if (!layout->widths[i])
			continue;
		layout->starts[i] = start + GAP;
		start += GAP + layout->widths[i];
	}
	return all;
}
