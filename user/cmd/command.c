// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/number.h"
#include "../platform/bpf_log.h"
#include "../text/wrap.h"

#include <errno.h>
#include <string.h>

struct sw_global sw_global = { .pin_dir = SW_DEFAULT_PIN_DIR,
			       .secret_file = SW_DEFAULT_SECRET_FILE };

const struct sw_option sw_global_options[] = {
	{ "json", 'j', SW_OPTION_FLAG, &sw_global.json, NULL, .help = "print JSON" },
	{ "pretty", 'p', SW_OPTION_FLAG, &sw_global.pretty, NULL, .help = "with -j: indent it" },
	{ "pin-dir", 0, SW_OPTION_STRING, &sw_global.pin_dir, "DIR",
	  .help = "directory of the pinned state (" SW_DEFAULT_PIN_DIR ")" },
	{ "state-dir", 0, SW_OPTION_STRING, &sw_global.state_dir, "DIR",
	  .help = "directory of what survives a detach and a reboot (" SW_DEFAULT_STATE_DIR ")" },
	{ "verbose", 'v', SW_OPTION_FLAG, &sw_global.verbose, NULL,
	  .help = "show messages of libbpf and the verifier" },
	{ "help", 'h', SW_OPTION_FLAG, &sw_global.help, NULL, .help = "show this text" },
	{ "version", 'V', SW_OPTION_FLAG, &sw_global.version, NULL, .help = "show the version" },
	{},
};

int sw_command_options(const struct sw_command *command, int argc, char **argv)
{
	int first = sw_options_parse(argc, argv, command->options, sw_global_options, false);

	if (first > 0 && sw_global.help) {
		sw_command_help(command, stdout);
		return SW_HELP_SHOWN;
	}
	if (first > 0 && sw_global.version) {
		sw_version_print(stdout);
		return SW_HELP_SHOWN;
	}
	sw_bpf_log_start(sw_global.verbose);
	return first;
}

const char *sw_command_state_dir(void)
{
	static char dir[512];
	size_t length = strlen(sw_global.pin_dir);

	if (sw_global.state_dir && *sw_global.state_dir)
		return sw_global.state_dir;
	while (length > 1 && sw_global.pin_dir[length - 1] == '/')
		length--;
	if (length == strlen(SW_DEFAULT_PIN_DIR) &&
	    !strncmp(sw_global.pin_dir, SW_DEFAULT_PIN_DIR, length))
		return SW_DEFAULT_STATE_DIR;
	for (size_t i = length; i > 0; i--) {
		if (sw_global.pin_dir[i - 1] != '/')
			continue;
		sw_format(dir, sizeof(dir), "%s/%.*s", SW_DEFAULT_STATE_DIR, (int)(length - i),
			  sw_global.pin_dir + i);
		return dir;
	}
	return SW_DEFAULT_STATE_DIR;
}

/* What the user types for it: the last word of its name. */
static const char *last_word(const struct sw_command *command)
{
	const char *space = strrchr(command->name, ' ');

	return space ? space + 1 : command->name;
}

/* As they are told where one is missing. */
#define VERBS_SIZE 96

static const char *verbs_of(char text[VERBS_SIZE], const struct sw_command *object)
{
	size_t length = 0;

	for (int i = 0; object->verbs[i]; i++) {
		sw_format(text + length, VERBS_SIZE - length, "%s%s", i ? ", " : "",
			  last_word(object->verbs[i]));
		length = strlen(text);
	}
	return text;
}

const struct sw_command *sw_command_find(const struct sw_command *object, const char *name)
{
	const struct sw_command *const *list = object ? object->verbs : sw_commands;
	const char *best = NULL;
	char verbs[VERBS_SIZE];

	for (int i = 0; list[i]; i++) {
		if (!strcmp(name, last_word(list[i])))
			return list[i];
		sw_word_nearest(&best, name, last_word(list[i]));
	}
	if (object)
		sw_error(EINVAL, "%s: unknown verb %s%s%s; there are: %s", object->name, name,
			 best ? ": did you mean " : "", best ? best : "", verbs_of(verbs, object));
	else
		sw_error(EINVAL, "unknown command %s%s%s; 'synward --help' lists them all", name,
			 best ? ": did you mean " : "", best ? best : "");
	return NULL;
}

