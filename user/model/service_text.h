/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_SERVICE_TEXT_H
#define SYNWARD_MODEL_SERVICE_TEXT_H

/* Which packets a service is about, as it stands in a policy file. */

#include <synward/policy.h>

#include <stdio.h>

/* any, ipv4 or ipv6. */
const char *sw_family_name(unsigned int family);

/* 192.0.2.10, 2001:db8::/64: each between two quotes, which may be ""; nothing if it has none. */
void sw_print_addresses(FILE *out, const struct sw_service *service, const char *quote);

/* 80, 8000-8100; nothing if it has none. */
void sw_print_ports(FILE *out, const struct sw_service *service);

#define SW_PORTS_SIZE 16

/* 80 or 8000-8100. Returns text. */
const char *sw_format_ports(char text[SW_PORTS_SIZE], const struct sw_port_range *range);

#endif
