// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

#include <stdio.h>
#include <string.h>

#define MAX_CHARACTER 4				    /* bytes, RFC 3629 */
#define PIECE_SIZE    (SW_PRINTABLE_GROWTH * 3 + 1) /* the longest that is not plain has three bytes */

size_t sw_utf8_length(const char *text, size_t left)
{
	unsigned char first = (unsigned char)text[0],
		      second = left > 1 ? (unsigned char)text[1] : 0;
	size_t length = first < 0x80 ? 1 :
			first < 0xc2 ? 0 :
			first < 0xe0 ? 2 :
			first < 0xf0 ? 3 :
				       4;

	if (first > 0xf4 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	/* forms that are too long, surrogates, and what is beyond Unicode (RFC 3629 section 4) */
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
		return 0;
	return length;
}

/*
 * What separates lines, and what turns the direction of the text behind it (Unicode Standard Annex 9): U+200E, U+200F,
 * U+2028 to U+202E and U+2066 to U+2069, all of three bytes. By these a line may look like another one.
 */
static bool turns_text(const unsigned char *text)
{
	return text[0] == 0xe2 && ((text[1] == 0x80 && (text[2] == 0x8e || text[2] == 0x8f ||
							(text[2] >= 0xa8 && text[2] <= 0xae))) ||
				   (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

bool sw_is_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];

	if (length == 1)
		return first < 0x20 || first == 0x7f;
	if (length == 3)
		return turns_text((const unsigned char *)text);
	return length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* Writes the next character of *text, moves *text behind it, and returns the length of what it wrote. */
static size_t next_piece(char piece[PIECE_SIZE], const char **text)
{
	size_t valid = sw_utf8_length(*text, strnlen(*text, MAX_CHARACTER)),
	       length = valid ? valid : 1;
	bool plain = valid && !sw_is_control(*text, valid);

	if (plain)
		memcpy(piece, *text, length);
	for (size_t i = 0; i < length && !plain; i++)
		snprintf(piece + SW_PRINTABLE_GROWTH * i, SW_PRINTABLE_GROWTH + 1, "\\x%02x",
			 (unsigned char)(*text)[i]);
	*text += length;
	return plain ? length : SW_PRINTABLE_GROWTH * length;
}

/* How much of it is printable ASCII, of which each byte is a character. */
static size_t plain_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= 0x20 && text[length] < 0x7f)
		length++;
	return length;
}

const char *sw_printable(char *shown, size_t size, const char *text)
{
	char piece[PIECE_SIZE];
	size_t used = plain_length(text); /* most often that is all */

	if (used >= size)
		used = size - 1;
	memcpy(shown, text, used);
	text += used;
	while (*text) {
		size_t length = next_piece(piece, &text);

		if (used + length >= size)
			break;
		memcpy(shown + used, piece, length);
		used += length;
	}
	shown[used] = '\0';
	return shown;
}
