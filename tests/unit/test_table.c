// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables are as wide as COLUMNS says, and nothing of them is cut. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>

static bool starved; /* there is no memory for a cell */
#define vasprintf(...) (starved ? -1 : vasprintf(__VA_ARGS__))

#include "../../user/base/error.c"
#include "../../user/base/number.c"
#include "../../user/base/printable.c"
#include "../../user/text/grid.c"
#include "../../user/text/table.c"
#include "../../user/text/prose.c"
#include "../../user/text/width.c"

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/columns.h"

#define NAME_31 "a-service-with-31-letters-in-it"
#define WARMING "ready; eth0 and 2 more warming up for 4m59s more"

/* What a table is printed as, of cells that end with NULL; lasts until the next one. */
static const char *printed(const char *columns, const char *align, const char *const *cells)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new(align);
	static char text[2048];
	FILE *out = fmemopen(text, sizeof(text), "w");

	set_columns(columns);
	for (; *cells; cells++)
		sw_table_cell(table, "%s", *cells);
	sw_table_print(table, out);
	fclose(out);
	return text;
}

static const char *const services[] = { "SERVICE", "MODE",    "STRICT",	 NAME_31, "enforce",
					WARMING,   "default", "monitor", "off",	  NULL };

static void what_fits_is_a_line(void **state)
{
	static const char *const wide = "  SERVICE                          MODE     STRICT\n"
					"  " NAME_31 "  enforce  " WARMING "\n"
					"  default                          monitor  off\n";

	(void)state;
	assert_string_equal(printed(NULL, "lll", services), wide);
	assert_string_equal(printed("200", "lll", services), wide);
	assert_string_equal(printed("92", "lll", services), wide);
}

static void the_last_column_is_wrapped(void **state)
{
	(void)state;
	assert_string_equal(printed("80", "lll", services),
			    "  SERVICE                          MODE     STRICT\n"
			    "  " NAME_31 "  enforce  ready; eth0 and 2 more warming up\n"
			    "                                            for 4m59s more\n"
			    "  default                          monitor  off\n");
}

static void columns_without_room_go_on_in_another_line(void **state)
{
	(void)state;
	assert_string_equal(printed("40", "lll", services),
			    "  SERVICE\n"
			    "    MODE     STRICT\n"
			    "  " NAME_31 "\n"
			    "    enforce  ready; eth0 and 2 more\n"
			    "             warming up for 4m59s more\n"
			    "  default\n"
			    "    monitor  off\n");
}

static void a_word_wider_than_the_table_goes_on(void **state)
{
	static const char *const cells[] = { "N", "WORD", "1", "abcdefghijklmnopqrstuvwxyz ä",
					     NULL };

	(void)state;
	assert_string_equal(printed("20", "rl", cells), "  N\n"
							"    WORD\n"
							"  1\n"
							"    abcdefghijklmnop\n"
							"    qrstuvwxyz ä\n");
}

static void characters_are_counted_and_numbers_are_to_the_right(void **state)
{
	static const char *const cells[] = { "NAME",  "COUNT", "ää", "7", "abc",
					     "1,234", "",      "10", NULL };

	(void)state;
	assert_string_equal(printed("80", "lr", cells), "  NAME  COUNT\n"
							"  ää        7\n"
							"  abc   1,234\n"
							"           10\n");
}

/* As a terminal shows them: characters of two cells, and an accent that joins the letter before it. */
static void wide_characters_take_two_cells(void **state)
{
	static const char *const cells[] = { "NAME",  "COUNT", "\u6771\u4eac", "7", "e\u0301a",
					     "1,234", NULL };
	static const char *const wide[] = { "N", "TEXT", "1",
					    "\u6771\u4eac\u6771\u4eac\u6771\u4eac\u6771\u4eac"
					    "\u6771\u4eac",
					    NULL };

	(void)state;
	assert_string_equal(printed("80", "lr", cells), "  NAME  COUNT\n"
							"  \u6771\u4eac      7\n"
							"  e\u0301a    1,234\n");
	assert_string_equal(printed("20", "ll", wide),
			    "  N\n"
			    "    TEXT\n"
			    "  1\n"
			    "    \u6771\u4eac\u6771\u4eac\u6771\u4eac\u6771\u4eac\n"
			    "    \u6771\u4eac\n");
}

static void nothing_is_cut_at_any_width(void **state)
{
	char columns[16];

	(void)state;
	for (int width = 20; width < 120; width++) {
		const char *text;
		int letters = 0, column = 0;

		snprintf(columns, sizeof(columns), "%d", width);
		text = printed(columns, "lll", services);
		for (; *text; text++) {
			letters += *text != ' ' && *text != '\n';
			column = *text == '\n' ? 0 : column + 1;
			assert_true(column <= width);
		}
		assert_int_equal(letters, 17 + 31 + 7 + 39 + 7 + 7 + 3);
	}
}

static void a_width_that_is_none_is_not_heeded(void **state)
{
	static const char *const widths[] = { "", "wide", "19", "-80", "4294967376", "0x50" };
	FILE *out = fmemopen(NULL, 1, "w");

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		set_columns(widths[i]);
		assert_int_equal(sw_width(out), 0);
	}
	fclose(out);
}

static void many_rows_need_not_be_held(void **state)
{
	static char text[256];
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lr");
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	set_columns(NULL);
	sw_table_cell(table, "NAME");
	sw_table_cell(table, "N");
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 8; i < 11; i++) {
			sw_table_cell(table, "a%d", i);
			sw_table_cell(table, "%d", i);
			if (pass)
				sw_table_flush(table, out);
			else
				sw_table_forget(table);
			assert_int_equal(table->count, 2);
		}
	}
	fclose(out);
	assert_string_equal(text, "  NAME   N\n"
				  "  a8     8\n"
				  "  a9     9\n"
				  "  a10   10\n");
}

static void a_cell_without_memory_is_told(void **state)
{
	static const char *const cells[] = { "NAME", "COUNT", "web", "7", NULL };

	(void)state;
	assert_string_equal(printed("80", "lr", cells), "  NAME  COUNT\n  web       7\n");
	assert_false(sw_output_lacked());
	starved = true;
	printed("80", "lr", cells);
	starved = false;
	assert_true(sw_output_lacked());
	assert_false(sw_output_lacked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_a_line),
		cmocka_unit_test(the_last_column_is_wrapped),
		cmocka_unit_test(columns_without_room_go_on_in_another_line),
		cmocka_unit_test(a_word_wider_than_the_table_goes_on),
		cmocka_unit_test(characters_are_counted_and_numbers_are_to_the_right),
		cmocka_unit_test(wide_characters_take_two_cells),
		cmocka_unit_test(nothing_is_cut_at_any_width),
		cmocka_unit_test(many_rows_need_not_be_held),
		cmocka_unit_test(a_cell_without_memory_is_told),
		cmocka_unit_test(a_width_that_is_none_is_not_heeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
