/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PREFIXES_H
#define SYNWARD_CORE_PREFIXES_H

/*
 * The table of a list of prefixes: see list.h for its shape. Packets read it without any lock, while
 * user space, one process at a time, changes it in place: the length of a row, which says whether it
 * is in use, is written last. A packet that is just reading a row which was deleted and is given to
 * another prefix may take that one's hit, or miss the new one, as if it had come a moment earlier.
 */

#include "../../include/synward/list.h"
#include "bits.h"
#include "hash.h"
#include "wire.h"

#define SW_V4_PREFIX 96U /* length of the mapped form's constant part */

/* A prefix as a lookup goes about with it. */
struct sw_list_key {
	struct sw_addr addr;
	__u64 hash;
	__u32 length;
};

/* The first length bits, in host order; length is 1 to 64. */
static __always_inline __u64 leading_bits(__u32 length)
{
	return ~0ULL << ((64 - length) & 63);
}

/* Clears the bits behind a length of the mapped form, from 1 to 128. */
static __always_inline void sw_addr_mask(struct sw_addr *addr, __u32 length)
{
	if (length <= 64) {
		addr->halves[0] &= sw_htonll(leading_bits(length));
		addr->halves[1] = 0;
	} else {
		addr->halves[1] &= sw_htonll(leading_bits(length - 64));
	}
}

/* key->addr has been masked to key->length; seed is the instance's. */
static __always_inline void sw_list_key_hash(struct sw_list_key *key, const __u64 seed[2])
{
	const struct sw_addr *addr = &key->addr;

	if (sw_addr_is_v4(addr))
		key->hash = mix(((__u64)key->length << 32 | addr->words[3]) ^ seed[0]);
	else
		key->hash = mix(mix(mix(addr->halves[0] ^ seed[0]) ^ addr->halves[1] ^ seed[1]) +
				key->length);
}

static __always_inline struct sw_list_key sw_list_key(const struct sw_prefix *prefix,
						      const __u64 seed[2])
{
	struct sw_list_key key = { .addr = prefix->addr, .length = prefix->length };

	sw_list_key_hash(&key, seed);
	return key;
}

/* The row of the filter that has the lengths of prefixes which begin like an address. */
static __always_inline __u32 sw_list_lengths_row(const struct sw_addr *addr, const __u64 seed[2])
{
	if (sw_addr_is_v4(addr))
		return sw_ntohl(addr->words[3]) >> (32 - SW_LIST_ROW_BITS4);
	return mix(addr->words[0] ^ seed[1]) >> 48;
}

/*
 * Which lengths can match an address: the bits of its row, and of the table's short ones. IPv4 and
 * IPv6 share the rows, so some may be of the other family.
 */
static __always_inline void sw_list_lengths_of(const struct sw_addr *addr,
					       const struct sw_list_table *about,
					       const struct sw_list_filter *row,
					       struct sw_list_filter *lengths)
{
	if (sw_addr_is_v4(addr)) {
		lengths->words[0] = 0;
		lengths->words[1] = row->words[1] & leading_bits(32);
		return;
	}
	lengths->words[0] = row->words[0] | about->short_lengths;
	lengths->words[1] = row->words[1];
}

/* Is there more than one? */
static __always_inline bool sw_list_are_several(const struct sw_list_filter *lengths)
{
	__u64 low = lengths->words[0], high = lengths->words[1];

	return (low && high) || low & (low - 1) || high & (high - 1);
}

/* Takes the longest of the lengths that are left away; 0 if there is none. */
static __always_inline __u32 sw_list_next_length(struct sw_list_filter *lengths)
{
	__u32 word = lengths->words[1] ? 1 : 0, bit;

	if (!lengths->words[word])
		return 0;
	bit = lengths->words[word] >> 63 ? 63 : sw_highest_bit(lengths->words[word]) & 63;
	lengths->words[word] &= ~(1ULL << bit);
	return word * 64 + bit + 1;
}

/* The row of the filter that has a prefix's own bit. */
static __always_inline __u32 sw_list_filter_row(const struct sw_list_key *key, __u32 buckets)
{
	return SW_LIST_ROWS + sw_bucket_index(key->hash >> 32, buckets / 2);
}

/* That bit's number, of 128. */
static __always_inline __u32 sw_list_filter_bit(const struct sw_list_key *key)
{
	return key->hash & 127;
}

static __always_inline bool sw_list_may_have(const struct sw_list_filter *row,
					     const struct sw_list_key *key)
{
	__u32 bit = sw_list_filter_bit(key);

	return row->words[bit / 64] >> bit % 64 & 1;
}

/*
 * The order in which a key looks at the rows of a bucket: first the one that shares the cache line
 * of where it begins, then those of the line that processors read along with it.
 */
static __always_inline __u32 sw_list_way(const struct sw_list_key *key, __u32 look)
{
	__u32 first = key->hash >> 60;

	/* or the places of all rows are worked out before the first bucket, and wait on the stack */
	sw_keep(first);
	return (first ^ look) & (SW_LIST_WAYS - 1);
}

static __always_inline __u32 sw_list_bucket_of(const struct sw_list_key *key, __u32 probe,
					       __u32 buckets)
{
	__u32 index = sw_bucket_index(key->hash, buckets) + probe;

	return index < buckets ? index : index - buckets;
}

enum sw_list_look {
	SW_LIST_FOUND,
	SW_LIST_NOWHERE, /* there is a free slot: the prefix is not behind it */
	SW_LIST_FURTHER, /* there is none: go on with the next bucket */
};

