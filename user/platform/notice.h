/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_NOTICE_H
#define SYNWARD_PLATFORM_NOTICE_H

/* Tells the journal of events what this command has done. */

#include "../model/snapshot.h"
#include "pins.h"

#include <synward/event.h>

/*
 * type and action, and what else there is to it, are filled in; who does it is added here. A command has done what it
 * tells of, so that it cannot be told is no failure of it: nothing is returned, and no line recorded.
 */
void sw_notice_tell(const struct sw_pins *pins, const struct sw_notice *notice);

/* That an interface was attached or detached; or of those that were to be attached, all that were not before. */
void sw_notice_interface(const struct sw_pins *pins, enum sw_deed deed, const char *name);
void sw_notice_attached(const struct sw_pins *pins, const struct sw_attach_result *results,
			uint32_t count);

#endif
