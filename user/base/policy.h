/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_POLICY_H
#define SYNWARD_BASE_POLICY_H

#include <synward/policy.h>

/* The policy without any file: everything is watched, with the default actions. */
void sw_policy_default(struct sw_policy *policy);

#endif
