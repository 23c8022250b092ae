/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CMD_COMMAND_H
#define SYNWARD_CMD_COMMAND_H

#include "../base/error.h"
#include "../base/places.h"
#include "../text/options.h"

#include <stdbool.h>

/* What every command accepts, before or after its name. */
struct sw_global {
	bool json;
	bool pretty;
	bool verbose;
	bool help;
	bool version;
	const char *pin_dir;
	const char *state_dir;	 /* NULL: sw_command_state_dir() knows */
	const char *secret_file; /* of the secret that hosts share */
};

extern struct sw_global sw_global;

/*
 * One command. run gets argv[0] = its name and returns an enum sw_exit or a -errno, whose line has
 * been recorded with sw_error(). One that is an object has verbs instead of a run: commands whose
 * names begin with its own, as in "policy apply"; argv[0] is then the verb.
 */
struct sw_command {
	const char *name;
	const char *summary; /* one line without a full stop */
	const char *usage;   /* behind the name: "IFACE..." */
	const char *text;    /* paragraphs and examples, ending in a newline */
	const struct sw_option *options;
	int (*run)(int argc, char **argv);
	const struct sw_command *const *verbs; /* ends with NULL */
};

extern const struct sw_command sw_cmd_attach;
extern const struct sw_command sw_cmd_detach;
extern const struct sw_command sw_cmd_upgrade;
extern const struct sw_command sw_cmd_status;
extern const struct sw_command sw_cmd_stats;
extern const struct sw_command sw_cmd_top;
extern const struct sw_command sw_cmd_list;
extern const struct sw_command sw_cmd_events;
extern const struct sw_command sw_cmd_allow;
extern const struct sw_command sw_cmd_block;
extern const struct sw_command sw_cmd_replay;
extern const struct sw_command sw_cmd_check_config;
extern const struct sw_command sw_cmd_policy;
extern const struct sw_command sw_cmd_disarm;
extern const struct sw_command sw_cmd_arm;
extern const struct sw_command sw_cmd_explain;
extern const struct sw_command sw_cmd_doctor;
extern const struct sw_command sw_cmd_genkey;
extern const struct sw_command sw_cmd_version;
extern const struct sw_command sw_cmd_help;

/* All of them, in the order of the help; ends with NULL. */
extern const struct sw_command *const sw_commands[];

/* The rows of sw_global. */
extern const struct sw_option sw_global_options[];

/*
 * For the first line of a run(): parses the command's own options and the global ones. Returns the
 * index of the first argument that is no option, -EINVAL with the line recorded, or, when --help or
 * --version was answered, SW_HELP_SHOWN.
 */
#define SW_HELP_SHOWN 0
int sw_command_options(const struct sw_command *command, int argc, char **argv);

/*
 * Where what outlives a detach is kept: the one that was given; else /var/lib/synward, or, of another
 * pin directory than the default one, what has its last name in there.
 */
const char *sw_command_state_dir(void);

/*
 * The command of that name; else NULL with the line recorded, naming the nearest. With an object,
 * its verb of that name.
 */
const struct sw_command *sw_command_find(const struct sw_command *object, const char *name);

/* Runs a command, or the verb of an object that follows its name. */
int sw_command_run(const struct sw_command *command, int argc, char **argv);

/* For the first line of a verb that takes no arguments: options, and that there are none. */
int sw_command_alone(const struct sw_command *command, int argc, char **argv);

/*
 * Has what was printed written. Returns 0, -EPIPE without a line if whoever read it is gone, or another
 * -errno with its line; the next call tells only of what is printed after this one.
 */
int sw_command_flush(void);

/* Prints a command's help. */
void sw_command_help(const struct sw_command *command, FILE *out);

/* Prints which version this is. */
void sw_version_print(FILE *out);

/* Prints what synward is and does. */
void sw_overview(FILE *out);

#endif
