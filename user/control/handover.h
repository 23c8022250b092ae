/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_HANDOVER_H
#define SYNWARD_CONTROL_HANDOVER_H

/*
 * The hook that gives listeners the handshakes that cookies have completed: a TCX link on what an
 * interface receives. Needs Linux 6.9. And what an interface offers to those whose SYNs it answers.
 */

#include "instance.h"

#include <synward/config.h>

/* Can this kernel hand over at all? */
bool sw_handover_is_possible(void);

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

#endif
