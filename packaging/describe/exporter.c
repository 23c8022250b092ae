// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion of the other program, which has options and nothing else. */
#include "describe.h"

#include "../../user/exporter/exporter_options.h"

/* How bash completes a kind of argument; what is not here is known to nobody but the user. */
static const char *const completers[ARGUMENT_TIMEOUT + 1] = {
	[ARGUMENT_FILE] = "-f",
	[ARGUMENT_DIRECTORY] = "-d",
};

static void print_argument(FILE *out, const struct sw_option *option)
{
	char words[MAX_WORDS];
	const char *completer = completers[option_argument(option, words)];

	fprintf(out, "\t--%s", option->long_name);
	if (option->short_name)
		fprintf(out, " | -%c", option->short_name);
	if (!completer) {
		fputs(") return ;;\n", out);
		return;
	}
	fprintf(out,
		")\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\t\twhile IFS= read -r word; do\n"
		"\t\t\tCOMPREPLY+=(\"$word\")\n"
		"\t\tdone < <(compgen %s -- \"$current\")\n"
		"\t\treturn\n"
		"\t\t;;\n",
		completer);
}

void print_exporter_bash(FILE *out)
{
	fputs("# SPDX-License-Identifier: GPL-2.0-or-later\n"
	      "# Completion of synward-exporter for bash, made from its own table when it is "
	      "built.\n\n"
	      "_synward_exporter() {\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
	      "word\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\t# bash takes --pin-dir=DIR for three words\n"
	      "\t[ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\t[ \"$current\" != = ] || current=\n"
	      "\tcase $before in\n",
	      out);
	for (const struct sw_option *option = sw_exporter_options; option->long_name; option++)
		if (option->argument)
			print_argument(out, option);
	fputs("\tesac\n"
	      "\twhile IFS= read -r word; do\n"
	      "\t\tCOMPREPLY+=(\"$word\")\n"
	      "\tdone < <(compgen -W '",
	      out);
	for (const struct sw_option *option = sw_exporter_options; option->long_name; option++)
		fprintf(out, "%s--%s", option == sw_exporter_options ? "" : " ", option->long_name);
	fputs("' -- \"$current\")\n"
	      "}\n"
	      "complete -F _synward_exporter synward-exporter\n",
	      out);
}

void print_exporter_zsh(FILE *out)
{
	fputs("#compdef synward-exporter\n"
	      "# SPDX-License-Identifier: GPL-2.0-or-later\n"
	      "# Completion of synward-exporter for zsh, made from its own table when it is "
	      "built.\n\n"
	      "local -a specs\n"
	      "specs=(\n",
	      out);
	print_zsh_specs(out, sw_exporter_options);
	fputs(")\n_arguments -s -S $specs\n", out);
}
