// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is on the XDP hook already, and how to get it off. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/netlink.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct occupant {
	uint32_t program;
	uint32_t link; /* 0: attached by netlink, or unknown */
	const char *mode;
	char name[BPF_OBJ_NAME_LEN];
};

/* The ids of the programs on the hook of an interface; 0: none. The kernel tells any where there is only one. */
struct programs {
	uint32_t any, generic, native, offloaded;
};

static int take_program(const struct nlattr *attribute, void *context)
{
	struct programs *to = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_XDP_PROG_ID:
		to->any = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP_SKB_PROG_ID:
		to->generic = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP_DRV_PROG_ID:
		to->native = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP_HW_PROG_ID:
		to->offloaded = mnl_attr_get_u32(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int take_xdp(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) != IFLA_XDP)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attribute, take_program, context);
}

static int take_link(const struct nlmsghdr *message, void *context)
{
	mnl_attr_parse(message, sizeof(struct ifinfomsg), take_xdp, context);
	return MNL_CB_OK;
}

/*
 * Returns 0 or -errno. bpf_xdp_query() of libbpf has the kernel list all interfaces to find the one, so that it took the
 * square of their number to look at each.
 */
static int find_programs(uint32_t ifindex, struct programs *found)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *about;
	int error;

	memset(found, 0, sizeof(*found));
	request->nlmsg_type = RTM_GETLINK;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->ifi_family = AF_UNSPEC;
	about->ifi_index = (int)ifindex;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	error = sw_netlink_ask(NETLINK_ROUTE, request, take_link, found);
	return error == -ENODEV ? 0 : error; /* one that is gone has none */
}

static bool query(uint32_t ifindex, struct occupant *who)
{
	struct programs found;

	if (find_programs(ifindex, &found))
		return false;
	who->mode = found.generic ? "generic" : found.offloaded ? "offloaded" : "native";
	who->program = found.generic ? found.generic :
		       found.native  ? found.native :
				       found.offloaded;
	if (!who->program)
		who->program = found.any;
	return who->program != 0;
}

bool sw_xdp_is_taken(uint32_t ifindex)
{
	struct occupant who = {};

	return query(ifindex, &who);
}

bool sw_xdp_has_program(uint32_t ifindex, uint32_t program)
{
	struct programs found;

	return find_programs(ifindex, &found) || found.any == program || found.native == program ||
	       found.generic == program;
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

bool sw_xdp_is_own(const struct sw_pins *pins, uint32_t ifindex)
{
	struct occupant who = {};

	return query(ifindex, &who) && sw_is_own_program(pins, who.program);
}

int sw_occupied(const struct sw_pins *pins, const struct sw_interface *record)
{
	struct occupant who = {};
	int error;

	if (!query(record->ifindex, &who))
		return sw_error(EBUSY, "%s: its XDP hook is taken by another program",
				record->name);
	error = sw_check_owner(pins, record->name, who.program);
	if (error)
		return error;
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
