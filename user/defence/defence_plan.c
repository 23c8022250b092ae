// SPDX-License-Identifier: GPL-2.0-or-later
#include "defence_plan.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/handover.h"
#include "../maps/policy_slot.h"
#include "../maps/settings.h"
#include "../platform/bridge_netfilter.h"
#include "cookie_offer.h"
#include "syncookies.h"

#include <bpf/bpf.h>
#include <string.h>

/* ---- what is asked for */

void sw_needs_add(struct sw_needs *needs, const struct sw_policy *policy, uint32_t slot)
{
	struct sw_need *need = &needs->of[slot];

	need->used = true;
	need->defends = policy->features & SW_HAS_FLOOD_DEFENCE;
	need->may_set = policy->flood_defence.set_syncookies;
	need->unheard = policy->flood_defence.unheard;
	need->shares = policy->features & SW_HAS_SHARED_SECRET;
	need->asked.policy = policy->flood_defence.way;
}

static int read_policies(const struct sw_instance *instance, struct sw_needs *needs)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	struct sw_policy_state state;
	int error = policy ? sw_policy_read(instance, policy, &state) : -ENOMEM;

	if (error)
		return error;
	needs->active = state.active % SW_POLICY_SLOTS;
	sw_needs_add(needs, policy, needs->active);
	/* it comes back by itself; whatever else is kept, a command is needed for */
	if (!state.pending || state.fallback >= SW_POLICY_SLOTS)
		return 0;
	error = sw_policy_slot_read(instance, state.fallback, policy);
	if (!error)
		sw_needs_add(needs, policy, state.fallback);
	return error;
}

/* Programs are kept by an attach, before it asks what is needed. */
static uint64_t find_kept(const struct sw_needs *needs)
{
	uint64_t kept = 0;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++)
		if (needs->records->slots[slot].ifindex &&
		    sw_handover_is_kept(&needs->instance->pins, &needs->records->slots[slot], slot))
			kept |= 1ULL << slot;
	return kept;
}

static bool is_kept(const struct sw_needs *needs, uint32_t interface)
{
	return needs->kept >> interface & 1;
}

int sw_needs_read(const struct sw_instance *instance, const struct sw_records *records,
		  struct sw_needs *needs)
{
	struct sw_settings settings;
	int error = sw_syncookies_open(instance, &needs->syncookies_fd);

	needs->instance = instance;
	needs->records = records;
	if (!error)
		error = sw_settings_read(instance, &settings);
	if (!error)
		error = read_policies(instance, needs);
	if (error)
		return error;
	needs->cookies_sent = settings.cookies_sent;
	needs->checks_cookies = sw_raw_cookies_are_possible();
	needs->kept = find_kept(needs);
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS; slot++)
		needs->of[slot].asked.attach = (uint8_t)settings.flood_wish;
	return 0;
}

void sw_needs_free(struct sw_needs *needs)
{
	sw_close_fd(&needs->syncookies_fd);
}

uint32_t sw_needs_netns(const struct sw_needs *needs, uint32_t netns[SW_MAX_INTERFACES])
{
	uint32_t count = 0, known;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		if (!needs->records->slots[slot].ifindex)
			continue;
		for (known = 0; known < count; known++)
			if (netns[known] == needs->records->slots[slot].netns)
				break;
		if (known == count)
			netns[count++] = needs->records->slots[slot].netns;
	}
	return count;
}

/* ---- what that takes */

bool sw_plan_has(const struct sw_needs *needs, const struct sw_plan *plan, uint32_t interface)
{
	const struct sw_interface *record = &needs->records->slots[interface];

	return record->ifindex && record->netns == plan->netns;
}

