// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is on the XDP hook already, and how to get it off. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>

struct occupant {
	uint32_t program;
	uint32_t link; /* 0: attached by netlink, or unknown */
	const char *mode;
	char name[BPF_OBJ_NAME_LEN];
};

static bool query(uint32_t ifindex, struct occupant *who)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);

	if (bpf_xdp_query((int)ifindex, 0, &found))
		return false;
	who->mode = found.skb_prog_id ? "generic" : found.hw_prog_id ? "offloaded" : "native";
	who->program = found.skb_prog_id ? found.skb_prog_id :
		       found.drv_prog_id ? found.drv_prog_id :
					   found.hw_prog_id;
	if (!who->program)
		who->program = found.prog_id;
	return who->program != 0;
}

bool sw_xdp_is_taken(uint32_t ifindex)
{
	struct occupant who = {};

	return query(ifindex, &who);
}

bool sw_xdp_has_program(uint32_t ifindex, uint32_t program)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);

	return bpf_xdp_query((int)ifindex, 0, &found) || found.prog_id == program ||
	       found.drv_prog_id == program || found.skb_prog_id == program;
}

static void find_name(struct occupant *who)
{
	SW_AUTO_FD int fd = bpf_prog_get_fd_by_id(who->program);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		strcpy(who->name, "?");
	else
		memcpy(who->name, info.name, sizeof(who->name));
}

/* Links can be listed by the privileged only; without that the way off is not told. */
static int find_link(struct occupant *who)
{
	struct bpf_link_info info;
	__u32 id = 0, length;

	while (bpf_link_get_next_id(id, &id) == 0) {
		SW_AUTO_FD int fd = bpf_link_get_fd_by_id(id);

		memset(&info, 0, sizeof(info));
		length = sizeof(info);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
			continue;
		if (info.type == BPF_LINK_TYPE_XDP && info.prog_id == who->program) {
			who->link = id;
			return 0;
		}
	}
	return errno == ENOENT ? 0 : -errno;
}

static bool is_synward(const char *program)
{
	return !strcmp(program, "sw_xdp") || !strcmp(program, "sw_xdp_frags");
}

bool sw_xdp_is_synward(uint32_t ifindex)
{
	struct occupant who = {};

	if (!query(ifindex, &who))
		return false;
	find_name(&who);
	return is_synward(who.name);
}

int sw_occupied(const struct sw_interface *record)
{
	struct occupant who = {};
	int error;

	if (!query(record->ifindex, &who))
		return sw_error(EBUSY, "%s: its XDP hook is taken by another program",
				record->name);
	find_name(&who);
	error = find_link(&who);
	if (who.link)
		return sw_error(
			EBUSY,
			"%s: its XDP hook is taken by program %s (id %u, %s, attached by link "
			"%u)%s; remove it first, for example: bpftool link detach id %u",
			record->name, who.name, who.program, who.mode, who.link,
			is_synward(who.name) ? " of another synward --pin-dir" : "", who.link);
	if (error)
		return sw_error(EBUSY,
				"%s: its XDP hook is taken by program %s (id %u, %s); remove "
				"it first",
				record->name, who.name, who.program, who.mode);
	return sw_error(EBUSY,
			"%s: its XDP hook is taken by program %s (id %u, %s, attached by netlink); "
			"remove it first, for example: ip link set dev %s xdp%s off",
			record->name, who.name, who.program, who.mode, record->name,
			strcmp(who.mode, "generic") ? "" : "generic");
}
