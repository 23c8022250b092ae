/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_REMEMBERED_H
#define SYNWARD_REMEMBERED_H

/* What is known of who sends a SYN under a flood: sources that proved themselves, how many there are, attempts that go on. */

#include "inquiry.h"

#include "core/hash.h"
#include "maps.h"

/* Of a source. Also what tells them apart in a sketch. */
static __always_inline __u64 memory_hash(const struct sw_addr *source)
{
	__u64 seed[2] = { load.seed[1], load.seed[0] };

	return mix_end(source, 0, seed);
}

static __always_inline struct sw_verified *remembered(__u64 hash)
{
	return place_in(verified, hash & (SW_VERIFIED_SOURCES - 1));
}

static __always_inline __u16 memory_tag(__u64 hash)
{
	return hash >> 48 | 1;
}

/*
 * Does the SYN of a source that is remembered pass? Only so many at a time, if there is another way in for it.
 * Two CPUs may let one more pass.
 */
static __always_inline bool passes_remembered(__u64 hash, __u32 now_ms, bool any)
{
	struct sw_verified *entry = remembered(hash);
	__u8 window = now_ms >> SW_VERIFIED_WINDOW_SHIFT;

	/* what seems to be ahead by more than that was over before the clock went round: 49 days */
	if (!entry || entry->tag != memory_tag(hash) ||
	    entry->until_ms - now_ms - 1 >= SW_VERIFIED_MS)
		return false;
	if (any)
		return true;
	if (entry->window != window) {
		entry->window = window;
		entry->passed = 0;
	}
	if (entry->passed >= SW_VERIFIED_SYNS)
		return false;
	entry->passed++;
	return true;
}

/* For so long from now. What it has sent in this window counts, however often it proves itself. */
static __always_inline void remember(__u64 hash, __u32 now_ms)
{
	struct sw_verified *entry = remembered(hash);

	if (!entry)
		return;
	entry->until_ms = now_ms + SW_VERIFIED_MS;
	entry->tag = memory_tag(hash);
}

/* How many sources there are is estimated from the share of bits that are set. */
static __always_inline void sketch_source(struct sw_flood_state *state, __u64 hash)
{
	__u32 bit = hash >> 20 & (SW_FLOOD_SKETCH_BITS - 1);
	__u64 *word = &state->sources[bit / 64];

	if (!(*word >> (bit & 63) & 1))
		*word |= 1ULL << (bit & 63); /* one that another CPU undoes is one of very many */
}

/*
 * May who is to answer a packet's opener know of its attempt? One that is told is over: it has been forgotten there, too. But who
 * has answered a SYN remembers it for a minute, and the timeouts of a policy may be shorter: the same SYN is still of that one.
 * An attempt that was seen to go out is the client's interface's: its SYN is still to come in here.
 */
static __always_inline bool is_under_way(const struct sw_attempt *attempt,
					 const struct sw_packet *packet)
{
	__u32 isn = packet->seq - !(packet->flags & WIRE_TCP_SYN);

	return attempt->phase != SW_PHASE_STRAY && !(attempt->side & SW_SIDE_OUT) &&
	       is_from_orig(attempt, packet) &&
	       (!(attempt->seen & SW_IS_REPORTED) ||
		(attempt->phase == SW_PHASE_SYN_RECEIVED && !saw_end(attempt) &&
		 attempt->isn_orig == isn));
}

/* Of an attempt, of which the hint does not say no. */
__noinline int find_attempt(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	__u32 key = sw_bucket_index(inquiry ? inquiry->hash : 0, load.handshake_buckets);
	const struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	__u16 tag;

	if (!packet || !inquiry || !bucket)
		return 1;
	tag = sw_tag(inquiry->hash);
	for (__u32 way = 0; way < SW_WAYS; way++)
		if (bucket->tags[way] == tag && is_under_way(&bucket->attempts[way], packet))
			return 1;
	return 0;
}

/*
 * Is there an attempt that a packet of the opener's may belong to? Under a flood there is hardly any, and to look into
 * its bucket is to wait for memory. Without the lock: what is being written meanwhile is another packet's.
 */
static __always_inline bool has_attempt(const struct sw_packet *packet,
					const struct inquiry *inquiry)
{
	const __u8 *hint = hint_in(handshake_hints,
				   sw_bucket_index(inquiry->hash, load.handshake_buckets));

	return (!hint || *hint & sw_hint_bit(sw_tag(inquiry->hash))) &&
	       find_attempt(packet, inquiry);
}

#endif
