/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_REPEAT_H
#define SYNWARD_REPEAT_H

#include "../include/synward/base.h"
#include <bpf/bpf_helpers.h>

/* What core/repeat.h wants. */
static __always_inline void sw_repeat(__u32 times, long (*step)(__u32 i, void *context),
				      void *context)
{
	bpf_loop(times, step, context, 0);
}

#endif
