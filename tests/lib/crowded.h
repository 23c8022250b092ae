/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_CROWDED_H
#define SYNWARD_TESTS_CROWDED_H

/* Many flows, by their numbers, in tables of a host that are too small for them. */

#include "sequences.h"

/* A flow of the given number; the segments of sequence.h are the flow's if they come from it. */
#define OF(number) .from = FIRST_NUMBERED + (number)
#define TO(number) .to = FIRST_NUMBERED + (number)

static struct host host;

/* A millisecond after the one before, so that each has an age of its own. */
static inline void send(struct segment segment)
{
	segment.after_ms += 1;
	host_segment(&host, &segment, false);
}

static inline void connect_flow(__u32 number)
{
	send(A_SYN(OF(number)));
	send(A_SYNACK(TO(number)));
	send(AN_ACK(OF(number)));
}

/* What is over in both tables. */
static inline void sweep_all(void)
{
	host_sweep(&host, false);
	host_sweep_connections(&host, false);
}

#endif
