/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_COOKIE_H
#define SYNWARD_CORE_COOKIE_H

/*
 * SYN cookies, and the challenge for those whose server is another host. What they look like is in
 * include/synward/cookie.h, where the keys come from in cookie_keys.h. Times are milliseconds of the
 * coarse clock, modulo 2^32.
 */

#include "../../include/synward/cookie.h"
#include "packet.h"
#include "siphash.h"
#include "wire.h"

/* Hashes of different purposes never mean the same. */
enum cookie_kind {
	COOKIE_PLAIN,
	COOKIE_WITH_TIMESTAMP,
	COOKIE_CHALLENGE,
};

/* Of what a hash covers, all but the ends and the client's ISN. */
struct cookie_claim {
	enum cookie_kind kind;
	__u32 epoch;
	__u8 mss;
	__u8 wscale; /* that is offered: another offer would give the old scale another meaning */
};

/* The cookies' clock: timestamps and epochs are of it. */
static __always_inline __u32 cookie_clock(const struct sw_cookie_keys *keys, __u32 now_ms)
{
	return now_ms + keys->clock_offset;
}

static __always_inline __u32 cookie_epoch(__u32 clock_ms)
{
	return clock_ms >> SW_COOKIE_EPOCH_MS_SHIFT;
}

/*
 * A hash begins with what all cookies of one kind that one port of one address sends in an epoch have
 * in common, and goes on with what is the client's. During a flood the beginning is nearly always the
 * same: what it leaves is remembered. Whoever has no memo begins anew each time.
 */
#define COOKIE_MEMO_BITS 4
#define COOKIE_MEMOS	 (1U << COOKIE_MEMO_BITS)

struct sw_cookie_memo {
	__u64 secret; /* the half of one: which says which it is */
	__u64 common[3];
	struct sw_siphash state;
};

/* Of one CPU, zeroed at first. */
struct sw_cookie_memos {
	struct sw_cookie_memo of[COOKIE_MEMOS];
};

/* Of IPv4 one word of it, of IPv6 three, whose last is never 0. The low 15 bits of the epoch count. */
static __always_inline void cookie_common(const struct sw_packet *packet,
					  const struct cookie_claim *claim, __u64 common[3])
{
	__u64 purpose = (claim->epoch & 0x3ff) | claim->kind << 10 | (claim->wscale & 15) << 12;

	if (sw_addr_is_v4(&packet->dst)) {
		common[0] = packet->dst.words[3] | (__u64)packet->dport << 32 | purpose << 48;
		common[1] = common[2] = 0;
	} else {
		common[0] = packet->dst.halves[0];
		common[1] = packet->dst.halves[1];
		common[2] = packet->dport | purpose << 16 | 1ULL << 63;
	}
}

static __always_inline struct sw_siphash cookie_begin(const __u64 secret[2], const __u64 common[3],
						      struct sw_cookie_memos *memos)
{
	/* Fibonacci hashing: nobody can do worse than have the memos change places all the time */
	__u64 place = (common[0] + common[2]) * 0x9e3779b97f4a7c15ULL >> (64 - COOKIE_MEMO_BITS);
	struct sw_cookie_memo *memo = memos ? &memos->of[place] : NULL;
	struct sw_siphash hash;

	if (memo && memo->secret == secret[0] && memo->common[0] == common[0] &&
	    memo->common[1] == common[1] && memo->common[2] == common[2])
		return memo->state;
	sw_siphash_begin(&hash, secret);
	sw_siphash_add(&hash, common[0]);
	if (common[2]) {
		sw_siphash_add(&hash, common[1]);
		sw_siphash_add(&hash, common[2]);
	}
	if (memo) {
		memo->secret = secret[0];
		memo->common[0] = common[0];
		memo->common[1] = common[1];
		memo->common[2] = common[2];
		memo->state = hash;
	}
	return hash;
}

