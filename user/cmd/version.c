// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <synward/base.h>

#include <errno.h>

void sw_version_print(FILE *out)
{
	if (sw_global.json)
		fprintf(out, "{\"schema\":1,\"version\":\"%s\",\"abi\":%u}\n", SYNWARD_VERSION,
			SW_ABI_VERSION);
	else
		fprintf(out, "synward %s (ABI version %u)\n", SYNWARD_VERSION, SW_ABI_VERSION);
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_version, argc, argv);

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "version: expected no arguments, got %s", argv[first]);
	sw_version_print(stdout);
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_version = {
	.name = "version",
	.summary = "show the version of synward and of its pinned state",
	.usage = "",
	.text = "Two versions of synward can share a pin directory if their ABI versions agree.\n"
		"\n"
		"Examples:\n"
		"  synward version\n",
	.run = run,
};
