// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../base/input.h"
#include "../base/number.h"
#include "../config/config.h"
#include "../report/report.h"

#include <errno.h>
#include <stdlib.h>

static struct {
	bool show;
} given;

static const struct sw_option options[] = {
	{ "show", 's', SW_OPTION_FLAG, &given.show, NULL,
	  .help = "the whole policy as YAML, with what is said nowhere" },
	{},
};

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_check_config, argc, argv), error;
	SW_AUTO_FREE struct sw_policy *policy = NULL;
	unsigned int count;

	if (first <= 0)
		return first;
	if (argc - first != 1)
		return sw_error(EINVAL, "check-config: expected one FILE, got %d", argc - first);
	policy = malloc(sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	error = sw_config_load(argv[first], policy);
	if (error)
		return error;
	count = policy->service_count;
	if (sw_global.json) {
		sw_json_policy(stdout, policy, argv[first], sw_global.pretty);
	} else if (given.show) {
		sw_config_print(stdout, policy);
	} else {
		printf("%s: well-formed, %u %s\n", sw_input_name(argv[first]), count,
		       sw_noun(count, "service", "services"));
		sw_text_policy(stdout, policy);
	}
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_check_config = {
	.name = "check-config",
	.summary = "whether a policy file is sound, and what it means",
	.usage = "FILE",
	.text = "Reads a policy file as applying it would, and applies nothing; - is\n"
		"standard input. The first thing that is wrong is told with its line, and\n"
		"the exit code is 2. Of a sound one it shows the services in the order in\n"
		"which they are asked, their limits, and which segments are dropped.\n"
		"\n"
		"Examples:\n"
		"  synward check-config /etc/synward/synward.yaml\n"
		"  synward check-config --show web-server.yaml\n"
		"  synward check-config -j web-server.yaml | jq .default.mode\n",
	.options = options,
	.run = run,
};
