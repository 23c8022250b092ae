/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_WIPE_H
#define SYNWARD_BASE_WIPE_H

#include <stdint.h>
#include <string.h>

/*
 * Wipes what functions that have returned have left below: a library's own copies of a secret, and the vector
 * registers that it was copied through, which the dynamic linker keeps there while it looks for a function.
 */
static __attribute__((noinline, unused)) void sw_wipe_stack_below(void)
{
	uint8_t below[16 * 1024];

	explicit_bzero(below, sizeof(below));
}

#endif
