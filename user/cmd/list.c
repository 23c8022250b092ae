// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../readers/readers.h"
#include "../model/snapshot.h"
#include "../report/report.h"

#include <synward/state.h>

#include <errno.h>
#include <stdlib.h>

static struct {
	bool all;
	uint64_t limit, port, age_ms;
	const char *service;
	int state;
} given = { .limit = 100, .state = -1 };

/* The phases that a half-open handshake can be in. */
#define FIRST_STATE SW_PHASE_SYN_SENT
static const char *const states[] = { "syn_sent", "syn_received", "simultaneous", "synack_first",
				      NULL };
SW_STATIC_ASSERT(FIRST_STATE + sizeof(states) / sizeof(states[0]) - 1 == SW_PHASE_STRAY,
		 "a name for each phase before the strays");

static const struct sw_option options[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N", .help = "the N oldest (100)",
	  .minimum = 1, .maximum = SW_MAX_HANDSHAKES },
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "all of them" },
	{ "port", 0, SW_OPTION_NUMBER, &given.port, "PORT", .help = "only those to this port",
	  .minimum = 1, .maximum = 65535 },
	{ "service", 0, SW_OPTION_STRING, &given.service, "SERVICE",
	  .help = "only those to this service of the active policy" },
	{ "state", 0, SW_OPTION_CHOICE, &given.state, "STATE",
	  .help = "only those in this state: syn_sent, syn_received, simultaneous or "
		  "synack_first",
	  .choices = states },
	{ "age", 0, SW_OPTION_DURATION, &given.age_ms, "DURATION",
	  .help = "only those that are at least this old", .maximum = 86400000 },
	{},
};

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_list, argc, argv), error;
	struct sw_handshake_filter filter = {};
	struct sw_handshake_list list;

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "list: expected no arguments, got %s", argv[first]);
	filter.limit = given.all ? 0 : given.limit;
	filter.min_age_ms = given.age_ms;
	filter.port = (uint32_t)given.port;
	filter.service = given.service;
	if (given.state >= 0)
		filter.phase = FIRST_STATE + (unsigned int)given.state;
	error = sw_handshakes_read(sw_global.pin_dir, &filter, &list);
	if (error == -ESRCH)
		return -EINVAL;
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
	.summary = "list half-open handshakes and the state of both ends",
	.usage = "",
	.text = "Prints a line for each half-open handshake, the oldest first: its age, its opener "
		"and\n"
		"responder, the state of each end as RFC 9293 names it, the initial sequence "
		"numbers,\n"
		"and what else was seen. If you give several filters, all of them must match.\n"
		"\n"
		"Examples:\n"
		"  synward list\n"
		"  synward list --port 443 --state syn_received --age 5s\n"
		"  synward list -j --all | jq -r '.handshakes[].src_ip' | sort | uniq -c\n",
	.options = options,
	.run = run,
};
