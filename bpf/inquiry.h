/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_INQUIRY_H
#define SYNWARD_INQUIRY_H

/* What the stages of the pipeline know of the packet at hand, and what they find out about it. */

#include "lock.h"
#include "table.h" /* these before core/follow.h, which needs them */

#include "core/decide.h"
#include "core/follow.h"
#include "core/hash.h"
#include "maps.h"

/* What is known of a packet when the tables are asked. */
struct inquiry {
	__u64 hash;
	__u64 anomalies; /* the stateless ones */
	struct sw_decision decision;
	struct sw_now now;
	__u32 policy;	/* settings.policy, as it was when the packet came */
	__u16 owner;	/* what was booked for a SYN; 0: nothing */
	__u8 segment;	/* enum sw_segment */
	__u8 relation;	/* enum sw_relation */
	__u8 direction; /* enum sw_direction */
	__u8 service;	/* of our side, once it is known */
	__u8 limit;	/* enum sw_limit: what a SYN is over */
	__u8 refuse;	/* and that is in force */
	__u16 tcp;	/* where the TCP header is in the frame */
	__u8 lists;	/* settings.lists, as it was when the packet came */
	__u8 side;	/* where the segment is seen: sw_side() */
};

/* One CPU handles one packet at a time, with softirqs off; its stack has no room for this. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_finding);
} findings SEC(".maps");

static __always_inline struct sw_finding *my_finding(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&findings, &key);
}

/* This interface's bit of settings.forwarders. */
static __always_inline __u64 forwarder_bit(void)
{
	return 1ULL << (load.slot & (SW_MAX_INTERFACES - 1));
}

/* Something that came in by another attached interface leaves by this one. */
static __always_inline void note_forwards(void)
{
	__u64 bit = forwarder_bit();

	if (!(*(volatile const __u64 *)&settings.forwarders & bit))
		__sync_fetch_and_or(&settings.forwarders, bit);
}

/* May the connections know of a flow? Under a flood nearly every answer is no, and the hints alone give it. */
static __always_inline bool may_have_connection(__u64 hash)
{
	__u32 first = sw_bucket_index(hash, load.connection_buckets);
	__u16 tag = sw_tag(hash);

	return may_have(first, tag) ||
	       may_have(sw_other_bucket(first, tag, load.connection_buckets), tag);
}

/* The bucket that has an entry of a packet's flow; load.connection_buckets: none. */
__noinline int bucket_of(const struct sw_packet *packet, __u64 hash)
{
	const struct sw_table table = { .size = load.connection_buckets };

	return packet ? sw_find_bucket(&table, hash, packet) : load.connection_buckets;
}

/* Finds the bucket for the finding's connection, which is new, and makes room in it; or the one where it is. */
__noinline int find_room(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	const struct sw_table table = { .size = load.connection_buckets };
	struct sw_finding *finding = my_finding();
	struct sw_room room;

	if (!packet || !inquiry || !finding)
		return 0;
	room.now = &inquiry->now;
	room.timeout_ms = settings.timeout_ms;
	room.change = &finding->connection;
	finding->room = sw_bucket_for(&table, inquiry->hash, packet, &room);
	return 0;
}

/* Goes to a bucket of the connections. */
static __always_inline bool go_to(__u32 index, __u64 hash, const struct sw_now *now,
				  struct sw_place *place)
{
	place->index = index;
	place->connections = bpf_map_lookup_elem(&connections, &place->index);
	if (!place->connections)
		return false;
	place->timeout_ms = settings.timeout_ms;
	place->handshakes = NULL;
	place->owners = NULL;
	place->tag = sw_tag(hash);
	place->side = 0;
	place->now = *now;
	return true;
}

/* Finds the bucket of a packet's connection, or the first one that it may have. */
static __always_inline bool locate(const struct sw_packet *packet, __u64 hash,
				   const struct sw_now *now, struct sw_place *place)
{
	__u32 index = bucket_of(packet, hash);

	return go_to(index < load.connection_buckets ?
			     index :
			     sw_bucket_index(hash, load.connection_buckets),
		     hash, now, place);
}

#endif
