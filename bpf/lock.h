/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LOCK_H
#define SYNWARD_LOCK_H

/*
 * The lock of one bucket. bpf_spin_lock() also turns hard interrupts off, which costs more than all
 * that is done under it. There is no need: no program of ours runs in a hard interrupt, and wherever
 * one runs softirqs are off, so nobody who wants a lock can interrupt its holder. Only a hypervisor,
 * or a kernel with preemptible softirqs, can keep the holder from running; then whoever waits gives
 * up, and what it came for is not followed, which is counted.
 */

#include "../include/synward/tables.h"
#include "maps.h"

#define LOCK_PATIENCE 1024 /* some 20 us; a lock is held for a tenth of one */

struct lock_wait {
	struct sw_lock *lock;
	bool taken;
};

static long try_lock(__u32 i __unused, void *context)
{
	struct lock_wait *wait = context;

	wait->taken = !__sync_lock_test_and_set(&wait->lock->held, 1);
	return wait->taken;
}

__noinline int sw_lock_contended(struct sw_lock *lock)
{
	struct lock_wait wait = { .lock = lock };

	if (!lock)
		return 0;
	bpf_loop(LOCK_PATIENCE, try_lock, &wait, 0);
	return wait.taken;
}

/* Returns false if the lock was not to be had. A full barrier. */
static __always_inline bool sw_lock(struct sw_lock *lock)
{
	return !__sync_lock_test_and_set(&lock->held, 1) || sw_lock_contended(lock);
}

/*
 * What was written under the lock must be seen before it is free. Where stores are seen in their
 * order, a plain one does that without waiting for the others to get out of the core.
 */
static __always_inline void sw_unlock(struct sw_lock *lock)
{
	if (load.ordered_stores) {
		sw_forget_registers();
		*(volatile __u32 *)&lock->held = 0;
	} else {
		__sync_lock_test_and_set(&lock->held, 0);
	}
}

#endif
