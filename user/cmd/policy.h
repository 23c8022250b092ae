/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CMD_POLICY_H
#define SYNWARD_CMD_POLICY_H

/* What the verbs of `synward policy` have in common. */

#include "../model/policy_view.h"
#include "../policy/policy_change.h"
#include "command.h"

#define SW_DEFAULT_POLICY "/etc/synward/synward.yaml"

/* A verb at work: the instance, the policy that it found active, and room for another one. */
struct sw_policy_work {
	struct sw_instance instance;
	struct sw_policy *active;
	struct sw_policy *other;
	struct sw_policy_state state; /* as it was found, too */
	bool secret_changed;	      /* another secret was loaded than the kernel had */
	bool waited;		      /* of confirm: the policy was on trial until now */
	bool untried; /* of apply: a trial was asked for, and there is no new policy to try */
};

#define SW_AUTO_POLICY_WORK __attribute__((cleanup(sw_policy_work_end)))
#define SW_POLICY_WORK_NONE                                                                        \
	{                                                                                          \
		.instance = SW_INSTANCE_NONE                                                       \
	}

/* Reads a file into other: before anything else, so that a bad one changes nothing. */
int sw_policy_work_load(struct sw_policy_work *work, const char *file);

/* Opens the instance and reads what is active. */
int sw_policy_work_begin(struct sw_policy_work *work, enum sw_access access);
void sw_policy_work_end(struct sw_policy_work *work);

/* For errors of a verb: -EINVAL is for the command line, and its exit code. */
int sw_policy_failed(int error);

/* Was saving done? If not, that is told as a note: the kernel's state has changed by then. */
bool sw_policy_saved(int error);

/*
 * Saves what is active now for the next first attach, and whether anything is armed. Returns
 * sw_policy_saved().
 */
bool sw_policy_save(const struct sw_policy_work *work);

/*
 * Tells what a verb did: its name, what is active now and how that differs from what was active
 * before. Returns the exit code, which is "degraded" if nothing could be saved.
 */
int sw_policy_tell(struct sw_policy_work *work, const char *action, bool saved);

/* The file that a verb is about: its argument, or the usual one. NULL with the line recorded. */
const char *sw_policy_file(const struct sw_command *command, int argc, char **argv, int first);

extern const struct sw_command sw_cmd_policy_show;
extern const struct sw_command sw_cmd_policy_diff;
extern const struct sw_command sw_cmd_policy_apply;
extern const struct sw_command sw_cmd_policy_confirm;
extern const struct sw_command sw_cmd_policy_rollback;
extern const struct sw_command sw_cmd_policy_reset;
extern const struct sw_command sw_cmd_policy_score;

#endif