/* The ends are those of a packet of the client's. */
static __always_inline __u64 cookie_hash(const struct sw_cookie_keys *keys,
					 struct sw_cookie_memos *memos,
					 const struct sw_packet *packet, __u32 isn,
					 const struct cookie_claim *claim)
{
	const __u64 *secret = keys->secrets[claim->epoch & (SW_COOKIE_EPOCHS - 1)];
	__u64 common[3], length = 16 + 7;
	struct sw_siphash hash;

	cookie_common(packet, claim, common);
	hash = cookie_begin(secret, common, memos);
	if (sw_addr_is_v4(&packet->src)) {
		sw_siphash_add(&hash, packet->src.words[3] | (__u64)isn << 32);
	} else {
		sw_siphash_add(&hash, packet->src.halves[0]);
		sw_siphash_add(&hash, packet->src.halves[1]);
		sw_siphash_add(&hash, isn);
		length = 48 + 7;
	}
	return sw_siphash_end(&hash, (__u64)packet->sport << 32 | (__u64)claim->mss << 48 |
					     (__u64)(claim->epoch >> 10 & 31) << 51 | length << 56);
}

/*
 * Which epoch two bits mean: of the last four, the coming one excluded, the one that has them; of a shared
 * secret, of the last three and the coming one. Returns false if a cookie of that epoch is not honoured.
 */
static __always_inline bool recall_epoch(const struct sw_cookie_keys *keys, __u32 bits,
					 __u32 now_ms, __u32 *epoch)
{
	__u32 now = cookie_epoch(cookie_clock(keys, now_ms));
	__u32 age = (now - bits) & (SW_COOKIE_EPOCHS - 1);

	*epoch = age <= SW_COOKIE_MAX_AGE ? now - age : now + 1;
	return age <= SW_COOKIE_MAX_AGE || keys->is_shared;
}

/* ---- the MSS */

/*
 * The values that clients mostly have, of both families: Ethernet's, those of PPPoE and of tunnels,
 * what mobile networks clamp to, jumbo frames, and what RFC 9293 assumes if a client says nothing.
 * Whoever has less than the least gets that, as with the kernel's own cookies: it would refuse the
 * connection otherwise.
 *
 * Of IPv4 and of IPv6. One table of 64 bytes: what is as short as 16 or 32, clang 14 puts into a
 * section of its own, which the object's BTF then does not describe rightly.
 */
static const __u32 cookie_mss[2][SW_COOKIE_MSS_COUNT] = {
	{ 536, 1220, 1300, 1360, 1400, 1440, 1460, 8960 },
	{ 1220, 1280, 1340, 1380, 1400, 1420, 1440, 8940 },
};

/* How many values above the first are not more than the client's: none if it does not say. */
static __always_inline __u8 mss_place(const struct sw_packet *syn)
{
	const __u32 *values = cookie_mss[!sw_addr_is_v4(&syn->src)];
	__u32 place = 0;

	for (__u32 step = SW_COOKIE_MSS_COUNT / 2; step; step /= 2)
		if (syn->mss >= values[place + step])
			place += step;
	return place;
}

static __always_inline __u16 mss_at(const struct sw_packet *ack, __u8 place)
{
	place &= SW_COOKIE_MSS_COUNT - 1;
	return cookie_mss[!sw_addr_is_v4(&ack->src)][place];
}

/* ---- cookies */

/* What of the options of a SYN is agreed on. */
static __always_inline __u8 agree(const struct sw_cookie_offer *offer, const struct sw_packet *syn)
{
	const __u16 ecn_setup = WIRE_TCP_ECE | WIRE_TCP_CWR;
	__u8 wanted = SW_OFFER_TIMESTAMP;

	if (!(syn->options & SW_OPT_TIMESTAMP) || !(offer->options & SW_OFFER_TIMESTAMP))
		return 0;
	if (syn->options & SW_OPT_WSCALE)
		wanted |= SW_OFFER_WSCALE;
	if (syn->options & SW_OPT_SACK_OK)
		wanted |= SW_OFFER_SACK;
	/* a client that asks for AccECN takes this as well (RFC 9768 section 3.1.2) */
	if ((syn->flags & ecn_setup) == ecn_setup)
		wanted |= SW_OFFER_ECN;
	return wanted & offer->options;
}

