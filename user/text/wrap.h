/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_WRAP_H
#define SYNWARD_TEXT_WRAP_H

#include <stdio.h>

/* What fits nearly everywhere; help and explanations are no wider, also in a file. */
#define SW_TEXT_WIDTH 80

/* The width of texts: SW_TEXT_WIDTH, or that of a terminal that has less, as sw_width() has it. */
int sw_wrap_width(FILE *out);

/*
 * Prints the words of one paragraph and a newline, no line longer than sw_wrap_width(), each line but
 * the first indented by that many columns; the first begins where the cursor is said to be.
 */
void sw_wrap(FILE *out, const char *text, int column, int indent);

/*
 * Prints paragraphs, separated by empty lines in the text and in the output. Lines that begin with
 * a space stand as they are: they are examples.
 */
void sw_wrap_paragraphs(FILE *out, const char *text);

#endif
