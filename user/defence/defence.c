// SPDX-License-Identifier: GPL-2.0-or-later
#include "defence.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/handover.h"
#include "../model/names.h"
#include "../model/policy_keys.h"
#include "../platform/interface_name.h"
#include "../platform/netns.h"
#include "cookie_offer.h"
#include "defence_plan.h"
#include "syncookies.h"

#include <bpf/bpf.h>
#include <string.h>

/* One round over all network namespaces. */
struct round {
	struct sw_needs needs;
	uint32_t
		next; /* the slot of the policy that is to become active; SW_POLICY_SLOTS: none is */
	bool lower;   /* also take back what is not needed, and tell what is not as asked for */
	bool insist;  /* on the next policy's way */
	struct sw_defence_done done;
};

#define ROUND_NONE                                                                                 \
	{                                                                                          \
		.needs = SW_NEEDS_NONE, .next = SW_POLICY_SLOTS                                    \
	}

static void free_round(struct round *round)
{
	sw_needs_free(&round->needs);
}

#define SW_AUTO_ROUND __attribute__((cleanup(free_round)))

/* ---- the sysctl */

static void note_change(struct round *round, const struct sw_plan *plan)
{
	sw_note("net.ipv4.tcp_syncookies of network namespace %u was set to %d by the policy; "
		"somebody else has set it to %d since, which stays",
		plan->netns, plan->syncookies.set, plan->syncookies.now);
	round->done.degraded |= plan->wanted > plan->syncookies.now;
}

static bool asks_for_a_way(const struct sw_need *need)
{
	return need->defends && need->asked.policy;
}

/* Where it cannot be set, whatever works without is chosen. */
static int raise_syncookies(struct round *round, struct sw_plan *plan)
{
	int error;

	sw_plan_make(&round->needs, plan);
	if (plan->syncookies.owner == SW_SYNCOOKIES_CHANGED && round->lower)
		note_change(round, plan);
	if (plan->required <= plan->syncookies.now)
		return 0;
	error = sw_syncookies_set(round->needs.syncookies_fd, plan->netns, plan->required);
	if (error && round->insist && asks_for_a_way(&round->needs.of[round->next]))
		return sw_error(
			error,
			"cannot set net.ipv4.tcp_syncookies of network namespace %u to %d: %s",
			plan->netns, plan->required, sw_errno_text(error));
	if (error && round->lower)
		sw_note("cannot set net.ipv4.tcp_syncookies of network namespace %u to %d: %s",
			plan->netns, plan->required, sw_errno_text(error));
	round->done.degraded |= error != 0;
	plan->may_not_set = error != 0;
	sw_plan_make(&round->needs, plan);
	return 0;
}

static void lower_syncookies(struct round *round, const struct sw_plan *plan)
{
	const struct sw_syncookies_view *view = &plan->syncookies;
	int fd = round->needs.syncookies_fd, error = 0;
	bool changed;

	if (view->owner == SW_SYNCOOKIES_CHANGED && plan->wanted > view->now)
		return; /* for status to tell */
	if (view->owner != SW_SYNCOOKIES_OURS || plan->required <= view->before)
		error = sw_syncookies_restore(fd, plan->netns, &changed);
	else if (plan->required < view->now)
		error = sw_syncookies_set(fd, plan->netns, plan->required);
	if (!error)
		return;
	sw_note("net.ipv4.tcp_syncookies of network namespace %u could not be restored: %s",
		plan->netns, sw_errno_text(error));
	round->done.degraded = true;
}

/* ---- an interface */

static int write_offer(struct round *round, const struct sw_plan *plan, uint32_t slot,
		       const char *name)
{
	int fd = round->needs.records->offers_fd;
	struct sw_cookie_offer before, offer;

	if (bpf_map_lookup_elem(fd, &slot, &before))
		return sw_error(errno, "%s: cannot read what is offered to clients: %s", name,
				sw_errno_text(errno));
	sw_plan_offer(&round->needs, plan, slot, name, round->next, &before, &offer);
	if (memcmp(&before, &offer, sizeof(offer)) != 0 &&
	    bpf_map_update_elem(fd, &slot, &offer, BPF_ANY))
		return sw_error(errno, "%s: cannot write what is offered to clients: %s", name,
				sw_errno_text(errno));
	return 0;
}

