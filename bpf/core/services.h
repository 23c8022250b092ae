/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SERVICES_H
#define SYNWARD_CORE_SERVICES_H

#include "../../include/synward/policy.h"
#include "bits.h"

/*
 * The service of a port, of those that have the address (the default always does): one look at the
 * port's class, one AND.
 */
static __always_inline __u32 sw_service_of(const struct sw_policy *policy, __u16 port,
					   __u64 with_address)
{
	__u32 class = policy->port_classes[port] & (SW_PORT_CLASSES - 1);
	__u64 bits = policy->class_services[class] & with_address;

	return sw_lowest_bit(bits | 1ULL << SW_SERVICE_DEFAULT);
}

#endif
