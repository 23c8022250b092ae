// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_COLUMNS 16
#define GAP	    2

struct sw_table {
	char align[MAX_COLUMNS + 1];
	int columns;
	size_t widths[MAX_COLUMNS];
	char **cells;
	size_t count;
	size_t room;
};

struct sw_table *sw_table_new(const char *align)
{
	struct sw_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
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
	size_t column, length;
	va_list args;
	char *text;

	if (!table)
		return;
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		char **cells = realloc(table->cells, room * sizeof(*cells));

		if (!cells)
			return;
		table->cells = cells;
		table->room = room;
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	column = table->count % (size_t)table->columns;
	length = strlen(text);
	if (length > table->widths[column])
		table->widths[column] = length;
	table->cells[table->count++] = text;
}

static void print_row(const struct sw_table *table, size_t first, int limit, FILE *out)
{
	char line[1024];
	size_t length = 0;

	for (int i = 0; i < table->columns && first + (size_t)i < table->count; i++) {
		int width = (int)table->widths[i];
		int printed;

		printed = snprintf(line + length, sizeof(line) - length, "%*s%*s", GAP, "",
				   table->align[i] == 'l' ? -width : width,
				   table->cells[first + (size_t)i]);
		if (printed < 0 || length + (size_t)printed >= sizeof(line))
			break;
		length += (size_t)printed;
	}
	if (limit > 0 && length > (size_t)limit)
		length = (size_t)limit;
	while (length && line[length - 1] == ' ')
		length--;
	fprintf(out, "%.*s", (int)length, line);
}

void sw_table_print(const struct sw_table *table, FILE *out)
{
	int limit = sw_width(out);

	if (!table || table->count <= (size_t)table->columns)
		return;
	for (size_t first = 0; first < table->count; first += (size_t)table->columns) {
		fputs(first ? "" : sw_style(out, SW_STYLE_BOLD), out);
		print_row(table, first, limit, out);
		fprintf(out, "%s\n", first ? "" : sw_style(out, SW_STYLE_NONE));
	}
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

	return has_colours(out) ? sequences[style] : "";
}

int sw_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col;
}
