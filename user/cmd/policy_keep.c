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
		error = sw_policy_confirm(&work.instance);
	if (error)
		return sw_policy_failed(error);
	return sw_policy_tell(&work, "confirmed", sw_policy_save(&work));
}

const struct sw_command sw_cmd_policy_confirm = {
	.name = "policy confirm",
	.summary = "keep what was applied with --confirm",
	.usage = "",
	.text = "Without it the kernel goes back by itself. What is confirmed is saved for the "
		"next "
		"boot.\n"
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
	.summary = "go back to the policy before, at once",
	.usage = "",
	.text = "Goes back one step: to what was active before the last apply or reset, whether or "
		"not that\n"
		"was confirmed. If nothing was armed then, nothing is armed any more.\n"
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
	.summary = "back to the default policy, which only watches",
	.usage = "",
	.text = "No services, no limits, nothing dropped, the usual timeouts; what was saved for "
		"the next\n"
		"boot is removed. 'synward policy rollback' takes it back.\n"
		"\n"
		"Examples:\n"
		"  synward policy reset\n",
	.run = run_reset,
};
