/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_LISTS_H
#define SYNWARD_TESTS_LISTS_H

/* The allow and the block list of a loaded program, filled with a few prefixes. */

#include "../../bpf/core/prefixes.h"
#include "enforce.h"

#include <endian.h>

#define LIST_BUCKETS 256U

static inline int list_inner_map(__u32 value_size, __u32 count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "list_inner", sizeof(__u32), value_size, count,
				&options);

	must(fd >= 0, "a list's table");
	return fd;
}

static inline void *list_memory(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(memory != MAP_FAILED, "a list's memory");
	return memory;
}

/* Makes a list have just these prefixes; with none it is empty, and packets do not ask for it. */
static inline void prog_set_list(struct prog *prog, enum sw_list list,
				 const struct sw_prefix *prefixes, __u32 count)
{
	size_t bucket_bytes = LIST_BUCKETS * sizeof(struct sw_list_bucket);
	__u32 rows = sw_list_filter_rows(LIST_BUCKETS), key = list, index = sw_list_index(list, 0);
	size_t filter_bytes = rows * sizeof(struct sw_list_filter);
	struct sw_list_header header = { .tables[0].buckets = LIST_BUCKETS };
	int buckets = list_inner_map(sizeof(struct sw_list_bucket), LIST_BUCKETS);
	int filter = list_inner_map(sizeof(struct sw_list_filter), rows);
	struct sw_prefixes table = { .about = &header.tables[0],
				     .buckets = list_memory(buckets, bucket_bytes),
				     .filter = list_memory(filter, filter_bytes),
				     .seed = { prog->setup.seed[0], prog->setup.seed[1] } };
	struct sw_settings settings;

	for (__u32 i = 0; i < count; i++) {
		struct sw_list_key row = sw_list_key(&prefixes[i], table.seed);

		if (!sw_prefixes_find(&table, &row))
			must(sw_prefixes_insert(&table, &row, 0, 0) == SW_LIST_INSERTED, "insert");
	}
	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.list_buckets), &index, &buckets,
				  BPF_ANY) &&
		     !bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.list_filters), &index,
					  &filter, BPF_ANY) &&
		     !bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.list_headers), &key,
					  &header, BPF_ANY),
	     "a list");
	munmap(table.buckets, bucket_bytes);
	munmap(table.filter, filter_bytes);
	close(buckets);
	close(filter);
	settings = prog_settings(prog);
	settings.lists = (settings.lists & ~(1U << list)) | (__u32) !!count << list;
	prog_set(prog->skeleton->maps.data_settings, &settings);
}

#endif
