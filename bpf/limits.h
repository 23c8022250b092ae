/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LIMITS_H
#define SYNWARD_LIMITS_H

/*
 * Limits of SYNs and of half-open handshakes. A SYN is booked before its handshake is looked for,
 * and the booking is taken back if it turns out to be one that is known: so two CPUs cannot both
 * take the last place.
 */

#include "core/sources.h"
#include "lock.h"
#include "policy.h"

static __always_inline struct sw_source_bucket *source_bucket(const struct sw_addr *source,
							      const struct sw_policy *policy,
							      __u32 service, __u32 *tag)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_addr prefix = sw_source_prefix(source, &policy->rules[service]);
	__u64 hash = sw_source_hash(&prefix, service, policy->generation, seed);

	*tag = sw_source_tag(hash);
	return place_in(sources, sw_source_index(hash));
}

/* What admit() says of a SYN that it could not count: it is let in, and nothing was booked. */
#define UNCOUNTED (SW_LIMIT_NONE + 1)

static __always_inline __u32 admit_source(const struct sw_addr *source,
					  const struct sw_policy *policy, __u32 service)
{
	struct sw_source_bucket *bucket;
	enum sw_limit limit;
	__u32 tag;

	if (!policy->rules[service].syn_rate && !policy->rules[service].half_open_source)
		return SW_LIMIT_NONE;
	bucket = source_bucket(source, policy, service, &tag);
	/* whoever does not get the lock is let in: a limit must not refuse what it cannot count */
	if (!bucket || !sw_lock(&bucket->lock))
		return UNCOUNTED;
	limit = sw_source_admit(bucket, tag, &policy->rules[service], clock_ms());
	sw_unlock(&bucket->lock);
	return limit;
}

static __always_inline void release_source(const struct sw_addr *source,
					   const struct sw_policy *policy, __u32 service)
{
	struct sw_source_bucket *bucket;
	__u32 tag;

	if (!policy->rules[service].half_open_source)
		return;
	bucket = source_bucket(source, policy, service, &tag);
	if (bucket)
		sw_source_release(bucket, tag);
}

/* Are the unfinished handshakes of the service counted: for a limit, or to know a flood and its end? */
static __always_inline bool books_service(const struct sw_rules *rules)
{
	return rules->half_open_service || rules->flood.mode != SW_FLOOD_OFF;
}

/*
 * Books a SYN of a source for a service. Returns the limit that it is over, SW_LIMIT_NONE, or
 * UNCOUNTED.
 */
__noinline int admit(const struct sw_addr *source, __u32 service, __u32 word)
{
	const struct sw_policy *policy = policy_of(word);
	struct sw_service_state *state = service_state_of(word, service);
	__u32 limit;
	__s64 most;

	service &= SW_SERVICE_SLOTS - 1;
	if (!source || !policy || !state)
		return UNCOUNTED;
	limit = admit_source(source, policy, service);
	most = policy->rules[service].half_open_service;
	if (limit != SW_LIMIT_NONE || !books_service(&policy->rules[service]))
		return limit;
	if (__sync_fetch_and_add(&state->half_open, 1) < most || !most)
		return SW_LIMIT_NONE;
	__sync_fetch_and_add(&state->half_open, -1);
	release_source(source, policy, service);
	return SW_LIMIT_HALF_OPEN_SERVICE;
}

/*
 * Takes a booking back: the handshake is not unfinished any more, or the SYN was of one that is
 * known. One of a policy that has been replaced meanwhile is nobody's any more.
 */
__noinline int release(const struct sw_addr *source, __u32 owner)
{
	__u32 service = sw_owner_service(owner), slot = sw_owner_slot(owner);
	const struct sw_policy *policy = policy_of(slot);
	struct sw_service_state *state = service_state_of(slot, service);

	if (!source || !owner || !policy || !state ||
	    (policy->generation & 0x7f) != sw_owner_generation(owner))
		return 0;
	release_source(source, policy, service);
	if (books_service(&policy->rules[service & (SW_SERVICE_SLOTS - 1)]))
		__sync_fetch_and_add(&state->half_open, -1);
	return 0;
}

#endif