int sw_command_run(const struct sw_command *command, int argc, char **argv)
{
	char verbs[VERBS_SIZE];
	int first;

	if (!command->verbs)
		return command->run(argc, argv);
	first = sw_options_parse(argc, argv, NULL, sw_global_options, true);
	if (first < 0)
		return first;
	if (first == argc && sw_global.help) {
		sw_command_help(command, stdout);
		return SW_EXIT_OK;
	}
	if (first == argc && sw_global.version) {
		sw_version_print(stdout);
		return SW_EXIT_OK;
	}
	if (first == argc)
		return sw_error(EINVAL, "%s: expected a verb: %s; see 'synward help %s'",
				command->name, verbs_of(verbs, command), command->name);
	command = sw_command_find(command, argv[first]);
	return command ? sw_command_run(command, argc - first, argv + first) : -EINVAL;
}

int sw_command_alone(const struct sw_command *command, int argc, char **argv)
{
	int first = sw_command_options(command, argc, argv);

	if (first > 0 && first < argc)
		return sw_error(EINVAL, "%s: expected no arguments, got %s", command->name,
				argv[first]);
	return first;
}

int sw_command_flush(void)
{
	int error;

	if (sw_output_lacked())
		return sw_error(ENOMEM, "not enough memory: what was printed is not whole");
	errno = 0;
	/* what an earlier print could not write is gone, and the stream alone still knows */
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	error = errno ? errno : EIO;
	clearerr(stdout);
	if (error == EPIPE)
		return -EPIPE;
	return sw_error(error, "cannot write to standard output: %s", sw_errno_text(error));
}

#define VERB_WIDTH 12

static void list_commands(FILE *out, const struct sw_command *const *list)
{
	for (int i = 0; list[i]; i++) {
		fprintf(out, "  %-*s ", VERB_WIDTH, last_word(list[i]));
		sw_wrap(out, list[i]->summary, 3 + VERB_WIDTH, 3 + VERB_WIDTH);
	}
}

/* The table of a verb may be empty. */
static bool has_options(const struct sw_command *command)
{
	return command->options && command->options[0].long_name;
}

static const char usage[] = "Usage: ";

void sw_command_help(const struct sw_command *command, FILE *out)
{
	char text[256];

	sw_format(text, sizeof(text), "synward %s - %s", command->name, command->summary);
	sw_wrap(out, text, 0, 2);
	sw_format(text, sizeof(text), "synward %s%s%s%s", command->name,
		  has_options(command) ? " [OPTION...]" : "", *command->usage ? " " : "",
		  command->usage);
	fprintf(out, "\n%s", usage);
	sw_wrap(out, text, (int)strlen(usage), (int)strlen(usage));
	fputc('\n', out);
	if (command->verbs) {
		fputs("Verbs:\n", out);
		list_commands(out, command->verbs);
		fputc('\n', out);
	}
	if (has_options(command)) {
		sw_options_help(out, command->options);
		fputc('\n', out);
	}
	sw_wrap_paragraphs(out, command->text);
	fputs("\nOptions of every command:\n", out);
	sw_options_help(out, sw_global_options);
}

void sw_overview(FILE *out)
{
	sw_wrap(out,
		"synward watches the TCP three-way handshake at the network driver, and can drop "
		"what a policy names.",
		0, 0);
	fprintf(out, "\n%s", usage);
	sw_wrap(out, "synward [OPTION...] COMMAND [ARGUMENT...]", (int)strlen(usage),
		(int)strlen(usage));
	fputs("\nCommands:\n", out);
	list_commands(out, sw_commands);
	fputs("\nOptions of every command:\n", out);
	sw_options_help(out, sw_global_options);
	fputc('\n', out);
	sw_wrap_paragraphs(
		out, "The environment variables SYNWARD_PIN_DIR and SYNWARD_STATE_DIR set "
		     "the defaults of --pin-dir and --state-dir; SYNWARD_SECRET_FILE "
		     "is read in place of " SW_DEFAULT_SECRET_FILE ". Exit codes: 0 "
		     "success, 1 failure, 2 wrong usage, 3 done, but with a problem: read the "
		     "message. For more about a command: 'synward help COMMAND'.\n");
}
