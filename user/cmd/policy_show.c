// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/cleanup.h"
#include "../config/config.h"
#include "../readers/readers.h"
#include "../report/policy_report.h"

#include <errno.h>

static int run(int argc, char **argv)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	int first = sw_command_alone(&sw_cmd_policy_show, argc, argv), error;
	struct sw_policy_view view;

	if (first <= 0)
		return first;
	error = policy ? sw_active_policy_read(sw_global.pin_dir, policy, &view) : -ENOMEM;
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json) {
		sw_json_policy_active(stdout, policy, &view, sw_global.pretty);
	} else {
		sw_text_policy_comment(stdout, &view);
		sw_config_print(stdout, policy);
	}
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_policy_show = {
	.name = "policy show",
	.summary = "print the active policy as a policy file",
	.usage = "",
	.text = "Prints the active policy, also while it waits to be confirmed. You can apply what "
		"it\n"
		"prints again.\n"
		"\n"
		"Examples:\n"
		"  synward policy show\n"
		"  synward policy show > before.yaml\n"
		"  synward policy show -j | jq .state.pending\n",
	.run = run,
};
