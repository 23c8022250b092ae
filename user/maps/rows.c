// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows.h"

#include <bpf/bpf.h>
#include <errno.h>

int sw_rows_read(int map_fd, uint32_t first, uint32_t count, void *values)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	/* the kernel begins behind the key that it is given, and behind the highest number there is, with the first row */
	uint32_t before = first - 1, last, found = count, keys[SW_ROWS];
	int error;

	if (count > SW_ROWS)
		return -EINVAL;
	error = bpf_map_lookup_batch(map_fd, &before, &last, keys, values, &found, &options);
	if (error && error != -ENOENT) /* the map ends there */
		return error;
	return found == count ? 0 : -ENOENT;
}
