/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_COOKIE_H
#define SYNWARD_COOKIE_H

#include "base.h"

/*
 * A SYN cookie: what a server would have to remember of a SYN, sent to the client instead, in such a
 * way that nobody else can make it up. The initial sequence number of the SYN-ACK is
 *
 *	31 30   the epoch in which it was made, modulo 4
 *	29 27   the client's MSS, as its place in a table of eight
 *	26  0   a keyed hash of both ends, the client's ISN, all of the above, the whole epoch,
 *	        and whether there is a timestamp
 *
 * and if the client's SYN has a timestamp, the low six bits of the one that answers it are
 *
 *	5       ECN was agreed on
 *	4       SACK is permitted
 *	3  0    the client's window scale, 15: it has none
 *
 * Both come back in the client's first ACK. Without a timestamp there is no room for the options:
 * they are not agreed on then, and only the MSS survives. So it is if a client leaves it out of the
 * ACK; that is why the hash does not cover it. Whoever changes the options on their way lies about
 * himself, as he could have done in his SYN.
 *
 * A number that is made up is taken for a cookie once in 2^27 * 4/3 times: three of four epochs are
 * honoured, and all eight places in the table exist. Each further set of keys that is honoured makes that
 * as much more likely, and so does the fourth epoch of a shared secret: 2^27 for one.
 */
enum {
	SW_COOKIE_EPOCH_SHIFT = 30,
	SW_COOKIE_MSS_SHIFT = 27,
	SW_COOKIE_MSS_COUNT = 8,

	SW_COOKIE_TS_BITS = 6,
	SW_COOKIE_TS_ECN = 1 << 5,
	SW_COOKIE_TS_SACK = 1 << 4,
	SW_COOKIE_TS_WSCALE = 15,
	SW_COOKIE_NO_WSCALE = 15,
};

#define SW_COOKIE_HASH_MASK ((1U << SW_COOKIE_MSS_SHIFT) - 1)

/*
 * An epoch is 2^16 ms, about 66 s, of the cookies' clock modulo 2^32, which is the coarse clock and an
 * offset. A cookie is honoured in the epoch in which it was made and in the two that follow: for 131 to
 * 197 s. That is longer than anyone's first ACK takes; a client that lost it repeats its data until then,
 * and they will do as well.
 */
#define SW_COOKIE_EPOCH_MS_SHIFT 16
#define SW_COOKIE_EPOCHS	 4U
#define SW_COOKIE_MAX_AGE	 2U

/*
 * A set of keys: the secrets, each of one epoch, three that are honoured and that of the coming epoch,
 * which is made in time. A CPU that reads one and the CPU that writes one never mean the same. They are
 * random, or derived from a secret that hosts share; then all of these have the same clock, too, so
 * far as their own agree, and honour the coming epoch of whose clock is ahead.
 */
struct sw_cookie_keys {
	__u64 secrets[SW_COOKIE_EPOCHS][2];
	__u32 coming; /* the epoch of the newest secret; modulo 2^16, of a shared one modulo 2^32 */
	__u32 clock_offset; /* random, so that timestamps do not tell how long this host has been up */
	__u32 origin; /* sw_settings.cookie_secrets of the shared secret; 0: they are this host's own */
	__u32 is_shared; /* the coming epoch is honoured */
	__u32 others;	 /* of the first set, bit i: the set i is honoured, too */
	__u32 until_ms;	 /* of the former set, by the coarse clock */
};

/* Keys of the map "cookie_keys". */
enum sw_cookie_set {
	SW_COOKIE_SET_ACTIVE, /* cookies are made by it */
	SW_COOKIE_SET_SECOND, /* of the second line of the secret's file */
	SW_COOKIE_SET_FORMER, /* what the active one was before, while its cookies live */
	SW_COOKIE_SETS,
};

/* What is derived of one line of that file. */
struct sw_cookie_master {
	__u64 key[2];
	__u32 phase_ms; /* where epochs begin, and timestamps: the time of day is nobody else's business */
	__u32 id; /* may be known, so that people can compare hosts; 0: there is no such line */
};

#define SW_COOKIE_MASTERS 2U

/*
 * A value of the map "cookie_secrets", which only root reads. It has two: the lowest bit of
 * sw_settings.cookie_secrets is the key of the one that counts, the other one is being written.
 */
struct sw_cookie_secrets {
	struct sw_cookie_master masters[SW_COOKIE_MASTERS];
	__u64 own
		[2]; /* random: where this host's own secrets begin anew when it shares none any more */
};

/* For each slot of a policy one, and a power of two of them. */
#define SW_OFFER_WAYS 4U

/*
 * What an interface offers to clients whose SYNs it answers, and how it does: an option that it does
 * not know is not agreed on. ttl 0: it does not answer.
 */
struct sw_cookie_offer {
	__u16 mss4;
	__u16 mss6;
	__u16 window; /* of the SYN-ACK: unscaled, in bytes */
	__u8 wscale;  /* at most 14 */
	__u8 ttl;
	__u8 options;		  /* SW_OFFER_* */
	__u8 ways[SW_OFFER_WAYS]; /* enum sw_flood_way for this host itself, by the policy's slot */
	__u8 pad[3];
};

enum {
	SW_OFFER_TIMESTAMP = 1 << 0,
	SW_OFFER_WSCALE = 1 << 1,
	SW_OFFER_SACK = 1 << 2,
	SW_OFFER_ECN = 1 << 3,
	SW_OFFER_ALL = 15,
};

/* What a SYN is answered with, in host order. Without SW_OFFER_TIMESTAMP it has no other option. */
struct sw_cookie_answer {
	__u32 seq;
	__u32 ack;
	__u32 tsval;
	__u32 tsecr;
	__u16 mss; /* 0: does not say */
	__u16 window;
	__u8 wscale;
	__u8 ttl;
	__u8 options; /* SW_OFFER_*: what was agreed on */
	__u8 pad;
};

/* What a cookie that has come back says was agreed on. */
struct sw_cookie_options {
	__u32 tsval;	 /* of the ACK */
	__u32 tsecr;	 /* of the ACK: the timestamp that was sent with the cookie */
	__u16 mss;	 /* the client's */
	__u8 snd_wscale; /* the client's, 0 to 14 */
	__u8 rcv_wscale; /* the one that was offered */
	__u8 options;	 /* SW_OFFER_* */
	__u8 pad[3];
};

SW_STATIC_ASSERT(sizeof(struct sw_cookie_keys) == 88, "keys have no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_cookie_secrets) == 64, "secrets have no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_cookie_offer) == 16, "an offer has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_cookie_answer) == 24, "an answer has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_cookie_options) == 16, "options have no hidden padding");

#endif
