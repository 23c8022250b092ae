// SPDX-License-Identifier: GPL-2.0-or-later
/* The generic netlink family "netdev". */
#include "xdp_features.h"

#include "netlink.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>

/* linux/netdev.h is newer than the headers of Debian 12; the numbers are ABI */
enum { DEV_GET = 1, DEV_IFINDEX = 1, DEV_XDP_FEATURES = 3 };

static struct nlmsghdr *begin(char buffer[SW_NETLINK_SIZE], uint16_t family, uint8_t command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	message->nlmsg_type = family;
	generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return message;
}

static int take_family_id(const struct nlattr *attribute, void *id)
{
	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)id = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int take_family(const struct nlmsghdr *message, void *id)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), take_family_id, id);
}

struct answer {
	bool found;
	uint64_t features;
};

static int take_feature(const struct nlattr *attribute, void *context)
{
	struct answer *answer = context;

	if (mnl_attr_get_type(attribute) == DEV_XDP_FEATURES) {
		answer->features = mnl_attr_get_u64(attribute);
		answer->found = true;
	}
	return MNL_CB_OK;
}

static int take_device(const struct nlmsghdr *message, void *context)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), take_feature, context);
}

bool sw_read_xdp_features(uint32_t ifindex, uint64_t *features)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = begin(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct answer answer = {};
	uint16_t family = 0;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, "netdev");
	if (sw_netlink_ask(NETLINK_GENERIC, request, take_family, &family) || !family)
		return false;
	request = begin(buffer, family, DEV_GET);
	mnl_attr_put_u32(request, DEV_IFINDEX, ifindex);
	if (sw_netlink_ask(NETLINK_GENERIC, request, take_device, &answer) || !answer.found)
		return false;
	*features = answer.features;
	return true;
}
