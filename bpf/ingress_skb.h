/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_INGRESS_SKB_H
#define SYNWARD_INGRESS_SKB_H

/*
 * What comes in is seen by TC; see ingress_xdp.h. Frames are only read through pointers: for a program that writes so
 * the kernel copies the beginning of each buffer that somebody else has, too, as of all that a veth's other end or
 * tcpdump keeps. The helpers that write here do that for the one buffer.
 */

#include "inquiry.h" /* before core/follow.h, which needs it */

#include "core/answer.h"
#include "send.h"

/* The context of programs that see what comes in. */
typedef struct __sk_buff ingress_ctx;

#define ct_lookup_ingress bpf_skb_ct_lookup

#define ETHER_ADDRESSES 12U

/* TC can send by any interface. */
static __always_inline int note_sender_of(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

/* An answer is always sent from here. Remembers where to, beside the buffer. */
static __always_inline bool may_answer(struct __sk_buff *skb, __u32 how)
{
	skb->cb[0] = how & SEND_BY_ROUTE;
	return true;
}

/* Is what follows the link header of the family that syn's addresses say? */
static __always_inline bool is_of_family(struct __sk_buff *skb, const struct sw_packet *syn)
{
	__u16 ether_type;

	return !bpf_skb_load_bytes(skb, syn->link_length - sizeof(ether_type), &ether_type,
				   sizeof(ether_type)) &&
	       (ether_type == sw_htons(WIRE_ETH_IPV4)) == sw_addr_is_v4(&syn->src);
}

static __always_inline bool turn_link(struct __sk_buff *skb)
{
	wire_u16 from[ETHER_ADDRESSES / 2], to[ETHER_ADDRESSES / 2];

	if (bpf_skb_load_bytes(skb, 0, from, sizeof(from)))
		return false;
	exchange_ends(from, to);
	return !bpf_skb_store_bytes(skb, 0, to, sizeof(to), 0);
}

/*
 * Makes the buffer the answer and sends it. Each header is made beside it. What the SYN has between its link header and
 * what the answer keeps is taken out: a checksum that is still to be added has its place counted from there. Where that is
 * refused, as behind a tag in front of IP, the answer begins earlier, and only one with such a checksum is lost.
 */
__noinline int send_answer(struct __sk_buff *skb, __u32 tcp, const struct sw_packet *syn,
			   const struct sw_cookie_answer *answer)
{
	__u32 header[10]; /* of IPv6, or of TCP with five words of options */
	struct sw_syn_frame frame = { .start = (__u8 *)header,
				      .end = (const __u8 *)header + sizeof(header) };
	__u32 ip, later, options, room;
	__u16 mss;

	if (!syn || !answer || !is_of_family(skb, syn))
		return false;
	ip = sw_addr_is_v4(&syn->src) ? sizeof(struct wire_ipv4) : sizeof(struct wire_ipv6);
	later = tcp - ip - syn->link_length;
	room = syn->doff - 5U;
	options = option_words(answer->options);
	mss = sw_mss_beside(answer->mss, options, room);
	options += !!mss;
	if (options > room || later > SW_MAX_OFFSET)
		return false;
	if (later)
		bpf_skb_adjust_room(skb, -(int)later, BPF_ADJ_ROOM_MAC, 0);
	tcp = syn->link_length + ip;
	if (!turn_link(skb))
		return false;
	room = sizeof(struct wire_tcp) + options * 4;
	if (ip == sizeof(struct wire_ipv4) ?
		    !answer_ipv4(&frame, 0, room, syn, answer->ttl) ||
			    bpf_skb_store_bytes(skb, syn->link_length, header,
						sizeof(struct wire_ipv4), 0) :
		    !answer_ipv6(&frame, 0, room, syn, answer->ttl) ||
			    bpf_skb_store_bytes(skb, syn->link_length, header,
						sizeof(struct wire_ipv6), 0))
		return false;
	if (!answer_tcp(&frame, options, syn, answer, mss) || room > sizeof(header) ||
	    bpf_skb_store_bytes(skb, tcp, header, room, 0))
		return false;
	return send_buffer(skb, syn, tcp, room, skb->cb[0]) == TC_ACT_REDIRECT;
}

/* Makes the buffer the answer, which is on its way then. Returns false if it cannot be one; the SYN may be lost. */
static __always_inline bool put_answer(struct __sk_buff *skb, __u32 tcp,
				       const struct sw_packet *syn,
				       const struct sw_cookie_answer *answer)
{
	return send_answer(skb, tcp, syn, answer);
}

/* The same. */
static __always_inline bool put_answer_here(struct __sk_buff *skb, __u32 tcp,
					    const struct sw_packet *syn,
					    const struct sw_cookie_answer *answer)
{
	skb->cb[0] = 0; /* not by route */
	return put_answer(skb, tcp, syn, answer);
}

#endif
