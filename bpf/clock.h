/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CLOCK_H
#define SYNWARD_CLOCK_H

/*
 * The two clocks. Timeouts need no more than the kernel's tick, which costs a nanosecond to read;
 * the exact clock costs thirty, and is read only where a latency is measured. A replay has the
 * capture's clock for both.
 */

#include "maps.h"
#include "replay.h"

static __always_inline __u32 clock_ms(void)
{
	if (load.replay) {
		struct replay_frame *frame = replay_frame();

		return frame ? frame->now_ns / 1000000 : 0;
	}
	return bpf_jiffies64() * load.tick_ms_q20 >> 20;
}

static __always_inline __u64 clock_ns(void)
{
	if (load.replay) {
		struct replay_frame *frame = replay_frame();

		return frame ? frame->now_ns : 0;
	}
	return bpf_ktime_get_ns();
}

/* Exact, in microseconds modulo 2^32, and never 0: that means unknown. */
static __always_inline __u32 clock_us(void)
{
	return clock_ns() / 1000 | 1;
}

#endif
