/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_OCCUPANCY_READER_H
#define SYNWARD_READERS_OCCUPANCY_READER_H

#include "../model/snapshot.h"
#include "../platform/instance.h"

/* How many entries of the tables of sources are used; occupancy has SW_OCCUPANCY_COUNT elements. */
int sw_occupancy_read(const struct sw_instance *instance, struct sw_occupancy *occupancy);

#endif
