// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaching. Each step leaves something that the next attach or detach can recognise: the record of
 * an interface is written before its hooks are taken, a link that is not pinned yet dies with us,
 * and maps without the pin of the identity are a leftover.
 */
#include "attach.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../defence/defence.h"
#include "../hooks/bpf_object.h"
#include "../hooks/handover.h"
#include "../hooks/hooks.h"
#include "../lists/lists.h"
#include "../lists/protected.h"
#include "../maps/interface_records.h"
#include "../maps/settings.h"
#include "../model/names.h"
#include "../model/policy.h"
#include "../platform/netns.h"
#include "../platform/preflight.h"
#include "../policy/policy_change.h"

#include <string.h>
#include <sys/random.h>

/* One attach command under way. */
struct attachment {
	struct sw_instance instance;
	struct sw_records records;
	const struct sw_attach_request *request;
	struct sw_creation creation;
	struct sw_policy *policy; /* the first one, if there are no maps yet */
	uint32_t netns;
	bool create;	/* there are no maps yet */
	bool open;	/* records are */
	bool was_empty; /* there was no instance when the command began */
	uint64_t taken; /* slots of the interfaces that this command has attached */
};

/* Those of the command line are for all services. *changed: whether any was another before. */
static int choose_timeouts(const struct sw_attach_request *request, struct sw_policy *policy,
			   bool *changed)
{
	*changed = false;
	for (int i = 0; i < SW_TIMEOUT_COUNT; i++) {
		for (uint32_t row = 0; request->timeout_ms[i] && row < SW_SERVICE_SLOTS; row++) {
			if (row >= policy->service_count && row != SW_SERVICE_DEFAULT)
				continue;
			*changed |= policy->rules[row].timeout_ms[i] != request->timeout_ms[i];
			policy->rules[row].timeout_ms[i] = request->timeout_ms[i];
		}
	}
	return *changed ? sw_policy_compile(policy) : 0;
}

/* What the new maps begin with. */
static int choose_creation(struct attachment *at)
{
	const struct sw_attach_request *request = at->request;
	struct sw_settings *settings = &at->creation.settings;
	bool changed;
	int error;

	at->policy = malloc(sizeof(*at->policy));
	if (!at->policy)
		return -ENOMEM;
	if (request->policy)
		*at->policy = *request->policy;
	else
		sw_policy_default(at->policy);
	error = choose_timeouts(request, at->policy, &changed);
	if (error)
		return error;
	at->creation.policy = at->policy;
	at->creation.armed = !request->disarmed;
	*settings = (struct sw_settings){
		.events_per_second = request->events_given ? request->events_per_second :
							     SW_DEFAULT_EVENTS_PER_SECOND,
		.event_anomalies = SW_MASK_DROP | SW_MASK_DROP_SYM,
		.policy = at->policy->features << SW_POLICY_FEATURE_SHIFT,
		.flood_wish = request->wish,
	};
	memcpy(settings->timeout_ms, at->policy->rules[SW_SERVICE_DEFAULT].timeout_ms,
	       sizeof(settings->timeout_ms));
	return 0;
}

static uint32_t buckets_for(uint32_t entries)
{
	return (entries + SW_WAYS - 1) / SW_WAYS;
}

static int begin_instance(struct attachment *at)
{
	struct sw_identity *identity = &at->instance.identity;
	uint32_t handshakes = at->request->handshakes, connections = at->request->connections;
	bool unrestored = false; /* that was noted; what is attached now is not worse for it */
	int error = sw_leftover_remove(&at->instance, &unrestored);

	if (error)
		return error;
	*identity = (struct sw_identity){
		.abi_version = SW_ABI_VERSION,
		.handshake_buckets = buckets_for(handshakes ? handshakes : SW_DEFAULT_HANDSHAKES),
		.connection_buckets = buckets_for(connections ? connections :
								SW_DEFAULT_CONNECTIONS),
		.created_ns = sw_monotonic_ns(),
	};
	if (getrandom(identity->seed, sizeof(identity->seed), 0) != sizeof(identity->seed))
		return sw_error(EIO, "the kernel gave no random numbers: %s", sw_errno_text(errno));
	error = choose_creation(at);
	if (error)
		return error;
	at->create = true;
	at->was_empty = true;
	return 0;
}

static int check_size(const char *option, uint32_t wanted, uint32_t buckets)
{
	char have[SW_NUMBER_SIZE], want[SW_NUMBER_SIZE];

	if (!wanted || buckets_for(wanted) == buckets)
		return 0;
	return sw_error(
		EEXIST,
		"--%s %s: the tables are in use with %s entries, and their size is set by the "
		"first attach; leave the option out, or detach everything first: synward "
		"detach --all",
		option, sw_format_count(want, wanted),
		sw_format_count(have, (uint64_t)buckets * SW_WAYS));
}

