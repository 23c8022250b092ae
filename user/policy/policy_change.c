// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_change.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../defence/defence.h"
#include "../maps/sweeper.h"
#include "../model/policy.h"
#include "../platform/notice.h"
#include "../platform/wait_for_packets.h"

#include <bpf/bpf.h>
#include <string.h>

/* Asks the kernel; *done tells whether it did it. */
static int ask(const struct sw_instance *instance, const struct sw_switch_request *request,
	       bool *done)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = request, .data_size_in = sizeof(*request));
	char path[SW_PIN_PATH];
	SW_AUTO_FD int program = -1;

	sw_pins_path(&instance->pins, path, "programs/sw_switch");
	program = bpf_obj_get(path);
	if (program < 0)
		return sw_instance_failed(instance, "programs/sw_switch", errno);
	if (bpf_prog_test_run_opts(program, &run))
		return sw_error(errno, "cannot run %s/programs/sw_switch: %s", instance->pins.shown,
				sw_errno_text(errno));
	if (run.retval != XDP_PASS && run.retval != XDP_DROP)
		return sw_error(EIO, "the kernel did not change the policy");
	*done = run.retval == XDP_PASS;
	return 0;
}

/* A slot that is neither active nor the one to go back to. */
static uint32_t free_slot(const struct sw_policy_state *state)
{
	uint32_t slot = 0;

	while (slot == state->active || slot == state->fallback)
		slot++;
	return slot;
}

/* Higher than any that is in the kernel: what is booked on one must not be taken for another's. */
static int next_generation(const struct sw_instance *instance, uint32_t *generation)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	int error = policy ? 0 : -ENOMEM;

	*generation = 0;
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS && !error; slot++) {
		error = sw_policy_slot_read(instance, slot, policy);
		if (!error && policy->generation >= *generation)
			*generation = policy->generation + 1;
	}
	return error;
}

static void tell(const struct sw_instance *instance, enum sw_deed deed)
{
	const struct sw_notice notice = { .head = { .type = SW_EVENT_POLICY, .deed = deed } };

	sw_notice_tell(&instance->pins, &notice);
}

static int check_sweeper(const struct sw_instance *instance)
{
	if (sw_sweeper_state(instance) != SW_SWEEPER_STOPPED)
		return 0;
	return sw_error(EIO,
			"the sweeper has stopped, so the kernel could not restore the previous "
			"policy. Detach and attach again, or apply without --confirm");
}

int sw_policy_install(const struct sw_instance *instance, struct sw_policy *policy,
		      const struct sw_policy_change *change)
{
	struct sw_switch_request request = { .verb = SW_SWITCH_ACTIVATE,
					     .deadline_ms = change->confirm_ms,
					     .arm = change->arm };
	SW_AUTO_FREE struct sw_policy *before = malloc(sizeof(*before));
	struct sw_policy_state state;
	bool done;
	int error;

	if (!before)
		return -ENOMEM;
	error = change->confirm_ms ? check_sweeper(instance) : 0;
	if (!error)
		error = sw_policy_read(instance, before, &state);
	if (!error)
		error = next_generation(instance, &policy->generation);
	if (error)
		return error;
	request.slot = free_slot(&state);
	error = sw_defence_prepare(instance, policy, request.slot, change->insist);
	if (error)
		return error;
	/* those under way may still know the slot: it was the active one, or the one to go back to */
	sw_wait_for_packets();
	error = sw_policy_slot_write(instance, request.slot, policy, state.active, before);
	if (!error)
		error = ask(instance, &request, &done);
	if (!error && !done)
		error = sw_error(EIO, "the kernel did not change the policy");
	if (!error && (change->deed != SW_DEED_RESET || !sw_policy_equal(policy, before)))
		tell(instance, change->deed);
	return error;
}

int sw_policy_confirm(const struct sw_instance *instance, bool *waited)
{
	const struct sw_switch_request request = { .verb = SW_SWITCH_CONFIRM };
	struct sw_policy_state state;
	int error = ask(instance, &request, waited);

	if (!error && *waited)
		tell(instance, SW_DEED_CONFIRMED);
	if (error || *waited)
		return error;
	error = sw_policy_state_read(instance, &state);
	/* a rollback leaves none to go back to, nor is there one before the first apply */
	if (error || state.fallback < SW_POLICY_SLOTS)
		return error;
	return sw_error(ESRCH,
			"no policy waits to be confirmed, and none was applied since %s; 'synward "
			"policy show' prints the active one",
			state.rolled_back ? "the kernel restored the previous one" :
					    "the first attach or the last rollback");
}

int sw_policy_roll_back(const struct sw_instance *instance)
{
	const struct sw_switch_request request = { .verb = SW_SWITCH_ROLL_BACK };
	SW_AUTO_FREE struct sw_policy *before = malloc(sizeof(*before));
	struct sw_policy_state state;
	bool done = false;
	int error = before ? sw_policy_state_read(instance, &state) : -ENOMEM;

	if (!error && state.fallback < SW_POLICY_SLOTS) {
		error = sw_policy_slot_read(instance, state.fallback, before);
		if (!error)
			error = sw_defence_prepare(instance, before, state.fallback, false);
		if (!error)
			error = ask(instance, &request, &done);
	}
	if (!error && done)
		tell(instance, SW_DEED_ROLLED_BACK);
	if (error || done)
		return error;
	return sw_error(ESRCH, "there is no earlier policy to restore: only one is kept, and only "
			       "until it is restored");
}
