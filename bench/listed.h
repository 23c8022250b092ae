/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_LISTED_H
#define SYNWARD_BENCH_LISTED_H

/*
 * The addresses on the lists that are measured: so many, all in 10.0.0.0/8, and none twice. Of them
 * a few send at a time.
 */
#define BENCH_LISTED	 1000000U
#define BENCH_LISTED_FEW 4096U

/* The i-th, as it is in a packet. An odd factor makes of different numbers different ones. */
static inline __attribute__((always_inline)) unsigned int bench_listed(unsigned int i)
{
	return (i * 0x9e3779U & 0xffffffU) << 8 | 10;
}

#endif
