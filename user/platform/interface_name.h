/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_INTERFACE_NAME_H
#define SYNWARD_PLATFORM_INTERFACE_NAME_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What an interface of the network namespace that we are in is called now. False, and name untouched, if there is none. Does
 * what if_indextoname() does, which takes a socket of AF_UNIX for each call.
 */
bool sw_interface_name(uint32_t ifindex, char name[IF_NAMESIZE]);

#endif