static int open_instance(const char *pin_dir, struct attachment *at)
{
	const struct sw_identity *identity = &at->instance.identity;
	int error = sw_instance_open(pin_dir, SW_ACCESS_CREATE, &at->instance);

	if (error == -SW_NOT_ATTACHED) {
		sw_error_clear();
		error = sw_pins_check_writable(&at->instance.pins);
		return error ? error : begin_instance(at);
	}
	if (!error)
		error = sw_pins_check_writable(&at->instance.pins);
	if (!error)
		error = check_size("handshakes", at->request->handshakes,
				   identity->handshake_buckets);
	if (!error)
		error = check_size("connections", at->request->connections,
				   identity->connection_buckets);
	if (!error)
		error = sw_records_open(&at->instance, &at->records);
	at->open = !error;
	if (!error)
		error = sw_hooks_forget_gone(&at->instance, &at->records);
	return error ? error : sw_records_save_names(&at->records);
}

/* The programs, and with the first of them the maps. */
static int load(struct attachment *at, uint32_t slot, struct sw_object **object)
{
	struct sw_object_options options = {
		.create = at->create ? &at->creation : NULL,
		.netns = at->netns,
		.slot = slot,
		.checksums = at->request->checksums,
	};
	int error = sw_object_load(&at->instance, &options, object);

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
	result->generic = record->xdp_generic;
	result->frags = record->xdp_frags;
	result->tc_hook = record->tc_hook;
}

/* Takes the hooks that are missing; the record is written before and after. */
static int take_hooks(struct attachment *at, uint32_t slot, struct sw_interface *record,
		      struct sw_object *object, bool ingress, bool egress,
		      struct sw_attach_result *result)
{
	const struct sw_pins *pins = &at->instance.pins;
	char name[32];
	int error;

	sw_format(name, sizeof(name), "links/%u", slot);
	error = sw_pins_make_dir(pins, "links");
	if (!error)
		error = sw_pins_make_dir(pins, name);
	if (!error && ingress)
		error = sw_ingress_attach(pins, record, slot, object, at->request->mode, result);
	if (!error && egress)
		error = sw_egress_attach(pins, record, slot, sw_object_egress(object),
					 at->request->tc);
	if (!error && sw_object_handover(object) >= 0)
		error = sw_handover_keep(pins, slot, sw_object_handover(object));
	if (!error)
		error = sw_records_put(&at->records, slot, record, false);
	return error ? error : sw_records_activate(&at->records, slot);
}

static int release(struct attachment *at, uint32_t slot)
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
		if (sw_record_exists(&at->records.slots[slot]) == 0 && !release(at, slot))
			found = (int)slot;
	return found;
}

static int attach_new(struct attachment *at, const char *name, uint32_t ifindex,
		      struct sw_attach_result *result)
{
	SW_AUTO_OBJECT struct sw_object *object = NULL;
	struct sw_interface record = { .ifindex = ifindex,
				       .netns = at->netns,
				       .netns_cookie = sw_netns_cookie(),
				       .attached_ns = sw_monotonic_ns() };
	int slot = 0, error;

	sw_format(record.name, sizeof(record.name), "%s", name);
	if (sw_xdp_is_taken(ifindex))
		return sw_occupied(&record);
	if (at->open)
		slot = find_slot(at);
	if (slot < 0)
		return sw_error(ENOSPC,
				"%s: %u interfaces are attached already, and more cannot be", name,
				SW_MAX_INTERFACES);
	error = load(at, (uint32_t)slot, &object);
	if (!error)
		error = sw_records_put(&at->records, (uint32_t)slot, &record, true);
	if (error)
		return error;
	error = take_hooks(at, (uint32_t)slot, &record, object, true, true, result);
	if (error) {
		release(at, (uint32_t)slot);
		return error;
	}
	at->taken |= 1ULL << slot;
	describe(result, &record, (uint32_t)slot);
	return 0;
}

/* An interface that has a record: what is missing of it is put back. */
static int attach_again(struct attachment *at, uint32_t slot, struct sw_attach_result *result)
{
	struct sw_interface record = at->records.slots[slot];
	const struct sw_pins *pins = &at->instance.pins;
	SW_AUTO_OBJECT struct sw_object *object = NULL;
	bool ingress, egress, handover;
	uint32_t program;
	char path[32];
	int error;

	ingress = sw_ingress_health(pins, &record, slot, &program) != SW_HEALTH_OK;
	egress = sw_egress_health(pins, &record, slot, &program) != SW_HEALTH_OK;
	handover = !sw_handover_is_kept(pins, slot) && sw_handover_is_possible();
	result->already = true;
	result->repaired = ingress || egress || handover;
	if (result->repaired) {
		error = 0;
		if (ingress && egress) {
			error = sw_hooks_detach(pins, &record, slot);
		} else if (ingress) {
			sw_format(path, sizeof(path), "links/%u/xdp", slot);
			error = sw_pins_remove(pins, path);
		} else if (egress) {
			error = sw_egress_forget(pins, &record, slot);
		}
		if (!error)
			error = load(at, slot, &object);
		if (!error)
			error = take_hooks(at, slot, &record, object, ingress, egress, result);
		if (error)
			return error;
	}
	describe(result, &record, slot);
	return 0;
}

