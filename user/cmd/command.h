/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CMD_COMMAND_H
#define SYNWARD_CMD_COMMAND_H

#include "../base/error.h"
#include "../base/options.h"

#include <stdbool.h>

#define SW_DEFAULT_PIN_DIR "/sys/fs/bpf/synward"

/* What every command accepts, before or after its name. */
struct sw_global {
	bool json;
	bool pretty;
	bool verbose;
	bool help;
	const char *pin_dir;
};

extern struct sw_global sw_global;

/*
 * One verb. run gets argv[0] = the verb and returns an enum sw_exit or a -errno, whose line has
 * been recorded with sw_error().
 */
struct sw_command {
	const char *name;
	const char *summary; /* one line without a full stop */
	const char *usage;   /* behind the name: "IFACE..." */
	const char *text;    /* paragraphs and examples, ending in a newline */
	const struct sw_option *options;
	int (*run)(int argc, char **argv);
};

extern const struct sw_command sw_cmd_attach;
extern const struct sw_command sw_cmd_detach;
extern const struct sw_command sw_cmd_status;
extern const struct sw_command sw_cmd_stats;
extern const struct sw_command sw_cmd_top;
extern const struct sw_command sw_cmd_list;
extern const struct sw_command sw_cmd_events;
extern const struct sw_command sw_cmd_replay;
extern const struct sw_command sw_cmd_check_config;
extern const struct sw_command sw_cmd_explain;
extern const struct sw_command sw_cmd_version;
extern const struct sw_command sw_cmd_help;

/* All of them, in the order of the help; ends with NULL. */
extern const struct sw_command *const sw_commands[];

/* The rows of sw_global. */
extern const struct sw_option sw_global_options[];

/*
 * For the first line of a run(): parses the command's own options and the global ones. Returns the
 * index of the first argument that is no option, -EINVAL with the line recorded, or, when --help was
 * answered, SW_HELP_SHOWN.
 */
#define SW_HELP_SHOWN 0
int sw_command_options(const struct sw_command *command, int argc, char **argv);

/* The command of that name; else NULL with the line recorded, naming the nearest. */
const struct sw_command *sw_command_find(const char *name);

/* Prints a command's help. */
void sw_command_help(const struct sw_command *command, FILE *out);

/* Prints what synward is and does. */
void sw_overview(FILE *out);

#endif
