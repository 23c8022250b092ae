/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_ROWS_H
#define SYNWARD_MAPS_ROWS_H

#include <stdint.h>

/* So many rows of an array at most are read at once: those of all interfaces, and of all services of a policy. */
#define SW_ROWS 64

/*
 * Reads count rows of a map that is an array, from the first on, by one system call: into values, one behind the other, each
 * as bpf_map_lookup_elem() has it. The rows are of one moment no more than if each was read by itself. All of them have to be
 * in the map. Returns 0 or -errno; records no line.
 */
int sw_rows_read(int map_fd, uint32_t first, uint32_t count, void *values);

#endif
