// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/printable.h"
#include "../attach/attach.h"
#include "../platform/netns.h"
#include "../platform/pins.h"
#include "../report/report.h"

#include <errno.h>

static struct {
	bool all;
	bool force;
} given;

static const struct sw_option options[] = {
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "every interface" },
	{ "force", 0, SW_OPTION_FLAG, &given.force, NULL,
	  .help = "with --all: discard damaged state, or another version's" },
	{},
};

static void print_results(const struct sw_detach_result *results, uint32_t count, bool discarded)
{
	uint32_t here = sw_netns_own();

	if (discarded)
		printf("%s was removed with all that was in it\n", sw_global.pin_dir);
	for (uint32_t i = 0; i < count; i++) {
		printf("%s: detached", SW_PRINTABLE_NAME(results[i].name));
		if (results[i].netns != here)
			printf(" in the network namespace %u", results[i].netns);
		printf("%s\n", results[i].gone ? " (the interface was gone)" : "");
	}
	if (!count && !discarded)
		printf("nothing is attached\n");
}

static int run(int argc, char **argv)
{
	struct sw_detach_result results[SW_MAX_INTERFACES];
	int first = sw_command_options(&sw_cmd_detach, argc, argv), error;
	bool discarded = false, degraded = false;
	uint32_t done = 0;

	if (first <= 0)
		return first;
	if (given.all == (first < argc) || argc - first > SW_MAX_INTERFACES)
		return sw_error(EINVAL,
				"detach: expected interfaces or --all: synward detach eth0");
	if (given.force && !given.all)
		return sw_error(EINVAL, "detach: --force needs --all, since it removes everything");
	error = sw_detach(sw_global.pin_dir, given.all ? NULL : (const char *const *)argv + first,
			  (uint32_t)(argc - first), results, &done, &degraded);
	if (error == -SW_NOT_ATTACHED) {
		sw_error_clear();
		if (!given.all)
			return sw_error(ENOENT, "%s is not attached: nothing is", argv[first]);
		error = 0;
	}
	if (error && error != -SW_NOT_ALLOWED && !sw_is_shortage(-error) && given.force) {
		sw_error_clear();
		error = sw_discard(sw_global.pin_dir, &degraded);
		discarded = !error;
	}
	if (error)
		return error == -EINVAL ? -EIO : error;
	if (sw_global.json)
		sw_json_detach(stdout, results, done, sw_global.pretty);
	else
		print_results(results, done, discarded);
	return degraded ? SW_EXIT_DEGRADED : SW_EXIT_OK;
}

const struct sw_command sw_cmd_detach = {
	.name = "detach",
	.summary = "remove the programs from interfaces",
	.usage = "IFACE... | --all",
	.text = "Detaches interfaces, also those that no longer exist. When the last one is\n"
		"detached, synward leaves nothing in the kernel: programs, tables and counters\n"
		"are gone. Exit code 3: detached, but net.ipv4.tcp_syncookies, which a policy had\n"
		"set, could not be restored.\n"
		"\n"
		"Examples:\n"
		"  synward detach eth0\n"
		"  synward detach --all\n",
	.options = options,
	.run = run,
};
