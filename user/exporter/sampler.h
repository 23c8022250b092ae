/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_SAMPLER_H
#define SYNWARD_EXPORTER_SAMPLER_H

/* Looks at the counters every SW_HISTORY_INTERVAL_MS, asked for or not, so that who comes sees what was before. */

#include "../model/history.h"

#include <event2/event.h>

/* Begins, with the instance in pin_dir, which is the caller's. There is one in a process. */
void sw_sampler_start(struct event_base *base, const char *pin_dir);
void sw_sampler_stop(void);

/* What it has found until now. */
const struct sw_history *sw_sampler_history(void);

#endif
