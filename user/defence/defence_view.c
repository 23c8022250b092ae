// SPDX-License-Identifier: GPL-2.0-or-later
/* What status says about how floods are kept off. */
#include "defence.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/handover.h"
#include "../hooks/hooks.h"
#include "../maps/rows.h"
#include "../platform/interface_name.h"
#include "../platform/netns.h"
#include "cookie_offer.h"
#include "defence_plan.h"

#include <synward/tables.h>

#include <bpf/bpf.h>

/*
 * What is not as it was noted, of what is not found out anew under a flood: packets look at sysctls, and take
 * the MSS from whom they have heard, unless the policy has it that this does not matter.
 */
static uint32_t drifts(const struct sw_needs *needs, const struct sw_cookie_offer *noted,
		       const struct sw_cookie_offer *now)
{
	uint32_t found = 0;

	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS; slot++)
		if (needs->of[slot].used && noted->ways[slot] != now->ways[slot])
			found |= 1U << SW_DRIFT_WAY;
	if (!noted->ttl)
		found |= 1U << SW_DRIFT_OPTIONS;
	if (!needs->of[needs->active].unheard)
		return found;
	if (noted->mss4 != now->mss4 || noted->mss6 != now->mss6)
		found |= 1U << SW_DRIFT_MTU;
	if (noted->wscale != now->wscale || noted->options != now->options)
		found |= 1U << SW_DRIFT_OPTIONS;
	return found;
}

/* What is noted of each slot. */
struct notes {
	struct sw_cookie_offer offers[SW_MAX_INTERFACES];
	struct sw_tc_note tc[SW_MAX_INTERFACES];
	bool coming; /* an attach is under way, which notes nothing before its end */
};

static int read_notes(const struct sw_records *records, struct notes *notes)
{
	int error = sw_rows_read(records->offers_fd, 0, SW_MAX_INTERFACES, notes->offers);

	if (!error)
		error = sw_rows_read(records->tc_notes_fd, 0, SW_MAX_INTERFACES, notes->tc);
	return error ? sw_error(error, "cannot read what is offered to clients: %s",
				sw_errno_text(error)) :
		       0;
}

static bool is_any_unnoted(const struct notes *notes, const struct sw_status *status)
{
	for (uint32_t i = 0; i < status->interface_count; i++)
		if (!notes->offers[status->interfaces[i].slot].ttl)
			return true;
	return false;
}

/* What an attach that has ended meanwhile has noted is read then. */
static int look_at_notes(const struct sw_needs *needs, const struct sw_status *status,
			 struct notes *notes)
{
	int error = read_notes(needs->records, notes);

	notes->coming = false;
	if (error || !is_any_unnoted(notes, status))
		return error;
	notes->coming = sw_pins_are_locked(&needs->instance->pins);
	return notes->coming ? 0 : read_notes(needs->records, notes);
}

static void look_at(const struct sw_needs *needs, const struct sw_plan *plan,
		    const struct notes *notes, struct sw_status_interface *interface,
		    struct sw_status_flood *flood)
{
	const struct sw_need *need = &needs->of[needs->active];
	uint32_t slot = interface->slot;
	const struct sw_cookie_offer *noted = &notes->offers[slot];
	struct sw_cookie_offer now;
	char name[IF_NAMESIZE];

	if (!noted->ttl && notes->coming)
		return;
	flood->by_tc = interface->record.mode == SW_MODE_TC || notes->tc[slot].must_send;
	flood->way = (enum sw_flood_way)noted->ways[needs->active];
	flood->wscale = noted->wscale;
	flood->forwards = plan->forwards;
	flood->defends = need->defends;
	flood->asked = need->asked;
	flood->shares = need->shares;
	flood->host = sw_plan_host(needs, plan, slot, need);
	flood->choice = sw_flood_choose(&flood->host, &need->asked);
	flood->syncookies = plan->syncookies;
	flood->syncookies_needed = plan->required;
	flood->syncookies_wanted = plan->wanted;
	flood->handover_needed = sw_plan_needs_hook(needs, slot);
	flood->handover = sw_handover_health(&needs->instance->pins, &interface->record, slot,
					     &flood->handover_program);
	if (flood->handover == SW_HEALTH_OK && flood->handover_program)
		sw_tc_before(&interface->record, SW_INGRESS, flood->handover_program,
			     &interface->before_handover);
	if (!sw_interface_name(interface->record.ifindex, name))
		return;
	sw_plan_offer(needs, plan, slot, name, SW_POLICY_SLOTS, noted, &now);
	flood->drifts = drifts(needs, noted, &now);
	flood->known = true;
}

static int look_at_netns(const struct sw_needs *needs, const struct notes *notes, uint32_t netns,
			 struct sw_status *status)
{
	SW_AUTO_PLAN struct sw_plan plan = { .netns = netns };
	SW_AUTO_NETNS int back = -1;
	bool differ = false;
	int error;

	if (sw_netns_enter(netns, &back))
		return 0;
	sw_plan_make(needs, &plan);
	error = sw_own_addresses_differ(needs->instance, netns, &differ);
	for (uint32_t i = 0; i < status->interface_count && !error; i++) {
		struct sw_status_interface *interface = &status->interfaces[i];

		if (interface->record.netns != netns)
			continue;
		look_at(needs, &plan, notes, interface, &interface->flood);
		if (differ && interface->flood.forwards && needs->of[needs->active].unheard)
			interface->flood.drifts |= 1U << SW_DRIFT_ADDRESSES;
	}
	return error;
}

int sw_defence_look(const struct sw_instance *instance, const struct sw_records *records,
		    struct sw_status *status)
{
	SW_AUTO_NEEDS struct sw_needs needs = SW_NEEDS_NONE;
	uint32_t netns[SW_MAX_INTERFACES], count;
	struct notes notes;
	int error = sw_needs_read(instance, records, &needs);

	if (!error)
		error = look_at_notes(&needs, status, &notes);
	if (error)
		return error;
	count = sw_needs_netns(&needs, netns);
	for (uint32_t i = 0; i < count && !error; i++)
		error = look_at_netns(&needs, &notes, netns[i], status);
	return error;
}
