// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking off the hooks of which no record tells any more, or none that this version can read. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/netns.h"
#include "program.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <string.h>

#define PROGRAMS (4 * SW_MAX_INTERFACES)
#define MAPS	 64

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

int sw_link_forget_next(const struct sw_pins *pins, const char *name)
{
	char next[64];
	int error;

	sw_format(next, sizeof(next), "%s_next", name);
	error = sw_link_detach(pins, next);
	return error ? error : sw_pins_remove(pins, next);
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

/* By what a filter of ours is known, which does not live by a pin. */
struct ours {
	uint32_t programs[PROGRAMS];
	uint32_t program_count;
	uint32_t maps[MAPS];
	uint32_t map_count;
};

/* The ids of what is pinned in a directory by names that begin so, as far as there is room. */
static void read_ids(const struct sw_pins *pins, const char *name, const char *begins,
		     uint32_t (*id_of)(int fd), uint32_t *ids, uint32_t *count, uint32_t room)
{
	SW_AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	dir = opendir(path);
	while (dir && *count < room && (entry = readdir(dir))) {
		SW_AUTO_FD int fd = -1;

		if (strncmp(entry->d_name, begins, strlen(begins)) != 0)
			continue;
		sw_pins_path(pins, path, "%s/%s", name, entry->d_name);
		fd = bpf_obj_get(path);
		ids[*count] = fd < 0 ? 0 : id_of(fd);
		*count += ids[*count] != 0;
	}
}

/* Its program is pinned, or, after somebody's rm, works with a map that is. */
static bool is_ours(void *context, uint32_t program)
{
	const struct ours *ours = context;
	SW_AUTO_FD int fd = -1;

	for (uint32_t i = 0; i < ours->program_count; i++)
		if (ours->programs[i] == program)
			return true;
	fd = bpf_prog_get_fd_by_id(program);
	for (uint32_t i = 0; fd >= 0 && i < ours->map_count; i++)
		if (sw_program_uses(fd, ours->maps[i]))
			return true;
	return false;
}

static int discard_filters(const struct sw_pins *pins, struct ours *ours, uint32_t netns)
{
	SW_AUTO_NETNS int back = -1;
	struct if_nameindex *all;
	int error = 0;

	if (sw_netns_enter(netns, &back))
		return 0; /* it is gone, or not ours to look at */
	all = if_nameindex();
	for (size_t i = 0; all && all[i].if_index && !error; i++) {
		struct sw_interface record = { .ifindex = all[i].if_index, .netns = netns };

		sw_format(record.name, sizeof(record.name), "%s", all[i].if_name);
		error = sw_clsact_discard(pins, &record, SW_INGRESS, is_ours, ours);
		if (!error)
			error = sw_clsact_discard(pins, &record, SW_EGRESS, is_ours, ours);
	}
	if_freenameindex(all);
	return error;
}

int sw_hooks_discard(const struct sw_pins *pins)
{
	SW_AUTO_FREE struct ours *ours = calloc(1, sizeof(*ours));
	SW_AUTO_FREE uint32_t *netns = NULL;
	int count, error = ours ? 0 : -ENOMEM;
	char name[32];

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++) {
		sw_format(name, sizeof(name), "links/%u", slot);
		if (!sw_pins_exist(pins, name))
			continue;
		error = detach_links(pins, name);
		read_ids(pins, name, "filter", sw_program_id, ours->programs, &ours->program_count,
			 PROGRAMS);
	}
	if (error)
		return error;
	read_ids(pins, "maps", "", sw_map_id, ours->maps, &ours->map_count, MAPS);
	if (!ours->program_count && !ours->map_count)
		return 0;
	count = sw_netns_list(&netns);
	for (int i = 0; i < count && !error; i++)
		error = discard_filters(pins, ours, netns[i]);
	return count < 0 ? count : error;
}
