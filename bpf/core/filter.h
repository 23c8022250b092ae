/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_FILTER_H
#define SYNWARD_CORE_FILTER_H

/* What says of most flows, and from the cache, that a table knows nothing of them. */

#include "../../include/synward/tables.h"

#define EACH_TAG(value) ((value)*0x0001000100010001ULL)

/* Has a row of the filter a tag? All four at once: a lane that is zero, and only that, borrows. */
static __always_inline bool sw_filter_has(__u64 row, __u16 tag)
{
	__u64 others = row ^ EACH_TAG((__u64)tag);

	return (others - EACH_TAG(1ULL)) & ~others & EACH_TAG(0x8000ULL);
}

/* The bit of a bucket's hint that a tag sets. */
static __always_inline __u8 sw_hint_bit(__u16 tag)
{
	return 1 << (tag >> 1 & 7); /* the lowest bit of all tags is set */
}

/* What the hint of a bucket with SW_WAYS tags has to be. The caller holds its lock. */
static __always_inline __u8 sw_hint_of(const __u16 *tags)
{
	__u8 hint = 0;

	for (__u32 way = 0; way < SW_WAYS; way++)
		if (tags[way])
			hint |= sw_hint_bit(tags[way]);
	return hint;
}

#endif
