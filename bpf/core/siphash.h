/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SIPHASH_H
#define SYNWARD_CORE_SIPHASH_H

#include "../../include/synward/base.h"

/*
 * SipHash-2-4 with 64 bits of output (Aumasson and Bernstein 2012): a keyed hash of short messages
 * that nobody can predict who does not know the key. A message is given word by word; the last
 * word has up to seven bytes of it, and in its highest byte the length of the whole, modulo 256.
 */
struct sw_siphash {
	__u64 v0;
	__u64 v1;
	__u64 v2;
	__u64 v3;
};

static __always_inline __u64 rotate_left(__u64 value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void sip_round(struct sw_siphash *hash)
{
	hash->v0 += hash->v1;
	hash->v2 += hash->v3;
	hash->v1 = rotate_left(hash->v1, 13) ^ hash->v0;
	hash->v3 = rotate_left(hash->v3, 16) ^ hash->v2;
	hash->v0 = rotate_left(hash->v0, 32);
	hash->v2 += hash->v1;
	hash->v0 += hash->v3;
	hash->v1 = rotate_left(hash->v1, 17) ^ hash->v2;
	hash->v3 = rotate_left(hash->v3, 21) ^ hash->v0;
	hash->v2 = rotate_left(hash->v2, 32);
}

static __always_inline void sw_siphash_begin(struct sw_siphash *hash, const __u64 key[2])
{
	hash->v0 = key[0] ^ 0x736f6d6570736575ULL;
	hash->v1 = key[1] ^ 0x646f72616e646f6dULL;
	hash->v2 = key[0] ^ 0x6c7967656e657261ULL;
	hash->v3 = key[1] ^ 0x7465646279746573ULL;
}

static __always_inline void sw_siphash_add(struct sw_siphash *hash, __u64 word)
{
	hash->v3 ^= word;
	sip_round(hash);
	sip_round(hash);
	hash->v0 ^= word;
}

/* Adds the last word and returns the hash. */
static __always_inline __u64 sw_siphash_end(struct sw_siphash *hash, __u64 last)
{
	sw_siphash_add(hash, last);
	hash->v2 ^= 0xff;
	sip_round(hash);
	sip_round(hash);
	sip_round(hash);
	sip_round(hash);
	return hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}

#endif
