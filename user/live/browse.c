// SPDX-License-Identifier: GPL-2.0-or-later
#include "browse.h"

#include "../base/number.h"
#include "../base/time.h"
#include "../text/width.h"
#include "screen.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>

#define RANKING	     (-1) /* what it is sorted by at first */
#define CTRL(letter) ((letter)&0x1f)

struct browser {
	const struct sw_browse *of;
	struct sw_page page;
	int view;
	int sorted_by; /* a column, or RANKING */
	bool reverse;
	bool paused;
	bool helping;
	size_t first;	  /* row at the top */
	size_t visible;	  /* how many there is room for */
	uint64_t next_ns; /* when to look again */
	uint64_t wall_ns; /* when we looked last */
};

static int look(struct browser *browser)
{
	struct sw_page page = {};
	int error = browser->of->look(browser->of->context, browser->view, &page);

	if (error)
		return error;
	sw_page_free(&browser->page);
	browser->page = page;
	sw_grid_sort(browser->page.grid, browser->sorted_by, browser->reverse);
	browser->next_ns = sw_monotonic_ns() + browser->of->period_ms * 1000000;
	browser->wall_ns = sw_wall_ns(sw_monotonic_ns());
	return 0;
}

/* ---- drawing */

static void draw_title(const struct browser *browser)
{
	const struct sw_browse *of = browser->of;
	char left[128], right[64], every[SW_NUMBER_SIZE], moment[SW_TIMESTAMP_SIZE];
	int column;

	snprintf(left, sizeof(left), " %s %s", of->title, of->views[browser->view].name);
	sw_screen_bar(0, SW_INK_BAR, left);
	if (browser->paused)
		snprintf(right, sizeof(right), "paused  %s ",
			 sw_format_moment(moment, browser->wall_ns));
	else
		snprintf(right, sizeof(right), "every %s  %s ",
			 sw_format_duration(every, of->period_ms),
			 sw_format_moment(moment, browser->wall_ns));
	column = sw_screen_columns() - sw_text_width(right);
	if (column > sw_text_width(left))
		sw_screen_draw(0, column, SW_INK_BAR, right);
}

static void draw_headings(const struct browser *browser, int at,
			  const struct sw_grid_layout *layout)
{
	const struct sw_grid *grid = browser->page.grid;

	for (int i = 0; i < sw_grid_columns(grid); i++) {
		const char *text = sw_grid_heading(grid, i);
		int column = layout->starts[i];

		if (!layout->widths[i])
			continue;
		if (sw_grid_align(grid, i) == 'r')
			column += layout->widths[i] - sw_text_width(text);
		sw_screen_draw(at, column, i == browser->sorted_by ? SW_INK_CHOSEN : SW_INK_BOLD,
			       text);
	}
}

static void draw_row(const struct browser *browser, int at, size_t row,
		     const struct sw_grid_layout *layout)
{
	const struct sw_grid *grid = browser->page.grid;

	for (int i = 0; i < sw_grid_columns(grid); i++) {
		const char *text = sw_grid_cell(grid, row, i);
		int column = layout->starts[i];

		if (!layout->widths[i])
			continue;
		if (sw_grid_align(grid, i) == 'r')
			column += layout->widths[i] - sw_text_width(text);
		sw_screen_draw(at, column, SW_INK_PLAIN, text);
	}
}

static void draw_footer(const struct browser *browser)
{
	size_t rows = sw_grid_rows(browser->page.grid), last = browser->first + browser->visible;
	char text[256] = " ", place[64] = "";
	size_t length = 1;

	for (int i = 0; i < browser->of->view_count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%c %s  ",
					   browser->of->views[i].key, browser->of->views[i].name);
	snprintf(text + length, sizeof(text) - length,
		 "< > sort  r reverse  p pause  ? help  q quit");
	if (browser->visible < rows)
		snprintf(place, sizeof(place), " %zu-%zu of %zu ", browser->first + 1,
			 last < rows ? last : rows, rows);
	sw_screen_bar(sw_screen_rows() - 1, SW_INK_BAR, text);
	sw_screen_draw(sw_screen_rows() - 1, sw_screen_columns() - sw_text_width(place), SW_INK_BAR,
		       place);
}

/* What is above the last row that there is room for. */
static void clamp(struct browser *browser)
{
	size_t rows = sw_grid_rows(browser->page.grid);
	size_t most = rows > browser->visible ? rows - browser->visible : 0;

	if (browser->first > most)
		browser->first = most;
}