/* Looks for a prefix in one bucket; *way is where the look ended. */
static __always_inline enum sw_list_look sw_list_look(const struct sw_list_bucket *bucket,
						      const struct sw_list_key *key, __u32 *way)
{
	for (__u32 look = 0; look < SW_LIST_WAYS; look++) {
		__u32 at = sw_list_way(key, look);
		const struct sw_list_row *row = &bucket->rows[at];
		__u32 length = *(const volatile __u32 *)&row->length;

		*way = at;
		if (length == key->length && sw_addr_equal(&row->addr, &key->addr))
			return SW_LIST_FOUND;
		if (length == SW_LIST_FREE)
			return SW_LIST_NOWHERE;
	}
	return SW_LIST_FURTHER;
}

/* Does the row still count? now_s is CLOCK_BOOTTIME's. */
static __always_inline bool sw_list_is_live(const struct sw_list_row *row, __u32 now_s)
{
	return !row->expires_s || row->expires_s > now_s;
}

/*
 * A table as a whole, where all of it can be addressed: in user space. The memory is the caller's, and
 * there is one writer at a time.
 */
struct sw_prefixes {
	struct sw_list_table *about;
	struct sw_list_bucket *buckets;
	struct sw_list_filter *filter;
	__u64 seed[2];
};

/* The prefix's own row, expired or not; NULL if it is not in the table. */
static __always_inline struct sw_list_row *sw_prefixes_find(const struct sw_prefixes *table,
							    const struct sw_list_key *key)
{
	for (__u32 probe = 0; probe < SW_LIST_PROBES; probe++) {
		__u32 index = sw_list_bucket_of(key, probe, table->about->buckets), way;
		struct sw_list_bucket *bucket = &table->buckets[index];
		enum sw_list_look look = sw_list_look(bucket, key, &way);

		if (look != SW_LIST_FURTHER)
			return look == SW_LIST_FOUND ? &bucket->rows[way] : NULL;
	}
	return NULL;
}

/* The row of the longest prefix that an address is in, but for the expired; NULL: there is none. */
static __always_inline struct sw_list_row *sw_prefixes_lookup(const struct sw_prefixes *table,
							      const struct sw_addr *addr,
							      __u32 now_s)
{
	struct sw_list_filter lengths;
	struct sw_list_key key;

	sw_list_lengths_of(addr, table->about,
			   &table->filter[sw_list_lengths_row(addr, table->seed)], &lengths);
	while ((key.length = sw_list_next_length(&lengths))) {
		struct sw_list_row *row;

		key.addr = *addr;
		sw_addr_mask(&key.addr, key.length);
		sw_list_key_hash(&key, table->seed);
		row = sw_prefixes_find(table, &key);
		if (row && sw_list_is_live(row, now_s))
			return row;
	}
	return NULL;
}

static __always_inline void set_bit(struct sw_list_filter *row, __u32 bit)
{
	__u64 *word = &row->words[bit / 64];

	__atomic_store_n(word, *word | 1ULL << bit % 64, __ATOMIC_RELAXED);
}

/* Has lookups look for the prefix wherever an address of it may be. */
static __always_inline void add_to_filter(const struct sw_prefixes *table,
					  const struct sw_list_key *key)
{
	__u32 row = sw_list_lengths_row(&key->addr, table->seed), rows = 1;
	bool v4 = sw_addr_is_v4(&key->addr);

	set_bit(&table->filter[sw_list_filter_row(key, table->about->buckets)],
		sw_list_filter_bit(key));
	if (!v4 && key->length < SW_LIST_ROW_BITS6) {
		__atomic_store_n(&table->about->short_lengths,
				 table->about->short_lengths | 1U << (key->length - 1),
				 __ATOMIC_RELAXED);
		return;
	}
	if (v4 && key->length < SW_V4_PREFIX + SW_LIST_ROW_BITS4)
		rows = 1U << (SW_V4_PREFIX + SW_LIST_ROW_BITS4 - key->length);
	for (__u32 i = 0; i < rows; i++)
		set_bit(&table->filter[row + i], key->length - 1);
}

enum sw_list_insert {
	SW_LIST_INSERTED,
	SW_LIST_NO_ROOM, /* the table must be made anew, larger */
};

/*
 * Puts in a prefix that is not in the table, with its hits and expiry. Bits of the address behind
 * the length must be 0.
 */
static __always_inline enum sw_list_insert sw_prefixes_insert(struct sw_prefixes *table,
							      const struct sw_list_key *key,
							      __u64 hits, __u32 expires_s)
{
	for (__u32 look = 0; look < SW_LIST_PROBES * SW_LIST_WAYS; look++) {
		__u32 index = sw_list_bucket_of(key, look / SW_LIST_WAYS, table->about->buckets);
		__u32 way = sw_list_way(key, look % SW_LIST_WAYS);
		struct sw_list_row *row = &table->buckets[index].rows[way];

		if (row->length != SW_LIST_FREE && row->length != SW_LIST_DELETED)
			continue;
		table->about->deleted -= row->length == SW_LIST_DELETED;
		table->about->entries++;
		row->addr = key->addr;
		row->hits = hits;
		row->expires_s = expires_s;
		__atomic_store_n(&row->length, key->length, __ATOMIC_RELEASE);
		add_to_filter(table, key);
		return SW_LIST_INSERTED;
	}
	return SW_LIST_NO_ROOM;
}

/* Takes out a prefix; false if it was not there. Its length may go on being looked for. */
static __always_inline bool sw_prefixes_delete(struct sw_prefixes *table,
					       const struct sw_list_key *key)
{
	struct sw_list_row *row = sw_prefixes_find(table, key);

	if (!row)
		return false;
	__atomic_store_n(&row->length, SW_LIST_DELETED, __ATOMIC_RELEASE);
	table->about->entries--;
	table->about->deleted++;
	return true;
}

#endif
