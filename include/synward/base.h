/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_BASE_H
#define SYNWARD_BASE_H

/*
 * The one header that chooses where the kernel's integer types come from: BPF code has them from
 * vmlinux.h, which must not meet <linux/types.h> in one translation unit.
 */
#ifdef __bpf__
#include "vmlinux.h"
#define offsetof(type, member) __builtin_offsetof(type, member)
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

#define __unused __attribute__((unused))

/* Has the compiler keep memory in memory: the verifier follows values in registers, one by one. */
#define sw_forget_registers() asm volatile("" ::: "memory")

/*
 * Has the compiler keep a value that it could also compute again: of a pointer that was compared with
 * the end of the packet, the verifier knows nothing any more once it is.
 */
#define sw_keep(value) asm volatile("" : "+r"(value))

#define SW_STATIC_ASSERT(expr, msg) _Static_assert(expr, msg)

/*
 * The version of everything that two programs share through a pinned map: the layout of each map
 * value and what its fields mean. Any change of either, also one that keeps every size, moves it.
 */
#define SW_ABI_VERSION 12

#endif
