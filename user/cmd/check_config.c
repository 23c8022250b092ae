// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../base/input.h"
#include "../base/number.h"
#include "../config/config.h"
#include "../report/report.h"
#include "../text/prose.h"

#include <errno.h>
#include <stdlib.h>

static struct {
	bool show;
} given;

static const struct sw_option options[] = {
	{ "show", 's', SW_OPTION_FLAG, &given.show, NULL,
	  .help = "print the whole policy as YAML, with all defaults" },
	{},
};

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_check_config, argc, argv), error;
	SW_AUTO_FREE struct sw_policy *policy = NULL;
	unsigned int count;
	FILE *prose;

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
		prose = sw_prose_begin(stdout);
		fprintf(prose, "%s: valid, %u %s\n", sw_input_name(argv[first]), count,
			sw_noun(count, "service", "services"));
		sw_text_policy(prose, policy);
		sw_prose_end(prose);
	}
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_check_config = {
	.name = "check-config",
	.summary = "check a policy file and explain what it does",
	.usage = "FILE",
	.text = "Reads a policy file as 'policy apply' does, but applies nothing; - is standard\n"
		"input. If the file is not valid, the first mistake is printed with its line, and\n"
		"the exit code is 2. If it is valid, the services are printed in the order in\n"
		"which they are asked, with their limits, with what is dropped, and with each key\n"
		"that does nothing.\n"
		"\n"
		"Examples:\n"
		"  synward check-config /etc/synward/synward.yaml\n"
		"  synward check-config --show web-server.yaml\n"
		"  synward check-config -j web-server.yaml | jq .default.mode\n",
	.options = options,
	.run = run,
};
