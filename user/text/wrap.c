// SPDX-License-Identifier: GPL-2.0-or-later
#include "wrap.h"

#include <stdbool.h>
#include <string.h>

/* Prints the words of text[0..length-1]; newlines among them count as spaces. */
static void wrap(FILE *out, const char *text, size_t length, int column, int indent)
{
	const char *end = text + length;
	bool first = true;

	while (text < end) {
		int word = (int)strcspn(text, " \n");

		if (word > end - text)
			word = (int)(end - text);
		if (!word) {
			text++;
			continue;
		}
		if (!first && column + 1 + word > SW_TEXT_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", word, text);
		column += word;
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
