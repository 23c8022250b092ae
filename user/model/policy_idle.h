/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_POLICY_IDLE_H
#define SYNWARD_MODEL_POLICY_IDLE_H

#include <synward/policy.h>

/* Told of a key by its path in the file, services.web.syn_flood say, and why it does nothing. */
typedef void sw_idle_teller(void *context, const char *path, const char *why);

/*
 * What a policy says without effect. It is no mistake, as the rest of the policy may be about to change,
 * but whoever relies on it has to know. What a service has from default is told of default.
 */
void sw_policy_idle(const struct sw_policy *policy, sw_idle_teller *tell, void *context);

#endif
