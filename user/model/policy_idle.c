// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_idle.h"

#include "../base/error.h"
#include "policy_keys.h"

#include <synward/anomaly.h>

#define PATH_SIZE 128

/* Why a key of a row does nothing; NULL: it does something. */
static const char *why_idle(const struct sw_rules *rules, unsigned int number)
{
	uint32_t value = sw_key_get(&sw_rule_keys[number], rules);
	unsigned int anomaly = number - SW_RULE_ACTIONS;

	if (number == SW_RULE_SYN_FLOOD)
		return value != SW_FLOOD_OFF && !rules->enforce ?
			       "in mode monitor no SYN is answered; it needs mode: enforce" :
			       NULL;
	if (sw_rule_keys[number].kind != SW_KEY_ACTION || !(SW_MASK_UNRAISED >> anomaly & 1))
		return NULL;
	return value != SW_ACTS_COUNT ? "this version does not look for this anomaly" : NULL;
}

/* Why a key of flood_defence does nothing, of which the file does not say what is usual; NULL: it does something. */
static const char *why_defence_idle(const struct sw_policy *policy, int number)
{
	if (!(policy->features & SW_HAS_FLOOD_DEFENCE))
		return "no service has syn_flood";
	if (number == SW_DEFENCE_SHARED_SECRET && policy->flood_defence.way == SW_WISH_KERNEL)
		return "with way: kernel, cookies are made with a secret of that kernel, and other "
		       "hosts cannot check them; it needs way: auto or handover";
	return NULL;
}

static void tell_row(const struct sw_policy *policy, unsigned int row, sw_idle_teller *tell,
		     void *context)
{
	const struct sw_rules *rules = &policy->rules[row];
	const struct sw_rules *others = &policy->rules[SW_SERVICE_DEFAULT];
	char path[PATH_SIZE];

	for (unsigned int i = 0; i < SW_RULE_KEY_COUNT; i++) {
		const struct sw_key *key = &sw_rule_keys[i];
		const char *why = why_idle(rules, i);

		if (!why)
			continue;
		if (row == SW_SERVICE_DEFAULT)
			sw_format(path, sizeof(path), "default.%s", key->path);
		else if (why_idle(others, i) && sw_key_get(key, rules) == sw_key_get(key, others))
			continue;
		else
			sw_format(path, sizeof(path), "services.%s.%s", policy->services[row].name,
				  key->path);
		tell(context, path, why);
	}
}

void sw_policy_idle(const struct sw_policy *policy, sw_idle_teller *tell, void *context)
{
	struct sw_flood_defence usual = {};

	tell_row(policy, SW_SERVICE_DEFAULT, tell, context);
	for (unsigned int i = 0; i < policy->service_count; i++)
		tell_row(policy, i, tell, context);
	for (int i = 0; i < SW_DEFENCE_KEY_COUNT; i++) {
		const struct sw_key *key = &sw_flood_defence_keys[i];
		const char *why = why_defence_idle(policy, i);
		char path[PATH_SIZE];

		if (!why || sw_key_get(key, &policy->flood_defence) == sw_key_get(key, &usual))
			continue;
		sw_format(path, sizeof(path), "flood_defence.%s", key->path);
		tell(context, path, why);
	}
}
