/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_SNAPSHOT_READER_H
#define SYNWARD_READERS_SNAPSHOT_READER_H

/*
 * What is read of an instance that is open, with interfaces that have been read already: who says several things of one moment
 * opens and reads these once. Out-parameters are zeroed before, and are not left alone on failure.
 */

#include "../maps/interface_records.h"
#include "../model/snapshot.h"

/* As sw_snapshot_read(), but without map_bytes. Errors are recorded. */
int sw_snapshot_take(const struct sw_instance *instance, const struct sw_records *records,
		     struct sw_snapshot *snapshot);

/*
 * What is not read of it yet: the caller has filled in pin_dir, policy and, if wanted, occupancy. total is what has been
 * counted. -SW_DETACHED: it was taken off meanwhile. Errors are recorded.
 */
int sw_status_take(const struct sw_instance *instance, const struct sw_records *records,
		   const struct sw_counters *total, struct sw_status *status);

#endif
