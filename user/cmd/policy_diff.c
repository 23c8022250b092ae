// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/input.h"
#include "../config/config.h"
#include "../report/policy_report.h"

#include <errno.h>

static int run(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	SW_AUTO_CHANGES struct sw_changes changes = {};
	int first = sw_command_options(&sw_cmd_policy_diff, argc, argv), error;
	const char *file;

	if (first <= 0)
		return first;
	file = sw_policy_file(&sw_cmd_policy_diff, argc, argv, first);
	if (!file)
		return -EINVAL;
	error = sw_policy_work_load(&work, file);
	if (error)
		return error;
	error = sw_policy_work_begin(&work, SW_ACCESS_READ);
	if (!error)
		error = sw_config_diff(work.active, work.other, &changes);
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json)
		sw_json_policy_diff(stdout, file, &changes, sw_global.pretty);
	else
		sw_text_policy_diff(stdout, sw_input_name(file), &changes);
	return changes.count ? SW_EXIT_DEGRADED : SW_EXIT_OK;
}

const struct sw_command sw_cmd_policy_diff = {
	.name = "policy diff",
	.summary = "show what a file would change in the active policy",
	.usage = "[FILE]",
	.text = "Without FILE it is " SW_DEFAULT_POLICY "; - is standard input. A line begins\n"
		"with + for what the file adds, - for what it removes, and ~ for what gets another "
		"value.\n"
		"Exit code 0: there is no difference, 3: there is one.\n"
		"\n"
		"Examples:\n"
		"  synward policy diff\n"
		"  synward policy diff new.yaml && echo nothing to do\n",
	.run = run,
};
