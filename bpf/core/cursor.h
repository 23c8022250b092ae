/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_CURSOR_H
#define SYNWARD_CORE_CURSOR_H

#include "../../include/synward/base.h"

/* What of a frame is still to be read. Never past end; end may be before the frame's true end. */
struct sw_cursor {
	const __u8 *pos;
	const __u8 *end;
};

/* No header lies further into a frame than that; a mask, so that the verifier sees a bound. */
#define SW_MAX_OFFSET 0x3fffU

/* The next len bytes, which are then behind the cursor; NULL, and no step, if they are not there. */
static __always_inline const void *sw_pull(struct sw_cursor *cursor, __u32 len)
{
	const __u8 *at = cursor->pos;

	if (at + len > cursor->end)
		return NULL;
	cursor->pos = at + len;
	return at;
}

/* The next len bytes without a step; NULL if they are not there. */
static __always_inline const void *sw_peek(const struct sw_cursor *cursor, __u32 len)
{
	return cursor->pos + len > cursor->end ? NULL : cursor->pos;
}

#endif
