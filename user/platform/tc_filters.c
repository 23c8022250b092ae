// SPDX-License-Identifier: GPL-2.0-or-later
#include "tc_filters.h"

#include "../base/error.h"
#include "netlink.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define MAX_BEFORE (sizeof(((struct sw_filters *)0)->programs_before) / sizeof(uint32_t))

struct search {
	struct sw_filters *filters;
	uint32_t ifindex;
	uint32_t parent;
	uint32_t wanted; /* the parent whose filters are looked at */
	uint32_t priority;
};

static int take_kind(const struct nlattr *attribute, void *kind)
{
	if (mnl_attr_get_type(attribute) == TCA_KIND)
		*(const char **)kind = mnl_attr_get_str(attribute);
	return MNL_CB_OK;
}

static int take_qdisc(const struct nlmsghdr *message, void *context)
{
	const struct tcmsg *about = mnl_nlmsg_get_payload(message);
	struct search *search = context;
	const char *kind = "";

	mnl_attr_parse(message, sizeof(*about), take_kind, &kind);
	if ((uint32_t)about->tcm_ifindex == search->ifindex && !strcmp(kind, "clsact"))
		search->filters->clsact = true;
	return MNL_CB_OK;
}

static int take_program(const struct nlattr *attribute, void *context)
{
	struct sw_filter *filter = context;

	if (mnl_attr_get_type(attribute) == TCA_BPF_ID)
		filter->program = mnl_attr_get_u32(attribute);
	if (mnl_attr_get_type(attribute) == TCA_BPF_NAME)
		sw_format(filter->name, sizeof(filter->name), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int take_options(const struct nlattr *attribute, void *filter)
{
	if (mnl_attr_get_type(attribute) == TCA_OPTIONS)
		mnl_attr_parse_nested(attribute, take_program, filter);
	return MNL_CB_OK;
}

static int take_filter(const struct nlmsghdr *message, void *context)
{
	const struct tcmsg *about = mnl_nlmsg_get_payload(message);
	uint32_t priority = about->tcm_info >> 16;
	struct search *search = context;
	struct sw_filters *filters = search->filters;
	struct sw_filter filter = { .handle = about->tcm_handle };

	if (!about->tcm_handle)
		return MNL_CB_OK; /* the head of a priority's list */
	filters->count++;
	if (search->parent != search->wanted)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*about), take_options, &filter);
	if (priority == search->priority && filters->found < SW_MAX_FILTERS)
		filters->rows[filters->found++] = filter;
	if (priority < search->priority && filter.program && filters->before < MAX_BEFORE)
		filters->programs_before[filters->before++] = filter.program;
	return MNL_CB_OK;
}

static int dump(uint16_t type, mnl_cb_t take, struct search *search)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct tcmsg *about;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->tcm_family = AF_UNSPEC;
	about->tcm_ifindex = (int)search->ifindex;
	about->tcm_parent = search->parent;
	return sw_netlink_ask(NETLINK_ROUTE, request, take, search);
}

int sw_filters_read(uint32_t ifindex, enum sw_direction direction, uint32_t priority,
		    struct sw_filters *filters)
{
	static const uint32_t parents[] = {
		[SW_INGRESS] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		[SW_EGRESS] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
	};
	struct sw_filters found = {};
	struct search search = { .filters = &found,
				 .ifindex = ifindex,
				 .wanted = parents[direction],
				 .priority = priority };
	int error = dump(RTM_GETQDISC, take_qdisc, &search);

	for (unsigned int i = 0; i < 2 && !error && found.clsact; i++) {
		search.parent = parents[i];
		error = dump(RTM_GETTFILTER, take_filter, &search);
	}
	if (!error)
		*filters = found;
	return error;
}

const struct sw_filter *sw_filters_find(const struct sw_filters *filters, uint32_t handle)
{
	for (uint32_t i = 0; i < filters->found; i++)
		if (filters->rows[i].handle == handle)
			return &filters->rows[i];
	return NULL;
}
