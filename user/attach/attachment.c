// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each step leaves something that the next attach or detach can recognise: the record of an interface is
 * written before its hooks are taken, and only when all are it is told to the programs (the map "attached"); a
 * link that is not pinned yet dies with us.
 */
#include "attachment.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../hooks/handover.h"
#include "../hooks/hooks.h"
#include "../lists/lists.h"
#include "../platform/netns.h"
#include "../platform/preflight.h"
#include "../platform/xdp_features.h"

#include <string.h>

/* The programs, and with the first of them the maps. */
static int load(struct attachment *at, const struct sw_interface *record, uint32_t slot,
		enum sw_mode mode, struct sw_object **object)
{
	struct sw_object_options options = {
		.create = at->create ? &at->creation : NULL,
		.netns = record->netns,
		.slot = slot,
		.checksums = record->checksums,
		.only_tc = mode == SW_MODE_TC,
	};
	int error = sw_load_batch_take(&at->ahead, &at->instance, &options, object);

	if (!error)
		error = sw_object_pin_missing(*object);
	if (!error)
		error = sw_object_arm(*object, false);
	if (error || !at->create)
		return error;
	at->create = false;
	error = sw_records_open(&at->instance, &at->records);
	at->open = !error;
	/* before the first packet */
	return error ? error : sw_lists_restore(&at->instance, at->request->state_dir);
}

static void describe(struct sw_attach_result *result, const struct sw_interface *record,
		     uint32_t slot)
{
	memcpy(result->name, record->name, sizeof(result->name));
	result->ifindex = record->ifindex;
	result->netns = record->netns;
	result->slot = slot;
	result->mode = record->mode;
	result->frags = record->xdp_frags;
	result->tc_hook = record->tc_hook;
}

/* Which hooks of an interface are to be taken, and how. */
struct wanted {
	bool ingress;
	bool egress;
	struct sw_hook_wish how;
};

/* Takes hooks; the record is written before and after. */
static int take_hooks(struct attachment *at, uint32_t slot, struct sw_interface *record,
		      struct sw_object *object, const struct wanted *wanted,
		      struct sw_attach_result *result)
{
	const struct sw_pins *pins = &at->instance.pins;
	char name[32];
	int error;

	sw_format(name, sizeof(name), "links/%u", slot);
	error = sw_pins_make_dir(pins, "links");
	if (!error)
		error = sw_pins_make_dir(pins, name);
	if (!error && wanted->ingress)
		error = sw_ingress_attach(pins, record, slot, object, &wanted->how, result);
	if (!error && wanted->egress)
		error = sw_tc_attach(pins, record, slot, SW_EGRESS, sw_object_egress(object),
				     wanted->how.tc);
	if (!error && record->mode != SW_MODE_TC && sw_object_handover(object) >= 0)
		error = sw_handover_keep(pins, slot, sw_object_handover(object));
	if (!error)
		error = sw_records_put(&at->records, slot, record, false);
	return error ? error : sw_records_activate(&at->records, slot);
}

int sw_attach_release(struct attachment *at, uint32_t slot)
{
	struct sw_interface record = at->records.slots[slot];
	int error = sw_hooks_detach(&at->instance.pins, &record, slot);

	return error ? error : sw_records_drop(&at->records, slot);
}

/* The slot for one more; an interface that has gone keeps its own until it comes back, or another one needs it. */
static int find_slot(struct attachment *at)
{
	int found = sw_records_free_slot(&at->records);

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && found < 0; slot++)
		if (sw_record_exists(&at->records.slots[slot]) == 0 && !sw_attach_release(at, slot))
			found = (int)slot;
	return found;
}

/* Another synward there would count all of it once more, and the two would answer each other's SYNs. */
static int check_free(const struct sw_pins *pins, const struct sw_interface *record,
		      enum sw_mode mode)
{
	if (sw_xdp_is_taken(record->ifindex) &&
	    (mode != SW_MODE_TC || sw_xdp_is_synward(record->ifindex)))
		return sw_occupied(pins, record);
	return sw_tcx_check(pins, record);
}

static int attach_new(struct attachment *at, const char *name, uint32_t ifindex,
		      struct sw_attach_result *result)
{
	struct wanted wanted = { true, true, { at->request->mode, at->request->tc } };
	SW_AUTO_OBJECT struct sw_object *object = NULL;
	struct sw_interface record = { .ifindex = ifindex,
				       .netns = at->netns,
				       .netns_cookie = sw_netns_cookie(),
				       .checksums = at->request->checksums,
				       .attached_ns = sw_monotonic_ns() };
	int slot = 0, error;

	sw_format(record.name, sizeof(record.name), "%s", name);
	error = check_free(&at->instance.pins, &record, at->request->mode);
	if (error)
		return error;
	if (at->open)
		slot = find_slot(at);
	if (slot < 0)
		return sw_error(ENOSPC,
				"%s: %u interfaces are attached already, which is the most; detach "
				"one first: synward detach IFACE",
				name, SW_MAX_INTERFACES);
	if (wanted.how.mode == SW_MODE_AUTO && sw_native_is_refused(ifindex, result))
		wanted.how.mode = SW_MODE_TC;
	error = load(at, &record, (uint32_t)slot, wanted.how.mode, &object);
	if (!error)
		error = sw_records_put(&at->records, (uint32_t)slot, &record, true);
	if (error)
		return error;
	error = take_hooks(at, (uint32_t)slot, &record, object, &wanted, result);
	if (error) {
		sw_attach_release(at, (uint32_t)slot);
		return error;
	}
	at->taken |= 1ULL << slot;
	describe(result, &record, (uint32_t)slot);
	return 0;
}

