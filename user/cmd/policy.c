// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../config/config.h"
#include "../config/saved_policy.h"
#include "../defence/defence.h"
#include "../policy/armed.h"
#include "../policy/policy_view_reader.h"
#include "../report/policy_report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int sw_policy_work_load(struct sw_policy_work *work, const char *file)
{
	work->other = malloc(sizeof(*work->other));
	return work->other ? sw_config_load(file, work->other) : -ENOMEM;
}

int sw_policy_work_begin(struct sw_policy_work *work, enum sw_access access)
{
	struct sw_policy_view view;
	int error;

	work->active = malloc(sizeof(*work->active));
	if (!work->other)
		work->other = malloc(sizeof(*work->other));
	if (!work->active || !work->other)
		return -ENOMEM;
	error = sw_instance_open(sw_global.pin_dir, access, &work->instance);
	if (!error)
		error = sw_policy_read(&work->instance, work->active, &work->state);
	/* what could not be told afterwards is not begun */
	if (!error && access == SW_ACCESS_CHANGE)
		error = sw_policy_view_read(&work->instance, &view);
	return error;
}

void sw_policy_work_end(struct sw_policy_work *work)
{
	sw_instance_close(&work->instance);
	free(work->active);
	free(work->other);
}

int sw_policy_failed(int error)
{
	return error == -EINVAL ? -EIO : error;
}

bool sw_policy_saved(int error)
{
	if (error)
		sw_note("done, but not saved: after a reboot or 'detach --all' it is lost: %s",
			sw_error_text() ? sw_error_text() : sw_errno_text(error));
	sw_error_clear();
	return !error;
}

bool sw_policy_save(const struct sw_policy_work *work)
{
	struct sw_policy_state state;
	bool armed = true;
	int error = sw_policy_read(&work->instance, work->other, &state);

	if (!error)
		error = sw_saved_policy_store(sw_command_state_dir(), work->other);
	if (!error)
		error = sw_armed_read(&work->instance, &armed);
	if (!error)
		error = sw_saved_set_disarmed(sw_command_state_dir(), !armed);
	return sw_policy_saved(error);
}

/* The policy is active by now: what it does not need any more goes. */
static bool settle_defence(const struct sw_policy_work *work)
{
	struct sw_defence_done done = {};
	int error = sw_defence_settle(&work->instance, &done);

	if (error)
		sw_note("done, but floods may not be kept off: %s",
			sw_error_text() ? sw_error_text() : sw_errno_text(error));
	sw_error_clear();
	return !error && !done.degraded;
}

int sw_policy_tell(struct sw_policy_work *work, const char *action, bool saved)
{
	SW_AUTO_CHANGES struct sw_changes changes = {};
	struct sw_policy_done done = {
		.action = action,
		.saved = saved,
		.changes = &changes,
		.policy = work->other,
		.secret_changed = work->secret_changed,
		.waited = work->waited,
		.untried = work->untried,
	};
	struct sw_policy_view view;
	struct sw_policy_state state;
	bool defended = settle_defence(work);
	int error = sw_policy_read(&work->instance, work->other, &state);

	if (!error)
		error = sw_policy_view_read(&work->instance, &view);
	if (!error)
		error = sw_config_diff(work->active, work->other, &changes);
	if (error)
		return sw_policy_failed(error);
	done.view = &view;
	if (sw_global.json)
		sw_json_policy_done(stdout, &done, sw_global.pretty);
	else
		sw_text_policy_done(stdout, &done);
	return saved && defended ? SW_EXIT_OK : SW_EXIT_DEGRADED;
}

const char *sw_policy_file(const struct sw_command *command, int argc, char **argv, int first)
{
	if (argc - first > 1) {
		sw_error(EINVAL, "%s: expected one FILE, got %d", command->name, argc - first);
		return NULL;
	}
	if (first < argc)
		return argv[first];
	if (access(SW_DEFAULT_POLICY, F_OK) && errno == ENOENT) {
		sw_error(EINVAL,
			 "%s: no FILE was named, and %s is not there; synward.yaml(5) shows how to "
			 "write one",
			 command->name, SW_DEFAULT_POLICY);
		return NULL;
	}
	return SW_DEFAULT_POLICY;
}

static const struct sw_command *const verbs[] = {
	&sw_cmd_policy_show,	 &sw_cmd_policy_diff,  &sw_cmd_policy_apply, &sw_cmd_policy_confirm,
	&sw_cmd_policy_rollback, &sw_cmd_policy_reset, &sw_cmd_policy_score, NULL,
};

const struct sw_command sw_cmd_policy = {
	.name = "policy",
	.summary = "choose what is dropped and what is only counted",
	.usage = "VERB",
	.text = "A policy says which anomalies are dropped and which limits hold, for each\n"
		"service and for all other traffic, and whether that is enforced or only counted.\n"
		"It is a YAML file. The default policy only counts and drops nothing. A policy\n"
		"that was applied is saved; after a reboot the first attach activates it again.\n"
		"\n"
		"Examples:\n"
		"  synward check-config synward.yaml\n"
		"  synward policy score\n"
		"  synward policy apply synward.yaml --confirm 60s\n"
		"  synward policy confirm\n",
	.verbs = verbs,
};
