/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SOURCES_H
#define SYNWARD_CORE_SOURCES_H

/*
 * The limits of one source prefix: a token bucket for its SYNs and a count of its unfinished
 * handshakes. The caller holds the bucket's lock, but for sw_source_release().
 */

#include "../../include/synward/limit.h"
#include "../../include/synward/policy.h"
#include "../../include/synward/tables.h"
#include "hash.h"

/* The part of a source's address that the rules look at. */
static __always_inline struct sw_addr sw_source_prefix(const struct sw_addr *addr,
						       const struct sw_rules *rules)
{
	__u32 bits = sw_addr_is_v4(addr) ? 96 + rules->prefix4 : rules->prefix6;
	struct sw_addr prefix;

	for (__u32 i = 0; i < 4; i++) {
		__u32 left = bits > 32 * i ? bits - 32 * i : 0;
		__u32 mask = left >= 32 ? ~0U : ~(~0U >> (left & 31));

		prefix.words[i] = addr->words[i] & sw_htonl(mask);
	}
	return prefix;
}

/* Where a prefix is: services and policies do not share their counts. */
static __always_inline __u64 sw_source_hash(const struct sw_addr *prefix, __u32 service,
					    __u32 generation, const __u64 seed[2])
{
	__u64 high = mix(prefix->halves[0] ^ seed[1]);

	return mix(mix(high ^ prefix->halves[1] ^ seed[0]) ^ ((__u64)generation << 32 | service));
}

static __always_inline __u32 sw_source_index(__u64 hash)
{
	return hash & (SW_SOURCE_BUCKETS - 1);
}

/* Never 0: that is free. */
static __always_inline __u32 sw_source_tag(__u64 hash)
{
	return hash >> 32 | 1;
}

/*
 * Another CPU may have read the clock a moment later and been here first. What lies ahead by more
 * than a minute was 2^32 ms ago.
 */
#define SOURCE_AHEAD_MS 65536U

static __always_inline bool is_ahead(const struct sw_source_row *source, __u32 now_ms)
{
	return source->stamp_ms != now_ms && source->stamp_ms - now_ms < SOURCE_AHEAD_MS;
}

/* What of the burst is used up by now, in thousandths of a SYN. */
static __always_inline __u32 used_now(const struct sw_source_row *source,
				      const struct sw_rules *rules, __u32 now_ms)
{
	__u32 elapsed = now_ms - source->stamp_ms;
	__u64 refilled;

	if (is_ahead(source, now_ms))
		return source->used;
	refilled = (__u64)elapsed * rules->syn_rate; /* SYNs a second are thousandths a ms */
	return refilled >= source->used ? 0 : source->used - refilled;
}

/* The way of a tag, or SW_SOURCE_WAYS. */
static __always_inline __u32 sw_source_find(const struct sw_source_bucket *bucket, __u32 tag)
{
	for (__u32 way = 0; way < SW_SOURCE_WAYS; way++)
		if (bucket->sources[way].tag == tag)
			return way;
	return SW_SOURCE_WAYS;
}

/*
 * The way whose loss forgives least: free, then what has fewest unfinished handshakes, then what
 * has used least of its burst. So a source that is held down by a limit stays while spoofed ones,
 * which are seen once, replace each other.
 */
static __always_inline __u32 least_worth(const struct sw_source_bucket *bucket,
					 const struct sw_rules *rules, __u32 now_ms)
{
	__u64 least = ~0ULL;
	__u32 victim = 0;

	for (__u32 way = 0; way < SW_SOURCE_WAYS; way++) {
		const struct sw_source_row *source = &bucket->sources[way];
		__u64 worth = source->tag ? 1 + ((__u64)source->half_open << 32) +
						    used_now(source, rules, now_ms) :
					    0;

		if (worth < least) {
			least = worth;
			victim = way;
		}
	}
	return victim;
}

/*
 * Takes a SYN of the source: returns the limit that it is over, or SW_LIMIT_NONE; then one more
 * unfinished handshake is booked, if the rules limit those, until sw_source_release().
 */
static __always_inline enum sw_limit sw_source_admit(struct sw_source_bucket *bucket, __u32 tag,
						     const struct sw_rules *rules, __u32 now_ms)
{
	__u32 way = sw_source_find(bucket, tag);
	struct sw_source_row *source;
	__u32 used;

	if (way >= SW_SOURCE_WAYS) {
		way = least_worth(bucket, rules, now_ms);
		source = &bucket->sources[way < SW_SOURCE_WAYS ? way : 0];
		*source = (struct sw_source_row){ .tag = tag, .stamp_ms = now_ms };
	}
	source = &bucket->sources[way < SW_SOURCE_WAYS ? way : 0];
	if (rules->syn_rate) {
		used = used_now(source, rules, now_ms);
		if (!is_ahead(source, now_ms))
			source->stamp_ms = now_ms; /* going back would refill a moment twice */
		source->used = used;
		if ((__u64)used + 1000 > (__u64)rules->syn_burst * 1000)
			return SW_LIMIT_SYN_RATE;
		source->used = used + 1000;
	}
	if (rules->half_open_source) {
		if (source->half_open >= rules->half_open_source)
			return SW_LIMIT_HALF_OPEN_SOURCE;
		__sync_fetch_and_add(&source->half_open, 1);
	}
	return SW_LIMIT_NONE;
}

#define SOURCE_RELEASE_TRIES 16

/*
 * One of the source's handshakes is not unfinished any more. Its entry may be gone. Needs no lock: one
 * that was not to be had would leave a place taken for good. If the entry changes hands meanwhile, the
 * other source gets the place.
 */
static __always_inline void sw_source_release(struct sw_source_bucket *bucket, __u32 tag)
{
	__u32 way = sw_source_find(bucket, tag), before;
	__u32 *half_open;

	if (way >= SW_SOURCE_WAYS)
		return;
	half_open = &bucket->sources[way].half_open;
	for (__u32 i = 0; i < SOURCE_RELEASE_TRIES; i++) {
		before = *(volatile __u32 *)half_open;
		if (!before || __sync_val_compare_and_swap(half_open, before, before - 1) == before)
			return;
	}
}

/* ---- whose limits an attempt counts against */

/* Which policy (its slot, and its generation modulo 128) and which of its services. Never 0. */
static __always_inline __u16 sw_owner(__u32 slot, __u32 generation, __u32 service)
{
	return 0x8000 | (generation & 0x7f) << 8 | (slot & 3) << 6 | (service & 63);
}

static __always_inline __u32 sw_owner_generation(__u16 owner)
{
	return owner >> 8 & 0x7f;
}

static __always_inline __u32 sw_owner_slot(__u16 owner)
{
	return owner >> 6 & 3;
}

static __always_inline __u32 sw_owner_service(__u16 owner)
{
	return owner & 63;
}

#endif
