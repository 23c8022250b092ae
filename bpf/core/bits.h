/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_BITS_H
#define SYNWARD_CORE_BITS_H

/*
 * The number of a bit. BPF has no instruction for it: clang 14 never ends when asked for one, and
 * halving would be a tree of branches to the verifier.
 */

#include "../../include/synward/base.h"

/* Where the product of a single bit and a de Bruijn sequence has the bit's number. */
#define DE_BRUIJN 0x03f79d71b4cb0a89ULL

static const __u8 de_bruijn_bits[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

/* The number of the lowest bit that is set; bits must not be 0. */
static __always_inline __u32 sw_lowest_bit(__u64 bits)
{
	return de_bruijn_bits[(bits & -bits) * DE_BRUIJN >> 58];
}

/* The number of the highest one. */
static __always_inline __u32 sw_highest_bit(__u64 bits)
{
	for (__u32 step = 1; step < 64; step *= 2)
		bits |= bits >> step;
	return sw_lowest_bit(bits - (bits >> 1));
}

#endif
