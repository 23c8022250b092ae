/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_TABLE_SIZES_H
#define SYNWARD_MAPS_TABLE_SIZES_H

/* How many entries the maps of an opened object have that go with the two tables. */

#include <synward/tables.h>

#include <bpf/libbpf.h>

#include "synward.skel.h"

/* Returns 0, or what libbpf says. */
static inline int sw_size_tables(struct bpf_object *object, uint32_t handshake_buckets,
				 uint32_t connection_buckets)
{
	const struct {
		const char *map;
		uint32_t entries;
	} sizes[] = {
		{ "handshakes", handshake_buckets },
		{ "owners", handshake_buckets },
		{ "handshake_hints", (handshake_buckets + SW_HINTED - 1) / SW_HINTED },
		{ "glimpses", sw_glimpse_lines(handshake_buckets) },
		{ "connections", connection_buckets },
		{ "connection_filter", connection_buckets },
		{ "connection_hints", (connection_buckets + SW_HINTED - 1) / SW_HINTED },
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(sizes) / sizeof(*sizes); i++)
		error = bpf_map__set_max_entries(bpf_object__find_map_by_name(object, sizes[i].map),
						 sizes[i].entries);
	return error;
}

#endif
