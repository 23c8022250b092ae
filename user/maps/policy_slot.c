// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_slot.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../model/policy.h"
#include "service_counts.h"

#include <bpf/bpf.h>
#include <string.h>

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s: %s", what, sw_errno_text(errno));
}

int sw_policy_slot_read(const struct sw_instance *instance, uint32_t slot, struct sw_policy *policy)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "policies", sizeof(*policy), &fd);

	if (!error && bpf_map_lookup_elem(fd, &slot, policy))
		error = failed("read the policy");
	return error;
}

int sw_policy_state_read(const struct sw_instance *instance, struct sw_policy_state *state)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0;
	int error = sw_instance_map(instance, "policy_state", sizeof(*state), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, state))
		error = failed("read the policy's state");
	return error;
}

int sw_policy_read(const struct sw_instance *instance, struct sw_policy *policy,
		   struct sw_policy_state *state)
{
	int error = sw_policy_state_read(instance, state);

	return error ? error : sw_policy_slot_read(instance, state->active, policy);
}

static int write_policy(const struct sw_instance *instance, uint32_t slot,
			const struct sw_policy *policy)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "policies", sizeof(*policy), &fd);

	if (!error && bpf_map_update_elem(fd, &slot, policy, BPF_ANY))
		error = failed("write the policy");
	return error;
}

static uint32_t key_of(uint32_t slot, uint32_t service)
{
	return slot * SW_SERVICE_SLOTS + service;
}

/* ---- the trie */

/* The keys of a slot's rows. Those that are found must stay until the last is. */
static int find_nets(int fd, uint32_t slot, struct sw_service_prefix_key *keys, size_t *count)
{
	struct sw_service_prefix_key key, *before = NULL;

	*count = 0;
	while (!bpf_map_get_next_key(fd, before, &key)) {
		if (key.slot == slot && *count < SW_POLICY_NETS)
			keys[(*count)++] = key;
		before = &key;
	}
	return errno == ENOENT ? 0 : failed("read the services' addresses");
}

static int remove_nets(int fd, uint32_t slot)
{
	SW_AUTO_FREE struct sw_service_prefix_key *keys = calloc(SW_POLICY_NETS, sizeof(*keys));
	size_t count;
	int error;

	if (!keys)
		return -ENOMEM;
	error = find_nets(fd, slot, keys, &count);
	for (size_t i = 0; i < count && !error; i++)
		if (bpf_map_delete_elem(fd, &keys[i]) && errno != ENOENT)
			error = failed("remove the services' addresses");
	return error;
}

int sw_policy_slot_add_nets(int nets_fd, uint32_t slot, const struct sw_policy *policy)
{
	SW_AUTO_FREE struct sw_policy_net *nets = calloc(SW_POLICY_NETS, sizeof(*nets));
	size_t count;

	if (!nets)
		return -ENOMEM;
	count = sw_policy_nets(policy, nets, SW_POLICY_NETS);
	for (size_t i = 0; i < count; i++) {
		const struct sw_service_prefix_key key = {
			.length = 32 + nets[i].prefix.length,
			.slot = slot,
			.addr = nets[i].prefix.addr,
		};

		if (bpf_map_update_elem(nets_fd, &key, &nets[i].services, BPF_ANY))
			return failed("write the services' addresses");
	}
	return 0;
}

static int write_nets(const struct sw_instance *instance, uint32_t slot,
		      const struct sw_policy *policy)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "service_nets", sizeof(__u64), &fd);

	if (!error)
		error = remove_nets(fd, slot);
	return error ? error : sw_policy_slot_add_nets(fd, slot, policy);
}

/* ---- what is known of services */

/* The row of another policy that has the name and the packets of this one's; -1 if none has. */
static int row_of_service(const struct sw_policy *policy, uint32_t row,
			  const struct sw_policy *other)
{
	int found;

	if (row == SW_SERVICE_DEFAULT)
		return SW_SERVICE_DEFAULT;
	found = row < policy->service_count ? sw_policy_service(other, policy->services[row].name) :
					      -1;
	if (found < 0 || found == SW_SERVICE_DEFAULT)
		return found;
	return sw_service_same_match(&policy->services[row], &other->services[found]) ? found : -1;
}

/*
 * What was seen of a service's routes goes on being true. Half-open handshakes do not go along:
 * each is booked on the policy that it began under.
 */
static int write_states(const struct sw_instance *instance, uint32_t slot,
			const struct sw_policy *policy, uint32_t slot_before,
			const struct sw_policy *before)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "service_state", sizeof(struct sw_service_state),
				    &fd);

	for (uint32_t row = 0; row < SW_SERVICE_SLOTS && !error; row++) {
		int same = row_of_service(policy, row, before);
		uint32_t from = key_of(slot_before, (uint32_t)same), to = key_of(slot, row);
		struct sw_service_state state = {};

		if (same >= 0 && bpf_map_lookup_elem(fd, &from, &state))
			error = failed("read the services' state");
		state.half_open = 0;
		if (!error && bpf_map_update_elem(fd, &to, &state, BPF_ANY))
			error = failed("write the services' state");
	}
	return error;
}

/* ---- floods */

/*
 * Cookies that were sent are on their way: who changes the policy under a flood must not lose them. To
 * be called once the slot's counters are those that it begins with.
 */
static int write_floods(const struct sw_instance *instance, uint32_t slot,
			const struct sw_policy *policy, uint32_t slot_before,
			const struct sw_policy *before)
{
	SW_AUTO_FREE struct sw_service_counters *counted = calloc(SW_SERVICE_SLOTS,
								  sizeof(*counted));
	SW_AUTO_FD int fd = -1;
	int error = counted ? sw_instance_map(instance, "floods", sizeof(struct sw_flood_state),
					      &fd) :
			      -ENOMEM;

	if (!error)
		error = sw_service_counts_of_slot(instance, slot, counted);
	for (uint32_t row = 0; row < SW_SERVICE_SLOTS && !error; row++) {
		int same = row_of_service(policy, row, before);
		uint32_t from = key_of(slot_before, (uint32_t)same), to = key_of(slot, row);
		struct sw_flood_state state = {};

		if (same >= 0 && bpf_map_lookup_elem(fd, &from, &state))
			error = failed("read the services' floods");
		/* what is counted from now on is more than what has been so far */
		memcpy(state.totals, counted[row].evidence, sizeof(state.totals));
		if (!error && bpf_map_update_elem(fd, &to, &state, BPF_ANY))
			error = failed("write the services' floods");
	}
	return error;
}

/* ---- all of it */

int sw_policy_slot_write(const struct sw_instance *instance, uint32_t slot,
			 const struct sw_policy *policy, uint32_t slot_before,
			 const struct sw_policy *before)
{
	SW_AUTO_FREE struct sw_policy *last = malloc(sizeof(*last));
	SW_AUTO_FREE struct sw_policy *made = malloc(sizeof(*made));
	int error = last && made ? sw_policy_slot_read(instance, slot, last) : -ENOMEM;

	if (error)
		return error;
	*made = *policy;
	sw_service_counts_keep_names(made, last);
	last->being_written = 1; /* for readers of the counters */
	error = write_policy(instance, slot, last);
	if (!error)
		error = write_nets(instance, slot, made);
	if (!error)
		error = write_states(instance, slot, made, slot_before, before);
	if (!error)
		error = sw_service_counts_move(instance, slot, made, last);
	if (!error)
		error = write_floods(instance, slot, made, slot_before, before);
	made->being_written = 0;
	return error ? error : write_policy(instance, slot, made);
}
