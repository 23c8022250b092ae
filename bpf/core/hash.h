/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_HASH_H
#define SYNWARD_CORE_HASH_H

#include "packet.h"

/*
 * Where a flow lives. Each end is mixed with a secret seed by itself and the two results are added,
 * so both directions give the same number without ordering the ends first. The seed is random for
 * each creation of the tables and never leaves the machine: without it nobody can aim at a bucket.
 */

static __always_inline __u64 mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

static __always_inline __u64 mix_end(const struct sw_addr *addr, __u16 port, const __u64 seed[2])
{
	/* nothing may be folded together before it is mixed: a sender could keep the sum constant */
	if (sw_addr_is_v4(addr))
		return mix(((__u64)addr->words[3] << 16 | port) ^ seed[0]);
	return mix(mix(mix(addr->halves[0] ^ seed[0]) ^ addr->halves[1] ^ seed[1]) ^ port);
}

/* Of a flow by one of its ends, given what the other one has been mixed to. */
static __always_inline __u64 sw_hash_of(const struct sw_addr *addr, __u16 port, __u64 other,
					const __u64 seed[2])
{
	return mix(mix_end(addr, port, seed) + other + seed[1]);
}

/* Of a flow, given what its destination has been mixed to. */
static __always_inline __u64 sw_flow_hash_to(const struct sw_packet *packet, __u64 destination,
					     const __u64 seed[2])
{
	return sw_hash_of(&packet->src, packet->sport, destination, seed);
}

/* The same for both directions of a flow; uniform in all its bits. */
static __always_inline __u64 sw_flow_hash(const struct sw_packet *packet, const __u64 seed[2])
{
	return sw_flow_hash_to(packet, mix_end(&packet->dst, packet->dport, seed), seed);
}

/* Picks one of n buckets; n need not be a power of two. */
static __always_inline __u32 sw_bucket_index(__u64 hash, __u32 n)
{
	return (hash & 0xffffffff) * n >> 32;
}

/* What tells the flows in a bucket apart before their ends are compared. Never 0: that is free. */
static __always_inline __u16 sw_tag(__u64 hash)
{
	return hash >> 48 | 1;
}

#endif
