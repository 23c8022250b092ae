/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_HANDOVER_H
#define SYNWARD_HOOKS_HANDOVER_H

/*
 * The hook that gives listeners the handshakes that cookies have completed: a TCX link on what an
 * interface receives. Needs Linux 6.9. The program is loaded and pinned with the others; it is linked
 * only while there may be cookies, so that without them it costs no packet anything. Where TC sees what comes in, its
 * program does that, too, and there is nothing to be linked.
 */

#include "../model/snapshot.h"
#include "../platform/instance.h"

#include <synward/config.h>

/* Can this kernel hand over at all? And can it make and check cookies for us? */
bool sw_handover_is_possible(void);
bool sw_raw_cookies_are_possible(void);

/* Pins the program of a slot, to be linked when it is needed. Errors are recorded. */
int sw_handover_keep(const struct sw_pins *pins, uint32_t slot, int program_fd);

/* Has the slot a program to be linked, or one that does without? */
bool sw_handover_is_kept(const struct sw_pins *pins, const struct sw_interface *record,
			 uint32_t slot);

/*
 * Links it, unless it is; *linked tells whether that was to be done. In the interface's network
 * namespace. Errors are recorded.
 */
int sw_handover_link(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		     bool *linked);

/* Takes it off at once. What is not there is fine. Errors are recorded. */
int sw_handover_unlink(const struct sw_pins *pins, uint32_t slot);

/* As of other hooks; *program is 0 where it is that of another hook. */
enum sw_health sw_handover_health(const struct sw_pins *pins, const struct sw_interface *record,
				  uint32_t slot, uint32_t *program);

#endif
