// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach.h"

#include "../base/error.h"
#include "../defence/defence.h"
#include "../hooks/hooks.h"
#include "../maps/interface_records.h"
#include "../platform/instance.h"
#include "../platform/netns.h"
#include "../platform/notice.h"
#include "../platform/preflight.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* A name of this network namespace, else one that there is in one other namespace alone. */
static int find_slot(const struct sw_records *records, const char *name)
{
	uint32_t netns = sw_netns_own(), ifindex = if_nametoindex(name);
	int slot, found = -1;

	slot = ifindex ? sw_records_find(records, netns, ifindex) :
			 sw_records_find_name(records, netns, name);
	if (slot >= 0)
		return slot;
	for (slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		if (!records->slots[slot].ifindex || strcmp(records->slots[slot].name, name))
			continue;
		if (found >= 0)
			return sw_error(
				EINVAL,
				"%s is attached in several network namespaces (%u, %u); detach "
				"it from inside the one you mean",
				name, records->slots[found].netns, records->slots[slot].netns);
		found = slot;
	}
	if (found >= 0 && !ifindex)
		return found;
	if (found >= 0)
		return sw_error(ENOENT,
				"%s is not attached here, but in the network namespace %u: to "
				"detach that one, be inside it, or use: synward detach --all",
				name, records->slots[found].netns);
	return sw_error(ENOENT, "%s is not attached: 'synward status' lists what is", name);
}

static int detach_slot(const struct sw_instance *instance, struct sw_records *records,
		       uint32_t slot, struct sw_detach_result *result)
{
	struct sw_interface record = records->slots[slot];
	int error, exists;

	memcpy(result->name, record.name, sizeof(result->name));
	result->ifindex = record.ifindex;
	result->netns = record.netns;
	exists = sw_record_exists(&record);
	result->gone = exists == 0 || exists == -ENOENT;
	error = sw_hooks_detach(&instance->pins, &record, slot);
	if (!error)
		error = sw_records_drop(records, slot);
	if (!error) /* with the last one the journal goes, but for those who read it */
		sw_notice_interface(&instance->pins, SW_DEED_DETACHED, record.name);
	return error;
}

int sw_leftover_remove(const struct sw_instance *instance, bool *degraded)
{
	int error;

	if (instance->pins.parent_fd < 0)
		return 0; /* not even a bpffs */
	error = sw_pins_check_leftover(&instance->pins);
	if (!error)
		error = sw_hooks_discard(&instance->pins);
	if (error)
		return error;
	*degraded |= !sw_defence_end(instance);
	sw_error_clear(); /* what cannot be read of a leftover is no reason to keep it */
	return sw_pins_remove_all(&instance->pins);
}

static int detach_named(const struct sw_instance *instance, struct sw_records *records,
			const char *const *names, uint32_t count, struct sw_detach_result *results,
			uint32_t *done)
{
	int slots[SW_MAX_INTERFACES], error;

	for (uint32_t i = 0; i < count; i++) {
		slots[i] = find_slot(records,
				     names[i]); /* all names are right, or nothing happens */
		if (slots[i] < 0)
			return slots[i];
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!records->slots[slots[i]].ifindex)
			continue; /* named twice */
		error = detach_slot(instance, records, (uint32_t)slots[i], &results[*done]);
		if (error)
			return error;
		++*done;
	}
	return 0;
}

static int detach_every(const struct sw_instance *instance, struct sw_records *records,
			struct sw_detach_result *results, uint32_t *done)
{
	int error = 0;

	for (uint32_t slot = 0; !error && slot < SW_MAX_INTERFACES; slot++) {
		if (!records->slots[slot].ifindex)
			continue;
		error = detach_slot(instance, records, slot, &results[*done]);
		*done += !error;
	}
	return error;
}

/* What is left goes on with what it needs. */
static int settle(const struct sw_instance *instance, const struct sw_records *records,
		  bool *degraded)
{
	struct sw_defence_done done = {};
	int error;

	if (records->count) {
		error = sw_defence_settle(instance, &done);
		*degraded = done.degraded;
		return error;
	}
	*degraded = !sw_defence_end(instance);
	return sw_pins_remove_all(&instance->pins);
}

int sw_detach(const char *pin_dir, const char *const *names, uint32_t count,
	      struct sw_detach_result *results, uint32_t *done, bool *degraded)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	int error = sw_preflight_detach();

	*done = 0;
	*degraded = false;
	if (error)
		return error;
	error = sw_instance_open(pin_dir, SW_ACCESS_CHANGE, &instance);
	if (error == -SW_NOT_ATTACHED) {
		sw_error_clear();
		error = instance.pins.parent_fd >= 0 && sw_pins_are_unused(&instance.pins) ?
				0 :
				sw_leftover_remove(&instance, degraded);
		return error ? error : sw_not_attached();
	}
	if (!error)
		error = sw_pins_check_writable(&instance.pins);
	if (!error)
		error = sw_records_open(&instance, &records);
	if (!error)
		error = sw_records_save_names(&records);
	if (!error && names)
		error = sw_hooks_forget_gone(&instance, &records);
	if (error)
		return error;
	if (names && !records.count) {
		error = settle(&instance, &records, degraded);
		return error ? error : sw_not_attached();
	}
	if (names)
		error = detach_named(&instance, &records, names, count, results, done);
	else
		error = detach_every(&instance, &records, results, done);
	return error ? error : settle(&instance, &records, degraded);
}

int sw_discard(const char *pin_dir, bool *degraded)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	int error = sw_preflight_detach();

	*degraded = false;
	if (error)
		return error;
	error = sw_instance_open(pin_dir, SW_ACCESS_CHANGE, &instance);
	/* a shortage says nothing of the state, which may be whole */
	if (!instance.pins.locked || sw_is_shortage(-error))
		return error;
	sw_error_clear(); /* that it is of another version, or damaged, is why we are here */
	error = sw_pins_check_writable(&instance.pins);
	return error ? error : sw_leftover_remove(&instance, degraded);
}
