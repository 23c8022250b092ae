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

/* How many segments a CPU times in a window of 16 ms: two of an opening, so 32,000 of these a second. */
#define TIMED_WINDOW_SHIFT 4
#define TIMED_PER_WINDOW   1024

static __always_inline __u32 clock_ms(void)
{
	if (load.replay) {
		struct replay_frame *frame = replay_frame();

		return frame ? frame->now_ns / 1000000 : 0;
	}
	return bpf_jiffies64() * load.tick_ms_q20 >> 20;
}

/* The same without an end. */
static __always_inline __u64 clock_ms64(void)
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

/* The time of day in milliseconds, by the kernel's TAI: BPF has no other that follows a clock that is set. */
static __always_inline __u64 clock_tai_ms(void)
{
	if (load.replay) {
		struct replay_frame *frame = replay_frame();

		return frame ? frame->now_ns / 1000000 : 0;
	}
	return bpf_ktime_get_tai_ns() / 1000000;
}

/* Exact, in microseconds modulo 2^32, and never 0: that means unknown. */
static __always_inline __u32 clock_us(void)
{
	return clock_ns() / 1000 | 1;
}

/*
 * May the opening at hand be timed exactly? More than any honest load has may be; of a flood it is
 * a sample, since the exact clock would cost it a quarter more. What is not timed has no latency.
 */
static __always_inline bool may_time(__u32 now_ms)
{
	__u32 key = 0;
	struct cpu_budget *budget;

	if (load.replay)
		return true;
	budget = bpf_map_lookup_elem(&budgets, &key);
	if (!budget)
		return false;
	if (budget->timed_window != now_ms >> TIMED_WINDOW_SHIFT) {
		budget->timed_window = now_ms >> TIMED_WINDOW_SHIFT;
		budget->timed = 0;
	}
	if (budget->timed >= TIMED_PER_WINDOW)
		return false;
	budget->timed++;
	return true;
}

#endif
