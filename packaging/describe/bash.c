// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion for bash: the tables as functions, and one that walks along the line. */
#include "describe.h"

static const char *const kinds[] = {
	[ARGUMENT_NONE] = "none",	    [ARGUMENT_ANY] = "any",
	[ARGUMENT_WORD] = "word",	    [ARGUMENT_FILE] = "file",
	[ARGUMENT_DIRECTORY] = "directory", [ARGUMENT_INTERFACE] = "interface",
	[ARGUMENT_TIMEOUT] = "timeout",
};

static void print_each(FILE *out, void (*print)(FILE *, const struct sw_command *))
{
	for (int i = 0; sw_commands[i]; i++) {
		print(out, sw_commands[i]);
		for (int v = 0; sw_commands[i]->verbs && sw_commands[i]->verbs[v]; v++)
			print(out, sw_commands[i]->verbs[v]);
	}
}

static void print_names(FILE *out, const struct sw_option *options)
{
	for (int i = 0; options[i].long_name; i++)
		fprintf(out, "%s--%s", i ? " " : "", options[i].long_name);
}

static void print_option_names(FILE *out, const struct sw_command *command)
{
	if (!command->options)
		return;
	fprintf(out, "\t'%s') words='", command->name);
	print_names(out, command->options);
	fputs("' ;;\n", out);
}

/* name is a pattern of the shell, quoted where it has to be. */
static void print_rows(FILE *out, const char *name, const char *end,
		       const struct sw_option *options)
{
	char words[MAX_WORDS];

	for (; options && options->long_name; options++) {
		enum argument kind = option_argument(options, words);

		if (kind == ARGUMENT_NONE)
			continue;
		fprintf(out, "\t%s --%s%s", name, options->long_name, end);
		if (options->short_name)
			fprintf(out, " | %s -%c%s", name, options->short_name, end);
		fprintf(out, ") kind=%s words='%s' ;;\n", kinds[kind], words);
	}
}

static void print_options(FILE *out, const struct sw_command *command)
{
	char name[64];

	sw_format(name, sizeof(name), "'%s", command->name);
	print_rows(out, name, "'", command->options);
}

static void print_verbs(FILE *out, const struct sw_command *const *list)
{
	for (int i = 0; list[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", last_word(list[i]));
	fputs("' ;;\n", out);
}

/* What follows a command: a verb of it, or what its usage says. */
static void print_command(FILE *out, const struct sw_command *command)
{
	char words[MAX_WORDS];
	enum argument kind;

	if (command->verbs) {
		fprintf(out, "\t'%s' | 'help %s') kind=verb words='", command->name, command->name);
		print_verbs(out, command->verbs);
		return;
	}
	if (command == &sw_cmd_help)
		return;
	kind = command_argument(command, words);
	fprintf(out, "\t'%s') kind=%s words='%s' ;;\n", command->name, kinds[kind], words);
}

static const char walk[] =
	"# The line up to the word that is to be completed: command, and the kind and words of "
	"what\n"
	"# is expected there.\n"
	"_synward_walk() {\n"
	"\tlocal at=1 word\n"
	"\n"
	"\tcommand=\n"
	"\t_synward_command ''\n"
	"\twhile ((at < COMP_CWORD)); do\n"
	"\t\tword=${COMP_WORDS[at]}\n"
	"\t\t((at += 1))\n"
	"\t\tcase $word in\n"
	"\t\t-*)\n"
	"\t\t\t_synward_option \"$command\" \"$word\"\n"
	"\t\t\t[ $kind != none ] || { _synward_command \"$command\"; continue; }\n"
	"\t\t\t# bash takes --mode=auto for three words\n"
	"\t\t\t[ \"${COMP_WORDS[at]}\" != = ] || ((at == COMP_CWORD)) || ((at += 1))\n"
	"\t\t\t((at < COMP_CWORD)) || return\n"
	"\t\t\t((at += 1))\n"
	"\t\t\t_synward_command \"$command\"\n"
	"\t\t\t;;\n"
	"\t\t*)\n"
	"\t\t\t[ $kind = verb ] || continue\n"
	"\t\t\tcommand=${command:+$command }$word\n"
	"\t\t\t_synward_command \"$command\"\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_synward() {\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} command kind words\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t_synward_walk\n"
	"\t[ \"$current\" != = ] || current=\n"
	"\tif [[ $current == -* ]]; then\n"
	"\t\t_synward_options \"$command\"\n"
	"\t\tkind=word\n"
	"\tfi\n"
	"\tcase $kind in\n"
	"\tinterface) words=$(command ls /sys/class/net 2>/dev/null) ;;\n"
	"\ttimeout) compopt -o nospace 2>/dev/null ;;\n"
	"\tfile | directory)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\twhile IFS= read -r word; do\n"
	"\t\t\tCOMPREPLY+=(\"$word\")\n"
	"\t\tdone < <(compgen -${kind:0:1} -- \"$current\")\n"
	"\t\treturn\n"
	"\t\t;;\n"
	"\tesac\n"
	"\twhile IFS= read -r word; do\n"
	"\t\tCOMPREPLY+=(\"$word\")\n"
	"\tdone < <(compgen -W \"$words\" -- \"$current\")\n"
	"}\n"
	"complete -F _synward synward\n";

void print_bash(FILE *out)
{
	fputs("# SPDX-License-Identifier: GPL-2.0-or-later\n"
	      "# Completion of synward for bash, made from its own tables when it is built.\n\n"
	      "# The options of a command.\n"
	      "_synward_options() {\n\twords=\n\tcase $1 in\n",
	      out);
	print_each(out, print_option_names);
	fputs("\tesac\n\twords+=' ", out);
	print_names(out, sw_global_options);
	fputs("'\n}\n\n# What stands behind a command's option.\n"
	      "_synward_option() {\n\tkind=none words=\n\tcase \"$1 $2\" in\n",
	      out);
	print_each(out, print_options);
	print_rows(out, "*'", "'", sw_global_options);
	fputs("\tesac\n}\n\n# What stands behind a command.\n"
	      "_synward_command() {\n\tkind=none words=\n\tcase $1 in\n\t'' | help) kind=verb "
	      "words='",
	      out);
	print_verbs(out, sw_commands);
	print_each(out, print_command);
	fprintf(out, "\tesac\n}\n\n%s", walk);
}
