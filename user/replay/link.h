/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_LINK_H
#define SYNWARD_REPLAY_LINK_H

/* From what a capture calls a packet to the Ethernet frame that the program expects. */

#include <synward/replay.h>

#include <stdbool.h>
#include <stdint.h>

/* Can packets of this link type (LINKTYPE_*, or libpcap's DLT_*) be turned into frames? */
bool sw_link_is_known(int link);

/*
 * Fills in a frame, but for its time, from a record of a known link type: captured bytes at data,
 * of the length that were on the wire. What does not fit into a frame is left out. Without Ethernet
 * addresses of its own it gets made-up ones; only of a loopback device they are all zero, which is
 * how the program knows one.
 */
void sw_link_to_frame(int link, const uint8_t *data, uint32_t captured, uint32_t length,
		      struct sw_replay_frame *frame);

#endif
