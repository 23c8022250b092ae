/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LISTS_H
#define SYNWARD_LISTS_H

/*
 * The allow and the block list. Each has two tables, of which packets look at one while user space
 * makes the other anew. Between the store that switches them and the end of the old one, user space
 * waits until no program that may have seen the old number still runs; the kernel does that in each
 * change of a map of maps.
 */

#include "../include/synward/list.h"
#include "maps.h"

#include "core/prefixes.h"

/* Inner maps are of any size, page-aligned, and user space writes them as memory. */
struct list_buckets {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sw_list_bucket));
};

struct list_filter {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sw_list_filter));
};

/* Key of both: sw_list_index(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SW_LIST_COUNT * 2);
	__type(key, __u32);
	__array(values, struct list_buckets);
} list_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SW_LIST_COUNT * 2);
	__type(key, __u32);
	__array(values, struct list_filter);
} list_filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_LIST_COUNT);
	__type(key, __u32);
	__type(value, struct sw_list_header);
} list_headers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_MAX_PROTECTED);
	__type(key, struct sw_protected_key);
	__type(value, __u32); /* enum sw_protected */
} protected SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SW_MAX_AUTO_BLOCKS);
	__type(key, struct sw_addr);
	__type(value, struct sw_auto_blocked);
} auto_blocks SEC(".maps");

/* A lookup under way, in memory: the verifier need not know its values. */
struct list_query {
	struct sw_list_filter lengths; /* that are still to be tried */
	struct sw_addr addr;
	__u32 table; /* key of the maps of maps */
	__u32 buckets;
	/*
	 * Ask the filter first. A look at it costs a third of one at the table. Where several lengths
	 * are tried it saves the vain ones; where there is one, it would be paid for each hit.
	 */
	__u32 filtered;
	__u32 pad;
};

/* The row of a table's filter. */
static __always_inline const struct sw_list_filter *list_filter(__u32 table, __u32 row)
{
	void *filter = bpf_map_lookup_elem(&list_filters, &table);

	return filter ? bpf_map_lookup_elem(filter, &row) : NULL;
}

struct list_search {
	void *buckets; /* the table's map */
	struct sw_list_row *found;
	struct sw_list_key key;
	__u32 size; /* of the table, in buckets */
};

/* One bucket. Returns 0 if the prefix may be in the next one. */
static long list_probe(__u32 probe, void *context)
{
	struct list_search *search = context;
	__u32 index = sw_list_bucket_of(&search->key, probe, search->size), way;
	struct sw_list_bucket *bucket = bpf_map_lookup_elem(search->buckets, &index);
	enum sw_list_look look;

	if (!bucket)
		return 1;
	look = sw_list_look(bucket, &search->key, &way);
	if (look == SW_LIST_FOUND)
		search->found = &bucket->rows[way & (SW_LIST_WAYS - 1)];
	return look != SW_LIST_FURTHER;
}

/*
 * Looks for the longest prefix that has not been tried yet. Returns 1, and counts the hit, if it is
 * there and has not expired, 0 if not, -1 if there is none left to try.
 */
__noinline int list_try(struct list_query *query)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	const struct sw_list_filter *filter;
	struct list_search search = {};
	struct sw_list_row *row;
	__u32 table;

	if (!query)
		return -1;
	search.key.length = sw_list_next_length(&query->lengths);
	if (!search.key.length)
		return -1;
	search.key.addr = query->addr;
	sw_addr_mask(&search.key.addr, search.key.length);
	sw_list_key_hash(&search.key, seed);
	search.size = query->buckets;
	if (query->filtered) {
		filter = list_filter(query->table, sw_list_filter_row(&search.key, search.size));
		if (filter && !sw_list_may_have(filter, &search.key))
			return 0;
	}
	table = query->table;
	search.buckets = bpf_map_lookup_elem(&list_buckets, &table);
	if (!search.buckets)
		return 0;
	bpf_loop(SW_LIST_PROBES, list_probe, &search, 0);
	row = search.found;
	if (!row)
		return 0;
	if (row->expires_s && !sw_list_is_live(row, bpf_ktime_get_boot_ns() / 1000000000))
		return 0;
	__sync_fetch_and_add(&row->hits, 1);
	return 1;
}

/*
 * Is an address in a list (enum sw_list)? Returns 1, and counts the hit of the longest prefix, if
 * so, else 0.
 */
__noinline int list_lookup(__u32 list, const struct sw_addr *addr)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	const struct sw_list_header *header;
	const struct sw_list_filter *lengths;
	const struct sw_list_table *about;
	struct list_query query;
	__u32 generation;

	if (!addr)
		return 0;
	query.table = list; /* first the key of its header: the stack is small */
	header = bpf_map_lookup_elem(&list_headers, &query.table);
	if (!header)
		return 0;
	generation = *(const volatile __u32 *)&header->generation & 1;
	about = &header->tables[generation];
	query.table = sw_list_index(list, generation);
	query.buckets = about->buckets;
	query.addr = *addr;
	lengths = list_filter(query.table, sw_list_lengths_row(addr, seed));
	if (!lengths)
		return 0;
	sw_list_lengths_of(addr, about, lengths, &query.lengths);
	query.filtered = sw_list_are_several(&query.lengths);
	query.pad = 0;
	for (__u32 i = 0; i < 128; i++) {
		int found = list_try(&query);

		if (found)
			return found > 0;
	}
	return 0;
}

#endif
