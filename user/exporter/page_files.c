// SPDX-License-Identifier: GPL-2.0-or-later
#include "page_files.h"

#define HTML	   "text/html; charset=utf-8"
#define CSS	   "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define SVG	   "image/svg+xml"
#define TEXT	   "text/plain; charset=utf-8"

/*
 * X(SYMBOL, path, type): the symbol is what the linker makes of a file's name. Of what others have made the licence
 * goes along; third_party/ tells where it is from.
 */
#define FILES(X)                                                                                   \
	X(index_html, "/", HTML)                                                                   \
	X(page_css, "/page/page.css", CSS)                                                         \
	X(icon_svg, "/page/icon.svg", SVG)                                                         \
	X(history_js, "/page/history.js", JAVASCRIPT)                                              \
	X(main_js, "/page/main.js", JAVASCRIPT)                                                    \
	X(charts_js, "/page/charts.js", JAVASCRIPT)                                                \
	X(events_js, "/page/events.js", JAVASCRIPT)                                                \
	X(shared_js, "/page/shared.js", JAVASCRIPT)                                                \
	X(stream_js, "/page/stream.js", JAVASCRIPT)                                                \
	X(tables_js, "/page/tables.js", JAVASCRIPT)                                                \
	X(verdict_js, "/page/verdict.js", JAVASCRIPT)                                              \
	X(words_js, "/page/words.js", JAVASCRIPT)                                                  \
	X(uPlot_iife_min_js, "/page/uplot.js", JAVASCRIPT)                                         \
	X(uPlot_min_css, "/page/uplot.css", CSS)                                                   \
	X(LICENSE, "/page/uplot.txt", TEXT)

#define X(symbol, path, type) extern char _binary_##symbol##_start[], _binary_##symbol##_end[];
FILES(X)
#undef X

/* One holder is this table: so nobody ever frees a text that was never allocated. */
static struct {
	const char *path;
	const char *type;
	const char *end;
	struct sw_body body;
} files[] = {
#define X(symbol, path, type)                                                                      \
	{ path, type, _binary_##symbol##_end, { .holders = 1, .text = _binary_##symbol##_start } },
	FILES(X)
#undef X
};

#define COUNT (sizeof(files) / sizeof(files[0]))

static size_t find(const struct sw_slice *path)
{
	size_t i = 0;

	while (i < COUNT && !sw_slice_is(path, files[i].path))
		i++;
	return i;
}

bool sw_page_has(const struct sw_slice *path)
{
	return find(path) < COUNT;
}

struct sw_reply sw_page_reply(const struct sw_slice *path)
{
	size_t at = find(path);

	files[at].body.length = (size_t)(files[at].end - files[at].body.text);
	return (struct sw_reply){ .code = SW_HTTP_OK,
				  .type = files[at].type,
				  .body = sw_body_hold(&files[at].body) };
}
