/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LIMIT_H
#define SYNWARD_LIMIT_H

#include "base.h"

/*
 * Why a packet may be dropped that has nothing wrong with it by itself: X(ID, name, meaning). Each is
 * counted under its name, like an anomaly: how often it was met, and how often it dropped.
 */
#define SW_LIMITS(X)                                                                               \
	X(BLOCK_LIST, block_list, "its source is on the block list")                               \
	X(AUTO_BLOCK, auto_block, "its source was blocked for what it did, for a while")           \
	X(SYN_RATE, syn_rate, "a SYN over the rate of its source prefix")                          \
	X(HALF_OPEN_SOURCE, half_open_source,                                                      \
	  "a SYN of a source prefix that has too many unfinished handshakes")                      \
	X(HALF_OPEN_SERVICE, half_open_service,                                                    \
	  "a SYN to a service that has too many unfinished handshakes")                            \
	X(BAD_COOKIE, bad_cookie,                                                                  \
	  "an ACK of no connection, without a valid cookie, to a service under a flood")           \
	X(CHALLENGE_ANSWER, challenge_answer,                                                      \
	  "a RST that answers a challenge, which nobody else needs to see")

enum sw_limit {
#define X(id, name, meaning) SW_LIMIT_##id,
	SW_LIMITS(X)
#undef X
		SW_LIMIT_COUNT,
	SW_LIMIT_NONE = SW_LIMIT_COUNT,
};

/* Arrays indexed by a limit have a power of two of elements: a mask is all the verifier asks for. */
#define SW_LIMIT_SLOTS 8

SW_STATIC_ASSERT(SW_LIMIT_COUNT < SW_LIMIT_SLOTS, "every limit has a slot, and none");

#endif
