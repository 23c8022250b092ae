// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_report.h"

#include "../base/number.h"
#include "../text/prose.h"
#include "../text/table.h"
#include "../text/width.h"

/* One cell with the spaces before it; the first cell is never cut. */
static void print_cell(FILE *out, const struct sw_grid_layout *layout, int column, char align,
		       const char *text, int *at)
{
	int start = layout->starts[column], width = sw_text_width(text);

	if (align == 'r')
		start += layout->widths[column] - width;
	if (!*text)
		return;
	fprintf(out, "%*s%s", start - *at, "", text);
	*at = start + width;
}

static void print_line(FILE *out, const struct sw_page *page, const struct sw_grid_layout *layout,
		       size_t row, bool headings)
{
	int at = 0;

	for (int i = 0; i < sw_grid_columns(page->grid); i++)
		if (layout->widths[i])
			print_cell(out, layout, i, sw_grid_align(page->grid, i),
				   headings ? sw_grid_heading(page->grid, i) :
					      sw_grid_cell(page->grid, row, i),
				   &at);
}

void sw_text_page(FILE *out, const struct sw_page *page)
{
	size_t rows = sw_grid_rows(page->grid);
	FILE *lines = sw_prose_begin(out);
	struct sw_grid_layout layout;
	char shown[SW_NUMBER_SIZE], total[SW_NUMBER_SIZE];

	for (int i = 0; i < SW_PAGE_LINES && page->lines[i][0]; i++)
		fprintf(lines, "%s%s%s\n", i ? "" : sw_style(out, SW_STYLE_BOLD), page->lines[i],
			i ? "" : sw_style(out, SW_STYLE_NONE));
	sw_prose_end(lines);
	if (!rows)
		return;
	sw_grid_fit(page->grid, sw_width(out), &layout);
	fputs(sw_style(out, SW_STYLE_BOLD), out);
	print_line(out, page, &layout, 0, true);
	fprintf(out, "%s\n", sw_style(out, SW_STYLE_NONE));
	for (size_t row = 0; row < rows; row++) {
		print_line(out, page, &layout, row, false);
		fputc('\n', out);
	}
	if (rows < page->total)
		fprintf(out, "the first %s of %s; --limit shows more\n",
			sw_format_count(shown, rows), sw_format_count(total, page->total));
}
