// SPDX-License-Identifier: GPL-2.0-or-later
#include "prose.h"

#include "../base/error.h"
#include "table.h"
#include "width.h"

#include <stdlib.h>
#include <string.h>

#define LABEL 24 /* columns within which the text behind a label begins */

static struct {
	FILE *stream;
	FILE *base;
	char *text;
	size_t length;
} prose;

FILE *sw_prose_base(FILE *out)
{
	return out == prose.stream && out ? prose.base : out;
}

FILE *sw_prose_begin(FILE *out)
{
	FILE *stream = sw_width(out) ? open_memstream(&prose.text, &prose.length) : NULL;

	if (!stream)
		return out;
	prose.stream = stream;
	prose.base = out;
	return stream;
}

/* Where the text behind a label begins, two spaces or more behind that; or else a bit more than where the line does. */
static int indent_of(const char *line)
{
	int first = (int)strspn(line, " "), indent = first + 2;

	for (int i = first; i < LABEL && line[i]; i++)
		if (i > first + 1 && line[i] != ' ' && line[i - 1] == ' ' && line[i - 2] == ' ')
			indent = i;
	return indent;
}

/* How many bytes at text are a sequence that gives what follows a colour: it takes no room. */
static int sequence_length(const char *text)
{
	return *text == '\033' ? (int)strcspn(text, "m") + 1 : 0;
}

/* How many bytes of the line fit into so many cells, whole words only, and not less than from bytes and one word. */
static int fitting(const char *line, int from, int width)
{
	int length = 0, words = 0, used = 0, cells;

	while (line[length]) {
		int bytes = sequence_length(line + length);

		if (line[length] == ' ' && length > from && line[length - 1] != ' ') {
			if (used > width)
				return words ? words : length;
			words = length;
		}
		if (bytes)
			cells = 0;
		else
			bytes = (int)sw_text_next(line + length, &cells);
		length += bytes;
		used += cells;
	}
	return used > width && words ? words : length;
}

static void put_line(FILE *out, const char *line, int width)
{
	int indent = indent_of(line), from = indent;

	while (true) {
		int length = fitting(line, from, width);

		fprintf(out, "%.*s", length, line);
		line += length;
		line += strspn(line, " ");
		if (!*line)
			break;
		fprintf(out, "\n%*s", indent, "");
		if (from)
			width -= indent;
		from = 0;
	}
	fputc('\n', out);
}

void sw_prose_end(FILE *stream)
{
	FILE *out = sw_prose_base(stream);
	char *line = prose.text, *end;

	if (out == stream)
		return;
	prose.stream = NULL;
	if (fclose(stream))
		sw_output_lacks();
	for (line = prose.text; line && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		put_line(out, line, sw_width(out));
	}
	free(prose.text);
}
