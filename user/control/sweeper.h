/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_SWEEPER_H
#define SYNWARD_CONTROL_SWEEPER_H

#include "../base/snapshot.h"
#include "instance.h"

/* Does the kernel's timer still sweep the tables? */
enum sw_sweeper sw_sweeper_state(const struct sw_instance *instance);

/* The clock of the tables' entries: milliseconds modulo 2^32. Records its errors. */
int sw_entry_clock(const struct sw_instance *instance, uint32_t *now_ms);

#endif