static void note_instead(struct round *round, const struct sw_plan *plan, uint32_t slot,
			 const char *name)
{
	const struct sw_need *need = &round->needs.of[round->needs.active];
	struct sw_flood_host host = sw_plan_host(&round->needs, plan, slot, need);
	struct sw_flood_choice choice = sw_flood_choose(&host, &need->asked);
	uint8_t wish = need->asked.policy ? need->asked.policy : need->asked.attach;
	char text[SW_WAY_LACK_SIZE];

	if (!need->defends || choice.reason != SW_WAY_BY_INSTEAD)
		return;
	sw_note("%s: the flood defence uses %s instead of %s: %s", name,
		sw_name(sw_flood_way_words, choice.way), sw_flood_wishes[wish],
		sw_way_lack(text, &host, SW_WISHED_WAY(wish)));
	round->done.degraded = true;
}

static void note_unshared(struct round *round, const struct sw_plan *plan, uint32_t slot,
			  const char *name)
{
	const struct sw_need *need = &round->needs.of[round->needs.active];
	struct sw_flood_choice choice = sw_plan_choice(&round->needs, plan, slot, need);

	if (!need->defends || !need->shares || choice.way == SW_WAY_HANDOVER)
		return;
	sw_note("%s: the flood defence uses %s, so other hosts cannot check its cookies: "
		"flood_defence.shared_secret needs the way handover",
		name, sw_name(sw_flood_way_words, choice.way));
	round->done.degraded = true;
}

/* The hook comes before anything asks for a cookie, and goes when none may come back. */
static int adjust_interface(struct round *round, const struct sw_plan *plan, uint32_t slot)
{
	const struct sw_interface *record = &round->needs.records->slots[slot];
	const struct sw_pins *pins = &round->needs.instance->pins;
	bool needed = sw_plan_needs_hook(&round->needs, slot), linked = false;
	char name[IF_NAMESIZE];
	int error = 0;

	if (!sw_interface_name(record->ifindex, name))
		return 0; /* it is gone, which status tells */
	if (needed)
		error = sw_handover_link(pins, record, slot, &linked);
	round->done.linked |= (uint64_t)linked << slot;
	if (!error)
		error = write_offer(round, plan, slot, name);
	if (!error && round->lower && !needed && !round->needs.cookies_sent)
		error = sw_handover_unlink(pins, slot);
	if (!error && round->lower)
		note_instead(round, plan, slot, name);
	if (!error && round->lower)
		note_unshared(round, plan, slot, name);
	return error;
}

/* ---- all of it */

static int adjust_netns(struct round *round, uint32_t netns)
{
	SW_AUTO_PLAN struct sw_plan plan = { .netns = netns };
	SW_AUTO_NETNS int back = -1;
	int error;

	if (sw_netns_enter(netns, &back))
		return 0; /* it is gone, or not ours to look at: status tells */
	error = raise_syncookies(round, &plan);
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++)
		if (sw_plan_has(&round->needs, &plan, slot))
			error = adjust_interface(round, &plan, slot);
	if (!error)
		error = sw_own_addresses_write(round->needs.instance, netns);
	if (!error && round->lower)
		lower_syncookies(round, &plan);
	return error;
}

/* Is there an interface where the next policy's way does not work? */
static int check_netns(const struct round *round, uint32_t netns)
{
	const struct sw_need *need = &round->needs.of[round->next];
	SW_AUTO_PLAN struct sw_plan plan = { .netns = netns };
	char text[SW_WAY_LACK_SIZE];
	SW_AUTO_NETNS int back = -1;

	if (!asks_for_a_way(need) || sw_netns_enter(netns, &back))
		return 0;
	sw_plan_make(&round->needs, &plan);
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_flood_host host = sw_plan_host(&round->needs, &plan, slot, need);

		if (!sw_plan_has(&round->needs, &plan, slot) ||
		    sw_flood_choose(&host, &need->asked).reason != SW_WAY_BY_INSTEAD)
			continue;
		if (plan.syncookies.owner == SW_SYNCOOKIES_CHANGED)
			note_change(&(struct round){}, &plan);
		return sw_error(EOPNOTSUPP, "flood_defence.way: %s does not work for %s: %s",
				sw_flood_wishes[need->asked.policy],
				round->needs.records->slots[slot].name,
				sw_way_lack(text, &host, SW_WISHED_WAY(need->asked.policy)));
	}
	return 0;
}

