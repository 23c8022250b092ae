// SPDX-License-Identifier: GPL-2.0-or-later
#include "map_keys.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sw_keys_free(struct sw_keys *keys)
{
	free(keys->rows);
	*keys = (struct sw_keys){ .size = keys->size };
}

const void *sw_keys_at(const struct sw_keys *keys, size_t number)
{
	return keys->rows + number * keys->size;
}

void sw_keys_add(struct sw_keys *keys, const void *key)
{
	size_t room = keys->room ? keys->room * 2 : 64;
	unsigned char *rows;

	if (keys->count == keys->room) {
		rows = reallocarray(keys->rows, room, keys->size);
		keys->lacks_memory |= !rows;
		if (!rows)
			return;
		keys->rows = rows;
		keys->room = room;
	}
	memcpy(keys->rows + keys->count++ * keys->size, key, keys->size);
}

int sw_keys_read(int map_fd, struct sw_keys *keys)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	unsigned char next[64];

	if (bpf_obj_get_info_by_fd(map_fd, &info, &length))
		return -errno;
	if (info.key_size != keys->size || keys->size > sizeof(next))
		return -EINVAL;
	/* who changes it holds the lock, so it has an end; not more than fit is certain all the same */
	while (keys->count < info.max_entries && !keys->lacks_memory &&
	       !bpf_map_get_next_key(map_fd, keys->count ? sw_keys_at(keys, keys->count - 1) : NULL,
				     next))
		sw_keys_add(keys, next);
	return keys->lacks_memory ? -ENOMEM : 0;
}

static int compare(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(const size_t *)size);
}

void sw_keys_sort(struct sw_keys *keys)
{
	size_t kept = 0;

	if (keys->count)
		qsort_r(keys->rows, keys->count, keys->size, compare, &keys->size);
	for (size_t i = 0; i < keys->count; i++)
		if (!kept || memcmp(sw_keys_at(keys, i), sw_keys_at(keys, kept - 1), keys->size))
			memmove(keys->rows + kept++ * keys->size, sw_keys_at(keys, i), keys->size);
	keys->count = kept;
}

bool sw_keys_have(const struct sw_keys *keys, const void *key)
{
	size_t low = 0, high = keys->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(sw_keys_at(keys, middle), key, keys->size);

		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
