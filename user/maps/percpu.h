/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_PERCPU_H
#define SYNWARD_MAPS_PERCPU_H

#include <stddef.h>
#include <stdint.h>

/* How many CPUs the machine can have: so many values a per-CPU map has for each key. At least 1. */
int sw_cpu_count(void);

/*
 * Adds up one key of a per-CPU map whose values are nothing but __u64: size bytes into sums.
 * Returns 0 or -errno; records no line.
 */
int sw_percpu_sum(int map_fd, uint32_t key, void *sums, size_t size);

#endif
