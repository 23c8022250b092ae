/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_ROUTES_H
#define SYNWARD_PLATFORM_ROUTES_H

#include <synward/flow.h>

#include <stdint.h>

/* Called for each address; ifindex is 0 if it is of no interface. */
typedef void sw_take_address(void *context, const struct sw_addr *addr, uint32_t ifindex);

/*
 * The addresses of all interfaces of this network namespace, and the gateways of all its routes, each
 * as often as it occurs. Returns 0 or -errno; records no line.
 */
int sw_own_addresses(sw_take_address *take, void *context);
int sw_gateways(sw_take_address *take, void *context);

#endif
