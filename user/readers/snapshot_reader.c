// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the counters, and how the tables and hooks are. */
#include "snapshot_reader.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../defence/defence.h"
#include "../hooks/hooks.h"
#include "../maps/interface_records.h"
#include "../maps/percpu.h"
#include "../maps/policy_slot.h"
#include "../maps/service_counts.h"
#include "../maps/settings.h"
#include "../maps/sweeper.h"
#include "../platform/instance.h"
#include "../platform/netns.h"
#include "../policy/policy_view_reader.h"
#include "occupancy_reader.h"
#include "readers.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>

static int read_failed(const char *what)
{
	return sw_error(errno, "cannot read %s: %s", what, sw_errno_text(errno));
}

static int read_counters(const struct sw_instance *instance, struct sw_counters *total)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "counters", sizeof(*total), &fd);

	if (!error && sw_percpu_sum(fd, 0, total, sizeof(*total)))
		error = read_failed("the counters");
	return error;
}

/* The CPUs are not read at one moment: what one has closed, another may have yet to be seen open. */
static uint64_t gauge(const struct sw_counters *total, enum sw_tally opened, enum sw_tally closed)
{
	int64_t now = (int64_t)(total->tallies[opened] - total->tallies[closed]);

	return now > 0 ? (uint64_t)now : 0;
}

static uint64_t half_open(const struct sw_counters *total)
{
	return gauge(total, SW_TALLY_ATTEMPTS_OPENED, SW_TALLY_ATTEMPTS_CLOSED);
}

static uint64_t connections(const struct sw_counters *total)
{
	return gauge(total, SW_TALLY_CONNECTIONS_OPENED, SW_TALLY_CONNECTIONS_CLOSED);
}

/* What the kernel accounts a map for, which changes with its entries. It is asked of each map at each look: no stdio. */
static uint64_t map_bytes(int fd)
{
	static const char field[] = "\nmemlock:";
	char path[40], text[1024];
	const char *found;
	SW_AUTO_FD int info = -1;
	ssize_t length;

	sw_format(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	length = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	found = strstr(text, field);
	return found ? strtoull(found + strlen(field), NULL, 10) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct sw_status_map *)a)->name,
		      ((const struct sw_status_map *)b)->name);
}

/* The maps that are pinned in one directory. */
static void read_directory(const struct sw_instance *instance, const char *name,
			   struct sw_status_map *maps, uint32_t *count, uint64_t *bytes)
{
	SW_AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;
	char path[SW_PIN_PATH];

	sw_pins_path(&instance->pins, path, "%s", name);
	dir = opendir(path);
	while (dir && *count < SW_MAX_MAPS && (entry = readdir(dir))) {
		struct sw_status_map *map = &maps[*count];
		struct bpf_map_info info = {};
		__u32 length = sizeof(info);
		SW_AUTO_FD int fd = -1;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(map->name))
			continue;
		sw_format(path, sizeof(path), "%s/%s", name, entry->d_name);
		fd = sw_instance_get(instance, path);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
			continue; /* it went away meanwhile */
		strcpy(map->name, entry->d_name);
		map->entries = info.max_entries;
		map->bytes = map_bytes(fd);
		*bytes += map->bytes;
		++*count;
	}
}

/* All pinned maps, and what they cost together. */
static void read_maps(const struct sw_instance *instance, struct sw_status_map *maps,
		      uint32_t *count, uint64_t *bytes)
{
	*count = 0;
	*bytes = 0;
	read_directory(instance, "maps", maps, count, bytes);
	read_directory(instance, "lists", maps, count, bytes);
	qsort(maps, *count, sizeof(*maps), compare_names);
}

/* One that ended with its network namespace is no fault, and nobody misses it: the next attach has its place. */
static bool is_there(const struct sw_instance *instance, const struct sw_records *records,
		     uint32_t slot)
{
	const struct sw_interface *record = &records->slots[slot];

	return record->ifindex && !sw_hooks_are_gone(&instance->pins, record, slot);
}

static int read_traffic(const struct sw_instance *instance, const struct sw_records *records,
			struct sw_snapshot *snapshot)
{
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_snapshot_interface *to = &snapshot->interfaces[snapshot->interface_count];

		if (!is_there(instance, records, slot))
			continue;
		to->record = records->slots[slot];
		to->slot = slot;
		if (sw_percpu_sum(records->traffic_fd, slot, &to->traffic, sizeof(to->traffic)))
			return read_failed("the traffic counters");
		snapshot->interface_count++;
	}
	return 0;
}

/* Without services nothing is counted for them. -EAGAIN: it is another policy than view's by now. */
static int read_services(const struct sw_instance *instance, const struct sw_policy_view *view,
			 struct sw_service_counters *rows)
{
	SW_AUTO_FREE struct sw_service_counters *counts = calloc(SW_SERVICE_SLOTS, sizeof(*counts));
	SW_AUTO_FREE struct sw_policy *active = malloc(sizeof(*active));
	struct sw_policy_state state;
	int error;

	if (view->row_count < 2 && !(view->features & SW_HAS_FLOOD_DEFENCE))
		return 0;
	if (!counts || !active)
		return -ENOMEM;
	error = sw_policy_read(instance, active, &state);
	if (!error && active->generation != view->generation)
		return -EAGAIN;
	if (!error)
		error = sw_service_counts_sum(instance, active, counts);
	for (uint32_t i = 0; i < view->row_count && !error; i++)
		rows[i] = counts[i + 1 < view->row_count ? i : SW_SERVICE_DEFAULT];
	return error;
}

/* The policy, and what was counted for its services. */
static int read_policy(const struct sw_instance *instance, const struct sw_records *records,
		       struct sw_snapshot *snapshot)
{
	int error;

