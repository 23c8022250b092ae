/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_OCCUPANCY_H
#define SYNWARD_CONTROL_OCCUPANCY_H

#include "../base/snapshot.h"
#include "instance.h"

/* How many entries of the tables of sources are used; occupancy has SW_OCCUPANCY_COUNT elements. */
int sw_occupancy_read(const struct sw_instance *instance, struct sw_occupancy *occupancy);

#endif
