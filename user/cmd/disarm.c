// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way out when a policy harms: one store into one map, which asks neither for the lock nor for
 * anything else that may be broken.
 */
#include "policy.h"

#include "../config/saved_policy.h"
#include "../policy/armed.h"
#include "../policy/policy_view_reader.h"
#include "../report/policy_report.h"
#include "../text/wrap.h"

/* Has the next first attach know it as well. Where nothing is attached that is all there is to do. */
static int remember(bool disarmed, bool attached, bool *saved)
{
	int error;

	sw_error_clear();
	error = sw_saved_set_disarmed(sw_command_state_dir(), disarmed);
	*saved = !error;
	if (!error || !attached)
		return error;
	*saved = sw_policy_saved(error);
	return 0;
}

static int run_disarm(int argc, char **argv)
{
	int first = sw_command_alone(&sw_cmd_disarm, argc, argv), error;
	bool attached, saved;

	if (first <= 0)
		return first;
	error = sw_disarm(sw_global.pin_dir);
	attached = error != -SW_NOT_ATTACHED;
	if (!error || !attached)
		error = remember(true, attached, &saved);
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json)
		sw_json_armed(stdout, false, attached, saved, sw_global.pretty);
	else
		sw_wrap(stdout,
			attached ? "disarmed: nothing is dropped any more; to undo it: synward "
				   "arm" :
				   "nothing is attached; the next attach will drop nothing",
			0, 0);
	return saved ? SW_EXIT_OK : SW_EXIT_DEGRADED;
}

const struct sw_command sw_cmd_disarm = {
	.name = "disarm",
	.summary = "stop dropping packets at once",
	.usage = "",
	.text = "From now on every packet passes and is only counted, whatever the policy and the "
		"lists say, until 'synward arm' or 'synward policy apply'; also after a reboot. "
		"The "
		"policy stays as it is. If you do not have this program at hand, this line does "
		"the "
		"same:\n"
		"\n"
		"  bpftool map update pinned " SW_DEFAULT_PIN_DIR "/maps/armed \\\n"
		"          key 0 0 0 0 value 0 0 0 0\n"
		"\n"
		"Examples:\n"
		"  synward disarm\n",
	.run = run_disarm,
};

/* What the armed policy does. */
static const char *effect(const struct sw_instance *instance)
{
	struct sw_policy_view view;

	if (sw_policy_view_read(instance, &view))
		return "armed";
	return sw_policy_drops(&view) ? "armed: what the policy enforces is dropped again" :
					"armed, but the policy only watches: nothing is dropped";
}

static int run_arm(int argc, char **argv)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	int first = sw_command_alone(&sw_cmd_arm, argc, argv), error;
	bool attached, saved;

	if (first <= 0)
		return first;
	error = sw_instance_open(sw_global.pin_dir, SW_ACCESS_CHANGE, &instance);
	attached = error != -SW_NOT_ATTACHED;
	if (!error)
		error = sw_armed_write(&instance, true);
	if (!error || !attached)
		error = remember(false, attached, &saved);
	if (error)
		return sw_policy_failed(error);
	if (sw_global.json)
		sw_json_armed(stdout, true, attached, saved, sw_global.pretty);
	else
		sw_wrap(stdout,
			attached ? effect(&instance) :
				   "nothing is attached; the next attach does what the saved "
				   "policy says",
			0, 0);
	return saved ? SW_EXIT_OK : SW_EXIT_DEGRADED;
}

const struct sw_command sw_cmd_arm = {
	.name = "arm",
	.summary = "drop packets again, as the policy says",
	.usage = "",
	.text = "Undoes 'synward disarm': what the policy enforces is dropped again.\n"
		"\n"
		"Examples:\n"
		"  synward arm\n",
	.run = run_arm,
};
