// SPDX-License-Identifier: GPL-2.0-or-later
/* The listeners of this network namespace, as far as they differ for who answers in their stead. */
#include "facts.h"
#include "../platform/netlink.h"

#include "../base/error.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct marks {
	bool mptcp;
	bool is_signed;
};

static int take_ulp(const struct nlattr *attribute, void *context)
{
	struct marks *marks = context;

	if (mnl_attr_get_type(attribute) == INET_ULP_INFO_NAME)
		marks->mptcp = !strcmp(mnl_attr_get_str(attribute), "mptcp");
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct marks *marks = context;

	if (mnl_attr_get_type(attribute) == INET_DIAG_MD5SIG)
		marks->is_signed = true;
	if (mnl_attr_get_type(attribute) == INET_DIAG_ULP_INFO)
		return mnl_attr_parse_nested(attribute, take_ulp, marks);
	return MNL_CB_OK;
}

static int take_listener(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *about = mnl_nlmsg_get_payload(message);
	struct sw_listener_facts *facts = context;
	struct marks marks = {};
	char port[8];

	mnl_attr_parse(message, sizeof(*about), take_attribute, &marks);
	sw_format(port, sizeof(port), "%u", ntohs(about->id.idiag_sport));
	facts->count++;
	if (marks.mptcp)
		sw_fact_append(facts->mptcp, port);
	if (marks.is_signed)
		sw_fact_append(facts->signed_, port);
	/* of a listener these are who waits to be accepted, and how many may */
	if (about->idiag_rqueue > about->idiag_wqueue)
		sw_fact_append(facts->full, port);
	return MNL_CB_OK;
}

static int dump(uint8_t family, struct sw_listener_facts *facts)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *about;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->sdiag_family = family;
	about->sdiag_protocol = IPPROTO_TCP;
	about->idiag_states = 1 << TCP_LISTEN;
	about->idiag_ext = 1 << (INET_DIAG_INFO - 1); /* what else there is comes with it alone */
	return sw_netlink_ask(NETLINK_SOCK_DIAG, request, take_listener, facts);
}

void sw_read_listeners(struct sw_listener_facts *facts)
{
	int error = dump(AF_INET, facts);

	if (!error)
		error = dump(AF_INET6, facts);
	facts->error = -error;
}
