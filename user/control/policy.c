// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "quiesce.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/mman.h>

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s: %s", what, sw_errno_text(errno));
}

static int read_state(const struct sw_instance *instance, struct sw_policy_state *state)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0;
	int error = sw_instance_map(instance, "policy_state", sizeof(*state), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, state))
		error = failed("read the policy's state");
	return error;
}

static int read_slot(const struct sw_instance *instance, uint32_t slot, struct sw_policy *policy)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "policies", sizeof(*policy), &fd);

	if (!error && bpf_map_lookup_elem(fd, &slot, policy))
		error = failed("read the policy");
	return error;
}

int sw_policy_read(const struct sw_instance *instance, struct sw_policy *policy,
		   struct sw_policy_state *state)
{
	int error = read_state(instance, state);

	return error ? error : read_slot(instance, state->active, policy);
}

/* Asks the kernel; *done tells whether it did it. */
static int ask(const struct sw_instance *instance, const struct sw_switch_request *request,
	       bool *done)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = request, .data_size_in = sizeof(*request));
	char path[SW_PIN_PATH];
	SW_AUTO_FD int program = -1;

	sw_pins_path(&instance->pins, path, "programs/sw_switch");
	program = bpf_obj_get(path);
	if (program < 0 || bpf_prog_test_run_opts(program, &run))
		return sw_error(errno, "cannot run %s/programs/sw_switch: %s", instance->pins.shown,
				sw_errno_text(errno));
	if (run.retval != XDP_PASS && run.retval != XDP_DROP)
		return sw_error(EIO, "the kernel did not change the policy");
	*done = run.retval == XDP_PASS;
	return 0;
}

/* What was counted for the slot's last policy is nobody's. */
static int clear_service_state(const struct sw_instance *instance, uint32_t slot)
{
	const struct sw_service_state none = {};
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "service_state", sizeof(none), &fd);

	for (uint32_t i = 0; i < SW_SERVICE_SLOTS && !error; i++) {
		uint32_t key = slot * SW_SERVICE_SLOTS + i;

		if (bpf_map_update_elem(fd, &key, &none, BPF_ANY))
			error = failed("write the services' state");
	}
	return error;
}

static int write_slot(const struct sw_instance *instance, uint32_t slot,
		      const struct sw_policy *policy)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "policies", sizeof(*policy), &fd);

	if (!error && bpf_map_update_elem(fd, &slot, policy, BPF_ANY))
		error = failed("write the policy");
	return error;
}

/* A slot that is neither active nor the one to go back to. */
static uint32_t free_slot(const struct sw_policy_state *state)
{
	uint32_t slot = 0;

	while (slot == state->active || slot == state->fallback)
		slot++;
	return slot;
}

int sw_policy_install(const struct sw_instance *instance, struct sw_policy *policy,
		      uint32_t confirm_ms)
{
	struct sw_switch_request request = { .verb = SW_SWITCH_ACTIVATE,
					     .deadline_ms = confirm_ms };
	SW_AUTO_FREE struct sw_policy *before = calloc(1, sizeof(*before));
	struct sw_policy_state state;
	bool done;
	int error;

	if (!before)
		return -ENOMEM;
	error = sw_policy_read(instance, before, &state);
	if (error)
		return error;
	request.slot = free_slot(&state);
	policy->generation = before->generation + 1;
	/* those under way may still know the slot: it was the active one, or the one to go back to */
	sw_wait_for_packets();
	error = clear_service_state(instance, request.slot);
	if (!error)
		error = write_slot(instance, request.slot, policy);
	if (!error)
		error = ask(instance, &request, &done);
	if (!error && !done)
		error = sw_error(EIO, "the kernel did not change the policy");
	return error;
}

int sw_policy_confirm(const struct sw_instance *instance)
{
	const struct sw_switch_request request = { .verb = SW_SWITCH_CONFIRM };
	bool done;
	int error = ask(instance, &request, &done);

	return error ? error : done ? 0 : -ENOENT;
}

int sw_policy_roll_back(const struct sw_instance *instance)
{
	const struct sw_switch_request request = { .verb = SW_SWITCH_ROLL_BACK };
	bool done;
	int error = ask(instance, &request, &done);

	return error ? error : done ? 0 : -ENOENT;
}

int sw_armed_read(const struct sw_instance *instance, bool *armed)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0, value;
	int error = sw_instance_map(instance, "armed", sizeof(value), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, &value))
		error = failed("read whether synward is armed");
	if (!error)
		*armed = value;
	return error;
}

int sw_armed_write(const struct sw_instance *instance, bool armed)
{
	__u32 zero = 0, value = armed;
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "armed", sizeof(value), &fd);

	if (!error && bpf_map_update_elem(fd, &zero, &value, BPF_ANY))
		error = failed("arm or disarm");
	return error;
}

int sw_settings_map(const struct sw_instance *instance, struct sw_settings **settings)
{
	SW_AUTO_FD int fd = -1;
	void *memory;
	int error = sw_instance_map(instance, "settings", sizeof(**settings), &fd);

	if (error)
		return error;
	memory = mmap(NULL, sizeof(**settings), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return failed("write the settings");
	*settings = memory;
	return 0;
}

void sw_settings_unmap(struct sw_settings **settings)
{
	if (*settings)
		munmap(*settings, sizeof(**settings));
	*settings = NULL;
}
