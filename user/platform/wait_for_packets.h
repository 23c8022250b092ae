/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_WAIT_FOR_PACKETS_H
#define SYNWARD_PLATFORM_WAIT_FOR_PACKETS_H

/*
 * Waits until every packet that was under way in a program of ours has left it. What none can find
 * any more when this is called, none looks at when it returns.
 */
void sw_wait_for_packets(void);

#endif
