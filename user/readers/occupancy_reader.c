// SPDX-License-Identifier: GPL-2.0-or-later
/* How full the tables of sources are: counted where somebody asks, not where a packet passes. */
#include "occupancy_reader.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <synward/tables.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

/* How many entries a bucket holds. */
typedef uint32_t (*count_used)(const void *bucket);

static uint32_t used_sources(const void *value)
{
	const struct sw_source_bucket *bucket = value;
	uint32_t used = 0;

	for (unsigned int way = 0; way < SW_SOURCE_WAYS; way++)
		used += bucket->sources[way].tag != 0;
	return used;
}

static uint32_t used_suspects(const void *value)
{
	const struct sw_suspect *suspect = value;

	return suspect->source != 0;
}

static uint32_t used_proven(const void *value)
{
	const struct sw_proven_line *line = value;
	uint32_t used = 0;

	for (unsigned int way = 0; way < SW_WAYS; way++)
		used += line->of[way].source != 0;
	return used;
}

static uint32_t used_verified(const void *value)
{
	const struct sw_verified *verified = value;

	return verified->tag != 0;
}

static const struct {
	const char *map;
	uint32_t size;	/* of a bucket; SW_PAGE of them are an element of the map */
	uint32_t count; /* of buckets */
	uint32_t each;	/* entries in one of them */
	count_used used;
} tables[SW_OCCUPANCY_COUNT] = {
	{ "sources", sizeof(struct sw_source_bucket), SW_SOURCE_BUCKETS, SW_SOURCE_WAYS,
	  used_sources },
	{ "suspects", sizeof(struct sw_suspect), SW_SUSPECTS, 1, used_suspects },
	{ "proven", sizeof(struct sw_proven_line), SW_PROVEN_SOURCES / SW_WAYS, SW_WAYS,
	  used_proven },
	{ "verified", sizeof(struct sw_verified), SW_VERIFIED_SOURCES, 1, used_verified },
};

/* The whole map at once. */
static int count_table(const struct sw_instance *instance, unsigned int table, uint64_t *used)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	const uint32_t size = tables[table].size, buckets = tables[table].count;
	uint32_t pages = buckets / SW_PAGE, position = 0;
	SW_AUTO_FREE char *values = calloc(buckets, size);
	SW_AUTO_FREE uint32_t *keys = calloc(pages, sizeof(*keys));
	SW_AUTO_FD int fd = -1;
	int error;

	if (!values || !keys)
		return -ENOMEM;
	error = sw_instance_map(instance, tables[table].map, size * SW_PAGE, &fd);
	if (error)
		return error;
	error = bpf_map_lookup_batch(fd, NULL, &position, keys, values, &pages, &options);
	if (error && error != -ENOENT)
		return sw_error(error, "cannot read how full the tables are: %s",
				sw_errno_text(error));
	for (uint32_t i = 0; i < pages * SW_PAGE; i++)
		*used += tables[table].used(values + (size_t)i * size);
	return 0;
}

int sw_occupancy_read(const struct sw_instance *instance, struct sw_occupancy *occupancy)
{
	int error = 0;

	for (unsigned int i = 0; i < SW_OCCUPANCY_COUNT && !error; i++) {
		occupancy[i].table = tables[i].map;
		occupancy[i].capacity = (uint64_t)tables[i].count * tables[i].each;
		occupancy[i].used = 0;
		error = count_table(instance, i, &occupancy[i].used);
	}
	return error;
}