	do {
		error = sw_policy_view_read_of(instance, records, &snapshot->policy);
		if (!error)
			error = read_services(instance, &snapshot->policy, snapshot->services);
	} while (error == -EAGAIN);
	return error;
}

int sw_snapshot_take(const struct sw_instance *instance, const struct sw_records *records,
		     struct sw_snapshot *snapshot)
{
	int error = read_counters(instance, &snapshot->total);

	if (!error)
		error = read_traffic(instance, records, snapshot);
	if (!error)
		error = read_policy(instance, records, snapshot);
	if (error)
		return error;
	snapshot->taken_ns = sw_monotonic_ns();
	snapshot->created_ns = instance->identity.created_ns;
	snapshot->half_open = half_open(&snapshot->total);
	snapshot->connections = connections(&snapshot->total);
	snapshot->handshake_capacity = instance->identity.handshake_buckets * SW_WAYS;
	snapshot->connection_capacity = instance->identity.connection_buckets * SW_WAYS;
	return 0;
}

int sw_snapshot_read(const char *pin_dir, struct sw_snapshot *snapshot)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	SW_AUTO_FREE struct sw_snapshot *made = calloc(1, sizeof(*made));
	struct sw_status_map maps[SW_MAX_MAPS];
	uint32_t map_count;
	int error;

	if (!made)
		return -ENOMEM;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (!error)
		error = sw_records_open(&instance, &records);
	if (!error)
		error = sw_snapshot_take(&instance, &records, made);
	if (error)
		return error;
	read_maps(&instance, maps, &map_count, &made->map_bytes);
	*snapshot = *made;
	return 0;
}

/* Who may see packets before ours. */
static void read_before(struct sw_status_interface *to)
{
	SW_AUTO_NETNS int back = -1;

	if (sw_netns_enter(to->record.netns, &back))
		return;
	if (to->record.mode == SW_MODE_TC && to->ingress == SW_HEALTH_OK)
		sw_tc_before(&to->record, SW_INGRESS, to->ingress_program, &to->before_ingress);
	if (to->egress == SW_HEALTH_OK)
		sw_tc_before(&to->record, SW_EGRESS, to->egress_program, &to->before_egress);
}

/*
 * Has the attach ended that brings an interface? While it is under way the record does not say how it will be, and no hook is
 * missing. One that has ended meanwhile has written the record anew.
 */
static bool has_come(const struct sw_instance *instance, const struct sw_records *records,
		     uint32_t slot, struct sw_interface *record)
{
	if (record->tc_hook != SW_TC_NONE)
		return true;
	return !sw_pins_are_locked(&instance->pins) &&
	       !bpf_map_lookup_elem(records->interfaces_fd, &slot, record) && record->ifindex;
}

static void read_health(const struct sw_instance *instance, const struct sw_records *records,
			struct sw_status *status)
{
	const struct sw_pins *pins = &instance->pins;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_status_interface *to = &status->interfaces[status->interface_count];

		if (!is_there(instance, records, slot))
			continue;
		to->record = records->slots[slot];
		if (!has_come(instance, records, slot, &to->record))
			continue;
		to->slot = slot;
		to->ingress = sw_ingress_health(pins, &to->record, slot, &to->ingress_program);
		to->egress = sw_tc_health(pins, &to->record, slot, SW_EGRESS, &to->egress_program);
		/* it may have begun to end when it was asked for the first time */
		if ((to->ingress == SW_HEALTH_GONE || to->egress == SW_HEALTH_GONE) &&
		    !is_there(instance, records, slot)) {
			memset(to, 0, sizeof(*to));
			continue;
		}
		to->hidden = (to->ingress == SW_HEALTH_UNKNOWN ||
			      to->egress == SW_HEALTH_UNKNOWN) &&
			     sw_hooks_are_hidden(&to->record);
		read_before(to);
		status->interface_count++;
	}
}

int sw_status_take(const struct sw_instance *instance, const struct sw_records *records,
		   const struct sw_counters *total, struct sw_status *status)
{
	int error = sw_settings_read(instance, &status->settings);

	if (error)
		return error;
	read_maps(instance, status->maps, &status->map_count, &status->map_bytes);
	read_health(instance, records, status);
	error = sw_defence_look(instance, records, status);
	if (!error) /* hooks that a detach took off are not missing */
		error = sw_instance_check(instance);
	if (error)
		return error;
	status->attached = true;
	status->taken_ns = sw_monotonic_ns();
	status->identity = instance->identity;
	status->half_open = half_open(total);
	status->connections = connections(total);
	status->sweeper = sw_sweeper_state(instance);
	return 0;
}

static int read_status(const char *pin_dir, bool with_sources, struct sw_status *status)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	SW_AUTO_FREE struct sw_status *made = calloc(1, sizeof(*made));
	struct sw_counters total;
	int error;

	if (!made)
		return -ENOMEM;
	sw_format(made->pin_dir, sizeof(made->pin_dir), "%s", pin_dir);
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (error == -SW_NOT_ATTACHED) {
		sw_error_clear();
		*status = *made;
		return 0;
	}
	if (!error)
		error = sw_records_open(&instance, &records);
	if (!error)
		error = read_counters(&instance, &total);
	if (!error)
		error = sw_policy_view_read_of(&instance, &records, &made->policy);
	if (!error && with_sources)
		error = sw_occupancy_read(&instance, made->occupancy);
	if (!error)
		error = sw_status_take(&instance, &records, &total, made);
	if (!error)
		*status = *made;
	return error;
}

int sw_status_read(const char *pin_dir, struct sw_status *status)
{
	return read_status(pin_dir, true, status);
}

int sw_status_read_often(const char *pin_dir, struct sw_status *status)
{
	return read_status(pin_dir, false, status);
}
