// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be done about the active policy without a file: keep it, go back, or watch only. */
#include "policy.h"

#include "../model/policy.h"

static int run_confirm(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	int first = sw_command_alone(&sw_cmd_policy_confirm, argc, argv), error;

	if (first <= 0)
		return first;
	error = sw_policy_work_begin(&work, SW_ACCESS_CHANGE);
	if (!error)
		error = sw_policy_confirm(&work.instance, &work.waited);
	if (error)
		return sw_policy_failed(error);
	return sw_policy_tell(&work, "confirmed", sw_policy_save(&work));
}

const struct sw_command sw_cmd_policy_confirm = {
	.name = "policy confirm",
	.summary = "keep what was applied with --confirm",
	.usage = "",
	.text = "If you do not confirm in time, the kernel restores the previous policy. A "
		"confirmed\n"
		"policy is saved for the next boot. The exit code is also 0 if "
		"nothing\n"
		"waits because the last apply had no new policy to try, or was confirmed already.\n"
		"\n"
		"Examples:\n"
		"  synward policy confirm\n"
		"  ssh me@server sudo synward policy confirm\n",
	.run = run_confirm,
};

static int run_rollback(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	int first = sw_command_alone(&sw_cmd_policy_rollback, argc, argv), error;

	if (first <= 0)
		return first;
	error = sw_policy_work_begin(&work, SW_ACCESS_CHANGE);
	if (!error)
		error = sw_policy_roll_back(&work.instance);
	if (error)
		return sw_policy_failed(error);
	/* what was pending was not saved: what it went back to still is */
	return sw_policy_tell(&work, "rolled_back", work.state.pending || sw_policy_save(&work));
}

const struct sw_command sw_cmd_policy_rollback = {
	.name = "policy rollback",
	.summary = "restore the previous policy at once",
	.usage = "",
	.text = "Restores the policy that was active before the last apply or reset, whether or "
		"not\n"
		"that was confirmed. Only one earlier policy is kept. If synward was disarmed "
		"then, it is\n"
		"disarmed again.\n"
		"\n"
		"Examples:\n"
		"  synward policy rollback\n",
	.run = run_rollback,
};

static int run_reset(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	int first = sw_command_alone(&sw_cmd_policy_reset, argc, argv), error;
	const struct sw_policy_change change = { .deed = SW_DEED_RESET };

	if (first <= 0)
		return first;
	error = sw_policy_work_begin(&work, SW_ACCESS_CHANGE);
	if (error)
		return sw_policy_failed(error);
	sw_policy_default(work.other);
	error = sw_policy_install(&work.instance, work.other, &change);
	if (error)
		return sw_policy_failed(error);
	return sw_policy_tell(&work, "reset", sw_policy_save(&work));
}

const struct sw_command sw_cmd_policy_reset = {
	.name = "policy reset",
	.summary = "restore the default policy, which only watches",
	.usage = "",
	.text = "The default policy has no services and no limits, drops nothing, and has the "
		"default\n"
		"timeouts. The saved policy is removed. To undo this: 'synward policy rollback'.\n"
		"\n"
		"Examples:\n"
		"  synward policy reset\n",
	.run = run_reset,
};
