/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_TABLE_H
#define SYNWARD_TEXT_TABLE_H

/* Text for terminals: columns that fit, and colours only where somebody sees them. */

#include <stdbool.h>
#include <stdio.h>

struct sw_table;

/*
 * A table with as many columns as align has letters: 'l' or 'r' each. The cells of the first row
 * are its headings. NULL without memory, which all functions here accept and sw_output_lacks() is told.
 */
struct sw_table *sw_table_new(const char *align);
void sw_table_free(struct sw_table *table);

/* Appends one cell to the current row, beginning a new row after the last column. */
void sw_table_cell(struct sw_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Prints the rows, each indented by two columns. Nothing is ever cut: where a row is wider than
 * sw_width(), its last column is wrapped, and columns for which there is no room go on in another
 * line, indented by four. A table with headings only prints nothing.
 */
void sw_table_print(const struct sw_table *table, FILE *out);

/*
 * For rows that are too many to be held: forgets those since the headings, but not how wide they were; and
 * prints them before it does, the headings once.
 */
void sw_table_forget(struct sw_table *table);
void sw_table_flush(struct sw_table *table, FILE *out);

static inline void sw_table_cleanup(struct sw_table **table)
{
	sw_table_free(*table);
}
#define SW_AUTO_TABLE __attribute__((cleanup(sw_table_cleanup)))

enum sw_style { SW_STYLE_NONE, SW_STYLE_BOLD, SW_STYLE_GOOD, SW_STYLE_WARN, SW_STYLE_BAD };

/*
 * The escape sequence of a style, or "" where out is no terminal, TERM is dumb or NO_COLOR is set.
 */
const char *sw_style(FILE *out, enum sw_style style);

/* The width that COLUMNS gives, else the terminal's; 0 where out is none: as wide as it likes. */
int sw_width(FILE *out);

#endif
