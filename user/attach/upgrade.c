// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upgrading: first everything is loaded and looked at, then one hook after the other gets its new program. Old and
 * new programs of one ABI version can work on the same maps at the same time, so an upgrade that is interrupted
 * leaves nothing worse than some of each, and the next one goes on with it.
 */
#include "attach.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/bpf_object.h"
#include "../hooks/hooks.h"
#include "../hooks/load_batch.h"
#include "../hooks/program.h"
#include "../hooks/swap.h"
#include "../maps/interface_records.h"
#include "../platform/preflight.h"

#include <fcntl.h>
#include <string.h>

/* The hooks of each interface and its hand-over program, and what is run by commands. */
#define MAX_SWAPS (4 * SW_MAX_INTERFACES + 4)

struct plan {
	struct sw_instance instance;
	struct sw_records records;
	struct sw_load_batch ahead; /* programs for the next interfaces */
	struct sw_object *object;   /* of the last interface that has one */
	struct sw_swap swaps[MAX_SWAPS];
	uint32_t count;
	bool differs; /* something would change */
};

static void free_plan(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->count; i++)
		sw_swap_free(&plan->swaps[i]);
	sw_load_batch_clear(&plan->ahead);
	sw_object_free(plan->object);
	sw_records_close(&plan->records);
	sw_instance_close(&plan->instance);
	free(plan);
}

static void cleanup_plan(struct plan **plan)
{
	if (*plan)
		free_plan(*plan);
}

static struct plan *make_plan(void)
{
	struct plan *plan = malloc(sizeof(*plan));

	if (plan)
		*plan = (struct plan){ .instance = SW_INSTANCE_NONE, .records = SW_RECORDS_NONE };
	return plan;
}

/* Plans one swap; *health tells what is there. */
static int add(struct plan *plan, struct sw_swap swap, int program, enum sw_health *health)
{
	int after = fcntl(program, F_DUPFD_CLOEXEC, 3), error, idle;

	if (after < 0)
		return sw_error(errno, "cannot keep a program: %s", sw_errno_text(errno));
	*health = sw_swap_prepare(&plan->instance.pins, &swap, after, &error);
	if (error || *health != SW_HEALTH_OK) {
		sw_swap_free(&swap);
		return error;
	}
	plan->swaps[plan->count++] = swap;
	idle = sw_swap_is_idle(&swap);
	plan->differs |= !idle;
	return idle < 0 ? idle : 0;
}

static int add_hook(struct plan *plan, enum sw_hook hook, struct sw_swap swap, int program,
		    struct sw_upgrade_result *result)
{
	enum sw_health health;
	int error = add(plan, swap, program, &health);

	if (error)
		return error;
	if (health == SW_HEALTH_UNKNOWN)
		return sw_hooks_unknown(swap.record);
	if (health != SW_HEALTH_OK) {
		/* where a moved interface has its ingress hook still, it has left its filter behind */
		result->gone |= health == SW_HEALTH_GONE && hook == SW_HOOK_INGRESS;
		result->hooks[hook] = health == SW_HEALTH_GONE ? SW_UPGRADED_NONE :
								 SW_UPGRADED_MISSING;
		return 0;
	}
	result->hooks[hook] = SW_UPGRADED_REPLACED;
	result->before[hook] = sw_program_id(plan->swaps[plan->count - 1].before);
	result->after[hook] = sw_program_id(plan->swaps[plan->count - 1].after);
	return 0;
}

static struct sw_swap swap_of(const struct plan *plan, enum sw_swap_kind kind, uint32_t slot,
			      const char *name)
{
	struct sw_swap swap = { .kind = kind, .slot = slot, .record = &plan->records.slots[slot] };

	sw_format(swap.pin, sizeof(swap.pin), "links/%u/%s", slot, name);
	return swap;
}

