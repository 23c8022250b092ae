// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../attach/attach.h"
#include "../base/printable.h"
#include "../report/report.h"

#include <synward/base.h>

#include <errno.h>
#include <stdlib.h>

static const char *const hook_words[SW_HOOK_COUNT] = { "ingress", "egress", "hand-over" };

static bool is_missing(const struct sw_upgrade_result *result, int hook)
{
	return !result->gone && result->hooks[hook] == SW_UPGRADED_MISSING;
}

/* Returns whether a hook is missing, or out of reach. */
static bool note_missing(const struct sw_upgrade_result *result)
{
	const char *name = SW_PRINTABLE_NAME(result->name);
	bool missing = result->hidden;

	if (result->hidden)
		sw_note("%s: its network namespace %u cannot be found, so its filters keep the "
			"programs that they have; if it has ended: synward detach %s",
			name, result->netns, name);
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		if (!is_missing(result, hook))
			continue;
		sw_note("%s: its %s hook was taken off, so there was nothing to upgrade; to put it "
			"back: synward attach %s",
			name, hook_words[hook], name);
		missing = true;
	}
	return missing;
}

static void print_one(const struct sw_upgrade_result *result)
{
	const char *separator = ": upgraded (";

	printf("%s", SW_PRINTABLE_NAME(result->name));
	if (result->gone)
		printf(": skipped (the interface is gone)");
	if (result->hidden)
		printf(": skipped (its network namespace cannot be found)");
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		if (result->hooks[hook] != SW_UPGRADED_REPLACED)
			continue;
		printf("%s%s: program %u -> %u", separator, hook_words[hook], result->before[hook],
		       result->after[hook]);
		separator = ", ";
	}
	printf("%s\n", *separator == ',' ? ")" : "");
}

static void print(const struct sw_upgrade *upgrade)
{
	if (upgrade->already)
		printf("already at this version: %s (ABI version %u)\n", SYNWARD_VERSION,
		       SW_ABI_VERSION);
	for (uint32_t i = 0; i < upgrade->count; i++)
		if (!upgrade->already || upgrade->interfaces[i].gone ||
		    upgrade->interfaces[i].hidden)
			print_one(&upgrade->interfaces[i]);
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_upgrade, argc, argv), error;
	int code = SW_EXIT_OK;
	struct sw_upgrade *upgrade;

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "upgrade: expected no arguments, got %s", argv[first]);
	upgrade = malloc(sizeof(*upgrade));
	error = upgrade ? sw_upgrade(sw_global.pin_dir, upgrade) : -ENOMEM;
	for (uint32_t i = 0; !error && i < upgrade->count; i++)
		if (note_missing(&upgrade->interfaces[i]))
			code = SW_EXIT_DEGRADED;
	if (!error && sw_global.json)
		sw_json_upgrade(stdout, upgrade, sw_global.pretty);
	else if (!error)
		print(upgrade);
	free(upgrade);
	if (error)
		return error == -EINVAL ? -EIO : error; /* EINVAL is for the command line */
	return code;
}

const struct sw_command sw_cmd_upgrade = {
	.name = "upgrade",
	.summary = "replace attached programs with those of this version",
	.usage = "",
	.text = "Loads the programs of this synward and puts them into the hooks of all attached\n"
		"interfaces, in every network namespace. No packet passes unseen meanwhile. If\n"
		"one interface fails, all interfaces keep the programs that they had. Tables,\n"
		"policy, lists, counters, connections and warm-up stay. State of another ABI\n"
		"version is refused, and nothing changes; 'synward version' shows the version of\n"
		"this synward. Interfaces that no longer exist are skipped. Exit code 3: a hook\n"
		"is missing (to restore it: 'synward attach IFACE') or cannot be reached.\n"
		"\n"
		"Examples:\n"
		"  synward upgrade\n"
		"  synward upgrade -j | jq '.upgraded[] | {name, ingress}'\n",
	.run = run,
};
