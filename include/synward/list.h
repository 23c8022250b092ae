/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LIST_H
#define SYNWARD_LIST_H

#include "policy.h"

/* The lists of source prefixes: X(ID, name, meaning). A source on both is allowed. */
#define SW_LISTS(X)                                                                                \
	X(ALLOW, allow, "never dropped for where they come from")                                  \
	X(BLOCK, block, "dropped")

enum sw_list {
#define X(id, name, meaning) SW_LIST_##id,
	SW_LISTS(X)
#undef X
		SW_LIST_COUNT
};

/* Bits of settings.lists are 1 << enum sw_list; of what is asked for a packet, also this one. */
#define SW_LISTS_AUTO_BLOCK (1U << SW_LIST_COUNT)

/*
 * A list is a hash table of prefixes, looked up once for each length that can match. Where a bucket
 * has no free row, the next one is looked at, and so on, at most SW_LIST_PROBES in all. A hit reads
 * one cache line of it, mostly.
 *
 * Beside it is a filter, which is much smaller: rows of bits. In the first SW_LIST_ROWS, bit n of 128
 * says that a prefix of length n + 1 begins like this row: with the same upper 16 bits of an IPv4
 * address, or the same hash of the upper 32 bits of an IPv6 one. Each bit of the others says that
 * some prefix has that hash.
 */
#define SW_LIST_WAYS	  8U
#define SW_LIST_PROBES	  16U
#define SW_LIST_ROWS	  65536U
#define SW_LIST_ROW_BITS4 16U
#define SW_LIST_ROW_BITS6 32U
#define SW_MIN_BUCKETS	  64U
#define SW_MAX_LIST	  16777216U

/* Rows that hold no prefix, by their length; a lookup goes on behind a deleted one only. */
#define SW_LIST_FREE	0U
#define SW_LIST_DELETED 255U

struct sw_list_row {
	struct sw_addr addr;
	__u64 hits;	 /* packets that this was the longest match of; all CPUs add to it */
	__u32 expires_s; /* CLOCK_BOOTTIME; 0: never */
	__u32 length;	 /* of the mapped form: an IPv4 /n is n + 96 */
};

struct sw_list_bucket {
	struct sw_list_row rows[SW_LIST_WAYS];
};

struct sw_list_filter {
	__u64 words[2];
};

/* How many rows the filter of a table with so many buckets has: 16 bits for a prefix, at least. */
static __always_inline __u32 sw_list_filter_rows(__u32 buckets)
{
	return SW_LIST_ROWS + buckets / 2;
}

/* What there is to know of one table. */
struct sw_list_table {
	__u32 buckets; /* at least SW_MIN_BUCKETS */
	__u32 entries;
	__u32 deleted;	     /* rows */
	__u32 short_lengths; /* of IPv6, shorter than SW_LIST_ROW_BITS6: bit n is length n + 1 */
};

/*
 * A value of the map "list_headers", whose key is the list. A new table is built as a whole in the
 * generation that no packet looks at, which then becomes the other one by a single store.
 */
struct sw_list_header {
	__u32 generation; /* the one that packets look at: 0 or 1 */
	__u32 pad;
	struct sw_list_table tables[2];
};

/* Key of the maps "list_buckets" and "list_filters". A list without prefixes has neither. */
static __always_inline __u32 sw_list_index(__u32 list, __u32 generation)
{
	return list * 2 + (generation & 1);
}

/*
 * Who is never blocked by itself: X(ID, name, meaning). The map "protected" has them as prefixes, for
 * the kernel to ask; its key is struct sw_protected_key, its value the kind. IPv4 addresses have 32
 * bits there and IPv6 addresses 64, since that much is blocked of a source at once.
 */
#define SW_PROTECTED(X)                                                                            \
	X(UNSPECIFIED, unspecified, "the unspecified address")                                     \
	X(LOOPBACK, loopback, "a loopback address")                                                \
	X(OWN, own, "an address of this host")                                                     \
	X(GATEWAY, gateway, "a gateway of this host")                                              \
	X(DNS, dns, "a DNS server of this host")

enum sw_protected {
#define X(id, name, meaning) SW_PROTECTED_##id,
	SW_PROTECTED(X)
#undef X
		SW_PROTECTED_COUNT
};

#define SW_MAX_PROTECTED 65536U

struct sw_protected_key {
	__u32 length; /* 32 for the zero, and that of the mapped form */
	__u32 zero;
	struct sw_addr addr;
};

/* For the question whether this one is protected. */
static __always_inline struct sw_protected_key sw_protected_key(const struct sw_addr *addr)
{
	return (struct sw_protected_key){ .length = 32 + 128, .addr = *addr };
}

/* A value of the map "auto_blocks"; the key is the source, of IPv6 only the upper 64 bits. */
struct sw_auto_blocked {
	__u64 hits;
	__u32 until_s; /* CLOCK_BOOTTIME */
	__u32 pad;
};

SW_STATIC_ASSERT(sizeof(struct sw_list_row) == 32, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_list_bucket) == 256, "two rows a cache line");
SW_STATIC_ASSERT(sizeof(struct sw_list_header) == 40, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_protected_key) == 24, "a trie's key has no hole");

#endif
