/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_PROSE_H
#define SYNWARD_TEXT_PROSE_H

#include <stdio.h>

/*
 * A report with sentences in it, which are as long as what they tell. Whatever is printed to the stream comes out with
 * its lines wrapped at the width of out, as sw_width() has it: the lines after the first are indented to where the text
 * behind a label begins. A word stays whole. One report at a time.
 */

/* Returns the stream to print to; it is out itself where lines may have any length. */
FILE *sw_prose_begin(FILE *out);

/* Prints what has come to the stream, and closes it. */
void sw_prose_end(FILE *stream);

/* Where what is printed to this stream goes in the end. */
FILE *sw_prose_base(FILE *out);

#endif
