/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_POLICY_LOOKUP_H
#define SYNWARD_POLICY_LOOKUP_H

/*
 * Which rules a packet is under. The word that settings.policy held when the packet came in names
 * the policy for all of its way: a policy's slot is not written again before every packet that may
 * have read the word is through.
 */

#include "clock.h"
#include "core/decide.h"
#include "core/packet.h"
#include "core/services.h"
#include "core/wire.h"
#include "maps.h"

static __always_inline bool policy_has(__u32 word, __u32 feature)
{
	return word & feature << SW_POLICY_FEATURE_SHIFT;
}

static __always_inline const struct sw_policy *policy_of(__u32 word)
{
	__u32 slot = word & SW_POLICY_SLOT_MASK;

	return bpf_map_lookup_elem(&policies, &slot);
}

/* Does an operator let anything be dropped at all? */
static __always_inline bool is_armed(void)
{
	return armed;
}

static __always_inline void set_armed(bool value)
{
	*(volatile __u32 *)&armed = value;
}

/* The number of the service that has an address and port; without services, the default's. */
__noinline int find_service(const struct sw_addr *addr, __u32 port, __u32 word)
{
	const struct sw_policy *policy = policy_of(word);
	struct sw_service_prefix_key key = {};
	__u64 with_address, *bits;

	if (!addr || !policy || !policy_has(word, SW_HAS_SERVICES))
		return SW_SERVICE_DEFAULT;
	with_address = policy->anywhere;
	if (policy_has(word, SW_HAS_ADDRESSES)) {
		key.length = 32 + 128;
		key.slot = word & SW_POLICY_SLOT_MASK;
		key.addr = *addr;
		bits = bpf_map_lookup_elem(&service_nets, &key);
		if (bits)
			with_address |= *bits;
	}
	return sw_service_of(policy, port, with_address);
}

/* The service of our side of a packet: what it is sent to, or what sends it. */
static __always_inline __u32 service_of(const struct sw_packet *packet, enum sw_direction direction,
					__u32 word)
{
	if (!policy_has(word, SW_HAS_SERVICES))
		return SW_SERVICE_DEFAULT;
	if (direction == SW_INGRESS)
		return find_service(&packet->dst, packet->dport, word);
	return find_service(&packet->src, packet->sport, word);
}

static __always_inline const struct sw_cookie_offer *cookie_offer(void)
{
	__u32 key = load.slot;

	return bpf_map_lookup_elem(&cookie_offers, &key);
}

/*
 * Is it an address of this host? A host that does not forward may have others behind a bridge. Not
 * inlined: its callers have no room for the key on their stack.
 */
__noinline int is_ours(const struct sw_addr *address)
{
	struct sw_own_address own = { .netns = load.netns };

	if (!address)
		return 0;
	own.addr = *address;
	return bpf_map_lookup_elem(&own_addresses, &own) != NULL;
}

/* What is kept of a service is kept for each policy: another one numbers its services anew. */
static __always_inline __u32 service_key(__u32 word, __u32 service)
{
	return (word & SW_POLICY_SLOT_MASK) * SW_SERVICE_SLOTS + (service & (SW_SERVICE_SLOTS - 1));
}

static __always_inline struct sw_service_state *service_state_of(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&service_state, &key);
}

static __always_inline struct sw_flood_state *flood_of(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&floods, &key);
}

static __always_inline struct sw_probes *probes_of(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&probes, &key);
}

/* May strict anomalies drop what comes in by this interface and is sent to the service? */
__noinline int is_ready(__u32 word, __u32 service)
{
	const struct sw_policy *policy = policy_of(word);
	const struct sw_service_state *state = service_state_of(word, service);

	return policy && state &&
	       sw_is_ready(&policy->rules[service & (SW_SERVICE_SLOTS - 1)], state,
			   settings.watching_since_ms[load.slot & (SW_MAX_INTERFACES - 1)],
			   clock_ms64());
}

/* Has so much been seen of a service, that should not be there, that strict rules wait? */
__noinline int is_suspended(__u32 word, __u32 service)
{
	const struct sw_policy *policy = policy_of(word);
	const struct sw_service_state *state = service_state_of(word, service);

	return policy && state &&
	       sw_is_suspended(&policy->rules[service & (SW_SERVICE_SLOTS - 1)], state,
			       clock_ms64());
}

/* Is what the rules call warming up still going on for an interface? */
__noinline int is_warming_up(__u32 word, __u32 service, __u32 slot)
{
	const struct sw_policy *policy = policy_of(word);

	return policy &&
	       (__s64)(clock_ms64() - settings.watching_since_ms[slot & (SW_MAX_INTERFACES - 1)]) <
		       policy->rules[service & (SW_SERVICE_SLOTS - 1)].warm_up_ms;
}

static __always_inline struct sw_service_counters *service_counters(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&service_counts, &key);
}

#endif
