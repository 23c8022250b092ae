// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include <string.h>

void sw_policy_default(struct sw_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	for (unsigned i = 0; i < SW_SERVICE_SLOTS; i++)
		sw_rules_default(&policy->rules[i]);
	policy->anywhere = 1ULL << SW_SERVICE_DEFAULT;
	for (unsigned i = 0; i < SW_PORT_CLASSES; i++)
		policy->class_services[i] = 1ULL << SW_SERVICE_DEFAULT;
}
