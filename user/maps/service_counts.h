/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_SERVICE_COUNTS_H
#define SYNWARD_MAPS_SERVICE_COUNTS_H

/*
 * What is counted for services (the map "service_counts"): for each slot and row, which packets write
 * only of the active policy. A count belongs to a name, whatever policies there are: the sum over all
 * slots, which never falls. Every function returns 0 or a -errno, whose line is recorded.
 */

#include "../platform/instance.h"

#include <synward/counters.h>
#include <synward/policy.h>

/* The counters of one slot's rows, all CPUs together. */
int sw_service_counts_of_slot(const struct sw_instance *instance, uint32_t slot,
			      struct sw_service_counters sums[SW_SERVICE_SLOTS]);

/*
 * Adds the services of the slot's last policy that a new one for it lacks behind those that it has, by
 * their names only, so that their counters have a row. Where no row is left, they are lost.
 */
void sw_service_counts_keep_names(struct sw_policy *policy, const struct sw_policy *last);

/* Puts what the slot's last policy counted into the rows of the same names of the new one. */
int sw_service_counts_move(const struct sw_instance *instance, uint32_t slot,
			   const struct sw_policy *policy, const struct sw_policy *last);

/*
 * The counters of a policy's services, by their number: all that was counted under their names,
 * whichever of the slots' policies it was. It waits for a moment if one is just being written.
 */
int sw_service_counts_sum(const struct sw_instance *instance, const struct sw_policy *policy,
			  struct sw_service_counters sums[SW_SERVICE_SLOTS]);

#endif