static int go_round(struct round *round)
{
	uint32_t netns[SW_MAX_INTERFACES], count = sw_needs_netns(&round->needs, netns);
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++)
		error = adjust_netns(round, netns[i]);
	if (error || !round->lower)
		return error;
	if (!sw_syncookies_restore_others(round->needs.syncookies_fd, netns, count))
		round->done.degraded = true;
	return sw_own_addresses_forget(round->needs.instance, netns, count);
}

int sw_defence_prepare(const struct sw_instance *instance, const struct sw_policy *next,
		       uint32_t slot, bool insist)
{
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	SW_AUTO_ROUND struct round round = ROUND_NONE;
	uint32_t netns[SW_MAX_INTERFACES], count;
	int error = sw_records_open(instance, &records);

	if (!error)
		error = sw_needs_read(instance, &records, &round.needs);
	if (error)
		return error;
	round.next = slot;
	round.insist = insist;
	sw_needs_add(&round.needs, next, slot);
	count = sw_needs_netns(&round.needs, netns);
	for (uint32_t i = 0; i < count && insist && !error; i++)
		error = check_netns(&round, netns[i]);
	if (error)
		return error;
	error = go_round(&round);
	if (error)
		sw_defence_settle(instance, &round.done);
	return error;
}

int sw_defence_settle(const struct sw_instance *instance, struct sw_defence_done *done)
{
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	SW_AUTO_ROUND struct round round = ROUND_NONE;
	int error = sw_records_open(instance, &records);

	if (!error)
		error = sw_needs_read(instance, &records, &round.needs);
	if (error)
		return error;
	round.lower = true;
	error = go_round(&round);
	*done = round.done;
	return error;
}

int sw_defence_check_wish(const struct sw_instance *instance, const struct sw_policy *policy,
			  enum sw_flood_wish wish)
{
	const struct sw_flood_defence *says = &policy->flood_defence;
	struct sw_flood_host host = { .has_word = says->set_syncookies,
				      .may_set = says->set_syncookies };
	char text[SW_WAY_LACK_SIZE];
	SW_AUTO_FD int fd = -1;
	int error;

	if (!wish)
		return 0;
	if (says->way && says->way != wish)
		return sw_error(EEXIST,
				"--flood-way %s: the policy says flood_defence.way: %s, which goes "
				"before it; change that, or leave the option out",
				sw_flood_wishes[wish],
				sw_flood_wishes[says->way % SW_FLOOD_WISH_COUNT]);
	error = instance ? sw_syncookies_open(instance, &fd) : 0;
	if (error)
		return error;
	host.syncookies = sw_syncookies_look(fd, sw_netns_own()).before;
	host.hands_over = wish == SW_WISH_HANDOVER && sw_handover_is_possible();
	host.checks_cookies = wish == SW_WISH_KERNEL && sw_raw_cookies_are_possible();
	if (!sw_way_lack(text, &host, SW_WISHED_WAY(wish)))
		return 0;
	return sw_error(EOPNOTSUPP, "--flood-way %s: %s", sw_flood_wishes[wish],
			sw_way_lack(text, &host, SW_WISHED_WAY(wish)));
}

bool sw_defence_end(const struct sw_instance *instance)
{
	SW_AUTO_FD int fd = -1;

	if (!sw_pins_exist(&instance->pins, "maps/syncookies") || sw_syncookies_open(instance, &fd))
		return true;
	return sw_syncookies_restore_others(fd, NULL, 0);
}
