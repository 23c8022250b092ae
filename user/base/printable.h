/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_PRINTABLE_H
#define SYNWARD_BASE_PRINTABLE_H

/*
 * Text that somebody else has chosen, as a terminal may get it. The kernel takes nearly every byte for
 * the name of an interface: control characters, which a terminal obeys, and what is not UTF-8, which
 * neither JSON nor Prometheus takes. Both are written as \xHH, byte by byte; all else stays as it is.
 */

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the character at text takes in UTF-8, of at most left; 0 if there is none. */
size_t sw_utf8_length(const char *text, size_t left);

/*
 * Is the character at text, of that length, one that a terminal may obey (C0, DEL or C1) or that turns the
 * text behind it around?
 */
bool sw_is_control(const char *text, size_t length);

/* What follows is at most so many times as long. */
#define SW_PRINTABLE_GROWTH 4

/* Writes text to shown, which is cut at size. Returns shown. */
const char *sw_printable(char *shown, size_t size, const char *text);

/* The same, of text of less than size bytes, for as long as the enclosing block. */
#define SW_PRINTABLE(text, size)                                                                   \
	sw_printable((char[SW_PRINTABLE_GROWTH *(size)]){ 0 }, SW_PRINTABLE_GROWTH *(size), text)

/* Of the name of an interface. */
#define SW_PRINTABLE_NAME(name) SW_PRINTABLE(name, 16)

#endif
