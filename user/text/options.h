/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TEXT_OPTIONS_H
#define SYNWARD_TEXT_OPTIONS_H

/*
 * Options of a command as a table: parsing, range checks, error lines and the help text all come
 * from it, so no command parses by hand.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sw_option_kind {
	SW_OPTION_FLAG,	    /* bool: true when given */
	SW_OPTION_STRING,   /* const char *: the argument itself */
	SW_OPTION_NUMBER,   /* uint64_t within [minimum, maximum] */
	SW_OPTION_DURATION, /* uint64_t milliseconds within [minimum, maximum] */
	SW_OPTION_CHOICE,   /* int: the argument's index in choices */
	SW_OPTION_CALLBACK, /* parse(argument, value) returns 0, or sw_error()'s code */
};

/* A row with long_name NULL ends a table. Short names are letters or 0. */
struct sw_option {
	const char *long_name;
	char short_name;
	enum sw_option_kind kind;
	void *value;
	const char *argument; /* what the help calls the argument; NULL: none */
	const char *help;
	uint64_t minimum;
	uint64_t maximum;
	const char *const *choices; /* ends with NULL */
	int (*parse)(const char *argument, void *value);
};

/*
 * Parses argv[1..] by two tables, either may be NULL. Returns the index of the first argument that
 * is no option (getopt_long permutes unless first_only, which stops at the first), or -EINVAL with
 * the line recorded. argv[0] must be the command's name.
 */
int sw_options_parse(int argc, char **argv, const struct sw_option *own,
		     const struct sw_option *common, bool first_only);

/*
 * Sets an option's value by its text, or by NULL if it takes none; false, and nothing is changed, if
 * it cannot be that. A callback's is set by its parse().
 */
bool sw_option_set(const struct sw_option *option, const char *text);

#define SW_OPTION_EXPECTED_SIZE 160

/* What its text may be, to follow "expected "; empty if that is said by its help. Returns text. */
const char *sw_option_expected(char text[SW_OPTION_EXPECTED_SIZE], const struct sw_option *option);

/* Prints the rows of a table for a help text. */
void sw_options_help(FILE *out, const struct sw_option *options);

#endif
