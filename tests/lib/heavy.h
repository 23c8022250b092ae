/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_HEAVY_H
#define SYNWARD_TESTS_HEAVY_H

/* Numbered sources for the tests of the sketch, and dice. */

#include "../../bpf/core/heavy.h"

#include <math.h>

#define SOURCES 20000U
#define EVENTS	1000000U
#define WINDOW	7U /* odd, so not the bank of zeroed memory */

static const __u64 seed[2] = { 0x243f6a8885a308d3, 0x13198a2e03707344 };
static __u64 dice;

/* splitmix64 */
static inline __u64 roll(void)
{
	__u64 z = dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to 1 */
static inline double roll_real(void)
{
	return (double)(roll() >> 11) / (double)(1ULL << 53);
}

static inline struct sw_addr v4(__u32 number)
{
	struct sw_addr addr = {};

	addr.words[2] = SW_V4_MAPPED_WORD;
	addr.words[3] = number;
	return addr;
}

static inline struct sw_addr v6(__u32 network, __u64 host)
{
	struct sw_addr addr = {};

	addr.words[0] = 0xb80d0120; /* 2001:db8::/32 */
	addr.words[1] = network;
	addr.halves[1] = host;
	return addr;
}

/* Every third is of IPv6, and another host of its network each time. */
static inline struct sw_addr address(__u32 source)
{
	struct sw_addr addr = source % 3 ? v4(source) : v6(source, roll());

	return sw_addr_host(&addr);
}

/* A number whose logarithm is uniform: the k-th source sends a share of about 1 / k. */
static inline __u32 roll_zipf(void)
{
	return (__u32)exp(roll_real() * log(SOURCES)) - 1;
}

#endif
