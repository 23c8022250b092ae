// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../readers/readers.h"
#include "../report/report.h"

#include <errno.h>
#include <stdlib.h>

static struct {
	bool all;
	uint64_t limit;
} given = { .limit = 100 };

static const struct sw_option options[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N", .help = "the N oldest (100)",
	  .minimum = 1, .maximum = SW_MAX_HANDSHAKES },
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "all of them" },
	{},
};

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_list, argc, argv), error;
	struct sw_handshake_list list;

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "list: expected no arguments, got %s", argv[first]);
	error = sw_handshakes_read(sw_global.pin_dir, given.all ? 0 : given.limit, &list);
	if (error)
		return error == -EINVAL ? -EIO : error;
	if (sw_global.json)
		sw_json_list(stdout, &list, sw_global.pretty);
	else
		sw_text_list(stdout, &list);
	free(list.views);
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_list = {
	.name = "list",
	.summary = "the handshakes under way, with both ends' states",
	.usage = "",
	.text = "The half-open handshakes, oldest first: who opened them to whom, the state of "
		"each end\n"
		"as RFC 9293 names it, their age and initial sequence numbers, and what else was "
		"seen.\n"
		"\n"
		"Examples:\n"
		"  synward list\n"
		"  synward list -j --all | jq -r '.handshakes[].orig.ip' | sort | uniq -c\n",
	.options = options,
	.run = run,
};
