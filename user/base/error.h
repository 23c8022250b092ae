/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_ERROR_H
#define SYNWARD_BASE_ERROR_H

/*
 * What went wrong, in one line for the user: what, which value, what was expected, what to do.
 * Whoever knows that records it and passes a -errno up; main prints it, as sw_printable() writes it.
 * Each thread has its own line; all else is of the thread that prints.
 */

#include <stdbool.h>
#include <stdio.h>

enum sw_exit {
	SW_EXIT_OK = 0,
	SW_EXIT_FAILURE = 1,
	SW_EXIT_USAGE = 2,
	SW_EXIT_DEGRADED = 3, /* it works, but less well than it should */
};

/*
 * Why what is attached could not be asked. A function returns one of these as it returns an errno,
 * negative and with its line recorded; they lie behind every errno, so none is ever taken for another:
 * that nothing is attached was seen, and is never a guess of whoever may not look.
 */
enum sw_failure {
	SW_NOT_ATTACHED = 4096, /* nothing is */
	SW_DETACHED,		/* it was until now: detached, or replaced, while it was read */
	SW_NOT_ALLOWED,		/* it may not be looked at: anything may be there */
	SW_DAMAGED,
	SW_OTHER_VERSION,
	SW_FAILURE_END
};

/*
 * Records the line unless one is there already (the first is nearest to the cause). error is a
 * positive or negative errno value, or an enum sw_failure. Returns it negative, for "return sw_error(...)".
 */
int sw_error(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The recorded line, or NULL. Valid until the next call of sw_error or sw_error_clear. */
const char *sw_error_text(void);

/* Forgets the recorded line: what failed was only a first try. */
void sw_error_clear(void);

/* An errno value or an enum sw_failure, of either sign, in words that fit into a sentence. */
const char *sw_errno_text(int error);

/*
 * Prints the recorded line (or one for error, if nothing was recorded) to stderr, and with json
 * also {"schema":1,"error":...} to stdout, which names an enum sw_failure as "failure".
 */
void sw_error_report(int error, bool json);

/* Prints that object of any text, which has to be printable. */
void sw_error_json(FILE *out, int error, const char *text);

/*
 * Whoever prints and has no memory for a part of it says so here, and goes on: what is printed is not
 * whole, and a report that lacks something must not pass for one that has nothing more to say.
 */
void sw_output_lacks(void);

/* Has any part been left out since this was last asked? */
bool sw_output_lacked(void);

/* A line on stderr that is not an error: a fallback that was taken, say. */
void sw_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* printf that ends a string at size; returns false if something was cut off. */
bool sw_format(char *text, unsigned long size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
