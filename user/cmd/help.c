// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <errno.h>

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_help, argc, argv);
	const struct sw_command *command = NULL;

	if (first <= 0)
		return first;
	if (first == argc) {
		sw_overview(stdout);
		return SW_EXIT_OK;
	}
	for (; first < argc; first++) {
		if (command && !command->verbs)
			return sw_error(EINVAL, "help: expected one command, got %s as well",
					argv[first]);
		command = sw_command_find(command, argv[first]);
		if (!command)
			return -EINVAL;
	}
	sw_command_help(command, stdout);
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_help = {
	.name = "help",
	.summary = "show what a command does, and its options",
	.usage = "[COMMAND [VERB]]",
	.text = "Examples:\n"
		"  synward help\n"
		"  synward help attach\n"
		"  synward help policy apply\n",
	.run = run,
};
