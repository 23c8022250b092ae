// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/address.h"
#include "../base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BIT (1ULL << SW_SERVICE_DEFAULT)

/* All addresses of a family, which is how a service that only has a family is told apart. */
static const struct sw_prefix all_of_ipv6 = {};
static const struct sw_prefix all_of_ipv4 = { .addr.words[2] = SW_V4_MAPPED_WORD,
					      .length = SW_V4_BITS };

void sw_policy_default(struct sw_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	sw_rules_default(&policy->rules[SW_SERVICE_DEFAULT]);
	policy->auto_block = (struct sw_auto_block){
		.offences = SW_DEFAULT_OFFENCES,
		.window_s = SW_DEFAULT_BLOCK_WINDOW,
		.expiry_s = SW_DEFAULT_BLOCK_EXPIRY,
		.maximum = SW_DEFAULT_BLOCK_MAXIMUM,
	};
	sw_policy_compile(policy); /* without services nothing can be too much */
}

/* ---- which packets a service is about */

static bool covers(const struct sw_service *service, const struct sw_prefix *prefix)
{
	for (__u32 i = 0; i < service->prefix_count; i++)
		if (sw_prefix_covers(&service->prefixes[i], prefix))
			return true;
	if (service->prefix_count)
		return false;
	return service->family == SW_FAMILY_ANY ||
	       (service->family == SW_FAMILY_IPV4) == sw_prefix_is_v4(prefix);
}

