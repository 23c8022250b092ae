/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_ANSWER_H
#define SYNWARD_CORE_ANSWER_H

/*
 * Turns the frame of a SYN into that of the SYN-ACK, where it lies. The answer is never longer than
 * the SYN. VLAN tags stay. IPv4 options and IPv6 extension headers are left out: the headers before
 * them move up to the TCP header, and the answer begins so much later in the frame. TCP options are
 * written anew, in the order of nearly every SYN-ACK; since each needs no more room than the SYN's,
 * they fit, and what is left of the room is not part of the answer any more.
 *
 * Checksums are computed from what is written and never derived from the SYN's: between two ends on
 * one host those are not there yet when the frame comes by.
 */

#include "../../include/synward/cookie.h"
#include "checksum.h"
#include "packet.h"
#include "wire.h"

#define SW_NO_ANSWER (-1)

/* The words of the TCP options. */
enum {
	ANSWER_MSS = WIRE_OPT_MSS << 24 | 4 << 16,
	ANSWER_SACK = WIRE_OPT_SACK_OK << 24 | 2 << 16,
	ANSWER_NO_SACK = WIRE_OPT_NOP << 24 | WIRE_OPT_NOP << 16,
	ANSWER_TIMESTAMP = WIRE_OPT_TIMESTAMP << 8 | 10,
	ANSWER_WSCALE = WIRE_OPT_NOP << 24 | WIRE_OPT_WSCALE << 16 | 3 << 8,
};

/* A frame, and where in it the SYN has its headers: offsets from its start. */
struct sw_syn_frame {
	__u8 *start;
	const __u8 *end;
	__u32 link_length;
	__u32 tcp;
};

/*
 * Can the SYN be answered at all? Not one behind an authentication header: the kernel, if it knows
 * that at all, checks it first. One in fragments can: its first has all it takes, and what follows is
 * nothing by itself. So can one that says to be signed, although its sender would take no answer that
 * is not: most kernels, and all listeners without keys, take it for a SYN as any other. One in PPPoE cannot: its answer
 * would have to say how long it is there, too.
 */
static __always_inline bool sw_is_answerable(const struct sw_packet *syn)
{
	return syn->kind == SW_KIND_TCP && syn->link_length && !(syn->facts & SW_PKT_AUTH);
}

/* ---- the link */

/* Puts the addresses, exchanged, where they may overlap with what they were. */
static __always_inline void exchange_ends(const wire_u16 *from, wire_u16 *to)
{
	wire_u16 a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5];

	to[0] = d;
	to[1] = e;
	to[2] = f;
	to[3] = a;
	to[4] = b;
	to[5] = c;
}

/* The link header, its ends exchanged, so many bytes later than it was; at least 4, if at all. */
static __always_inline bool answer_link(const struct sw_syn_frame *frame, __u32 later)
{
	wire_u16 *from = (wire_u16 *)frame->start, *to;

	if ((const __u8 *)(from + 11) > frame->end)
		return false;
	if (!later) {
		exchange_ends(from, from);
		return true;
	}
	/* masked here, though it is known to be small: Linux 6.1 has forgotten it by now */
	sw_keep(later);
	to = (wire_u16 *)(frame->start + (later & SW_MAX_OFFSET));
	sw_keep(to);
	if ((const __u8 *)(to + 11) > frame->end)
		return false;
	/* from behind, as the two may overlap: first what follows the addresses */
	if (frame->link_length == 22) {
		to[10] = from[10];
		to[9] = from[9];
	}
	if (frame->link_length >= 18) {
		to[8] = from[8];
		to[7] = from[7];
	}
	to[6] = from[6];
	exchange_ends(from, to);
	return true;
}

/* ---- IP */

static __always_inline bool answer_ipv4(const struct sw_syn_frame *frame, __u32 at, __u32 payload,
					const struct sw_packet *syn, __u8 ttl)
{
	struct wire_ipv4 *ip = (struct wire_ipv4 *)(frame->start + (at & SW_MAX_OFFSET));
	__u32 total = sizeof(*ip) + payload;
	__u64 sum;

	if ((const __u8 *)(ip + 1) > frame->end)
		return false;
	sum = sw_htons(0x4500) + sw_htons(total) + sw_htons(WIRE_IPV4_DONT_FRAGMENT) +
	      sw_htons(ttl << 8 | WIRE_IP_TCP) + (__u64)syn->src.words[3] + syn->dst.words[3];
	ip->version_ihl = 0x45;
	ip->tos = 0; /* the sender has no say in how urgent answers are */
	ip->total_length = sw_htons(total);
	ip->id = 0;
	ip->fragment = sw_htons(WIRE_IPV4_DONT_FRAGMENT);
	ip->ttl = ttl;
	ip->protocol = WIRE_IP_TCP;
	ip->checksum = ~sw_sum_fold(sum);
	ip->source = syn->dst.words[3];
	ip->destination = syn->src.words[3];
	return true;
}

static __always_inline bool answer_ipv6(const struct sw_syn_frame *frame, __u32 at, __u32 payload,
					const struct sw_packet *syn, __u8 ttl)
{
	struct wire_ipv6 *ip = (struct wire_ipv6 *)(frame->start + (at & SW_MAX_OFFSET));

	if ((const __u8 *)(ip + 1) > frame->end)
		return false;
	ip->version_class_flow = sw_htonl(6U << 28);
	ip->payload_length = sw_htons(payload);
	ip->next_header = WIRE_IP_TCP;
	ip->hop_limit = ttl;
	for (int i = 0; i < 4; i++) {
		ip->source[i] = syn->dst.words[i];
		ip->destination[i] = syn->src.words[i];
	}
	return true;
}

