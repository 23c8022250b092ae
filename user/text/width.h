/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_WIDTH_H
#define SYNWARD_TEXT_WIDTH_H

/*
 * How much room a text takes on a terminal, in cells: a letter takes one, most characters of Chinese, Japanese and Korean
 * two, an accent that joins the letter before it none. Whatever locale the process has, text is UTF-8.
 */

#include <stddef.h>

/* The cells of a text. */
int sw_text_width(const char *text);

/* How many bytes the character at text has, which is not empty, and in *cells how wide it is: 0, 1 or 2. */
size_t sw_text_next(const char *text, int *cells);

#endif
