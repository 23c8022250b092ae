/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_VERDICT_H
#define SYNWARD_VERDICT_H

#include "base.h"

/* What becomes of a packet: X(ID, name, meaning). Every packet that is seen has exactly one. */
#define SW_VERDICTS(X)                                                                             \
	X(PASSED, passed, "went on to where it would have gone without synward")                   \
	X(DROPPED, dropped, "discarded, each under the name of its reason")                        \
	X(ANSWERED, answered, "consumed and answered from the driver")

enum sw_verdict {
#define X(id, name, meaning) SW_VERDICT_##id,
	SW_VERDICTS(X)
#undef X
		SW_VERDICT_COUNT
};

/* What a packet is to the tracker: X(ID, name, meaning). */
#define SW_KINDS(X)                                                                                \
	X(TCP, tcp, "TCP segments, first fragments with a usable header included")                 \
	X(UNDECODABLE, undecodable, "TCP whose header cannot be used")                             \
	X(FRAGMENT, fragment, "later fragments, which carry no TCP header")                        \
	X(ICMP_ERROR, icmp_error, "ICMP destination-unreachable errors that quote TCP")            \
	X(OTHER_IP, other_ip, "other protocols and tunnels over IPv4 and IPv6")                    \
	X(NOT_IP, not_ip, "frames that are neither IPv4 nor IPv6, also within PPPoE")              \
	X(MALFORMED, malformed, "frames whose IP header is broken or cut off")

enum sw_kind {
#define X(id, name, meaning) SW_KIND_##id,
	SW_KINDS(X)
#undef X
		SW_KIND_COUNT
};

/* Arrays indexed by these have a power of two of elements: a mask is all the verifier asks for. */
#define SW_VERDICT_SLOTS 4
#define SW_KIND_SLOTS	 8

SW_STATIC_ASSERT(SW_VERDICT_COUNT <= SW_VERDICT_SLOTS, "every verdict has a slot");
SW_STATIC_ASSERT(SW_KIND_COUNT <= SW_KIND_SLOTS, "every kind has a slot");

#endif
