/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_POLICY_H
#define SYNWARD_CONTROL_POLICY_H

/* The policies in the kernel. Who changes one has opened the instance with SW_ACCESS_CHANGE. */

#include "instance.h"

#include <synward/policy.h>

/* The active policy, and whether it is for good. policy is large: keep it off the stack. */
int sw_policy_read(const struct sw_instance *instance, struct sw_policy *policy,
		   struct sw_policy_state *state);

/*
 * Makes a compiled policy the active one, whole and at once; its generation is chosen here. With
 * confirm_ms the kernel goes back to the one before after that time, unless it is confirmed.
 */
int sw_policy_install(const struct sw_instance *instance, struct sw_policy *policy,
		      uint32_t confirm_ms);

/* Keep what is active, or go back. -ENOENT without a line: there is nothing to confirm, or to. */
int sw_policy_confirm(const struct sw_instance *instance);
int sw_policy_roll_back(const struct sw_instance *instance);

/* Whether any policy may drop anything. */
int sw_armed_read(const struct sw_instance *instance, bool *armed);
int sw_armed_write(const struct sw_instance *instance, bool armed);

/* The settings, to be written field by field; sw_settings_unmap() ends that. */
int sw_settings_map(const struct sw_instance *instance, struct sw_settings **settings);
void sw_settings_unmap(struct sw_settings **settings);

#define SW_AUTO_SETTINGS __attribute__((cleanup(sw_settings_unmap)))

#endif
