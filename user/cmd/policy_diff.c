// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../config/config.h"
#include "../config/secret_file.h"
#include "../policy/policy_view_reader.h"
#include "../report/policy_report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * What is in the file of the secret, by its public ids. Readers of the group synward may compare policies, and may not read
 * that file, so the policy alone is compared for them. For all others it is an error, as it would be to 'apply'.
 */
static int read_secret(struct sw_policy_difference *difference)
{
	struct sw_cookie_master masters[SW_COOKIE_MASTERS] = {};
	bool hidden = access(sw_global.secret_file, R_OK) && errno == EACCES;
	int error;

	if (hidden) {
		sw_note("the secret was not compared: %s: %s; run this as root",
			sw_global.secret_file, sw_errno_text(EACCES));
		return 0;
	}
	error = sw_secret_file_read(sw_global.secret_file, masters);
	difference->secret_compared = !error;
	for (unsigned int i = 0; i < SW_COOKIE_MASTERS; i++)
		difference->secret_after[i] = masters[i].id;
	explicit_bzero(masters, sizeof(masters));
	return error;
}

static int read_loaded_secret(const struct sw_instance *instance,
			      struct sw_policy_difference *difference)
{
	struct sw_policy_view view;
	int error = sw_policy_view_read(instance, &view);

	if (!error)
		memcpy(difference->secret_before, view.secret_ids, sizeof(view.secret_ids));
	return error;
}

static int run(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	SW_AUTO_CHANGES struct sw_changes changes = {};
	struct sw_policy_difference difference = { .changes = &changes };
	int first = sw_command_options(&sw_cmd_policy_diff, argc, argv), error;

	if (first <= 0)
		return first;
	difference.file = sw_policy_file(&sw_cmd_policy_diff, argc, argv, first);
	if (!difference.file)
		return -EINVAL;
	error = sw_policy_work_load(&work, difference.file);
	if (!error && work.other->features & SW_HAS_SHARED_SECRET)
		error = read_secret(&difference);
	if (error)
		return error;
	error = sw_policy_work_begin(&work, SW_ACCESS_READ);
	if (!error && difference.secret_compared)
		error = read_loaded_secret(&work.instance, &difference);
	if (!error)
		error = sw_config_diff(work.active, work.other, &changes);
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json)
		sw_json_policy_diff(stdout, &difference, sw_global.pretty);
	else
		sw_text_policy_diff(stdout, &difference);
	return sw_policy_differs(&difference) ? SW_EXIT_DEGRADED : SW_EXIT_OK;
}

const struct sw_command sw_cmd_policy_diff = {
	.name = "policy diff",
	.summary = "show what a file would change in the active policy",
	.usage = "[FILE]",
	.text = "Without FILE it is " SW_DEFAULT_POLICY "; - is standard input. A line begins\n"
		"with + for what the file adds, - for what it removes, and ~ for what gets another "
		"value.\n"
		"If the file has flood_defence.shared_secret, the secret is compared, too; it is\n"
		"shown by its public id only.\n"
		"Exit code 0: there is no difference, 3: there is one.\n"
		"\n"
		"Examples:\n"
		"  synward policy diff\n"
		"  synward policy diff new.yaml && echo nothing to do\n",
	.run = run,
};