struct sw_flood_host sw_plan_host(const struct sw_needs *needs, const struct sw_plan *plan,
				  uint32_t interface, const struct sw_need *need)
{
	const struct sw_interface *record = &needs->records->slots[interface];
	const struct sw_net_link *bridge = sw_bridge_with_netfilter(&plan->links, record->ifindex);
	struct sw_flood_host host = {
		.hands_over = is_kept(needs, interface),
		.checks_cookies = needs->checks_cookies,
		.has_word = need->may_set,
		.may_set = need->may_set && !plan->may_not_set &&
			   plan->syncookies.owner != SW_SYNCOOKIES_CHANGED,
		.syncookies = plan->syncookies.before,
	};

	if (bridge)
		sw_format(host.bridge, sizeof(host.bridge), "%s", bridge->name);
	return host;
}

struct sw_flood_choice sw_plan_choice(const struct sw_needs *needs, const struct sw_plan *plan,
				      uint32_t interface, const struct sw_need *need)
{
	struct sw_flood_host host = sw_plan_host(needs, plan, interface, need);

	return sw_flood_choose(&host, &need->asked);
}

bool sw_plan_needs_hook(const struct sw_needs *needs, uint32_t interface)
{
	if (!is_kept(needs, interface))
		return false;
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS; slot++)
		if (needs->of[slot].used && needs->of[slot].defends)
			return true;
	return false;
}

/* What all interfaces and policies need of the sysctl. */
static int most_required(const struct sw_needs *needs, const struct sw_plan *plan)
{
	int most = 0, one;

	for (uint32_t i = 0; i < SW_MAX_INTERFACES; i++) {
		for (uint32_t slot = 0; slot < SW_POLICY_SLOTS; slot++) {
			if (!sw_plan_has(needs, plan, i) || !needs->of[slot].used ||
			    !needs->of[slot].defends)
				continue;
			one = sw_way_syncookies(
				sw_plan_choice(needs, plan, i, &needs->of[slot]).way);
			most = one > most ? one : most;
		}
	}
	return most;
}

void sw_plan_free(struct sw_plan *plan)
{
	sw_net_links_free(&plan->links);
}

void sw_plan_make(const struct sw_needs *needs, struct sw_plan *plan)
{
	struct sw_plan unchanged;

	/* what cannot be read is as if there were no bridge: the defence watches whether it works */
	if (!plan->links.count && sw_bridges_may_call_netfilter())
		sw_net_links_read(&plan->links);
	plan->syncookies = sw_syncookies_look(needs->syncookies_fd, plan->netns);
	plan->required = most_required(needs, plan);
	unchanged = *plan;
	unchanged.syncookies.owner = SW_SYNCOOKIES_OTHERS;
	plan->wanted = most_required(needs, &unchanged);
	plan->forwards = sw_host_forwards();
	sw_offer_make(&plan->offer);
}

/* By which way are the cookies that come back while a policy is active that sends none itself? */
static uint8_t cookie_way(const struct sw_needs *needs, const struct sw_plan *plan,
			  uint32_t interface, uint32_t next, const struct sw_cookie_offer *before)
{
	const struct sw_need *active = &needs->of[needs->active];

	if (next < SW_POLICY_SLOTS && needs->of[next].defends)
		active = &needs->of[next];
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS && !active->defends; slot++)
		if (needs->of[slot].used && needs->of[slot].defends)
			active = &needs->of[slot];
	if (!active->defends && needs->cookies_sent)
		return before->ways[needs->active];
	return (uint8_t)sw_plan_choice(needs, plan, interface, active).way;
}

void sw_plan_offer(const struct sw_needs *needs, const struct sw_plan *plan, uint32_t interface,
		   const char *name, uint32_t next, const struct sw_cookie_offer *before,
		   struct sw_cookie_offer *offer)
{
	uint8_t cookies = cookie_way(needs, plan, interface, next, before);

	*offer = plan->offer;
	sw_offer_fit(name, offer);
	memcpy(offer->ways, before->ways, sizeof(offer->ways));
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS; slot++) {
		const struct sw_need *need = &needs->of[slot];

		if (need->used)
			offer->ways[slot] =
				need->defends ?
					(uint8_t)sw_plan_choice(needs, plan, interface, need).way :
					cookies;
	}
}
