/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_TABLE_H
#define SYNWARD_CORE_TABLE_H

/*
 * Where in the table of connections a flow is: in the first of its two buckets, which its hash picks, or in the second,
 * which the first and the tag pick. The other way round the same rule leads from the second to the first, so an entry
 * can be moved to its other bucket by what is in its bucket alone. With that, at 80 % of the table one entry in
 * some 15,000 is pushed out by others; without a choice it is one in eight.
 *
 * A new entry goes to its first bucket while that is at most half full, so that most look-ups need no second cache
 * line; then to the emptier one of the two. If both are full of live ones, one of them moves.
 */

#include "connections.h"
#include "hash.h"

/*
 * Locks and tables are a part of the world, like the clock: whoever includes this for BPF has defined them (see lock.h
 * and table.h there), and what else is to know that a bucket has changed, under its lock. On the host
 * there is one thread and no lock.
 */
#ifndef __bpf__
static __always_inline bool sw_lock(struct sw_lock *lock __unused)
{
	return true;
}

static __always_inline void sw_unlock(struct sw_lock *lock __unused)
{
}

struct sw_table {
	struct sw_connection_bucket *buckets;
	__u32 size; /* in buckets */
};

static __always_inline struct sw_connection_bucket *sw_bucket_at(const struct sw_table *table,
								 __u32 index)
{
	return &table->buckets[index];
}

static __always_inline __u32 sw_crowd_at(const struct sw_table *table, __u32 index,
					 const struct sw_now *now, const __u32 *timeout_ms)
{
	return sw_crowd_of(sw_bucket_at(table, index), now, timeout_ms);
}

static __always_inline void sw_bucket_changed(__u32 index __unused,
					      const struct sw_connection_bucket *bucket __unused)
{
}
#endif

/* The other bucket of the entries of a tag in a bucket. It may be the same one, of a small table. */
static __always_inline __u32 sw_other_bucket(__u32 index, __u16 tag, __u32 size)
{
	__u32 sum = sw_bucket_index((tag * 0x9e3779b97f4a7c15ULL) >> 32, size);

	return sum >= index ? sum - index : sum + size - index;
}

/* Is there an entry of a packet's flow in a bucket, in whatever state? Needs no lock. */
static __always_inline bool sw_bucket_has(const struct sw_connection_bucket *bucket, __u16 tag,
					  const struct sw_packet *packet)
{
	for (__u32 way = 0; way < SW_WAYS; way++)
		if (bucket->tags[way] == tag &&
		    (connection_is_from_orig(&bucket->connections[way], packet) ||
		     connection_is_from_resp(&bucket->connections[way], packet)))
			return true;
	return false;
}

/*
 * Which bucket has an entry of a packet's flow; size: none. Without a lock: what another CPU moves is entered before it
 * leaves, so whoever looks three times does not miss it.
 */
static __always_inline __u32 sw_find_bucket(const struct sw_table *table, __u64 hash,
					    const struct sw_packet *packet)
{
	__u32 index = sw_bucket_index(hash, table->size);
	__u16 tag = sw_tag(hash);

	for (int i = 0; i < 3; i++) {
		const struct sw_connection_bucket *bucket = sw_bucket_at(table, index);

		if (bucket && sw_bucket_has(bucket, tag, packet))
			return index;
		index = sw_other_bucket(index, tag, table->size);
		sw_forget_registers();
	}
	return table->size;
}

/* What it takes to make room: the time, the timeouts, and where to note at whose cost. */
struct sw_room {
	const struct sw_now *now;
	const __u32 *timeout_ms;
	struct sw_connection_change *change;
};

/*
 * Puts a copy of an entry into a place that nothing live has. The caller holds the locks of both buckets. Not inlined:
 * Linux 6.1 has no stack for that.
 */
static __attribute__((noinline)) bool put_copy(struct sw_connection_bucket *to,
					       const struct sw_connection_bucket *from, __u32 way,
					       const struct sw_room *room)
{
	__u32 place;

	way &= SW_WAYS - 1;
	room->change->least_worth = ~0ULL;
	for (place = 0; place < SW_WAYS; place++) {
		offer_place(room->change, place,
			    connection_worth(to, place, room->now, room->timeout_ms));
		sw_forget_registers();
	}
	if (room->change->least_worth >= CONNECTION_IS_LIVE)
		return false;
	place = clear_place(to, room->now, room->timeout_ms, room->change);
	to->connections[place] = from->connections[way];
	to->states[place] = from->states[way];
	to->seen_ms[place] = from->seen_ms[way];
	to->tags[place] = from->tags[way];
	return true;
}

/*
 * Moves one entry of a bucket to its other one. The only place where two locks are held: nobody waits for
 * one for ever, so two CPUs that want each other's bucket both give up.
 */
static __always_inline bool move_away(struct sw_connection_bucket *bucket, __u32 way, __u16 tag,
				      struct sw_connection_bucket *other, __u32 other_index,
				      const struct sw_room *room)
{
	bool moved = false;

	if (!sw_lock(&bucket->lock))
		return false;
	if (sw_lock(&other->lock)) {
		moved = bucket->tags[way] == tag && put_copy(other, bucket, way, room);
		if (moved)
			sw_bucket_changed(other_index, other);
		sw_unlock(&other->lock);
	}
	if (moved)
		bucket->tags[way] = 0;
	sw_unlock(&bucket->lock);
	return moved;
}

/* Makes room in a bucket that is full of live entries, if one of them may be elsewhere, in place of none that lives. */
static __always_inline bool make_room(const struct sw_table *table, __u32 index,
				      const struct sw_room *room)
{
	struct sw_connection_bucket *bucket = sw_bucket_at(table, index), *other;

	if (!bucket)
		return false;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		__u16 tag = bucket->tags[way];
		__u32 other_index = sw_other_bucket(index, tag, table->size);

		other = sw_bucket_at(table, other_index);
		if (other_index != index && other &&
		    sw_crowd_at(table, other_index, room->now, room->timeout_ms) < SW_CROWD_LIVE &&
		    move_away(bucket, way, tag, other, other_index, room))
			return true;
		sw_forget_registers();
	}
	return false;
}

/* The bucket into which a new connection of a packet's ends goes; it makes room for it. */
static __always_inline __u32 sw_bucket_for(const struct sw_table *table, __u64 hash,
					   const struct sw_packet *packet,
					   const struct sw_room *room)
{
	__u32 first = sw_bucket_index(hash, table->size), second, crowd, other;
	__u32 found = sw_find_bucket(table, hash, packet);

	if (found < table->size)
		return found;
	second = sw_other_bucket(first, sw_tag(hash), table->size);
	crowd = sw_crowd_at(table, first, room->now, room->timeout_ms);
	if (crowd < SW_WAYS / 2)
		return first;
	other = sw_crowd_at(table, second, room->now, room->timeout_ms);
	if (crowd < SW_CROWD_LIVE || other < SW_CROWD_LIVE)
		return other < crowd ? second : first;
	return make_room(table, first, room) || !make_room(table, second, room) ? first : second;
}

#endif
