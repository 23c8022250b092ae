// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface_records.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/interface_name.h"
#include "../platform/netns.h"
#include "percpu.h"
#include "rows.h"

#include <synward/cookie.h>
#include <synward/counters.h>
#include <synward/tables.h>

#include <bpf/bpf.h>
#include <string.h>

static bool is_of(const struct sw_interface *record, uint32_t netns, uint64_t cookie)
{
	return record->netns == netns && (!record->netns_cookie || record->netns_cookie == cookie);
}

bool sw_record_is_here(const struct sw_interface *record)
{
	return is_of(record, sw_netns_own(), sw_netns_cookie());
}

/* Has those of the network namespace that this process is in the names that their interfaces have now. */
static void follow_names_here(struct sw_records *records)
{
	uint32_t netns = sw_netns_own();
	uint64_t cookie = sw_netns_cookie();
	char name[SW_IFNAME_SIZE];

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_interface *record = &records->slots[slot];

		if (!record->ifindex || !is_of(record, netns, cookie) ||
		    !sw_interface_name(record->ifindex, name) || !strcmp(record->name, name))
			continue;
		strcpy(record->name, name);
		records->renamed |= 1ULL << slot;
	}
}

/* Each network namespace once; one that may not be entered keeps the names that are noted. */
static void follow_names(struct sw_records *records)
{
	uint32_t netns, known;

	records->renamed = 0;
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		SW_AUTO_NETNS int back = -1;

		netns = records->slots[slot].netns;
		for (known = 0; known < slot; known++)
			if (records->slots[known].ifindex && records->slots[known].netns == netns)
				break;
		if (records->slots[slot].ifindex && known == slot && !sw_netns_enter(netns, &back))
			follow_names_here(records);
	}
}

int sw_records_open(const struct sw_instance *instance, struct sw_records *records)
{
	int error;

	error = sw_instance_map(instance, "interfaces", sizeof(struct sw_interface),
				&records->interfaces_fd);
	if (!error)
		error = sw_instance_map(instance, "attached", sizeof(__u32), &records->attached_fd);
	if (!error)
		error = sw_instance_map(instance, "traffic", sizeof(struct sw_interface_traffic),
					&records->traffic_fd);
	if (!error)
		error = sw_instance_map(instance, "cookie_offers", sizeof(struct sw_cookie_offer),
					&records->offers_fd);
	if (!error)
		error = sw_instance_map(instance, "tc_notes", sizeof(struct sw_tc_note),
					&records->tc_notes_fd);
	if (error)
		return error;
	records->count = 0;
	error = sw_rows_read(records->interfaces_fd, 0, SW_MAX_INTERFACES, records->slots);
	if (error)
		return sw_error(error, "cannot read the attached interfaces: %s",
				sw_errno_text(error));
	for (__u32 slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_interface *record = &records->slots[slot];

		record->name[SW_IFNAME_SIZE - 1] = '\0';
		records->count += record->ifindex != 0;
	}
	follow_names(records);
	return 0;
}

void sw_records_close(struct sw_records *records)
{
	sw_close_fd(&records->interfaces_fd);
	sw_close_fd(&records->attached_fd);
	sw_close_fd(&records->traffic_fd);
	sw_close_fd(&records->offers_fd);
	sw_close_fd(&records->tc_notes_fd);
}

int sw_records_find(const struct sw_records *records, uint32_t netns, uint32_t ifindex)
{
	for (int slot = 0; slot < SW_MAX_INTERFACES; slot++)
		if (records->slots[slot].ifindex == ifindex && records->slots[slot].netns == netns)
			return slot;
	return -1;
}

int sw_records_find_name(const struct sw_records *records, uint32_t netns, const char *name)
{
	for (int slot = 0; slot < SW_MAX_INTERFACES; slot++)
		if (records->slots[slot].ifindex && records->slots[slot].netns == netns &&
		    !strcmp(records->slots[slot].name, name))
			return slot;
	return -1;
}

int sw_records_free_slot(const struct sw_records *records)
{
	for (int slot = 0; slot < SW_MAX_INTERFACES; slot++)
		if (!records->slots[slot].ifindex)
			return slot;
	return -1;
}

static int write_failed(void)
{
	return sw_error(errno, "cannot record the interface: %s", sw_errno_text(errno));
}

static int clear_traffic(const struct sw_records *records, uint32_t slot)
{
	SW_AUTO_FREE void *zeros = calloc((size_t)sw_cpu_count(),
					  sizeof(struct sw_interface_traffic));

	if (!zeros)
		return -ENOMEM;
	return bpf_map_update_elem(records->traffic_fd, &slot, zeros, BPF_ANY) ? write_failed() : 0;
}

int sw_records_put(struct sw_records *records, uint32_t slot, const struct sw_interface *record,
		   bool fresh)
{
	int error = fresh ? clear_traffic(records, slot) : 0;

	if (error)
		return error;
	if (bpf_map_update_elem(records->interfaces_fd, &slot, record, BPF_ANY))
		return write_failed();
	records->count += !records->slots[slot].ifindex;
	records->slots[slot] = *record;
	return 0;
}

int sw_records_save_names(struct sw_records *records)
{
	int error = 0;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++)
		if (records->renamed >> slot & 1)
			error = sw_records_put(records, slot, &records->slots[slot], false);
	records->renamed = 0;
	return error;
}

int sw_records_activate(const struct sw_records *records, uint32_t slot)
{
	const struct sw_interface *record = &records->slots[slot];
	struct sw_interface_key key = { .netns = record->netns, .ifindex = record->ifindex };

	return bpf_map_update_elem(records->attached_fd, &key, &slot, BPF_ANY) ? write_failed() : 0;
}

bool sw_records_is_active(const struct sw_records *records, uint32_t slot)
{
	const struct sw_interface *record = &records->slots[slot];
	struct sw_interface_key key = { .netns = record->netns, .ifindex = record->ifindex };
	__u32 found;

	return !bpf_map_lookup_elem(records->attached_fd, &key, &found) && found == slot;
}

int sw_records_drop(struct sw_records *records, uint32_t slot)
{
	struct sw_interface *record = &records->slots[slot], none = {};
	const struct sw_cookie_offer nothing = {};
	struct sw_interface_key key = { .netns = record->netns, .ifindex = record->ifindex };

	if (!record->ifindex)
		return 0;
	if (bpf_map_delete_elem(records->attached_fd, &key) && errno != ENOENT)
		return write_failed();
	if (bpf_map_update_elem(records->offers_fd, &slot, &nothing, BPF_ANY) ||
	    bpf_map_update_elem(records->interfaces_fd, &slot, &none, BPF_ANY))
		return write_failed();
	*record = none;
	records->count--;
	return 0;
}

int sw_record_exists(const struct sw_interface *record)
{
	SW_AUTO_NETNS int back = -1;
	char name[IF_NAMESIZE];
	int error = sw_netns_enter(record->netns, &back);

	if (error)
		return error == -ENOENT ? -ENOENT : -EPERM;
	if (!sw_record_is_here(record))
		return -ENOENT; /* another one has its inode number now */
	return sw_interface_name(record->ifindex, name);
}
