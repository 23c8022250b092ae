/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_SERVICES_H
#define SYNWARD_BASE_SERVICES_H

/* The services of the active policy and what was counted for each, all CPUs together. */

#include <synward/counters.h>
#include <synward/policy.h>

#include <stdint.h>

struct sw_service_view {
	char name[SW_SERVICE_NAME];
	struct sw_service_counters counters;
};

struct sw_services {
	uint64_t taken_ns;   /* CLOCK_MONOTONIC */
	uint32_t generation; /* of the policy; with another the rows may be other services */
	uint32_t count;	     /* 0: the policy has no services, so nothing is counted for any */
	struct sw_service_view
		services[SW_SERVICE_SLOTS]; /* as the policy has them, the default last */
};

#endif
