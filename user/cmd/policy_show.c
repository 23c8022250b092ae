// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../config/config.h"
#include "../policy/policy_view_reader.h"
#include "../report/policy_report.h"

#include <errno.h>

#define LOOKS 5 /* until what is read is of one policy, should it be changed just now */

static int run(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	int first = sw_command_alone(&sw_cmd_policy_show, argc, argv), error;
	struct sw_policy_view view;

	if (first <= 0)
		return first;
	error = sw_policy_work_begin(&work, SW_ACCESS_READ);
	for (int look = 0; look < LOOKS && !error; look++) {
		error = sw_policy_view_read(&work.instance, &view);
		if (error || view.generation == work.active->generation)
			break;
		error = sw_policy_read(&work.instance, work.active, &work.state);
	}
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json) {
		sw_json_policy_active(stdout, work.active, &view, sw_global.pretty);
	} else {
		sw_text_policy_comment(stdout, &view);
		sw_config_print(stdout, work.active);
	}
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_policy_show = {
	.name = "policy show",
	.summary = "the active policy, as a policy file",
	.usage = "",
	.text = "Prints the policy that packets meet, also one that has yet to be confirmed. What "
		"it prints\n"
		"can be applied again.\n"
		"\n"
		"Examples:\n"
		"  synward policy show\n"
		"  synward policy show > before.yaml\n"
		"  synward policy show -j | jq .state.pending\n",
	.run = run,
};
