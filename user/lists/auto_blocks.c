// SPDX-License-Identifier: GPL-2.0-or-later
#include "auto_blocks.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"

#include <synward/list.h>

#include <bpf/bpf.h>

#define REASON "blocked for what it did"

static int open_map(const struct sw_instance *instance, int *fd)
{
	return sw_instance_map(instance, "auto_blocks", sizeof(struct sw_auto_blocked), fd);
}

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s the sources that were blocked: %s", what,
			sw_errno_text(errno));
}

/* Of an IPv6 host all of its /64 is blocked. */
static uint32_t length_of(const struct sw_addr *addr)
{
	return sw_addr_is_v4(addr) ? 128 : 64;
}

static int take(const struct sw_addr *addrs, const struct sw_auto_blocked *values, uint32_t count,
		struct sw_entries *entries)
{
	uint64_t now_s = sw_boot_s();
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		struct sw_entry entry = { .prefix = sw_prefix_around(&addrs[i],
								     length_of(&addrs[i])),
					  .hits = values[i].hits,
					  .expires_s = values[i].until_s,
					  .reason = REASON,
					  .automatic = true };

		if (values[i].until_s > now_s)
			error = sw_entries_add(entries, &entry);
	}
	return error;
}

int sw_auto_blocks_read(const struct sw_instance *instance, struct sw_entries *entries)
{
	SW_AUTO_FREE struct sw_auto_blocked *values = calloc(SW_MAX_AUTO_BLOCKS, sizeof(*values));
	SW_AUTO_FREE struct sw_addr *addrs = calloc(SW_MAX_AUTO_BLOCKS, sizeof(*addrs));
	__u32 count = SW_MAX_AUTO_BLOCKS, place;
	SW_AUTO_FD int fd = -1;
	int error = open_map(instance, &fd);

	if (error)
		return error;
	if (!values || !addrs)
		return -ENOMEM;
	/* all in one batch: the map holds no more */
	if (bpf_map_lookup_batch(fd, NULL, &place, addrs, values, &count, NULL) && errno != ENOENT)
		return failed("read");
	return take(addrs, values, count, entries);
}

int sw_auto_block_find(const struct sw_instance *instance, const struct sw_prefix *prefix,
		       bool remove, bool *found)
{
	struct sw_auto_blocked value;
	SW_AUTO_FD int fd = -1;
	int error = open_map(instance, &fd);

	*found = false;
	if (error || prefix->length != length_of(&prefix->addr))
		return error;
	if (remove ? !bpf_map_delete_elem(fd, &prefix->addr) :
		     !bpf_map_lookup_elem(fd, &prefix->addr, &value))
		*found = true;
	else if (errno != ENOENT)
		return failed("change");
	return 0;
}
