/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_POLICIES_H
#define SYNWARD_TESTS_POLICIES_H

/*
 * Random policies that a policy file could say. Their prefixes and ports are few and close to each
 * other, so that they lie within one another and meet at their ends. Not compiled.
 */

#include "../../user/base/address.h"
#include "../../user/model/policy.h"
#include "../../user/model/policy_keys.h"

#include <stdio.h>
#include <string.h>

/* A number below n of splitmix64. */
static inline __u32 draw(__u64 *state, __u64 n)
{
	__u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((z ^ z >> 31) >> 16) % n;
}

#define DRAW_OF(state, list) ((list)[draw((state), sizeof(list) / sizeof((list)[0]))])

static inline struct sw_addr draw_address(__u64 *state)
{
	static const __u8 few[] = { 0, 1, 127, 128, 255 };
	struct sw_addr addr = { .words[2] = SW_V4_MAPPED_WORD };

	if (draw(state, 2)) {
		addr.bytes[12] = 10;
		addr.bytes[13] = DRAW_OF(state, few);
		addr.bytes[14] = DRAW_OF(state, few);
		addr.bytes[15] = DRAW_OF(state, few);
		return addr;
	}
	addr = (struct sw_addr){};
	if (draw(state, 4)) {
		addr.bytes[0] = 0x20;
		addr.bytes[1] = DRAW_OF(state, few);
	}
	addr.bytes[7] = DRAW_OF(state, few);
	addr.bytes[11] = DRAW_OF(state, few);
	addr.bytes[15] = DRAW_OF(state, few);
	return addr;
}

static inline struct sw_prefix draw_prefix(__u64 *state)
{
	static const __u8 lengths4[] = { 0, 1, 8, 9, 16, 17, 24, 31, 32, 32 };
	static const __u8 lengths6[] = { 0, 1, 8, 16, 63, 64, 80, 81, 88, 95, 97, 127, 128, 128 };
	struct sw_addr addr = draw_address(state);

	return sw_prefix_around(&addr, sw_addr_is_v4(&addr) ? 96 + DRAW_OF(state, lengths4) :
							      DRAW_OF(state, lengths6));
}

static inline struct sw_port_range draw_ports(__u64 *state)
{
	static const __u16 firsts[] = { 1, 2, 22, 80, 443, 444, 8000, 65534, 65535 };
	static const __u16 widths[] = { 1, 1, 1, 2, 3, 100, 8000, 65535 };
	__u32 first = draw(state, 4) ? DRAW_OF(state, firsts) : 1 + draw(state, 65535);
	__u32 last = first + DRAW_OF(state, widths) - 1;

	return (struct sw_port_range){ first, last > 65535 ? 65535 : last };
}

/* Two services that share an address with a range of ports cannot stand in one file. */
static inline bool share_a_match(const struct sw_service *a, const struct sw_service *b)
{
	bool prefixes = !a->prefix_count && !b->prefix_count && a->family == b->family;
	bool ports = !a->port_count && !b->port_count;

	/* what stands for all, in one of two ways */
	for (__u32 i = 0; i < a->prefix_count; i++) {
		for (__u32 j = 0; j < b->prefix_count; j++)
			prefixes |= !memcmp(&a->prefixes[i], &b->prefixes[j],
					    sizeof(a->prefixes[i]));
		if (!b->prefix_count && b->family != SW_FAMILY_ANY)
			prefixes |= a->prefixes[i].length == 96 || !a->prefixes[i].length;
	}
	for (__u32 j = 0; j < b->prefix_count && !a->prefix_count; j++)
		if (a->family != SW_FAMILY_ANY)
			prefixes |= b->prefixes[j].length == 96 || !b->prefixes[j].length;
	for (__u32 i = 0; i < a->port_count; i++) {
		for (__u32 j = 0; j < b->port_count; j++)
			ports |= a->ports[i].first == b->ports[j].first &&
				 a->ports[i].last == b->ports[j].last;
		ports |= !b->port_count && a->ports[i].first == 1 && a->ports[i].last == 65535;
	}
	for (__u32 j = 0; j < b->port_count && !a->port_count; j++)
		ports |= b->ports[j].first == 1 && b->ports[j].last == 65535;
	return prefixes && ports;
}

