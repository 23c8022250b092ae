// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../readers/readers.h"
#include "../report/report.h"

#include <errno.h>

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_status, argc, argv), error;
	struct sw_status status;

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "status: expected no arguments, got %s", argv[first]);
	error = sw_status_read(sw_global.pin_dir, &status);
	if (error)
		return error == -EINVAL ? -EIO : error;
	if (sw_global.json)
		sw_json_status(stdout, &status, sw_global.pretty);
	else
		sw_text_status(stdout, &status);
	return sw_status_degraded(&status) ? SW_EXIT_DEGRADED : SW_EXIT_OK;
}

const struct sw_command sw_cmd_status = {
	.name = "status",
	.summary = "attached interfaces and the health of their hooks",
	.usage = "",
	.text = "Shows the attached interfaces and the state of their hooks, the policy, the\n"
		"tables and their memory, and the settings. Exit code 3: something is degraded;\n"
		"its line says what, and what to do.\n"
		"\n"
		"Examples:\n"
		"  synward status\n"
		"  synward status -j | jq .memory.total_bytes\n",
	.run = run,
};