/* ---- TCP */

/* Where the next word goes, and the sum of those that are written. */
struct answer_words {
	wire_u32 *at;
	const __u8 *end;
	__u64 sum;
};

/* Into memory that is known to be there. */
static __always_inline void put_known(struct answer_words *out, __u32 word)
{
	__u32 wire = sw_htonl(word);

	*out->at++ = wire;
	out->sum += wire;
}

static __always_inline bool put(struct answer_words *out, __u32 word)
{
	if ((const __u8 *)(out->at + 1) > out->end)
		return false;
	put_known(out, word);
	return true;
}

static __always_inline bool answer_options(struct answer_words *out, __u16 mss,
					   const struct sw_cookie_answer *answer)
{
	__u8 options = answer->options;

	if (mss && !put(out, ANSWER_MSS | mss))
		return false;
	if (!(options & SW_OFFER_TIMESTAMP))
		return true;
	if (!put(out,
		 ANSWER_TIMESTAMP | (options & SW_OFFER_SACK ? ANSWER_SACK : ANSWER_NO_SACK)) ||
	    !put(out, answer->tsval) || !put(out, answer->tsecr))
		return false;
	return !(options & SW_OFFER_WSCALE) || put(out, ANSWER_WSCALE | answer->wscale);
}

/*
 * How many words the options need, the MSS's not counted. Computed, not chosen: each number that the verifier knows would
 * be one more way through all that comes after.
 */
static __always_inline __u32 option_words(__u8 options)
{
	__u32 timestamp = !!(options & SW_OFFER_TIMESTAMP), wscale = !!(options & SW_OFFER_WSCALE);

	sw_keep(timestamp);
	sw_keep(wscale);
	return timestamp * (3 + wscale) &
	       7; /* which is no more than 4: Linux 6.1 knows nothing of products */
}

/* Writes a TCP header of so many words of options. */
static __always_inline bool answer_tcp(const struct sw_syn_frame *frame, __u32 options,
				       const struct sw_packet *syn,
				       const struct sw_cookie_answer *answer, __u16 mss)
{
	struct wire_tcp *tcp = (struct wire_tcp *)(frame->start + (frame->tcp & SW_MAX_OFFSET));
	__u32 words = sizeof(*tcp) / 4 + options, flags = WIRE_TCP_SYN | WIRE_TCP_ACK;
	struct answer_words out = { .at = (wire_u32 *)tcp, .end = frame->end };

	if ((const __u8 *)(tcp + 1) > frame->end)
		return false;
	if (answer->options & SW_OFFER_ECN)
		flags |= WIRE_TCP_ECE;
	out.sum = sw_htons(WIRE_IP_TCP) + sw_htonl(words * 4);
	out.sum = sw_sum_address(&syn->src, sw_sum_address(&syn->dst, out.sum));
	put_known(&out, (__u32)syn->dport << 16 | syn->sport);
	put_known(&out, answer->seq);
	put_known(&out, answer->ack);
	put_known(&out, words << 28 | flags << 16 | answer->window);
	put_known(&out, 0);
	if (!answer_options(&out, mss, answer))
		return false;
	tcp->checksum = ~sw_sum_fold(out.sum);
	return true;
}

/* The MSS that is told beside so many words of other options: 0 if the SYN has no room for it. */
static __always_inline __u16 sw_mss_beside(__u16 mss, __u32 options, __u32 room)
{
	return mss && options + 1 > room ? 0 : mss;
}

/* ---- the whole */

/* Is the frame of the family that syn's addresses say, and does it hold the whole TCP header? */
static __always_inline bool is_whole(const struct sw_syn_frame *frame, const struct sw_packet *syn)
{
	const __u8 *behind = frame->start + ((frame->tcp + syn->doff * 4U) & SW_MAX_OFFSET);
	const wire_u16 *ether_type =
		(const wire_u16 *)(frame->start + ((frame->link_length - 2) & SW_MAX_OFFSET));

	if (behind > frame->end || (const __u8 *)(ether_type + 1) > frame->end)
		return false;
	return (*ether_type == sw_htons(WIRE_ETH_IPV4)) == sw_addr_is_v4(&syn->src);
}

/*
 * Writes the answer over the SYN, of which syn must have been read. Returns by how many bytes the
 * answer begins later than the frame, and *length becomes that of the answer in bytes. Or
 * SW_NO_ANSWER, if the frame is not as syn says; then both are as they were.
 */
static __always_inline int sw_answer(const struct sw_syn_frame *frame, const struct sw_packet *syn,
				     const struct sw_cookie_answer *answer, __u32 *length)
{
	bool v4 = sw_addr_is_v4(&syn->src);
	__u32 ip = v4 ? sizeof(struct wire_ipv4) : sizeof(struct wire_ipv6);
	__u32 later = frame->tcp - ip - frame->link_length, room = syn->doff - 5U;
	__u32 options = option_words(answer->options), tcp;
	__u16 mss = sw_mss_beside(answer->mss, options, room);

	options += !!mss;
	if (options > room || later > SW_MAX_OFFSET || !is_whole(frame, syn))
		return SW_NO_ANSWER;
	tcp = sizeof(struct wire_tcp) + options * 4;
	if (!answer_link(frame, later))
		return SW_NO_ANSWER;
	if (v4 ? !answer_ipv4(frame, frame->tcp - ip, tcp, syn, answer->ttl) :
		 !answer_ipv6(frame, frame->tcp - ip, tcp, syn, answer->ttl))
		return SW_NO_ANSWER;
	if (!answer_tcp(frame, options, syn, answer, mss))
		return SW_NO_ANSWER;
	*length = frame->link_length + ip + tcp;
	return later;
}

#endif
