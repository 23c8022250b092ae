// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking off the hooks of which no record tells any more, or none that this version can read. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/netns.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <string.h>

int sw_link_detach(const struct sw_pins *pins, const char *name)
{
	SW_AUTO_FD int link = -1;
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	link = bpf_obj_get(path);
	if (link < 0 && sw_is_shortage(errno))
		return sw_error(errno, "cannot open %s/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	if (link >= 0)
		bpf_link_detach(link); /* of a device that is gone it is detached already */
	return 0;
}

/* Whatever their names: a version may have links that this one does not know. A program is no link, which is fine. */
static int detach_links(const struct sw_pins *pins, const char *slot_name)
{
	SW_AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;
	char path[SW_PIN_PATH];
	int error = 0;

	sw_pins_path(pins, path, "%s", slot_name);
	dir = opendir(path);
	if (!dir)
		return sw_error(errno, "cannot open %s/%s: %s", pins->shown, slot_name,
				sw_errno_text(errno));
	while (!error && (entry = readdir(dir))) {
		sw_format(path, sizeof(path), "%s/%s", slot_name, entry->d_name);
		error = sw_link_detach(pins, path);
	}
	return error;
}

/* A filter does not live by its pin: it is looked for on every interface of this network namespace. */
static int detach_filter(const struct sw_pins *pins, uint32_t slot)
{
	struct if_nameindex *all = if_nameindex();
	int error = 0;

	for (size_t i = 0; all && all[i].if_index && !error; i++) {
		struct sw_interface record = { .ifindex = all[i].if_index,
					       .netns = sw_netns_own() };

		sw_format(record.name, sizeof(record.name), "%s", all[i].if_name);
		error = sw_clsact_detach(pins, &record, slot);
	}
	if_freenameindex(all);
	return error;
}

int sw_hooks_discard(const struct sw_pins *pins)
{
	char name[32];
	int error = 0;

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++) {
		sw_format(name, sizeof(name), "links/%u", slot);
		if (!sw_pins_exist(pins, name))
			continue;
		error = detach_links(pins, name);
		if (!error)
			error = detach_filter(pins, slot);
	}
	return error;
}
