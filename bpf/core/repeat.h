/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_REPEAT_H
#define SYNWARD_CORE_REPEAT_H

/*
 * sw_repeat() calls step(i, context) for i = 0, 1, ... until it returns other than 0, at most so many
 * times. How that is done is a part of the world, like a lock: whoever includes this for BPF has
 * defined it (see repeat.h there), so that the verifier goes through a step once, where of a loop it
 * goes through every turn.
 */

#include "../../include/synward/base.h"

#ifndef __bpf__
static __always_inline void sw_repeat(__u32 times, long (*step)(__u32 i, void *context),
				      void *context)
{
	for (__u32 i = 0; i < times && !step(i, context); i++)
		;
}
#endif

#endif