static int attach_one(struct attachment *at, const char *name, uint32_t ifindex,
		      struct sw_attach_result *result)
{
	int slot, error;

	if (!at->open)
		return attach_new(at, name, ifindex, result);
	slot = sw_records_find(&at->records, at->netns, ifindex);
	if (slot >= 0)
		return attach_again(at, (uint32_t)slot, result);
	/* an interface of that name that has vanished, and come again as another */
	slot = sw_records_find_name(&at->records, at->netns, name);
	if (slot >= 0 && sw_record_exists(&at->records.slots[slot]) == 0) {
		error = release(at, (uint32_t)slot);
		if (error)
			return error;
	}
	return attach_new(at, name, ifindex, result);
}

/* Undoes what this command has done; what failed has its line recorded already. */
static void roll_back(struct attachment *at, const struct sw_attach_result *results, uint32_t count)
{
	if (at->instance.pins.parent_fd < 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (!results[i].already)
			release(at, results[i].slot);
	if (at->was_empty)
		sw_pins_remove_all(&at->instance.pins);
}

static int change_timeouts(const struct attachment *at)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	const struct sw_policy_change change = {};
	struct sw_policy_state state;
	bool changed;
	int error;

	if (!policy)
		return -ENOMEM;
	error = sw_policy_read(&at->instance, policy, &state);
	if (!error)
		error = choose_timeouts(at->request, policy, &changed);
	if (error || !changed)
		return error;
	if (state.pending)
		return sw_error(EBUSY,
				"timeouts cannot change while a policy waits to be confirmed: "
				"synward policy confirm, or policy rollback");
	return sw_policy_install(&at->instance, policy, &change);
}

/* What an attach may change of what is there already. */
static int change_settings(const struct attachment *at)
{
	SW_AUTO_SETTINGS struct sw_settings *settings = NULL;
	int error = sw_settings_map(&at->instance, &settings);

	if (!error && at->request->events_given)
		settings->events_per_second = at->request->events_per_second;
	if (!error && at->request->wish_given)
		settings->flood_wish = at->request->wish;
	return error ? error : change_timeouts(at);
}

/* Can floods be kept off here the way that the command line asks for? */
static int check_wish(const struct attachment *at)
{
	SW_AUTO_FREE struct sw_policy *active = NULL;
	const struct sw_instance *instance = at->was_empty ? NULL : &at->instance;
	struct sw_policy_state state;
	int error;

	if (!instance)
		return sw_defence_check_wish(instance, at->policy, at->request->wish);
	active = malloc(sizeof(*active));
	error = active ? sw_policy_read(instance, active, &state) : -ENOMEM;
	return error ? error : sw_defence_check_wish(instance, active, at->request->wish);
}

static int settle_defence(const struct attachment *at, struct sw_attach_result *results,
			  uint32_t count)
{
	struct sw_defence_done done;
	int error = sw_defence_settle(&at->instance, &done);

	if (error)
		return error;
	results[0].undefended = done.degraded;
	for (uint32_t i = 0; i < count; i++)
		results[i].repaired |= results[i].already &&
				       (done.linked & ~at->taken) >> results[i].slot & 1;
	return 0;
}

int sw_attach(const char *pin_dir, const struct sw_attach_request *request,
	      const char *const *names, uint32_t count, struct sw_attach_result *results)
{
	struct attachment at = { .instance = SW_INSTANCE_NONE,
				 .records = SW_RECORDS_NONE,
				 .request = request,
				 .netns = sw_netns_own() };
	uint32_t done = 0, ifindex;
	int error = sw_preflight_attach();

	for (uint32_t i = 0; i < count && !error; i++) {
		error = sw_interface_index(names[i], &ifindex);
		if (!error)
			error = sw_preflight_frames(names[i]);
	}
	if (!error)
		error = open_instance(pin_dir, &at);
	if (!error && request->wish_given)
		error = check_wish(&at);
	while (!error && done < count) {
		error = sw_interface_index(names[done], &ifindex);
		memset(&results[done], 0, sizeof(results[done]));
		if (!error)
			error = attach_one(&at, names[done], ifindex, &results[done]);
		done += !error;
	}
	results[0].created = at.was_empty;
	if (!error && !at.was_empty)
		error = change_settings(&at);
	if (!error)
		error = settle_defence(&at, results, count);
	if (!error)
		error = sw_protected_refresh(&at.instance);
	if (error)
		roll_back(&at, results, done);
	sw_records_close(&at.records);
	sw_instance_close(&at.instance);
	free(at.policy);
	return error;
}