/* The timestamp that carries what was agreed on. */
static __always_inline __u32 cookie_timestamp(__u32 clock_ms, const struct sw_packet *syn,
					      __u8 agreed)
{
	__u32 value = clock_ms >> SW_COOKIE_TS_BITS << SW_COOKIE_TS_BITS;

	if (!(agreed & SW_OFFER_WSCALE))
		value |= SW_COOKIE_NO_WSCALE;
	else /* RFC 7323 section 2.3: what is greater means 14 */
		value |= syn->wscale < 14 ? syn->wscale : 14;
	if (agreed & SW_OFFER_SACK)
		value |= SW_COOKIE_TS_SACK;
	if (agreed & SW_OFFER_ECN)
		value |= SW_COOKIE_TS_ECN;
	return value;
}

/* How to answer a SYN of which nothing shall be remembered. memos may be NULL, here and below. */
static __always_inline void sw_cookie_make(const struct sw_cookie_keys *keys,
					   struct sw_cookie_memos *memos,
					   const struct sw_cookie_offer *offer,
					   const struct sw_packet *syn, __u32 now_ms,
					   struct sw_cookie_answer *answer)
{
	__u32 clock_ms = cookie_clock(keys, now_ms);
	struct cookie_claim claim = { .epoch = cookie_epoch(clock_ms), .mss = mss_place(syn) };

	answer->options = agree(offer, syn);
	answer->tsval = 0;
	if (answer->options & SW_OFFER_TIMESTAMP) {
		claim.kind = COOKIE_WITH_TIMESTAMP;
		claim.wscale = offer->wscale;
		answer->tsval = cookie_timestamp(clock_ms, syn, answer->options);
	}
	answer->seq = claim.epoch << SW_COOKIE_EPOCH_SHIFT | claim.mss << SW_COOKIE_MSS_SHIFT |
		      (cookie_hash(keys, memos, syn, syn->seq, &claim) & SW_COOKIE_HASH_MASK);
	answer->ack = syn->seq + 1;
	answer->tsecr = syn->tsval;
	answer->mss = sw_addr_is_v4(&syn->src) ? offer->mss4 : offer->mss6;
	answer->window = offer->window;
	answer->wscale = offer->wscale;
	answer->ttl = offer->ttl;
}

/* May the timestamp that an ACK brings back be one that was sent in an epoch, as its bits say? */
static __always_inline bool is_of_epoch(__u32 tsecr, __u32 epoch)
{
	__u32 sent_ms = tsecr >> SW_COOKIE_TS_BITS << SW_COOKIE_TS_BITS;

	/* the bits that the options have taken made it seem a little earlier */
	return !((cookie_epoch(sent_ms + (1U << SW_COOKIE_TS_BITS) - 1) ^ epoch) & 0xffff) ||
	       !((cookie_epoch(sent_ms) ^ epoch) & 0xffff);
}

/* What was agreed on, of an ACK whose cookie is genuine; without its timestamp nothing is known. */
static __always_inline void cookie_options(const struct sw_cookie_offer *offer,
					   const struct sw_packet *ack,
					   const struct cookie_claim *claim,
					   struct sw_cookie_options *options)
{
	__u8 wscale = ack->tsecr & SW_COOKIE_TS_WSCALE;

	*options = (struct sw_cookie_options){ .mss = mss_at(ack, claim->mss) };
	if (!(ack->options & SW_OPT_TIMESTAMP))
		return;
	options->options = SW_OFFER_TIMESTAMP;
	options->tsval = ack->tsval;
	options->tsecr = ack->tsecr;
	if (wscale != SW_COOKIE_NO_WSCALE) {
		options->options |= SW_OFFER_WSCALE;
		options->snd_wscale = wscale;
		options->rcv_wscale = offer->wscale;
	}
	if (ack->tsecr & SW_COOKIE_TS_SACK)
		options->options |= SW_OFFER_SACK;
	if (ack->tsecr & SW_COOKIE_TS_ECN)
		options->options |= SW_OFFER_ECN;
}

