// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces that have ended together with their network namespace, as the kernel tells it of their links. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../platform/netns.h"

#include <bpf/bpf.h>

/*
 * Has a link its interface no more? Without a pin there is no link, since that kept it alive. One that may not be looked at
 * may have it.
 */
static bool has_ended(const struct sw_pins *pins, uint32_t slot, const char *name)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	SW_AUTO_FD int link = -1;
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "links/%u/%s", slot, name);
	link = bpf_obj_get(path);
	if (link < 0)
		return errno == ENOENT;
	/* a TCX link has its ifindex in the same place, which libbpf 1.1 has no name for */
	return !bpf_obj_get_info_by_fd(link, &info, &length) && !info.xdp.ifindex;
}

bool sw_hooks_are_gone(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot)
{
	bool tc = record->mode == SW_MODE_TC;

	if (tc && record->tc_hook == SW_TC_CLSACT)
		return false; /* no link tells it of filters */
	return !sw_record_is_here(record) &&
	       has_ended(pins, slot, tc ? sw_tcx_pin(SW_INGRESS) : "xdp") &&
	       has_ended(pins, slot, sw_tcx_pin(SW_EGRESS)) && sw_record_exists(record) == -ENOENT;
}

bool sw_hooks_are_hidden(const struct sw_interface *record)
{
	return sw_record_exists(record) == -ENOENT && sw_netns_may_look();
}

int sw_hooks_forget_gone(const struct sw_instance *instance, struct sw_records *records)
{
	char name[32];
	int error = 0;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++) {
		const struct sw_interface *record = &records->slots[slot];

		if (!record->ifindex || !sw_hooks_are_gone(&instance->pins, record, slot))
			continue;
		sw_format(name, sizeof(name), "links/%u", slot);
		error = sw_pins_remove(&instance->pins, name);
		if (!error)
			error = sw_records_drop(records, slot);
	}
	return error;
}