/* It is kept for when it is needed, and linked only then. */
static int add_handover(struct plan *plan, uint32_t slot, struct sw_upgrade_result *result)
{
	struct sw_swap kept = swap_of(plan, SW_SWAP_PIN, slot, "handover_program");
	struct sw_swap linked = swap_of(plan, SW_SWAP_LINK, slot, "handover");
	int program = sw_object_handover(plan->object), error = 0;
	enum sw_health health;

	if (program < 0)
		return 0;
	if (sw_pins_exist(&plan->instance.pins, kept.pin))
		error = add(plan, kept, program, &health);
	if (!error && sw_pins_exist(&plan->instance.pins, linked.pin))
		error = add_hook(plan, SW_HOOK_HANDOVER, linked, program, result);
	return error;
}

static struct sw_swap tc_swap(const struct plan *plan, uint32_t slot, enum sw_direction direction)
{
	bool filter = plan->records.slots[slot].tc_hook == SW_TC_CLSACT;
	struct sw_swap swap = swap_of(plan, filter ? SW_SWAP_FILTER : SW_SWAP_LINK, slot,
				      filter ? "filter" : sw_tcx_pin(direction));

	swap.direction = direction;
	return swap;
}

/* Negative, with the line recorded, if the kernel refuses it. */
static int ingress_program(struct sw_object *object, const struct sw_interface *record)
{
	if (record->mode == SW_MODE_TC)
		return sw_object_tc(object);
	return record->xdp_frags ? sw_object_xdp_frags(object) : sw_object_xdp(object);
}

static struct sw_object_options options_of(const struct plan *plan, uint32_t slot)
{
	const struct sw_interface *record = &plan->records.slots[slot];

	return (struct sw_object_options){ .netns = record->netns,
					   .slot = slot,
					   .checksums = record->checksums,
					   .only_tc = record->mode == SW_MODE_TC };
}

static bool is_gone(const struct plan *plan, uint32_t slot)
{
	return sw_hooks_are_gone(&plan->instance.pins, &plan->records.slots[slot], slot);
}

/* A filter can be replaced only from within its network namespace. */
static bool is_hidden(const struct plan *plan, uint32_t slot)
{
	const struct sw_interface *record = &plan->records.slots[slot];

	return record->mode == SW_MODE_TC && record->tc_hook == SW_TC_CLSACT &&
	       sw_hooks_are_hidden(record);
}

/* For as many interfaces from this slot on as can be at a time. Returns the slot behind the last one. */
static uint32_t load_ahead(struct plan *plan, uint32_t slot)
{
	uint32_t size = sw_load_batch_size();
	struct sw_object_options options;

	sw_load_batch_clear(&plan->ahead);
	for (; slot < SW_MAX_INTERFACES && plan->ahead.count < size; slot++) {
		if (!plan->records.slots[slot].ifindex || is_gone(plan, slot) ||
		    is_hidden(plan, slot))
			continue;
		options = options_of(plan, slot);
		sw_load_batch_add(&plan->ahead, &options);
	}
	sw_load_batch_run(&plan->ahead, &plan->instance);
	return slot;
}

static int add_interface(struct plan *plan, uint32_t slot, struct sw_upgrade_result *result)
{
	const struct sw_interface *record = &plan->records.slots[slot];
	const struct sw_object_options options = options_of(plan, slot);
	int error, ingress;

	memcpy(result->name, record->name, sizeof(result->name));
	result->ifindex = record->ifindex;
	result->netns = record->netns;
	result->gone = is_gone(plan, slot);
	result->hidden = !result->gone && is_hidden(plan, slot);
	if (result->gone || result->hidden)
		return 0;
	sw_object_free(plan->object);
	plan->object = NULL;
	error = sw_load_batch_take(&plan->ahead, &plan->instance, &options, &plan->object);
	if (error)
		return error;
	ingress = ingress_program(plan->object, record);
	if (ingress < 0)
		return ingress;
	error = add_hook(plan, SW_HOOK_INGRESS,
			 record->mode == SW_MODE_TC ? tc_swap(plan, slot, SW_INGRESS) :
						      swap_of(plan, SW_SWAP_LINK, slot, "xdp"),
			 ingress, result);
	if (!error)
		error = add_hook(plan, SW_HOOK_EGRESS, tc_swap(plan, slot, SW_EGRESS),
				 sw_object_egress(plan->object), result);
	return error ? error : add_handover(plan, slot, result);
}

