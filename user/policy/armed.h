/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_POLICY_ARMED_H
#define SYNWARD_POLICY_ARMED_H

/* Whether any policy may drop anything. */

#include "../platform/instance.h"

int sw_armed_read(const struct sw_instance *instance, bool *armed);
int sw_armed_write(const struct sw_instance *instance, bool armed);

/*
 * Has nothing dropped any more, at once: whatever else is damaged or of another version, whoever
 * holds the lock. 0, an enum sw_failure or another -errno, with its line.
 */
int sw_disarm(const char *pin_dir);

#endif
