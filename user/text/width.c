// SPDX-License-Identifier: GPL-2.0-or-later
#include "width.h"

#include "../base/printable.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

/* Of a character that is not ASCII. libc knows the table of Unicode, by the locale of the thread. */
static int cells_of(wchar_t character)
{
	static locale_t utf8;
	locale_t before;
	int cells;

	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	cells = wcwidth(character);
	uselocale(before);
	return cells < 0 ? 1 : cells;
}

static wchar_t decode(const char *text, size_t length)
{
	wchar_t character = (unsigned char)text[0] & (0xff >> (length + 1));

	for (size_t i = 1; i < length; i++)
		character = character << 6 | (text[i] & 0x3f);
	return character;
}

size_t sw_text_next(const char *text, int *cells)
{
	size_t length = sw_utf8_length(text, strnlen(text, 4));

	*cells = length > 1 ? cells_of(decode(text, length)) : 1;
	return length ? length : 1;
}

int sw_text_width(const char *text)
{
	int width = 0, cells;

	while (*text) {
		text += sw_text_next(text, &cells);
		width += cells;
	}
	return width;
}
