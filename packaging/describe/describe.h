/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DESCRIBE_H
#define SYNWARD_DESCRIBE_H

/*
 * What is made of the program's own tables when it is built, so that it cannot say anything else:
 * the completions of shells, and a manual page for each command.
 */

#include "../../user/cmd/command.h"

#include <stdio.h>

/* What stands behind an option or a command. */
enum argument {
	ARGUMENT_NONE,
	ARGUMENT_ANY,  /* nobody but the user knows */
	ARGUMENT_WORD, /* one of words */
	ARGUMENT_FILE,
	ARGUMENT_DIRECTORY,
	ARGUMENT_INTERFACE,
	ARGUMENT_TIMEOUT, /* NAME=DURATION, the names in words */
};

#define MAX_WORDS 4096

/* words: separated by blanks. */
enum argument option_argument(const struct sw_option *option, char words[MAX_WORDS]);

/* The same of what stands behind a command that is no object, by its usage. */
enum argument command_argument(const struct sw_command *command, char words[MAX_WORDS]);

/* The last word of a command's name, which is what is typed for it. */
const char *last_word(const struct sw_command *command);

void print_bash(FILE *out);
void print_zsh(FILE *out);

/* The same of synward-exporter. */
void print_exporter_bash(FILE *out);
void print_exporter_zsh(FILE *out);

/* Options as zsh's _arguments takes them. */
void print_zsh_specs(FILE *out, const struct sw_option *options);

/* In the language of scdoc. */
void print_page(FILE *out, const struct sw_command *command);

#endif
