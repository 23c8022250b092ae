/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_STATE_H
#define SYNWARD_STATE_H

#include "base.h"

/* The states of one end, as RFC 9293 section 3.3.2 names them: X(ID, printed name). */
#define SW_STATES(X)                                                                               \
	X(CLOSED, "CLOSED")                                                                        \
	X(LISTEN, "LISTEN")                                                                        \
	X(SYN_SENT, "SYN-SENT")                                                                    \
	X(SYN_RECEIVED, "SYN-RECEIVED")                                                            \
	X(ESTABLISHED, "ESTABLISHED")

enum sw_state {
#define X(id, name) SW_STATE_##id,
	SW_STATES(X)
#undef X
		SW_STATE_COUNT
};

/*
 * How far an attempt has come, as a box on the path can know it; the states of both ends follow
 * from it: X(ID, name, initiator's state, responder's state).
 */
#define SW_PHASES(X)                                                                               \
	X(NONE, none, CLOSED, CLOSED)                                                              \
	X(SYN_SENT, syn_sent, SYN_SENT, LISTEN)                                                    \
	X(SYN_RECEIVED, syn_received, SYN_SENT, SYN_RECEIVED)                                      \
	X(SIMULTANEOUS, simultaneous, SYN_RECEIVED, SYN_RECEIVED)                                  \
	X(SYNACK_FIRST, synack_first, SYN_SENT, SYN_RECEIVED)                                      \
	X(STRAY, stray, CLOSED, CLOSED)

enum sw_phase {
#define X(id, name, initiator, responder) SW_PHASE_##id,
	SW_PHASES(X)
#undef X
		SW_PHASE_COUNT
};

#endif
