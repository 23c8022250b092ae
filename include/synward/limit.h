/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LIMIT_H
#define SYNWARD_LIMIT_H

#include "base.h"

/*
 * Why a packet may be dropped that has nothing wrong with it by itself:
 * X(ID, name, meaning, condition, innocent causes). Each is counted under its name, like an anomaly:
 * how often it was met, and how often it dropped.
 */
#define SW_LIMITS(X)                                                                               \
	X(BLOCK_LIST, block_list, "Its source is on the block list.",                              \
	  "A packet whose source lies in a prefix of the block list, and in no prefix of "         \
	  "the allow list.",                                                                       \
	  "Whoever shares an address or a prefix with the one that was meant.")                    \
	X(AUTO_BLOCK, auto_block, "Its source was blocked for what it did, for a while.",          \
	  "A packet of a source that had completed a handshake, and then offended as often "       \
	  "within the window as auto_block says; until that expires. Of IPv6 it is the /64.",      \
	  "Whoever shares the address with the offender: many users behind one NAT.")              \
	X(SYN_RATE, syn_rate, "A SYN over the rate of its source prefix.",                         \
	  "A SYN of a source prefix that has used up its burst, which fills again at "             \
	  "limits.syn_rate.per_second of its service.",                                            \
	  "Many users behind one NAT, load tests, and clients that all connect again after an "    \
	  "outage.")                                                                               \
	X(HALF_OPEN_SOURCE, half_open_source,                                                      \
	  "A SYN of a source prefix that has too many unfinished handshakes.",                     \
	  "A SYN that would open another handshake of a source prefix that has "                   \
	  "limits.half_open.per_source unfinished ones with the service already.",                 \
	  "Many users behind one NAT while the server is slow, or its answers are lost.")          \
	X(HALF_OPEN_SERVICE, half_open_service,                                                    \
	  "A SYN to a service that has too many unfinished handshakes.",                           \
	  "A SYN that would open another handshake with a service that has "                       \
	  "limits.half_open.per_service unfinished ones already, of all sources together.",        \
	  "Everybody, while a flood fills it: this limit protects what is behind, not its "        \
	  "clients.")                                                                              \
	X(BAD_COOKIE, bad_cookie,                                                                  \
	  "An ACK of nothing known, without a valid cookie, to a service under a flood.",          \
	  "While SYNs to its service are answered with cookies: an ACK that belongs to no "        \
	  "connection, of which the kernel knows nothing either, and that brings no cookie "       \
	  "back.",                                                                                 \
	  "Data that overtook the ACK of their own handshake; their sender repeats them.")         \
	X(ACCEPT_QUEUE, accept_queue,                                                              \
	  "A SYN to a listener whose accept queue is full, under a flood.",                        \
	  "While SYNs to its service are answered with cookies: a SYN to a listener of this "      \
	  "host with as many connections waiting as its backlog allows. The kernel drops such a "  \
	  "SYN as well: its client tries again, and by then there may be room.",                   \
	  "Every client of a server that takes connections too slowly.")                           \
	X(CHALLENGE_ANSWER, challenge_answer,                                                      \
	  "A RST that answers a challenge, which nobody else needs to see.",                       \
	  "A RST with the number of a challenge that was sent for its flow.",                      \
	  "Every honest client behind a challenged service: this is how it proves itself.")

enum sw_limit {
#define X(id, ...) SW_LIMIT_##id,
	SW_LIMITS(X)
#undef X
		SW_LIMIT_COUNT,
	SW_LIMIT_NONE = SW_LIMIT_COUNT,
};

/* Arrays indexed by a limit have a power of two of elements: a mask is all the verifier asks for. */
#define SW_LIMIT_SLOTS 16

SW_STATIC_ASSERT(SW_LIMIT_COUNT < SW_LIMIT_SLOTS, "every limit has a slot, and none");

#endif
