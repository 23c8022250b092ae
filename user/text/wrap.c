// SPDX-License-Identifier: GPL-2.0-or-later
#include "wrap.h"

#include "table.h"
#include "width.h"

#include <stdbool.h>
#include <string.h>

int sw_wrap_width(FILE *out)
{
	int width = sw_width(out);

	return width && width < SW_TEXT_WIDTH ? width : SW_TEXT_WIDTH;
}

/* How wide a word of that many bytes is. */
static int word_cells(const char *word, int bytes)
{
	int width = 0, cells;

	for (int at = 0; at < bytes; width += cells)
		at += (int)sw_text_next(word + at, &cells);
	return width;
}

/* Prints the words of text[0..length-1]; newlines among them count as spaces. */
static void wrap(FILE *out, const char *text, size_t length, int column, int indent)
{
	const char *end = text + length;
	int width = sw_wrap_width(out), cells;
	bool first = true;

	while (text < end) {
		int word = (int)strcspn(text, " \n");

		if (word > end - text)
			word = (int)(end - text);
		if (!word) {
			text++;
			continue;
		}
		cells = word_cells(text, word);
		if (!first && column + 1 + cells > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", word, text);
		column += cells;
		text += word;
		first = false;
	}
	fputc('\n', out);
}

void sw_wrap(FILE *out, const char *text, int column, int indent)
{
	wrap(out, text, strlen(text), column, indent);
}

void sw_wrap_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		size_t length = 0;

		if (*text == ' ' || *text == '\n') { /* an example, or the gap between two */
			length = strcspn(text, "\n");
			fprintf(out, "%.*s\n", (int)length, text);
		} else {
			while (text[length] && strncmp(text + length, "\n\n", 2) != 0 &&
			       strncmp(text + length, "\n ", 2) != 0)
				length++;
			wrap(out, text, length, 0, 0);
		}
		text += length;
		text += *text == '\n';
	}
}
