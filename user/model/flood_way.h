/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_FLOOD_WAY_H
#define SYNWARD_MODEL_FLOOD_WAY_H

/*
 * Which of the ways to keep floods off a host is taken: what the policy asks for, else what attach
 * asks for, else the best one; of those only what works there.
 */

#include <synward/flood.h>

#include <stdbool.h>
#include <stdint.h>

/* What there is to choose from, in a network namespace. */
struct sw_flood_host {
	bool hands_over;     /* the kernel can give a listener what a cookie has completed */
	bool checks_cookies; /* it makes and checks cookies for us */
	bool has_word;	     /* the operator's, that net.ipv4.tcp_syncookies may be set ... */
	bool may_set;	     /* ... and it can be, and nobody else has set it since */
	int syncookies;	     /* what that is, or would be without us; -1: there is none */
	char bridge[16]; /* whose br_netfilter undoes what is handed over below it; "": none does */
};

/* enum sw_flood_wish of each */
struct sw_flood_asked {
	uint8_t policy;
	uint8_t attach;
};

/* Why it is the one that it is: X(ID, name, meaning). */
#define SW_WAY_REASONS(X)                                                                          \
	X(POLICY, policy, "the policy asks for it")                                                \
	X(ATTACH, attach, "attach --flood-way asked for it")                                       \
	X(BEST, best, "the best that works here")                                                  \
	X(INSTEAD, instead, "what was asked for does not work here")

enum sw_way_reason {
#define X(id, name, meaning) SW_WAY_BY_##id,
	SW_WAY_REASONS(X)
#undef X
		SW_WAY_REASON_COUNT
};

struct sw_flood_choice {
	enum sw_flood_way way;
	enum sw_way_reason reason;
};

struct sw_flood_choice sw_flood_choose(const struct sw_flood_host *host,
				       const struct sw_flood_asked *asked);

/* What net.ipv4.tcp_syncookies must be for a way, at least. */
int sw_way_syncookies(enum sw_flood_way way);

#define SW_WAY_LACK_SIZE 192

/* Why a way does not work there, and NULL if it does. Returns text. */
const char *sw_way_lack(char text[SW_WAY_LACK_SIZE], const struct sw_flood_host *host,
			enum sw_flood_way way);

/* What has changed since an interface's part in the defence was written: X(ID, name, meaning). */
#define SW_DRIFTS(X)                                                                               \
	X(WAY, way, "how floods are kept off")                                                     \
	X(MTU, mtu, "the MTU")                                                                     \
	X(OPTIONS, options, "what TCP may offer")                                                  \
	X(ADDRESSES, addresses, "the addresses")

enum sw_drift {
#define X(id, name, meaning) SW_DRIFT_##id,
	SW_DRIFTS(X)
#undef X
		SW_DRIFT_COUNT
};

#endif
