/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_HANDOVER_H
#define SYNWARD_CONTROL_HANDOVER_H

/*
 * The hook that gives listeners the handshakes that cookies have completed: a TCX link on what an
 * interface receives. Needs Linux 6.9. And what an interface offers to those whose SYNs it answers.
 */

#include "instance.h"

#include <synward/config.h>
#include <synward/flood.h>

/* Can this kernel hand over at all? And can it make and check cookies for us? */
bool sw_handover_is_possible(void);
bool sw_raw_cookies_are_possible(void);

/*
 * How floods to this host are kept off, if nobody says: the best way that works here. Cookies of the
 * kernel do only while net.ipv4.tcp_syncookies is 2.
 */
enum sw_flood_way sw_flood_way_best(void);

/* Records an error if the way cannot work in this network namespace. */
int sw_flood_way_check(enum sw_flood_way way);

/* Does this network namespace forward, of any family? */
bool sw_forwards(void);

/* Attaches and pins it. Errors are recorded. */
int sw_handover_attach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		       int program_fd);

/* Takes it off at once. What is not there is fine. */
void sw_handover_detach(const struct sw_pins *pins, uint32_t slot);

/*
 * Writes what the interface answers SYNs with: what a listener of this network namespace would, by
 * the interface's MTU and the sysctls. Errors are recorded.
 */
int sw_offer_write(const struct sw_instance *instance, const struct sw_interface *record,
		   uint32_t slot);

/* Adds this network namespace's addresses to those that are not forwarded. Errors are recorded. */
int sw_own_addresses_write(const struct sw_instance *instance);

#endif
