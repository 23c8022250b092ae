/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_INTERRUPTS_H
#define SYNWARD_BASE_INTERRUPTS_H

/*
 * Ctrl-C, the end of a terminal, and SIGTERM would end a change in the midst of it, without a word of what was done. They
 * can wait until it asks for them. Threads that begin meanwhile hear of none either.
 */

#include <signal.h>

/* From here on they wait, but for those that are ignored. */
void sw_interrupts_hold(sigset_t *before);

/* Has one come? 0, or -EINTR without a line. */
int sw_interrupts_check(void);

/* It is as before; one that has come is over, since whoever changes something has heeded it, or was done. */
void sw_interrupts_release(const sigset_t *before);

#endif
