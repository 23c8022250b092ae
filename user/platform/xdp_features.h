/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_XDP_FEATURES_H
#define SYNWARD_PLATFORM_XDP_FEATURES_H

/* What a driver can do for XDP, as the kernel tells it since 6.3: NETDEV_XDP_ACT_* of linux/netdev.h. */

#include <stdbool.h>
#include <stdint.h>

enum {
	SW_XDP_BASIC = 1 << 0,
	SW_XDP_REDIRECT = 1 << 1,
	SW_XDP_TARGET = 1 << 2, /* others may send by it, without a kernel's packet */
	SW_XDP_FRAGS = 1 << 5,
};

/* Of an interface of this network namespace. False if the kernel does not tell. */
bool sw_read_xdp_features(uint32_t ifindex, uint64_t *features);

#endif
