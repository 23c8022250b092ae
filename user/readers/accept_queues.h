/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_ACCEPT_QUEUES_H
#define SYNWARD_READERS_ACCEPT_QUEUES_H

#include "../model/scrape.h"

#include <synward/policy.h>

/*
 * Adds the accept queues of this network namespace's listeners to those of the policy's services, by
 * their number; nobody has to be privileged for that. One listener may be of several services, if it
 * takes connections to any address. Returns 0 or -errno without a line.
 */
int sw_accept_queues_add(const struct sw_policy *policy,
			 struct sw_accept_queue queues[SW_SERVICE_SLOTS]);

#endif
