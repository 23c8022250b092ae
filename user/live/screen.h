/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LIVE_SCREEN_H
#define SYNWARD_LIVE_SCREEN_H

/*
 * The terminal as a screen, and as it was before when that is over: after a signal and after an
 * error, too. There is only one.
 */

#include <stdbool.h>
#include <stdint.h>

/* Attributes of what is drawn. */
enum sw_ink { SW_INK_PLAIN, SW_INK_BOLD, SW_INK_BAR, SW_INK_CHOSEN };

/*
 * Takes the terminal of stdin and stdout. Returns 0, or -ENOTTY if this terminal cannot be used as a
 * screen, without a line. SIGINT, SIGTERM, SIGQUIT and SIGHUP end sw_screen_key() from then on.
 */
int sw_screen_open(void);
void sw_screen_close(void); /* harmless when it is closed */

enum {
	SW_KEY_NONE = 0,    /* the time is over */
	SW_KEY_OVER = -1,   /* a signal, or the terminal is gone */
	SW_KEY_RESIZE = -2, /* the screen has another size */
};

/*
 * Waits for a key until a moment of CLOCK_MONOTONIC; UINT64_MAX: for ever. Returns one of the above
 * or a character or KEY_* of ncurses.
 */
int sw_screen_key(uint64_t until_ns);

int sw_screen_rows(void);
int sw_screen_columns(void);

void sw_screen_clear(void);

/*
 * Draws text, UTF-8, from a row and column on, as far as there is room. What does not fit ends in a
 * ~, so that nobody takes the part for the whole.
 */
void sw_screen_draw(int row, int column, enum sw_ink ink, const char *text);

/* Draws a whole row in one ink, with text at its beginning. */
void sw_screen_bar(int row, enum sw_ink ink, const char *text);

/* Shows what was drawn; after sw_screen_redraw() all of it, whatever was there. */
void sw_screen_show(void);
void sw_screen_redraw(void);

#endif