/* Will it be mode tc? Of a driver that says so itself; of others that is known when they have refused. */
static bool is_only_for_tc(const struct attachment *at, uint32_t ifindex)
{
	uint64_t features;

	if (at->request->mode != SW_MODE_AUTO)
		return at->request->mode == SW_MODE_TC;
	return sw_read_xdp_features(ifindex, &features) && !(features & SW_XDP_BASIC);
}

/* Those that are new will get the free slots in their order. */
uint32_t sw_attach_load_ahead(struct attachment *at, const char *const *names, uint32_t count)
{
	uint32_t size = sw_load_batch_size(), seen = 0, slot = 0, ifindex;

	sw_load_batch_clear(&at->ahead);
	for (; seen < count && at->ahead.count < size; seen++) {
		if (sw_interface_index(names[seen], &ifindex))
			break;
		if (sw_records_find(&at->records, at->netns, ifindex) >= 0)
			continue;
		while (slot < SW_MAX_INTERFACES && at->records.slots[slot].ifindex)
			slot++;
		if (slot == SW_MAX_INTERFACES)
			break;
		sw_load_batch_add(&at->ahead, &(struct sw_object_options){
						      .netns = at->netns,
						      .slot = slot++,
						      .checksums = at->request->checksums,
						      .only_tc = is_only_for_tc(at, ifindex),
					      });
	}
	sw_error_clear(); /* it is found again when its turn comes */
	sw_load_batch_run(&at->ahead, &at->instance);
	return seen ? seen : 1;
}

/* What an interface was attached with, it keeps; only the options that were given are held against that. */
static int check_kept(const struct sw_attach_request *request, const struct sw_interface *record)
{
	const char *option = NULL;

	if (request->mode != SW_MODE_AUTO && request->mode != record->mode)
		option = "--mode";
	else if (request->tc != SW_TC_MODE_AUTO &&
		 (request->tc == SW_TC_MODE_CLSACT) != (record->tc_hook == SW_TC_CLSACT))
		option = "--tc";
	else if (request->checksums && !record->checksums)
		option = "--checksums";
	if (!option)
		return 0;
	return sw_error(EEXIST,
			"%s: it is attached already, and not as %s asks for; detach it first: "
			"synward detach %s",
			record->name, option, record->name);
}

/*
 * Puts back what is missing of an interface, as it was. What it has is let go of only when there is something in its
 * place, so if that fails, nothing is worse.
 */
static int repair(struct attachment *at, uint32_t slot, struct sw_attach_result *result)
{
	struct sw_interface record = at->records.slots[slot];
	const struct sw_pins *pins = &at->instance.pins;
	SW_AUTO_OBJECT struct sw_object *object = NULL;
	uint32_t program;
	enum sw_health ingress = sw_ingress_health(pins, &record, slot, &program);
	enum sw_health egress = sw_tc_health(pins, &record, slot, SW_EGRESS, &program);
	struct wanted wanted = {
		.ingress = ingress != SW_HEALTH_OK,
		.egress = egress != SW_HEALTH_OK,
		.how = { record.mode,
			 record.tc_hook == SW_TC_CLSACT ? SW_TC_MODE_CLSACT : SW_TC_MODE_TCX },
	};
	int error = check_kept(at->request, &record);

	if (error)
		return error;
	if (ingress == SW_HEALTH_UNKNOWN || egress == SW_HEALTH_UNKNOWN)
		return sw_hooks_unknown(&record);
	result->already = true;
	result->repaired = wanted.ingress || wanted.egress || !sw_programs_are_pinned(pins) ||
			   (!sw_handover_is_kept(pins, &record, slot) && sw_handover_is_possible());
	if (result->repaired) {
		error = load(at, &record, slot, record.mode, &object);
		if (!error)
			error = take_hooks(at, slot, &record, object, &wanted, result);
	}
	if (!error)
		describe(result, &record, slot);
	return error;
}

/* The slot of an interface that was attached elsewhere and then moved here, or -1. */
static int find_moved(const struct attachment *at, uint32_t ifindex)
{
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++)
		if (at->records.slots[slot].ifindex &&
		    sw_ingress_is_on(&at->instance.pins, slot, ifindex))
			return (int)slot;
	return -1;
}

/*
 * One of which a record tells is attached already, unless its attach was interrupted, or it is an interface of that
 * name that has vanished, and come again as another, or one that was moved here from where its record says: these
 * begin anew.
 */
int sw_attach_one(struct attachment *at, const char *name, uint32_t ifindex,
		  struct sw_attach_result *result)
{
	int slot, error = 0;

	if (!at->open)
		return attach_new(at, name, ifindex, result);
	slot = sw_records_find(&at->records, at->netns, ifindex);
	if (slot >= 0 && sw_records_is_active(&at->records, (uint32_t)slot))
		return repair(at, (uint32_t)slot, result);
	if (slot < 0)
		slot = find_moved(at, ifindex);
	if (slot < 0) {
		slot = sw_records_find_name(&at->records, at->netns, name);
		if (slot >= 0 && sw_record_exists(&at->records.slots[slot]) != 0)
			slot = -1;
	}
	if (slot >= 0)
		error = sw_attach_release(at, (uint32_t)slot);
	return error ? error : attach_new(at, name, ifindex, result);
}
