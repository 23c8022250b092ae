// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned links: how they are, and taking them back. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../platform/netns.h"
#include "../platform/privileges.h"
#include "program.h"

#include <bpf/bpf.h>
#include <string.h>

static int open_link(const struct sw_pins *pins, const char *name)
{
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	return bpf_obj_get(path);
}

/* A TCX link has its ifindex where one of XDP has it, which libbpf 1.1 has no name for. */
static int read_link(int link, struct bpf_link_info *info)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(link, info, &length) ? -errno : 0;
}

/*
 * The index of an interface that was moved away may be used again in the namespace that it has left: does the
 * interface that has it now have the link's program? As far as that may be looked at.
 */
static bool is_on_interface(const struct sw_interface *record, const struct bpf_link_info *info)
{
	SW_AUTO_NETNS int back = -1;

	if (sw_netns_enter(record->netns, &back))
		return true;
	if (info->type == BPF_LINK_TYPE_XDP)
		return sw_xdp_has_program(record->ifindex, info->prog_id);
	/* a link of TCX has the kind of its hook where one of a namespace has it */
	return sw_tcx_has_program(record->ifindex, info->netns.attach_type, info->prog_id);
}

/*
 * Has somebody put another program into the link? Each of ours asks the settings. What may not be looked at, or has gone
 * meanwhile, counts as ours.
 */
static bool is_foreign(const struct sw_pins *pins, uint32_t program)
{
	SW_AUTO_FD int fd = sw_privileges_are_dropped() ? -1 : bpf_prog_get_fd_by_id(program);
	SW_AUTO_FD int map = -1;
	char path[SW_PIN_PATH];
	uint32_t id;

	sw_pins_path(pins, path, "maps/settings");
	map = fd < 0 ? -1 : bpf_obj_get(path);
	id = map < 0 ? 0 : sw_map_id(map);
	return id && !sw_program_uses(fd, id);
}

enum sw_health sw_link_health(const struct sw_pins *pins, const char *name,
			      const struct sw_interface *record, uint32_t *program)
{
	SW_AUTO_FD int link = open_link(pins, name);
	struct bpf_link_info info = {};
	int exists;

	*program = 0;
	if (link < 0)
		return errno == ENOENT ? SW_HEALTH_MISSING : SW_HEALTH_UNKNOWN;
	if (read_link(link, &info))
		return SW_HEALTH_UNKNOWN;
	exists = sw_record_exists(record);
	if (info.xdp.ifindex == 0)
		return exists == 0 || exists == -ENOENT ? SW_HEALTH_GONE : SW_HEALTH_DETACHED;
	*program = info.prog_id;
	if (info.xdp.ifindex != record->ifindex || exists == 0)
		return SW_HEALTH_MOVED;
	while (exists == 1 && !is_on_interface(record, &info)) {
		/* unless an upgrade has replaced it meanwhile */
		if (read_link(link, &info) || info.prog_id == *program)
			return SW_HEALTH_MOVED;
		*program = info.prog_id;
	}
	return is_foreign(pins, *program) ? SW_HEALTH_FOREIGN : SW_HEALTH_OK;
}

/* Is a link of that index? Another interface in another namespace may have the same one. */
static bool has_index(const struct sw_pins *pins, const char *name, uint32_t ifindex,
		      struct bpf_link_info *info)
{
	SW_AUTO_FD int link = open_link(pins, name);

	/* a TCX link has its ifindex in the same place, which libbpf 1.1 has no name for */
	return link >= 0 && !read_link(link, info) && info->xdp.ifindex == ifindex;
}

bool sw_ingress_is_on(const struct sw_pins *pins, uint32_t slot, uint32_t ifindex)
{
	struct bpf_link_info info = {};
	char name[32];

	sw_format(name, sizeof(name), "links/%u/xdp", slot);
	if (has_index(pins, name, ifindex, &info))
		return sw_xdp_is_taken(ifindex) && sw_xdp_has_program(ifindex, info.prog_id);
	sw_format(name, sizeof(name), "links/%u/tcx_ingress", slot);
	return has_index(pins, name, ifindex, &info) &&
	       sw_tcx_has_program(ifindex, info.netns.attach_type, info.prog_id);
}

int sw_link_take_back(const struct sw_pins *pins, const char *name,
		      const struct sw_interface *record, int program)
{
	SW_AUTO_FD int link = open_link(pins, name);

	if (link < 0 || bpf_link_update(link, program, NULL))
		return sw_error(errno, "%s: the kernel did not replace the program of %s/%s: %s",
				record->name, pins->shown, name, sw_errno_text(errno));
	return 0;
}
