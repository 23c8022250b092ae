// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows that are sorted and fitted into a width. */
#define _GNU_SOURCE
#include "../../user/base/error.c"
#include "../../user/base/printable.c"
#include "../../user/text/grid.c"
#include "../../user/text/width.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sw_grid_column columns[] = {
	{ "NAME", 'l', 0 },
	{ "COUNT", 'r', 0 },
	{ "±", 'r', 2 },
	{ "MORE", 'r', 1 },
};

/* Its rows: a name, a count, and twice the number of the row. */
static struct sw_grid *grid_of(size_t rows, const char *const *names, const int *counts)
{
	struct sw_grid *grid = sw_grid_new(columns, 4);
	char text[32];

	for (size_t i = 0; i < rows; i++) {
		sw_grid_text(grid, names[i]);
		snprintf(text, sizeof(text), "%d", counts[i]);
		sw_grid_number(grid, counts[i], text);
		snprintf(text, sizeof(text), "±%zu", i);
		sw_grid_number(grid, (double)i, text);
		sw_grid_number(grid, (double)i, text);
	}
	return grid;
}

static const char *const names[] = { "delta", "alpha", "charlie", "bravo", "alpha" };
static const int counts[] = { 9, 100, 20, 20, 3 };

static void assert_order(const struct sw_grid *grid, const char *expected)
{
	for (size_t i = 0; i < sw_grid_rows(grid); i++) {
		char row[32];

		snprintf(row, sizeof(row), "±%c", expected[i]);
		assert_string_equal(sw_grid_cell(grid, i, 2), row);
	}
}

static void rows_are_sorted_by_any_column(void **state)
{
	SW_AUTO_GRID struct sw_grid *grid = grid_of(5, names, counts);

	(void)state;
	assert_int_equal(sw_grid_rows(grid), 5);
	sw_grid_sort(grid, 1, false);
	assert_order(grid, "12304"); /* by value: 100 before 20, although its text is not */
	sw_grid_sort(grid, 1, true);
	assert_order(grid, "40321");
	sw_grid_sort(grid, 0, false);
	assert_order(grid, "14320");
	sw_grid_sort(grid, -1, false);
	assert_order(grid, "01234");
	sw_grid_sort(grid, -1, true);
	assert_order(grid, "43210");
	sw_grid_sort(grid, 4, false); /* there is none */
	assert_order(grid, "43210");
}

static void columns_go_by_their_rank(void **state)
{
	SW_AUTO_GRID struct sw_grid *grid = grid_of(5, names, counts);
	struct sw_grid_layout layout;

	(void)state;
	/* two before each: charlie, COUNT, one letter and a digit, MORE */
	assert_int_equal(sw_grid_fit(grid, 0, &layout), 9 + 7 + 4 + 6);
	assert_int_equal(layout.starts[3], 9 + 7 + 4 + 2);
	assert_int_equal(sw_grid_fit(grid, 26, &layout), 26);
	assert_int_equal(sw_grid_fit(grid, 25, &layout), 22);
	assert_int_equal(layout.widths[2], 0);
	assert_int_equal(layout.starts[3], 9 + 7 + 2);
	assert_int_equal(sw_grid_fit(grid, 21, &layout), 16);
	assert_int_equal(layout.widths[3], 0);
	/* these two stay, whatever the width */
	assert_int_equal(sw_grid_fit(grid, 3, &layout), 16);
	assert_int_equal(layout.widths[0], 7);
	assert_int_equal(layout.widths[1], 5);
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(sw_text_width(""), 0);
	assert_int_equal(sw_text_width("abc"), 3);
	assert_int_equal(sw_text_width("±12"), 3);
}

static void nothing_is_a_grid_too(void **state)
{
	struct sw_grid_layout layout;

	(void)state;
	sw_grid_text(NULL, "x");
	sw_grid_number(NULL, 1, "x");
	sw_grid_sort(NULL, 0, false);
	sw_grid_free(NULL);
	assert_int_equal(sw_grid_rows(NULL), 0);
	assert_int_equal(sw_grid_columns(NULL), 0);
	assert_int_equal(sw_grid_fit(NULL, 80, &layout), 0);
}

static void many_rows(void **state)
{
	SW_AUTO_GRID struct sw_grid *grid = sw_grid_new(columns, 1);
	char text[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		sw_grid_number(grid, i, text);
	}
	assert_int_equal(sw_grid_rows(grid), 1000);
	sw_grid_sort(grid, 0, false);
	assert_string_equal(sw_grid_cell(grid, 0, 0), "999");
	assert_string_equal(sw_grid_cell(grid, 999, 0), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_by_any_column),
		cmocka_unit_test(columns_go_by_their_rank),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(nothing_is_a_grid_too),
		cmocka_unit_test(many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
