// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What conntrack and the rules of nftables would make of an ACK whose SYN they have not seen. A rule is
 * a list of expressions that work on registers; of these only the few are understood by which rules look
 * at conntrack's state, and whether the rule drops.
 */
#include "facts.h"
#include "../platform/netlink.h"

#include "../platform/sysctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

/* NF_CT_STATE_INVALID_BIT, and NF_CT_STATE_BIT(IP_CT_NEW) */
enum { STATE_INVALID = 1 << 0, STATE_NEW = 1 << 3 };

enum { TCP_FLAGS_OFFSET = 13 };

struct rule {
	bool asks_state; /* conntrack's, the last thing that was loaded */
	bool has_mask;
	uint32_t mask;
	uint32_t states; /* those that it is about */
	bool asks_flags; /* of TCP */
	bool drops;
	bool not_understood; /* it asks for the state by a map, or as iptables does */
};

/* One expression: its name, and the attributes that are of interest, by their number. */
struct expression {
	const char *name;
	const struct nlattr *attributes[16];
};

static int take_numbered(const struct nlattr *attribute, void *context)
{
	struct expression *expression = context;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < 16)
		expression->attributes[type] = attribute;
	return MNL_CB_OK;
}

static uint32_t number(const struct nlattr *attribute, uint32_t without)
{
	return attribute ? ntohl(mnl_attr_get_u32(attribute)) : without;
}

static int take_value(const struct nlattr *attribute, void *value)
{
	if (mnl_attr_get_type(attribute) == NFTA_DATA_VALUE &&
	    mnl_attr_get_payload_len(attribute) == sizeof(uint32_t))
		memcpy(value, mnl_attr_get_payload(attribute), sizeof(uint32_t));
	return MNL_CB_OK;
}

/* Of a register, in its own byte order: that of the host for conntrack's state. */
static uint32_t value_of(const struct nlattr *data)
{
	uint32_t value = 0;

	if (data)
		mnl_attr_parse_nested(data, take_value, &value);
	return value;
}

static int take_code(const struct nlattr *attribute, void *code)
{
	if (mnl_attr_get_type(attribute) == NFTA_VERDICT_CODE)
		*(int64_t *)code = (int32_t)ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_OK;
}

static int take_verdict(const struct nlattr *attribute, void *code)
{
	if (mnl_attr_get_type(attribute) == NFTA_DATA_VERDICT)
		return mnl_attr_parse_nested(attribute, take_code, code);
	return MNL_CB_OK;
}

static bool is_drop(const struct nlattr *data)
{
	enum { NONE = INT32_MAX, DROP = 0 /* NF_DROP */ };
	int64_t code = NONE;

	if (data)
		mnl_attr_parse_nested(data, take_verdict, &code);
	return code == DROP;
}

static void compare(struct rule *rule, const struct expression *expression)
{
	bool equal = number(expression->attributes[NFTA_CMP_OP], 0) == NFT_CMP_EQ;
	uint32_t value = value_of(expression->attributes[NFTA_CMP_DATA]);

	if (!rule->asks_state)
		return;
	if (rule->has_mask && !value)
		rule->states = equal ? ~rule->mask : rule->mask;
	else
		rule->states = equal ? value : ~value;
	rule->asks_state = false;
}

static void note_match(struct rule *rule, const struct expression *expression)
{
	const struct nlattr *name = expression->attributes[NFTA_MATCH_NAME];

	if (name && (!strcmp(mnl_attr_get_str(name), "conntrack") ||
		     !strcmp(mnl_attr_get_str(name), "state")))
		rule->not_understood = true;
}

static void understand(struct rule *rule, const struct expression *expression)
{
	const struct nlattr *const *of = expression->attributes;
	const char *name = expression->name;

	if (!strcmp(name, "ct")) {
		rule->asks_state = number(of[NFTA_CT_KEY], NFT_CT_MARK) == NFT_CT_STATE;
		rule->has_mask = false;
	} else if (!strcmp(name, "bitwise") && rule->asks_state) {
		rule->mask = value_of(of[NFTA_BITWISE_MASK]);
		rule->has_mask = true;
	} else if (!strcmp(name, "cmp")) {
		compare(rule, expression);
	} else if (!strcmp(name, "lookup") && rule->asks_state) {
		rule->not_understood = true;
		rule->drops |= of[NFTA_LOOKUP_DREG] != NULL; /* its map may say so */
	} else if (!strcmp(name, "payload")) {
		rule->asks_state = false;
		rule->asks_flags |= number(of[NFTA_PAYLOAD_BASE], 0) ==
					    NFT_PAYLOAD_TRANSPORT_HEADER &&
				    number(of[NFTA_PAYLOAD_OFFSET], 0) == TCP_FLAGS_OFFSET;
	} else if (!strcmp(name, "immediate")) {
		rule->drops |= is_drop(of[NFTA_IMMEDIATE_DATA]);
	} else if (!strcmp(name, "reject")) {
		rule->drops = true;
	} else if (!strcmp(name, "match")) {
		note_match(rule, expression);
	}
}

static int take_expression_part(const struct nlattr *attribute, void *context)
{
	struct expression *expression = context;

	if (mnl_attr_get_type(attribute) == NFTA_EXPR_NAME)
		expression->name = mnl_attr_get_str(attribute);
	if (mnl_attr_get_type(attribute) == NFTA_EXPR_DATA)
		mnl_attr_parse_nested(attribute, take_numbered, expression);
	return MNL_CB_OK;
}

static int take_expression(const struct nlattr *attribute, void *context)
{
	struct expression expression = { .name = "" };

	mnl_attr_parse_nested(attribute, take_expression_part, &expression);
	understand(context, &expression);
	return MNL_CB_OK;
}

static int take_rule_part(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == NFTA_RULE_EXPRESSIONS)
		return mnl_attr_parse_nested(attribute, take_expression, context);
	return MNL_CB_OK;
}

static int take_rule(const struct nlmsghdr *message, void *context)
{
	struct sw_firewall_facts *facts = context;
	struct rule rule = {};

	mnl_attr_parse(message, sizeof(struct nfgenmsg), take_rule_part, &rule);
	if (!rule.drops)
		return MNL_CB_OK;
	facts->drops_invalid |= (rule.states & STATE_INVALID) != 0;
	facts->drops_new_no_syn |= rule.states & STATE_NEW && rule.asks_flags;
	facts->may_drop |= rule.not_understood;
	return MNL_CB_OK;
}

static int read_rules(struct sw_firewall_facts *facts)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *about;
	int error;

	request->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;
	request->nlmsg_flags = NLM_F_DUMP;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->nfgen_family = AF_UNSPEC;
	about->version = NFNETLINK_V0;
	error = sw_netlink_ask(NETLINK_NETFILTER, request, take_rule, facts);
	/* without nf_tables there are no rules of it */
	return error == -EPROTONOSUPPORT || error == -EINVAL || error == -EOPNOTSUPP ? 0 : error;
}

static bool has_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	bool found = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return found;
}

void sw_read_firewall(struct sw_firewall_facts *facts)
{
	facts->loose = sw_sysctl_read("netfilter/nf_conntrack_tcp_loose", 0, 1) != 0;
	facts->tracks = sw_sysctl_read("netfilter/nf_conntrack_max", 0, -1) >= 0;
	facts->legacy = has_lines("/proc/net/ip_tables_names") ||
			has_lines("/proc/net/ip6_tables_names");
	facts->error = -read_rules(facts);
}
