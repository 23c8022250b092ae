/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_ADDRESS_H
#define SYNWARD_BASE_ADDRESS_H

#include <synward/flow.h>

#define SW_ADDRESS_SIZE	 46
#define SW_ENDPOINT_SIZE (SW_ADDRESS_SIZE + 8)

/* 192.0.2.1 or 2001:db8::1. Returns text. */
const char *sw_format_address(char text[SW_ADDRESS_SIZE], const struct sw_addr *addr);

/* 192.0.2.1:80 or [2001:db8::1]:80; port in host order. Returns text. */
const char *sw_format_endpoint(char text[SW_ENDPOINT_SIZE], const struct sw_addr *addr, __u16 port);

#endif
