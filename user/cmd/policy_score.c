// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/cleanup.h"
#include "../readers/readers.h"
#include "../report/policy_report.h"

#include <errno.h>
#include <stdlib.h>

static struct {
	bool all;
} given;

static const struct sw_option options[] = {
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL,
	  .help = "also list rules that no packet has met" },
	{},
};

static int run(int argc, char **argv)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int first, error;

	first = sw_command_alone(&sw_cmd_policy_score, argc, argv);
	if (first <= 0)
		return first;
	snapshot = calloc(1, sizeof(*snapshot));
	error = snapshot ? sw_snapshot_read(sw_global.pin_dir, snapshot) : -ENOMEM;
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json)
		sw_json_score(stdout, snapshot, sw_global.pretty);
	else
		sw_text_score(stdout, snapshot, given.all);
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_policy_score = {
	.name = "policy score",
	.summary = "show which rules are safe to enforce, by what was seen",
	.usage = "",
	.text = "Prints for each anomaly and each limit how many segments it would have dropped, "
		"how\n"
		"many sources met it, and how many of those sources completed a handshake later. "
		"Such\n"
		"a source is real, and enforcing the rule would have harmed it. A rule is safe to "
		"arm\n"
		"if sources met it and none of them completed a handshake. Counts begin with the "
		"first\n"
		"attach, whatever policy was active since then.\n"
		"\n"
		"Examples:\n"
		"  synward policy score\n"
		"  synward policy score -j | jq '.anomalies | map_values(.verdict)'\n",
	.options = options,
	.run = run,
};
