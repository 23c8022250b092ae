/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_POLICY_SLOT_H
#define SYNWARD_MAPS_POLICY_SLOT_H

/* One of the kernel's places for a policy: its row of several maps. */

#include "../platform/instance.h"

#include <synward/counters.h>
#include <synward/policy.h>

/* Reads the policy in a slot; what was never written is all 0. policy is large. */
int sw_policy_slot_read(const struct sw_instance *instance, uint32_t slot,
			struct sw_policy *policy);

/* Which slot's policy is the active one, and whether it is for good. */
int sw_policy_state_read(const struct sw_instance *instance, struct sw_policy_state *state);

/* The active policy, and its state. policy is large: keep it off the stack. */
int sw_policy_read(const struct sw_instance *instance, struct sw_policy *policy,
		   struct sw_policy_state *state);

/*
 * Puts a compiled policy into a slot that no packet looks at, with all that belongs to it. What
 * is known of a service of the policy before, which is in its own slot, is known of one that has
 * the same name and the same packets. On failure the slot holds nothing that may become active.
 */
int sw_policy_slot_write(const struct sw_instance *instance, uint32_t slot,
			 const struct sw_policy *policy, uint32_t slot_before,
			 const struct sw_policy *before);

/* Adds the rows of a policy to the trie "service_nets", of which nets_fd is. */
int sw_policy_slot_add_nets(int nets_fd, uint32_t slot, const struct sw_policy *policy);

#endif