static bool has_port(const struct sw_service *service, unsigned int port)
{
	for (__u32 i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return !service->port_count;
}

static bool is_anywhere(const struct sw_service *service)
{
	return !service->prefix_count && service->family == SW_FAMILY_ANY;
}

bool sw_service_has(const struct sw_service *service, const struct sw_addr *addr, unsigned int port)
{
	struct sw_prefix whole = { .addr = *addr, .length = 128 };

	return covers(service, &whole) && has_port(service, port);
}

unsigned int sw_policy_find(const struct sw_policy *policy, const struct sw_addr *addr,
			    unsigned int port)
{
	for (__u32 i = 0; i < policy->service_count; i++)
		if (sw_service_has(&policy->services[i], addr, port))
			return i;
	return SW_SERVICE_DEFAULT;
}

int sw_policy_service(const struct sw_policy *policy, const char *name)
{
	for (__u32 i = 0; i < policy->service_count; i++)
		if (!strcmp(policy->services[i].name, name))
			return (int)i;
	if (!strcmp(policy->services[SW_SERVICE_DEFAULT].name, name))
		return SW_SERVICE_DEFAULT;
	return -1;
}

/* ---- precedence */

/* The longest of its prefixes; what has only a family is behind them, and before what has neither. */
static int reach(const struct sw_service *service)
{
	int longest = -1;

	if (!service->prefix_count && service->family == SW_FAMILY_IPV4)
		return all_of_ipv4.length;
	if (!service->prefix_count && service->family == SW_FAMILY_IPV6)
		return all_of_ipv6.length;
	for (__u32 i = 0; i < service->prefix_count; i++)
		if ((int)service->prefixes[i].length > longest)
			longest = (int)service->prefixes[i].length;
	return longest;
}

/* How many ports its narrowest range has. */
static unsigned int width(const struct sw_service *service)
{
	unsigned int narrowest = SW_PORTS;

	for (__u32 i = 0; i < service->port_count; i++) {
		unsigned int ports = service->ports[i].last - service->ports[i].first + 1U;

		if (ports < narrowest)
			narrowest = ports;
	}
	return narrowest;
}

static bool goes_before(const struct sw_service *a, const struct sw_service *b)
{
	if (reach(a) != reach(b))
		return reach(a) > reach(b);
	return width(a) < width(b);
}

static void swap_services(struct sw_policy *policy, __u32 a, __u32 b)
{
	struct sw_service service = policy->services[a];
	struct sw_rules rules = policy->rules[a];

	policy->services[a] = policy->services[b];
	policy->rules[a] = policy->rules[b];
	policy->services[b] = service;
	policy->rules[b] = rules;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct sw_prefix *first = a, *second = b;
	int family = sw_prefix_is_v4(second) - sw_prefix_is_v4(first);
	int order = memcmp(&first->addr, &second->addr, sizeof(first->addr));

	return family ? family : order ? order : (int)first->length - (int)second->length;
}

static int compare_ports(const void *a, const void *b)
{
	const struct sw_port_range *first = a, *second = b;

	return first->first != second->first ? first->first - second->first :
					       first->last - second->last;
}

/* Stable: services of one precedence stay as they stood. */
static void sort(struct sw_policy *policy)
{
	for (__u32 i = 0; i < policy->service_count; i++) {
		struct sw_service *service = &policy->services[i];

		qsort(service->prefixes, service->prefix_count, sizeof(service->prefixes[0]),
		      compare_prefixes);
		qsort(service->ports, service->port_count, sizeof(service->ports[0]),
		      compare_ports);
		for (__u32 at = i; at; at--) {
			if (!goes_before(&policy->services[at], &policy->services[at - 1]))
				break;
			swap_services(policy, at, at - 1);
		}
	}
	for (__u32 i = policy->service_count; i < SW_SERVICE_DEFAULT; i++) {
		policy->services[i] = (struct sw_service){};
		policy->rules[i] = (struct sw_rules){};
	}
	policy->services[SW_SERVICE_DEFAULT] = (struct sw_service){ .name = "default" };
}

/* ---- what packets look at */

static __u64 services_of_port(const struct sw_policy *policy, unsigned int port)
{
	__u64 services = DEFAULT_BIT;

	for (__u32 i = 0; i < policy->service_count; i++)
		if (has_port(&policy->services[i], port))
			services |= 1ULL << i;
	return services;
}

/* The first port behind this one where a range begins, or one has just ended. */
static unsigned int next_cut(const struct sw_policy *policy, unsigned int port)
{
	unsigned int cut = SW_PORTS;

	for (__u32 i = 0; i < policy->service_count; i++) {
		const struct sw_service *service = &policy->services[i];

		for (__u32 j = 0; j < service->port_count; j++) {
			unsigned int first = service->ports[j].first;
			unsigned int behind = service->ports[j].last + 1U;

			if (first > port && first < cut)
				cut = first;
			if (behind > port && behind < cut)
				cut = behind;
		}
	}
	return cut;
}

static int fill_classes(struct sw_policy *policy)
{
	unsigned int count = 0;

	memset(policy->class_services, 0, sizeof(policy->class_services));
	for (unsigned int port = 0, cut; port < SW_PORTS; port = cut) {
		__u64 services = services_of_port(policy, port);
		unsigned int class = 0;

		while (class < count && policy->class_services[class] != services)
			class ++;
		if (class == SW_PORT_CLASSES)
			return sw_error(EINVAL,
					"the services cut the ports into more than %u classes; "
					"give fewer ranges, or the same ones to more services",
					SW_PORT_CLASSES);
		if (class == count)
			policy->class_services[count++] = services;
		for (cut = next_cut(policy, port); port < cut; port++)
			policy->port_classes[port] = (__u16) class;
	}
	return 0;
}

static __u32 features_of_row(const struct sw_rules *rules, const struct sw_rules *others)
{
	__u32 features = 0;

	if (rules->syn_rate)
		features |= SW_HAS_SYN_RATE;
	if (rules->flood.mode != SW_FLOOD_OFF)
		features |= SW_HAS_FLOOD_DEFENCE;
	/* while a flood is on, too: who is let in without a cookie shall not fill the queue */
	if (rules->half_open_source || rules->half_open_service ||
	    rules->flood.mode != SW_FLOOD_OFF)
		features |= SW_HAS_HALF_OPEN;
	if (memcmp(rules->timeout_ms, others->timeout_ms, sizeof(rules->timeout_ms)) != 0)
		features |= SW_HAS_SERVICE_TIMEOUTS;
	if (rules->strict)
		features |= SW_HAS_STRICT;
	if (rules->enforce)
		features |= SW_HAS_ENFORCE;
	return features;
}

static void fill_features(struct sw_policy *policy)
{
	const struct sw_rules *others = &policy->rules[SW_SERVICE_DEFAULT];

	policy->features = features_of_row(others, others);
	policy->anywhere = DEFAULT_BIT;
	if (policy->service_count)
		policy->features |= SW_HAS_SERVICES;
	if (policy->auto_block.enabled)
		policy->features |= SW_HAS_AUTO_BLOCK;
	if (policy->flood_defence.unheard)
		policy->features |= SW_HAS_UNHEARD;
	if (policy->gateway.hairpin == SW_HAIRPIN_YES)
		policy->features |= SW_HAS_HAIRPIN;
	if (policy->gateway.hairpin == SW_HAIRPIN_NO)
		policy->features |= SW_HAS_NO_HAIRPIN;
	for (__u32 i = 0; i < policy->service_count; i++) {
		policy->features |= features_of_row(&policy->rules[i], others);
		if (is_anywhere(&policy->services[i]))
			policy->anywhere |= 1ULL << i;
		else
			policy->features |= SW_HAS_ADDRESSES;
	}
	if (policy->flood_defence.shared_secret && policy->features & SW_HAS_FLOOD_DEFENCE)
		policy->features |= SW_HAS_SHARED_SECRET;
}

int sw_policy_compile(struct sw_policy *policy)
{
	sort(policy);
	fill_features(policy);
	return fill_classes(policy);
}

/* ---- the trie */

static size_t add_net(struct sw_policy_net *nets, size_t count, size_t max,
		      const struct sw_prefix *prefix)
{
	for (size_t i = 0; i < count; i++)
		if (nets[i].prefix.length == prefix->length &&
		    sw_addr_equal(&nets[i].prefix.addr, &prefix->addr))
			return count;
	if (count < max)
		nets[count++].prefix = *prefix;
	return count;
}

/*
 * To the trie, IPv4 lies within the prefixes of IPv6 that are short enough. A row for all of IPv4
 * keeps it apart from them.
 */
static bool would_catch_ipv4(const struct sw_prefix *prefix)
{
	struct sw_prefix around = sw_prefix_around(&all_of_ipv4.addr, prefix->length);

	return prefix->length < SW_V4_BITS && sw_addr_equal(&around.addr, &prefix->addr);
}

size_t sw_policy_nets(const struct sw_policy *policy, struct sw_policy_net *nets, size_t max)
{
	size_t count = 0;

	for (__u32 i = 0; i < policy->service_count; i++) {
		const struct sw_service *service = &policy->services[i];

		for (__u32 j = 0; j < service->prefix_count; j++) {
			count = add_net(nets, count, max, &service->prefixes[j]);
			if (would_catch_ipv4(&service->prefixes[j]))
				count = add_net(nets, count, max, &all_of_ipv4);
		}
		if (!service->prefix_count && service->family != SW_FAMILY_ANY) {
			count = add_net(nets, count, max, &all_of_ipv6);
			count = add_net(nets, count, max, &all_of_ipv4);
		}
	}
	for (size_t i = 0; i < count; i++) {
		nets[i].services = DEFAULT_BIT;
		for (__u32 j = 0; j < policy->service_count; j++)
			if (covers(&policy->services[j], &nets[i].prefix))
				nets[i].services |= 1ULL << j;
	}
	return count;
}

/* ---- what it says */

bool sw_service_same_match(const struct sw_service *a, const struct sw_service *b)
{
	if (a->prefix_count != b->prefix_count || a->port_count != b->port_count ||
	    (!a->prefix_count && a->family != b->family))
		return false;
	for (__u32 i = 0; i < a->prefix_count; i++)
		if (compare_prefixes(&a->prefixes[i], &b->prefixes[i]))
			return false;
	for (__u32 i = 0; i < a->port_count; i++)
		if (compare_ports(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

bool sw_rules_equal(const struct sw_rules *a, const struct sw_rules *b)
{
	return a->drop == b->drop && a->strict_drop == b->strict_drop &&
	       a->syn_rate == b->syn_rate && a->syn_burst == b->syn_burst &&
	       a->half_open_source == b->half_open_source &&
	       a->half_open_service == b->half_open_service && a->flood.mode == b->flood.mode &&
	       a->flood.half_open == b->flood.half_open && a->flood.syn_rate == b->flood.syn_rate &&
	       a->flood.calm_ms == b->flood.calm_ms &&
	       !a->flood.self_check == !b->flood.self_check &&
	       !memcmp(a->timeout_ms, b->timeout_ms, sizeof(a->timeout_ms)) &&
	       a->warm_up_ms == b->warm_up_ms && !a->enforce == !b->enforce &&
	       !a->strict == !b->strict && a->prefix4 == b->prefix4 && a->prefix6 == b->prefix6;
}

bool sw_auto_block_equal(const struct sw_auto_block *a, const struct sw_auto_block *b)
{
	return a->offences == b->offences && a->window_s == b->window_s &&
	       a->expiry_s == b->expiry_s && a->maximum == b->maximum &&
	       !a->enabled == !b->enabled && !a->own_flows == !b->own_flows;
}

bool sw_flood_defence_equal(const struct sw_flood_defence *a, const struct sw_flood_defence *b)
{
	return a->way == b->way && !a->set_syncookies == !b->set_syncookies &&
	       !a->unheard == !b->unheard && !a->shared_secret == !b->shared_secret;
}

bool sw_policy_equal(const struct sw_policy *a, const struct sw_policy *b)
{
	if (a->service_count != b->service_count ||
	    !sw_auto_block_equal(&a->auto_block, &b->auto_block) ||
	    !sw_flood_defence_equal(&a->flood_defence, &b->flood_defence) ||
	    a->gateway.hairpin != b->gateway.hairpin ||
	    !sw_rules_equal(&a->rules[SW_SERVICE_DEFAULT], &b->rules[SW_SERVICE_DEFAULT]))
		return false;
	for (__u32 i = 0; i < a->service_count; i++)
		if (strcmp(a->services[i].name, b->services[i].name) != 0 ||
		    !sw_service_same_match(&a->services[i], &b->services[i]) ||
		    !sw_rules_equal(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}