static inline void draw_matches(__u64 *state, struct sw_service *service)
{
	__u32 prefixes = draw(state, 2) ? draw(state, 4) : 0;
	__u32 ports = draw(state, 4) ? draw(state, draw(state, 8) ? 4 : SW_SERVICE_PORTS + 1) : 0;

	if (!draw(state, 16))
		prefixes = SW_SERVICE_PREFIXES;
	if (!prefixes)
		service->family = draw(state, 3);
	for (__u32 i = 0; i < prefixes; i++) {
		struct sw_prefix prefix = draw_prefix(state);
		bool known = false;

		for (__u32 j = 0; j < service->prefix_count; j++)
			known |= !memcmp(&service->prefixes[j], &prefix, sizeof(prefix));
		if (!known)
			service->prefixes[service->prefix_count++] = prefix;
	}
	for (__u32 i = 0; i < ports; i++) {
		struct sw_port_range range = draw_ports(state);
		bool known = false;

		for (__u32 j = 0; j < service->port_count; j++)
			known |= service->ports[j].first == range.first &&
				 service->ports[j].last == range.last;
		if (!known)
			service->ports[service->port_count++] = range;
	}
}

/* A value that the key can have, often one of the two ends. */
static inline void draw_key(__u64 *state, const struct sw_key *key, void *of)
{
	__u32 range = key->maximum - key->minimum;

	sw_key_set(key, of,
		   !draw(state, 4) ? key->minimum :
		   !draw(state, 4) ? key->maximum :
				     key->minimum + draw(state, range + 1ULL));
}

static inline void draw_rules(__u64 *state, struct sw_rules *rules)
{
	/* of a few keys, or of all */
	__u32 one_in = draw(state, 2) ? 1 : 12;

	for (int i = 0; i < SW_RULE_KEY_COUNT; i++)
		if (!draw(state, one_in))
			draw_key(state, &sw_rule_keys[i], rules);
	if (!rules->syn_rate)
		rules->syn_burst = 0;
	else if (!rules->syn_burst)
		rules->syn_burst = 1;
}

static inline void draw_policy(__u64 *state, struct sw_policy *policy)
{
	struct sw_rules *others = &policy->rules[SW_SERVICE_DEFAULT];
	__u32 count = draw(state, 8) ? draw(state, 8) : draw(state, SW_MAX_SERVICES + 1);

	sw_policy_default(policy);
	draw_rules(state, others);
	for (__u32 tries = 0; policy->service_count < count && tries < 200; tries++) {
		struct sw_service *service = &policy->services[policy->service_count];
		struct sw_rules *rules = &policy->rules[policy->service_count];
		bool known = false;

		*service = (struct sw_service){};
		snprintf(service->name, sizeof(service->name), "%s%u",
			 draw(state, 4) ? "service_" : "", policy->service_count);
		draw_matches(state, service);
		for (__u32 i = 0; i < policy->service_count; i++)
			known |= share_a_match(&policy->services[i], service);
		if (known)
			continue;
		*rules = *others;
		draw_rules(state, rules);
		rules->timeout_ms[SW_TIMEOUT_ESTABLISHED] =
			others->timeout_ms[SW_TIMEOUT_ESTABLISHED];
		rules->timeout_ms[SW_TIMEOUT_CLOSED] = others->timeout_ms[SW_TIMEOUT_CLOSED];
		policy->service_count++;
	}
	for (int i = 0; i < SW_BLOCK_KEY_COUNT; i++)
		if (draw(state, 2))
			draw_key(state, &sw_auto_block_keys[i], &policy->auto_block);
	for (int i = 0; i < SW_DEFENCE_KEY_COUNT; i++)
		if (draw(state, 2))
			draw_key(state, &sw_flood_defence_keys[i], &policy->flood_defence);
	policy->gateway.hairpin = draw(state, SW_HAIRPIN_COUNT);
}

#endif