static __always_inline bool cookie_matches(const struct sw_cookie_keys *keys,
					   struct sw_cookie_memos *memos,
					   const struct sw_packet *ack,
					   const struct cookie_claim *claim)
{
	return !((cookie_hash(keys, memos, ack, ack->seq - 1, claim) ^ (ack->ack - 1)) &
		 SW_COOKIE_HASH_MASK);
}

/*
 * Does the segment, a client's first ACK, alone or with data, bring back a cookie that was made for
 * it? Its timestamp must have been read (sw_parse_timestamp). options is set only if so. A client that
 * leaves out the timestamp that was agreed on gets what the kernel would give it: no options.
 */
static __always_inline bool sw_cookie_check(const struct sw_cookie_keys *keys,
					    struct sw_cookie_memos *memos,
					    const struct sw_cookie_offer *offer,
					    const struct sw_packet *ack, __u32 now_ms,
					    struct sw_cookie_options *options)
{
	const __u16 decisive = WIRE_TCP_SYN | WIRE_TCP_RST | WIRE_TCP_ACK;
	__u32 cookie = ack->ack - 1;
	struct cookie_claim claim = {
		.mss = cookie >> SW_COOKIE_MSS_SHIFT & (SW_COOKIE_MSS_COUNT - 1),
	};

	if ((ack->flags & decisive) != WIRE_TCP_ACK ||
	    !recall_epoch(keys, cookie >> SW_COOKIE_EPOCH_SHIFT, now_ms, &claim.epoch))
		return false;
	if (ack->options & SW_OPT_TIMESTAMP) {
		if (!is_of_epoch(ack->tsecr, claim.epoch))
			return false;
	} else if (cookie_matches(keys, memos, ack, &claim)) {
		cookie_options(offer, ack, &claim, options);
		return true;
	}
	claim.kind = COOKIE_WITH_TIMESTAMP;
	claim.wscale = offer->wscale;
	if (!cookie_matches(keys, memos, ack, &claim))
		return false;
	cookie_options(offer, ack, &claim, options);
	return true;
}

/* ---- challenges */

/*
 * How to find out whether a SYN's source is genuine, without being its server: the answer
 * acknowledges a number that the client has not sent, and whose RST takes that as its own number
 * (RFC 9293 section 3.10.7.3). It then tries again. The number is the epoch in two bits and 30 of a
 * hash. Returns false if this SYN cannot be challenged: by chance the client would believe it.
 */
static __always_inline bool sw_challenge_make(const struct sw_cookie_keys *keys,
					      struct sw_cookie_memos *memos,
					      const struct sw_packet *syn, __u32 now_ms,
					      struct sw_cookie_answer *answer)
{
	struct cookie_claim claim = { .kind = COOKIE_CHALLENGE,
				      .epoch = cookie_epoch(cookie_clock(keys, now_ms)) };
	/* without the ISN: the RST does not say it */
	__u64 hash = cookie_hash(keys, memos, syn, 0, &claim);
	__u32 mask = (1U << SW_COOKIE_EPOCH_SHIFT) - 1;

	*answer = (struct sw_cookie_answer){
		.seq = hash >> 32,
		.ack = claim.epoch << SW_COOKIE_EPOCH_SHIFT | (hash & mask),
		.ttl = 64,
	};
	return answer->ack - (syn->seq + 1) > syn->payload;
}

/* Is the segment the RST with which a client answers a challenge? */
static __always_inline bool sw_challenge_check(const struct sw_cookie_keys *keys,
					       struct sw_cookie_memos *memos,
					       const struct sw_packet *rst, __u32 now_ms)
{
	struct cookie_claim claim = { .kind = COOKIE_CHALLENGE };
	__u32 mask = (1U << SW_COOKIE_EPOCH_SHIFT) - 1;

	if ((rst->flags & (WIRE_TCP_SYN | WIRE_TCP_RST)) != WIRE_TCP_RST ||
	    !recall_epoch(keys, rst->seq >> SW_COOKIE_EPOCH_SHIFT, now_ms, &claim.epoch))
		return false;
	return !((cookie_hash(keys, memos, rst, 0, &claim) ^ rst->seq) & mask);
}

#endif
