/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_MAP_KEYS_H
#define SYNWARD_MAPS_MAP_KEYS_H

/* A map that is to have these keys and no others: what host and map have is sorted, and compared key by key. */

#include <stdbool.h>
#include <stddef.h>

/* Keys of one size, as bytes. All zeros but size are an empty one. */
struct sw_keys {
	size_t size;
	unsigned char *rows;
	size_t count;
	size_t room;
	bool lacks_memory; /* some are missing */
};

#define SW_AUTO_KEYS __attribute__((cleanup(sw_keys_free)))
void sw_keys_free(struct sw_keys *keys);

/* Adds a copy of a key. */
void sw_keys_add(struct sw_keys *keys, const void *key);

/* All keys of a map. Returns 0 or -errno; records no line. */
int sw_keys_read(int map_fd, struct sw_keys *keys);

/* Sorts them, and leaves each only once. */
void sw_keys_sort(struct sw_keys *keys);

/* Are there these bytes among sorted keys? */
bool sw_keys_have(const struct sw_keys *keys, const void *key);

/* The key of a number below count. */
const void *sw_keys_at(const struct sw_keys *keys, size_t number);

#endif
