// SPDX-License-Identifier: GPL-2.0-or-later
#include "listeners.h"

#include "netlink.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct taker {
	void (*take)(const struct sw_listener *listener, void *context);
	void *context;
};

static int take_ulp(const struct nlattr *attribute, void *context)
{
	struct sw_listener *listener = context;

	if (mnl_attr_get_type(attribute) == INET_ULP_INFO_NAME)
		listener->mptcp = !strcmp(mnl_attr_get_str(attribute), "mptcp");
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct sw_listener *listener = context;

	if (mnl_attr_get_type(attribute) == INET_DIAG_MD5SIG)
		listener->is_signed = true;
	if (mnl_attr_get_type(attribute) == INET_DIAG_ULP_INFO)
		return mnl_attr_parse_nested(attribute, take_ulp, listener);
	return MNL_CB_OK;
}

static int take_message(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *about = mnl_nlmsg_get_payload(message);
	const struct taker *to = context;
	struct sw_listener listener = {
		.port = ntohs(about->id.idiag_sport),
		/* of a listener these two do not say bytes */
		.waiting = about->idiag_rqueue,
		.backlog = about->idiag_wqueue,
	};

	if (about->idiag_family == AF_INET) {
		listener.addr.words[2] = SW_V4_MAPPED_WORD;
		memcpy(&listener.addr.words[3], about->id.idiag_src, 4);
	} else {
		memcpy(listener.addr.bytes, about->id.idiag_src, sizeof(listener.addr.bytes));
	}
	mnl_attr_parse(message, sizeof(*about), take_attribute, &listener);
	to->take(&listener, to->context);
	return MNL_CB_OK;
}

static int dump(uint8_t family, struct taker *to)
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
	return sw_netlink_ask(NETLINK_SOCK_DIAG, request, take_message, to);
}

int sw_listeners_dump(void (*take)(const struct sw_listener *listener, void *context),
		      void *context)
{
	struct taker to = { take, context };
	int error = dump(AF_INET, &to);

	return error ? error : dump(AF_INET6, &to);
}

bool sw_listener_is_any(const struct sw_listener *listener)
{
	const struct sw_addr *addr = &listener->addr;

	return !addr->halves[0] && !addr->words[3] && (!addr->words[2] || sw_addr_is_v4(addr));
}
