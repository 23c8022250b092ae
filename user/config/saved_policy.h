/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_SAVED_POLICY_H
#define SYNWARD_CONFIG_SAVED_POLICY_H

/*
 * What the next first attach begins with, in the state directory:
 *
 *	policy.yaml   the policy that was applied last and is for good; without it, the default one
 *	disarmed.mark is there while nothing may be dropped
 *
 * Each is there as a whole or not at all, also after a power cut.
 */

#include <synward/policy.h>

#include <stdbool.h>

#define SW_SAVED_POLICY	  "policy.yaml"
#define SW_SAVED_DISARMED "disarmed.mark" /* with a dot, which no instance has in its name */

/* Reads the saved policy; *found: there is one, whether or not it can be read. */
int sw_saved_policy_load(const char *dir, struct sw_policy *policy, bool *found);

/* Saves a compiled policy; the default one is saved by there being none. */
int sw_saved_policy_store(const char *dir, const struct sw_policy *policy);

bool sw_saved_disarmed(const char *dir);
int sw_saved_set_disarmed(const char *dir, bool disarmed);

#endif