/* What commands run. The sweeper's code comes last of all, by sw_object_arm(). */
static int add_shared(struct plan *plan)
{
	const struct {
		const char *pin;
		int program;
	} shared[] = {
		{ "programs/sw_clock", sw_object_clock(plan->object) },
		{ "programs/sw_switch", sw_object_switch(plan->object) },
		{ "programs/sw_tell", sw_object_tell(plan->object) },
		{ "programs/sw_arm", sw_object_sweeper(plan->object) },
	};
	enum sw_health health;
	int error = 0;

	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared) && !error; i++) {
		struct sw_swap swap = { .kind = SW_SWAP_PIN };

		sw_format(swap.pin, sizeof(swap.pin), "%s", shared[i].pin);
		error = add(plan, swap, shared[i].program, &health);
	}
	return error;
}

/* What fails on the way back is told beside why it was needed. */
static void take_back(struct plan *plan, uint32_t done)
{
	char why[512];

	sw_format(why, sizeof(why), "%s", sw_error_text() ? sw_error_text() : "");
	while (done--) {
		sw_error_clear();
		if (sw_swap_undo(&plan->instance.pins, &plan->swaps[done]))
			sw_note("the program before could not be put back: %s", sw_error_text());
	}
	sw_error_clear();
	sw_error(EIO, "%s", why);
}

static int carry_out(struct plan *plan)
{
	uint32_t done = 0;
	int error = plan->object ? sw_object_pin_missing(plan->object) : 0;

	while (!error && done < plan->count) {
		error = sw_swap_do(&plan->instance.pins, &plan->swaps[done]);
		done += !error;
	}
	if (!error)
		error = sw_object_arm(plan->object, true);
	if (error)
		take_back(plan, done);
	return error;
}

static int make(struct plan *plan, struct sw_upgrade *upgrade)
{
	uint32_t looked_at = 0;
	int error = 0;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++) {
		if (!plan->records.slots[slot].ifindex)
			continue;
		if (slot >= looked_at)
			looked_at = load_ahead(plan, slot);
		error = add_interface(plan, slot, &upgrade->interfaces[upgrade->count++]);
	}
	if (!error && plan->object)
		error = add_shared(plan);
	return error;
}

static void tell_already(struct sw_upgrade *upgrade)
{
	upgrade->already = true;
	for (uint32_t i = 0; i < upgrade->count; i++)
		for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
			if (upgrade->interfaces[i].hooks[hook] == SW_UPGRADED_REPLACED) {
				upgrade->interfaces[i].hooks[hook] = SW_UPGRADED_ALREADY;
				upgrade->interfaces[i].after[hook] =
					upgrade->interfaces[i].before[hook];
			}
}

int sw_upgrade(const char *pin_dir, struct sw_upgrade *upgrade)
{
	__attribute__((cleanup(cleanup_plan))) struct plan *plan = make_plan();
	int error = sw_preflight_attach();

	memset(upgrade, 0, sizeof(*upgrade));
	if (!plan)
		return -ENOMEM;
	if (!error)
		error = sw_instance_open(pin_dir, SW_ACCESS_CHANGE, &plan->instance);
	if (!error)
		error = sw_pins_check_writable(&plan->instance.pins);
	if (!error)
		error = sw_records_open(&plan->instance, &plan->records);
	if (!error)
		error = make(plan, upgrade);
	if (!error && plan->differs)
		error = carry_out(plan);
	if (!error && !plan->differs)
		tell_already(upgrade);
	return error;
}