static void draw_page(struct browser *browser)
{
	const struct sw_page *page = &browser->page;
	size_t rows = sw_grid_rows(page->grid);
	struct sw_grid_layout layout;
	int at = 1;

	for (int i = 0; i < SW_PAGE_LINES && page->lines[i][0]; i++)
		sw_screen_draw(at++, 1, i ? SW_INK_PLAIN : SW_INK_BOLD, page->lines[i]);
	sw_grid_fit(page->grid, sw_screen_columns(), &layout);
	draw_headings(browser, at++, &layout);
	browser->visible = sw_screen_rows() - 1 > at ? (size_t)(sw_screen_rows() - 1 - at) : 1;
	clamp(browser);
	if (!rows)
		sw_screen_draw(at, 2, SW_INK_PLAIN, "nothing to show yet");
	for (size_t i = 0; i < browser->visible && browser->first + i < rows; i++)
		draw_row(browser, at + (int)i, browser->first + i, &layout);
}

static void draw_help(const struct browser *browser)
{
	static const char *const lines[] = {
		"",
		"up down       one row",
		"PgUp PgDn     one page; also space",
		"Home End      first and last row",
		"< >           sort by the column to the left or right; also the arrows",
		"r             reverse the order",
		"p             pause, and go on",
		"^L            draw everything again",
		"?             this help; any key ends it",
		"q             quit",
	};
	char text[64];
	int at = 2;

	sw_screen_bar(0, SW_INK_BAR, " keys");
	for (int i = 0; i < browser->of->view_count; i++) {
		snprintf(text, sizeof(text), "%c             %s", browser->of->views[i].key,
			 browser->of->views[i].name);
		sw_screen_draw(at++, 2, SW_INK_PLAIN, text);
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		sw_screen_draw(at++, 2, SW_INK_PLAIN, lines[i]);
}

static void draw(struct browser *browser)
{
	sw_screen_clear();
	if (browser->helping) {
		draw_help(browser);
	} else {
		draw_title(browser);
		draw_page(browser);
		draw_footer(browser);
	}
	sw_screen_show();
}

/* ---- keys */

/* Another column, round about: the ranking is between the last and the first. */
static void sort_by(struct browser *browser, int step)
{
	int count = sw_grid_columns(browser->page.grid) + 1;

	browser->sorted_by = (browser->sorted_by + 1 + step + count) % count - 1;
	browser->reverse = false;
	browser->first = 0;
	sw_grid_sort(browser->page.grid, browser->sorted_by, false);
}

static void scroll_by(struct browser *browser, long rows)
{
	if (rows < 0 && browser->first < (size_t)-rows)
		browser->first = 0;
	else
		browser->first += (size_t)rows;
	clamp(browser);
}

/* Returns 1 if another view is wanted. */
static int find_view(struct browser *browser, int key)
{
	for (int i = 0; i < browser->of->view_count; i++) {
		if (browser->of->views[i].key != key)
			continue;
		browser->view = i;
		browser->sorted_by = RANKING;
		browser->reverse = false;
		browser->first = 0;
		return 1;
	}
	return 0;
}

static void scroll_key(struct browser *browser, int key)
{
	switch (key) {
	case KEY_UP:
		scroll_by(browser, -1);
		break;
	case KEY_DOWN:
		scroll_by(browser, 1);
		break;
	case KEY_PPAGE:
		scroll_by(browser, -(long)browser->visible);
		break;
	case KEY_NPAGE:
	case ' ':
		scroll_by(browser, (long)browser->visible);
		break;
	case KEY_HOME:
		browser->first = 0;
		break;
	case KEY_END:
		browser->first = SIZE_MAX;
		clamp(browser);
		break;
	}
}

static int press(struct browser *browser, int key)
{
	switch (key) {
	case '<':
	case KEY_LEFT:
		sort_by(browser, -1);
		break;
	case '>':
	case KEY_RIGHT:
		sort_by(browser, 1);
		break;
	case 'r':
		browser->reverse = !browser->reverse;
		sw_grid_sort(browser->page.grid, browser->sorted_by, browser->reverse);
		break;
	case 'p':
		browser->paused = !browser->paused;
		return browser->paused ? 0 : look(browser);
	case '?':
	case 'h':
		browser->helping = true;
		break;
	case CTRL('L'):
		sw_screen_redraw();
		break;
	default:
		scroll_key(browser, key);
		return find_view(browser, key) ? look(browser) : 0;
	}
	return 0;
}

static int run(struct browser *browser)
{
	int error = look(browser);

	while (!error) {
		int key;

		draw(browser);
		key = sw_screen_key(browser->paused ? UINT64_MAX : browser->next_ns);
		if (key == SW_KEY_OVER || (key == 'q' && !browser->helping))
			break;
		if (key == SW_KEY_NONE)
			error = look(browser);
		else if (browser->helping && key != SW_KEY_RESIZE)
			browser->helping = false;
		else if (key != SW_KEY_RESIZE)
			error = press(browser, key);
	}
	return error;
}

int sw_browse(const struct sw_browse *browse, int view)
{
	struct browser browser = { .of = browse, .view = view, .sorted_by = RANKING };
	int error = sw_screen_open();

	if (error)
		return error;
	error = run(&browser);
	sw_screen_close();
	sw_page_free(&browser.page);
	return error;
}
