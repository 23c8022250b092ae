// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion for zsh: specifications for its _arguments, which knows how to walk along the line. */
#include "describe.h"

#include "../../user/model/names.h"

#include <string.h>

/* Within single quotes; what is in special gets a backslash. */
static void print_quoted(FILE *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c", strchr(special, *text) ? "\\" : "", *text);
	}
}

/* How zsh completes an argument: ":MESSAGE:ACTION". */
static void print_action(FILE *out, enum argument kind, const char *message, const char *words)
{
	static const char *const actions[] = {
		[ARGUMENT_ANY] = " ",
		[ARGUMENT_FILE] = "_files",
		[ARGUMENT_DIRECTORY] = "_files -/",
		[ARGUMENT_INTERFACE] = "_net_interfaces",
		[ARGUMENT_TIMEOUT] = "_synward_timeouts",
	};

	if (kind == ARGUMENT_NONE)
		return;
	fputc(':', out);
	print_quoted(out, message, "\\:");
	if (kind == ARGUMENT_WORD)
		fprintf(out, ":(%s)", words);
	else
		fprintf(out, ":%s", actions[kind]);
}

static void print_spec(FILE *out, const struct sw_option *option)
{
	char words[MAX_WORDS];
	enum argument kind = option_argument(option, words);
	bool repeated = option->kind == SW_OPTION_CALLBACK;

	fputs("\t\t", out);
	if (option->short_name && !repeated)
		fprintf(out, "'(-%c --%s)'", option->short_name, option->long_name);
	fputs(repeated ? "'*'" : "", out);
	if (option->short_name)
		fprintf(out, "{-%c%s,--%s%s}'[", option->short_name, option->argument ? "+" : "",
			option->long_name, option->argument ? "=" : "");
	else
		fprintf(out, "'--%s%s[", option->long_name, option->argument ? "=" : "");
	print_quoted(out, option->help, "\\[]:");
	fputc(']', out);
	print_action(out, kind, option->argument, words);
	fputs("'\n", out);
}

void print_zsh_specs(FILE *out, const struct sw_option *options)
{
	for (; options && options->long_name; options++)
		print_spec(out, options);
}

static void print_verbs(FILE *out, const struct sw_command *const *list)
{
	for (int i = 0; list[i]; i++) {
		fprintf(out, "\t\t'%s:", last_word(list[i]));
		print_quoted(out, list[i]->summary, "\\:");
		fputs("'\n", out);
	}
}

/* Fills in the arrays of one command. */
static void print_command(FILE *out, const struct sw_command *command)
{
	char words[MAX_WORDS];
	enum argument kind = command->verbs ? ARGUMENT_NONE : command_argument(command, words);

	if (command == &sw_cmd_help)
		return;
	if (command->verbs)
		fprintf(out, "\t('%s'|'help %s')\n", command->name, command->name);
	else
		fprintf(out, "\t('%s')\n", command->name);
	if (command->verbs) {
		fputs("\tverbs=(\n", out);
		print_verbs(out, command->verbs);
		fputs("\t)\n", out);
	}
	fputs("\tspecs=(\n", out);
	print_zsh_specs(out, command->options);
	if (kind != ARGUMENT_NONE) {
		bool many = strstr(command->usage, "...");

		fprintf(out, "\t\t'%s", many ? "*" : "1");
		print_action(out, kind, command->usage, words);
		fputs("'\n", out);
	}
	fputs("\t)\n\t;;\n", out);
}

static const char walk[] =
	"# Completes what follows a command, which is words[1], and its verb if it is an object.\n"
	"_synward_arguments() {\n"
	"\tlocal name=$1 state\n"
	"\tlocal -a verbs specs\n"
	"\n"
	"\t_synward_tables $name\n"
	"\tif (( ! $#verbs )); then\n"
	"\t\t_arguments -s -S $common $specs\n"
	"\t\treturn\n"
	"\tfi\n"
	"\t_arguments -C -s -S $common ':verb:->verb' '*:: :->arguments'\n"
	"\tcase $state in\n"
	"\t(verb) _describe verb verbs ;;\n"
	"\t(arguments) _synward_arguments \"${name:+$name }$words[1]\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_synward() {\n"
	"\tlocal curcontext=$curcontext line\n"
	"\tlocal -a common\n"
	"\ttypeset -A opt_args\n"
	"\n"
	"\t_synward_arguments ''\n"
	"}\n"
	"\n"
	"_synward \"$@\"\n";

void print_zsh(FILE *out)
{
	fputs("#compdef synward\n"
	      "# SPDX-License-Identifier: GPL-2.0-or-later\n"
	      "# Completion of synward for zsh, made from its own tables when it is built.\n\n"
	      "_synward_timeouts() {\n\tcompadd -S = --",
	      out);
	for (unsigned int i = 0; i < SW_TIMEOUT_COUNT; i++)
		fprintf(out, " %s", sw_timeout_words[i].name);
	fputs("\n}\n\n# Sets common, verbs and specs for a command.\n"
	      "_synward_tables() {\n\tcommon=(\n",
	      out);
	print_zsh_specs(out, sw_global_options);
	fputs("\t)\n\tcase $1 in\n\t(''|help)\n\tverbs=(\n", out);
	print_verbs(out, sw_commands);
	fputs("\t)\n\t;;\n", out);
	for (int i = 0; sw_commands[i]; i++) {
		print_command(out, sw_commands[i]);
		for (int v = 0; sw_commands[i]->verbs && sw_commands[i]->verbs[v]; v++)
			print_command(out, sw_commands[i]->verbs[v]);
	}
	fprintf(out, "\tesac\n}\n\n%s", walk);
}
