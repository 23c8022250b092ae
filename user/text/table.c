// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include "prose.h"
#include "width.h"

#include "../base/error.h"
#include "../base/number.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_COLUMNS 16
#define GAP	    2
#define ENOUGH                                                                                     \
	20 /* characters of the last column beside the others, before it has a line of its own */
#define NARROWEST 20

struct sw_table {
	char align[MAX_COLUMNS + 1];
	int columns;
	int widths[MAX_COLUMNS]; /* of the widest cell, in cells of a terminal */
	char **cells;
	size_t count;
	size_t room;
	bool headed; /* the headings are printed */
};

struct sw_table *sw_table_new(const char *align)
{
	struct sw_table *table = calloc(1, sizeof(*table));

	if (!table) {
		sw_output_lacks();
		return NULL;
	}
	strncpy(table->align, align, MAX_COLUMNS);
	table->columns = (int)strlen(table->align);
	return table;
}

void sw_table_free(struct sw_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void sw_table_cell(struct sw_table *table, const char *format, ...)
{
	size_t column;
	va_list args;
	char *text;
	int width;

	if (!table)
		return;
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		char **cells = realloc(table->cells, room * sizeof(*cells));

		if (!cells) {
			sw_output_lacks();
			return;
		}
		table->cells = cells;
		table->room = room;
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text) {
		sw_output_lacks();
		return;
	}
	column = table->count % (size_t)table->columns;
	width = sw_text_width(text);
	if (width > table->widths[column])
		table->widths[column] = width;
	table->cells[table->count++] = text;
}

/* ---- where the columns are */

/* Columns that do not fit beside each other go on in another line of the same row. */
struct layout {
	int widths[MAX_COLUMNS];  /* a cell that is wider has several lines */
	int indents[MAX_COLUMNS]; /* before the column, where the one before it ends */
	bool breaks[MAX_COLUMNS]; /* the column begins a line */
};

/* Whether the last column, wrapped, is readable in that room. */
static bool is_enough(int room, int width)
{
	return room >= (width < ENOUGH ? width : ENOUGH);
}

static void lay_out(const struct sw_table *table, int limit, struct layout *layout)
{
	int at = 0;

	for (int i = 0; i < table->columns; i++) {
		int width = table->widths[i], left = limit - at - GAP;
		bool fits = !limit || width <= left ||
			    (i == table->columns - 1 && is_enough(left, width));

		layout->breaks[i] = at && !fits;
		layout->indents[i] = layout->breaks[i] ? 2 * GAP : GAP;
		if (layout->breaks[i]) {
			at = 0;
			left = limit - 2 * GAP;
		}
		layout->widths[i] = !limit || width <= left ? width : left;
		at += layout->indents[i] + layout->widths[i];
	}
}

/* ---- the rows */

/* How many bytes of text go into a line: whole words, or as much of the first one as there is room for. */
static int line_length(const char *text, int width)
{
	int length = 0, words = 0, used = 0, cells;

	while (text[length]) {
		int bytes = (int)sw_text_next(text + length, &cells);

		if (text[length] == ' ')
			words = length;
		if (length && used + cells > width)
			return words ? words : length;
		used += cells;
		length += bytes;
	}
	return length;
}

/* Prints the next line of a cell, moves *text to what is left of it, and *at behind what was printed. */
static void print_piece(FILE *out, const char **text, int start, int width, char align, int *at)
{
	int length = line_length(*text, width), shown = 0, cells;

	if (!length)
		return;
	for (int i = 0; i < length; shown += cells)
		i += (int)sw_text_next(*text + i, &cells);
	if (align == 'r')
		start += width - shown;
	fprintf(out, "%*s%.*s", start - *at, "", length, *text);
	*at = start + shown;
	*text += length;
	*text += strspn(*text, " ");
}

/* The columns from first to before end, which share a line. */
static void print_beside(const struct sw_table *table, const struct layout *layout, size_t row,
			 int first, int end, FILE *out)
{
	const char *texts[MAX_COLUMNS];
	bool more = true;

	for (int i = first; i < end; i++)
		texts[i] = table->cells[row + (size_t)i];
	for (int lines = 0; more; lines++) {
		int at = 0, start = 0;

		more = false;
		if (lines || first)
			fputc('\n', out);
		for (int i = first; i < end; i++) {
			start += layout->indents[i];
			print_piece(out, &texts[i], start, layout->widths[i], table->align[i], &at);
			start += layout->widths[i];
			more |= *texts[i] != '\0';
		}
	}
}

static void print_row(const struct sw_table *table, const struct layout *layout, size_t row,
		      FILE *out)
{
	for (int first = 0, end; first < table->columns; first = end) {
		for (end = first + 1; end < table->columns && !layout->breaks[end]; end++)
			;
		print_beside(table, layout, row, first, end, out);
	}
}

void sw_table_print(const struct sw_table *table, FILE *out)
{
	size_t first = table && table->headed ? (size_t)table->columns : 0;
	struct layout layout;

	if (!table || table->count <= (size_t)table->columns)
		return;
	lay_out(table, sw_width(out), &layout);
	for (size_t row = first; row + (size_t)table->columns <= table->count;
	     row += (size_t)table->columns) {
		fputs(row ? "" : sw_style(out, SW_STYLE_BOLD), out);
		print_row(table, &layout, row, out);
		fprintf(out, "%s\n", row ? "" : sw_style(out, SW_STYLE_NONE));
	}
}

void sw_table_forget(struct sw_table *table)
{
	while (table && table->count > (size_t)table->columns)
		free(table->cells[--table->count]);
}

void sw_table_flush(struct sw_table *table, FILE *out)
{
	if (!table || table->count <= (size_t)table->columns)
		return;
	sw_table_print(table, out);
	table->headed = true;
	sw_table_forget(table);
}

static bool has_colours(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fileno(out)) && term && *term && strcmp(term, "dumb");
}

const char *sw_style(FILE *out, enum sw_style style)
{
	static const char *const sequences[] = {
		[SW_STYLE_NONE] = "\033[0m",  [SW_STYLE_BOLD] = "\033[1m",
		[SW_STYLE_GOOD] = "\033[32m", [SW_STYLE_WARN] = "\033[33m",
		[SW_STYLE_BAD] = "\033[31m",
	};

	return has_colours(sw_prose_base(out)) ? sequences[style] : "";
}

int sw_width(FILE *out)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t given;

	/* as POSIX has it: whoever sets it knows better, also who shows what comes by a pipe (watch) */
	if (columns && sw_parse_number(columns, &given) && given >= NARROWEST && given <= INT_MAX)
		return (int)given;
	out = sw_prose_base(out);
	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) || size.ws_col < NARROWEST)
		return 80;
	return size.ws_col;
}
