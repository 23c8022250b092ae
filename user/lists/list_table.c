// SPDX-License-Identifier: GPL-2.0-or-later
#include "list_table.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../maps/settings.h"
#include "../model/names.h"
#include "../platform/wait_for_packets.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/mman.h>

static const char *const parts[] = { "buckets", "filter" };
enum part { BUCKETS, FILTER, PARTS };

static int failed(const char *what, enum sw_list list)
{
	return sw_error(errno, "cannot %s the %s list: %s", what, sw_list_words[list].name,
			sw_errno_text(errno));
}

/* ---- the headers */

static size_t headers_size(void)
{
	return sizeof(struct sw_list_header) * SW_LIST_COUNT;
}

int sw_lists_open(const struct sw_instance *instance, struct sw_lists *lists)
{
	SW_AUTO_FD int fd = -1;
	void *memory;
	int error = sw_instance_map(instance, "list_headers", sizeof(*lists->headers), &fd);

	lists->instance = instance;
	if (!error)
		error = sw_instance_map(instance, "list_buckets", sizeof(__u32),
					&lists->buckets_fd);
	if (!error)
		error = sw_instance_map(instance, "list_filters", sizeof(__u32),
					&lists->filters_fd);
	if (error)
		return error;
	memory = mmap(NULL, headers_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return sw_error(errno, "cannot read the lists: %s", sw_errno_text(errno));
	lists->headers = memory;
	return sw_pins_make_dir(&instance->pins, "lists");
}

void sw_lists_close(struct sw_lists *lists)
{
	if (lists->headers)
		munmap(lists->headers, headers_size());
	lists->headers = NULL;
	sw_close_fd(&lists->buckets_fd);
	sw_close_fd(&lists->filters_fd);
}

int sw_lists_announce(const struct sw_lists *lists)
{
	SW_AUTO_SETTINGS struct sw_settings *settings = NULL;
	int error = sw_settings_map(lists->instance, &settings);
	__u32 bits = 0;

	if (error)
		return error;
	for (int list = 0; list < SW_LIST_COUNT; list++) {
		const struct sw_list_header *header = &lists->headers[list];

		bits |= (__u32)(header->tables[header->generation & 1].entries > 0) << list;
	}
	__atomic_store_n(&settings->lists, bits, __ATOMIC_RELEASE);
	return 0;
}

/* ---- one generation */

static size_t size_of(enum part part, uint32_t buckets)
{
	return part == BUCKETS ?
		       (size_t)buckets * sizeof(struct sw_list_bucket) :
		       (size_t)sw_list_filter_rows(buckets) * sizeof(struct sw_list_filter);
}

static void pin_name(char name[32], enum sw_list list, enum part part, uint32_t number)
{
	sw_format(name, 32, "lists/%s_%s%u", sw_list_words[list].name, parts[part], number & 1);
}

static void *map_part(int fd, enum part part, uint32_t buckets)
{
	void *memory = mmap(NULL, size_of(part, buckets), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Makes the maps of a generation memory. */
static int map_both(const struct sw_lists *lists, uint32_t buckets,
		    struct sw_list_generation *generation)
{
	struct sw_prefixes *prefixes = &generation->prefixes;

	generation->buckets = buckets;
	prefixes->seed[0] = lists->instance->identity.seed[0];
	prefixes->seed[1] = lists->instance->identity.seed[1];
	prefixes->buckets = map_part(generation->buckets_fd, BUCKETS, buckets);
	prefixes->filter = map_part(generation->filter_fd, FILTER, buckets);
	return prefixes->buckets && prefixes->filter ? 0 : -1;
}

int sw_list_generation_open(const struct sw_lists *lists, enum sw_list list,
			    struct sw_list_generation *generation)
{
	struct sw_list_header *header = &lists->headers[list];
	struct sw_list_table *about = &header->tables[header->generation & 1];
	int *fds[PARTS] = { &generation->buckets_fd, &generation->filter_fd };
	char name[32], path[SW_PIN_PATH];

	if (!about->buckets)
		return 0;
	for (int part = 0; part < PARTS; part++) {
		pin_name(name, list, (enum part)part, header->generation);
		sw_pins_path(&lists->instance->pins, path, "%s", name);
		*fds[part] = bpf_obj_get(path);
		if (*fds[part] < 0)
			return sw_instance_failed(lists->instance, name, errno);
	}
	generation->prefixes.about = about;
	return map_both(lists, about->buckets, generation) ? failed("read", list) : 0;
}

/* The longest name is allow_buckets0: a map's may have 15 letters. */
static int create_part(enum sw_list list, enum part part, uint32_t number, uint32_t buckets)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	char name[32];

	pin_name(name, list, part, number);
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name + strlen("lists/"), sizeof(__u32),
			      part == BUCKETS ? sizeof(struct sw_list_bucket) :
						sizeof(struct sw_list_filter),
			      part == BUCKETS ? buckets : sw_list_filter_rows(buckets), &options);
}

int sw_list_generation_create(const struct sw_lists *lists, enum sw_list list, uint32_t buckets,
			      struct sw_list_generation *generation)
{
	uint32_t number = lists->headers[list].generation + 1;
	char bytes[SW_NUMBER_SIZE];

	generation->own = (struct sw_list_table){ .buckets = buckets };
	generation->prefixes.about = &generation->own;
	generation->buckets_fd = create_part(list, BUCKETS, number, buckets);
	if (generation->buckets_fd >= 0)
		generation->filter_fd = create_part(list, FILTER, number, buckets);
	if (generation->filter_fd >= 0 && !map_both(lists, buckets, generation))
		return 0;
	if (sw_is_refused(errno))
		return sw_error(
			errno,
			"no permission: the %s list needs a larger table, and this process lacks "
			"CAP_BPF; run as root or grant it",
			sw_list_words[list].name);
	sw_format_bytes(bytes, size_of(BUCKETS, buckets) + size_of(FILTER, buckets));
	return sw_error(errno, "cannot make a table of %s for the %s list: %s", bytes,
			sw_list_words[list].name, sw_errno_text(errno));
}

void sw_list_generation_close(struct sw_list_generation *generation)
{
	struct sw_prefixes *prefixes = &generation->prefixes;

	if (prefixes->buckets)
		munmap(prefixes->buckets, size_of(BUCKETS, generation->buckets));
	if (prefixes->filter)
		munmap(prefixes->filter, size_of(FILTER, generation->buckets));
	*prefixes = (struct sw_prefixes){};
	generation->buckets = 0;
	sw_close_fd(&generation->buckets_fd);
	sw_close_fd(&generation->filter_fd);
}

uint32_t sw_buckets_for(uint64_t prefixes)
{
	uint64_t buckets = (prefixes * 2 + SW_LIST_WAYS - 1) / SW_LIST_WAYS;

	return buckets < SW_MIN_BUCKETS ? SW_MIN_BUCKETS : (uint32_t)buckets;
}

int sw_list_generation_walk(const struct sw_list_generation *generation,
			    int (*take)(void *context, struct sw_list_row *row), void *context)
{
	const struct sw_prefixes *prefixes = &generation->prefixes;
	int answer = 0;

	for (uint32_t i = 0; i < generation->buckets && !answer; i++)
		for (uint32_t way = 0; way < SW_LIST_WAYS && !answer; way++) {
			struct sw_list_row *row = &prefixes->buckets[i].rows[way];

			if (row->length != SW_LIST_FREE && row->length != SW_LIST_DELETED)
				answer = take(context, row);
		}
	return answer;
}

/* ---- the switch */

static int unpin(const struct sw_lists *lists, enum sw_list list, uint32_t number)
{
	char name[32];
	int error = 0;

	for (int part = 0; part < PARTS && !error; part++) {
		pin_name(name, list, (enum part)part, number);
		error = sw_pins_remove(&lists->instance->pins, name);
	}
	return error;
}

static int pin(const struct sw_lists *lists, enum sw_list list, uint32_t number,
	       const struct sw_list_generation *generation)
{
	const int fds[PARTS] = { generation->buckets_fd, generation->filter_fd };
	char name[32], path[SW_PIN_PATH];

	for (int part = 0; part < PARTS; part++) {
		pin_name(name, list, (enum part)part, number);
		sw_pins_path(&lists->instance->pins, path, "%s", name);
		if (bpf_obj_pin(fds[part], path))
			return failed("pin", list);
		sw_pins_let_read(&lists->instance->pins, name);
	}
	return 0;
}

static int put(const struct sw_lists *lists, enum sw_list list, uint32_t number,
	       const struct sw_list_generation *generation)
{
	__u32 index = sw_list_index(list, number);

	if (bpf_map_update_elem(lists->buckets_fd, &index, &generation->buckets_fd, BPF_ANY) ||
	    bpf_map_update_elem(lists->filters_fd, &index, &generation->filter_fd, BPF_ANY))
		return failed("write", list);
	return 0;
}

/* No packet may look at it any more, nor be about to. */
static int discard(const struct sw_lists *lists, enum sw_list list, uint32_t number)
{
	__u32 index = sw_list_index(list, number);

	if ((bpf_map_delete_elem(lists->buckets_fd, &index) && errno != ENOENT) ||
	    (bpf_map_delete_elem(lists->filters_fd, &index) && errno != ENOENT))
		return failed("write", list);
	lists->headers[list].tables[number & 1] = (struct sw_list_table){};
	return unpin(lists, list, number);
}

static int add_hits(void *context, struct sw_list_row *from)
{
	const struct sw_list_generation *to = context;
	const struct sw_prefix prefix = { .addr = from->addr, .length = from->length };
	struct sw_list_key key = sw_list_key(&prefix, to->prefixes.seed);
	struct sw_list_row *row = sw_prefixes_find(&to->prefixes, &key);

	if (row)
		__atomic_fetch_add(&row->hits, from->hits, __ATOMIC_RELAXED);
	return 0;
}

int sw_list_generation_install(struct sw_lists *lists, enum sw_list list,
			       struct sw_list_generation *generation)
{
	struct sw_list_header *header = &lists->headers[list];
	SW_AUTO_LIST_GENERATION struct sw_list_generation old = SW_LIST_GENERATION_NONE;
	uint32_t number = header->generation ^ 1;
	int error = sw_list_generation_open(lists, list, &old);

	/* a switch that was interrupted may have left it, with packets that are on their way out */
	sw_wait_for_packets();
	if (!error)
		error = discard(lists, list, number);
	if (!error && generation) {
		error = pin(lists, list, number, generation);
		if (!error)
			error = put(lists, list, number, generation);
		if (error)
			return error;
		header->tables[number] = generation->own;
		generation->prefixes.about = &header->tables[number];
	}
	if (error)
		return error;
	__atomic_store_n(&header->generation, number, __ATOMIC_RELEASE);
	error = sw_lists_announce(lists);
	sw_wait_for_packets();
	if (generation)
		sw_list_generation_walk(&old, add_hits, generation);
	if (!error)
		error = discard(lists, list, number ^ 1);
	return error;
}
