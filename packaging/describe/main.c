// SPDX-License-Identifier: GPL-2.0-or-later
#include "describe.h"

#include <string.h>

int main(int argc, char **argv)
{
	const struct sw_command *command;

	if (argc == 2 && !strcmp(argv[1], "bash")) {
		print_bash(stdout);
	} else if (argc == 2 && !strcmp(argv[1], "zsh")) {
		print_zsh(stdout);
	} else if (argc == 2 && !strcmp(argv[1], "exporter-bash")) {
		print_exporter_bash(stdout);
	} else if (argc == 2 && !strcmp(argv[1], "exporter-zsh")) {
		print_exporter_zsh(stdout);
	} else if (argc == 3 && !strcmp(argv[1], "page")) {
		command = sw_command_find(NULL, argv[2]);
		if (!command) {
			sw_error_report(0, false);
			return SW_EXIT_USAGE;
		}
		print_page(stdout, command);
	} else {
		fputs("usage: describe bash | zsh | exporter-bash | exporter-zsh | page COMMAND\n",
		      stderr);
		return SW_EXIT_USAGE;
	}
	return fflush(stdout) ? SW_EXIT_FAILURE : SW_EXIT_OK;
}
