/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_DICE_H
#define SYNWARD_BENCH_DICE_H

/* The same random numbers in each run: what differs is not by chance. */

#include "../include/synward/base.h"

/* splitmix64 */
static inline __u64 roll(void)
{
	static __u64 dice = 1;
	__u64 z = dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
