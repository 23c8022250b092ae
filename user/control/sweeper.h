/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_SWEEPER_H
#define SYNWARD_CONTROL_SWEEPER_H

#include "../base/snapshot.h"
#include "instance.h"

/* Does the kernel's timer still sweep the tables? */
enum sw_sweeper sw_sweeper_state(const struct sw_instance *instance);

/* The kernel's coarse clock, in milliseconds. Records its errors. */
int sw_coarse_clock(const struct sw_instance *instance, uint64_t *now_ms);

/* The same modulo 2^32, as the tables' entries have it. */
int sw_entry_clock(const struct sw_instance *instance, uint32_t *now_ms);

#endif
