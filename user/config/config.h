/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_CONFIG_H
#define SYNWARD_CONFIG_CONFIG_H

/* The policy file: its YAML is read into a policy, and a policy written as YAML. */

#include "../model/policy_changes.h"

#include <synward/policy.h>

#include <stddef.h>
#include <stdio.h>

#define SW_CONFIG_VERSION 1

/*
 * Reads a policy file, compiled. Returns 0, or -EINVAL with "FILE:LINE: ..." recorded for the first
 * thing that is wrong with it, -ENOMEM; *policy is untouched then.
 */
int sw_config_load(const char *path, struct sw_policy *policy);

/*
 * Writes a compiled policy as a policy file that sw_config_load() makes the same policy of, whole
 * with what is the default; services without what is the same as in the default row.
 */
void sw_config_print(FILE *out, const struct sw_policy *policy);

/*
 * What differs in what two compiled policies say. A service that is added or removed is one change
 * without texts, followed by one for each of its values that is not the default row's. Services
 * that now come in another order are one change of the path "services". Returns 0, or -ENOMEM; the
 * caller frees *changes, which is empty on failure.
 */
int sw_config_diff(const struct sw_policy *before, const struct sw_policy *after,
		   struct sw_changes *changes);

#endif
