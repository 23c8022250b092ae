/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PARSE_H
#define SYNWARD_CORE_PARSE_H

#include "parse_l2.h"
#include "parse_l3.h"
#include "parse_tcp.h"

/* How many steps behind sw_parse() there are: PPPoE, extensions, what follows, and what that may quote. */
#define SW_MAX_PARSE_STEPS (1 + SW_MAX_IPV6_EXTENSIONS + 1 + SW_MAX_IPV6_EXTENSIONS + 1)

/* RFC 1122 section 4.2.3.9: the other codes are hints, and the SYN is tried again. */
static __always_inline bool is_hard_error(__u16 ether_type, __u8 code)
{
	if (ether_type == WIRE_ETH_IPV4)
		return code == 2 || code == 3 || code == 9 || code == 10 || code == 13;
	return code == 1 || code == 4 || code == 5 || code == 6;
}

/*
 * The TCP segment that an ICMP error quotes. Returns false if it quotes something else, or too little: then the
 * packet is its sender's as any other, with the addresses that it has.
 */
static __always_inline bool parse_quoted_tcp(struct sw_cursor *cursor, int protocol,
					     struct sw_packet *packet)
{
	const struct wire_tcp_start *tcp;

	if (protocol != WIRE_IP_TCP || packet->fragment_offset)
		return false;
	tcp = sw_pull(cursor, sizeof(*tcp));
	if (!tcp)
		return false;
	packet->sport = sw_ntohs(tcp->source);
	packet->dport = sw_ntohs(tcp->destination);
	packet->seq = sw_ntohl(tcp->seq);
	packet->kind = SW_KIND_ICMP_ERROR;
	packet->told_by = packet->src; /* the addresses of the quote come next */
	return true;
}

static __always_inline void parse_quoted_ipv4(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_ipv4 *ip = read_ipv4(cursor, 0xffff, packet);

	if (ip && parse_quoted_tcp(cursor, ip->protocol, packet))
		take_ipv4_addresses(ip, packet);
}

static __always_inline void parse_quoted_ipv6(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_ipv6 *ip = read_ipv6(cursor, 0xffff, packet);

	if (!ip)
		return;
	if (sw_is_ipv6_extension(ip->next_header)) {
		packet->next_header = ip->next_header;
		packet->extensions = 0;
		packet->payload = sizeof(*ip);
		packet->rest = SW_REST_QUOTED_EXTENSIONS;
	} else if (parse_quoted_tcp(cursor, ip->next_header, packet)) {
		take_ipv6_addresses(ip, packet);
	}
}

/*
 * Reads an ICMP error that quotes a TCP segment: the quoted segment's ends and seq become the
 * packet's. Anything else that ICMP says is of no concern here.
 */
static __always_inline void parse_icmp(struct sw_cursor *cursor, __u16 ether_type,
				       struct sw_packet *packet)
{
	const struct wire_icmp *icmp = sw_pull(cursor, sizeof(*icmp));
	__u8 code;

	if (!icmp)
		return;
	code = icmp->code;
	if (ether_type == WIRE_ETH_IPV4 ?
		    icmp->type != WIRE_ICMP_UNREACHABLE || code == WIRE_ICMP_FRAG_NEEDED :
		    icmp->type != WIRE_ICMPV6_UNREACHABLE)
		return;
	if (is_hard_error(ether_type, code))
		packet->facts |= SW_PKT_HARD_ERROR;
	if (ether_type == WIRE_ETH_IPV4)
		parse_quoted_ipv4(cursor, packet);
	else
		parse_quoted_ipv6(cursor, packet);
}

/* What lies behind the IP headers, of the given protocol or SW_L3_BROKEN. */
static __always_inline void parse_l4(struct sw_cursor *cursor, __u16 ether_type, int protocol,
				     struct sw_packet *packet)
{
	packet->kind = SW_KIND_OTHER_IP;
	if (protocol == SW_L3_BROKEN) {
		packet->kind = SW_KIND_MALFORMED;
	} else if (protocol == WIRE_IP_TCP) {
		if (packet->fragment_offset)
			packet->kind = SW_KIND_FRAGMENT;
		else
			sw_parse_tcp(cursor, packet);
	} else if (!packet->fragment_offset) {
		if (sw_is_ipv6_extension(protocol) && ether_type == WIRE_ETH_IPV6)
			packet->facts |= SW_PKT_MORE_EXTENSIONS;
		if (ether_type == WIRE_ETH_IPV4 && protocol == WIRE_IP_ICMP)
			packet->rest = SW_REST_ICMP;
		else if (ether_type == WIRE_ETH_IPV6 && protocol == WIRE_IP_ICMPV6)
			packet->rest = SW_REST_ICMPV6;
	}
}

static __always_inline bool is_ip(__u16 ether_type)
{
	return ether_type == WIRE_ETH_IPV4 || ether_type == WIRE_ETH_IPV6;
}

/* An IP packet of an ether type that is_ip(); rest is how many bytes the frame has from here on. */
static __always_inline void parse_ip(struct sw_cursor *cursor, __u16 ether_type, __u32 rest,
				     struct sw_packet *packet)
{
	int protocol = ether_type == WIRE_ETH_IPV4 ? sw_parse_ipv4(cursor, rest, packet) :
						     sw_parse_ipv6(cursor, rest, packet);

	if (ether_type == WIRE_ETH_IPV6 && sw_is_ipv6_extension(protocol)) {
		packet->next_header = protocol;
		packet->rest = SW_REST_EXTENSIONS;
		return;
	}
	parse_l4(cursor, ether_type, protocol, packet);
}

/*
 * Reads one Ethernet frame of frame_length bytes, of which the cursor may hold less: the rest was
 * cut off, by a capture or because it is not linear in memory. packet must be zeroed; its field
 * rest says whether there is more to read.
 */
static __always_inline void sw_parse(struct sw_cursor *cursor, __u32 frame_length,
				     struct sw_packet *packet)
{
	const __u8 *start = cursor->pos;
	__u16 ether_type = sw_parse_l2(cursor, packet);
	__u32 length;

	if (!is_ip(ether_type)) {
		packet->kind = ether_type ? SW_KIND_NOT_IP : SW_KIND_MALFORMED;
		if (ether_type == WIRE_ETH_PPPOE)
			packet->rest = SW_REST_PPPOE;
		return;
	}
	length = cursor->pos - start;
	packet->link_length = length;
	parse_ip(cursor, ether_type, frame_length > length ? frame_length - length : 0, packet);
}

/* PPPoE, and the packet in it. A length of 0 in that, which means the frame's elsewhere, never gets into a tunnel. */
static __always_inline void parse_pppoe(struct sw_cursor *cursor, struct sw_packet *packet)
{
	__u16 ether_type = sw_parse_pppoe(cursor);

	if (is_ip(ether_type))
		parse_ip(cursor, ether_type, 0, packet);
	else if (!ether_type)
		packet->kind = SW_KIND_MALFORMED;
}

/* One extension header, and what lies behind the last one. */
static __always_inline void parse_extension(struct sw_cursor *cursor, struct sw_packet *packet)
{
	int protocol = sw_skip_extension(cursor, packet) ? packet->next_header : SW_L3_BROKEN;

	if (protocol != SW_L3_BROKEN && sw_has_extension(packet))
		return;
	packet->rest = SW_REST_NONE;
	parse_l4(cursor, WIRE_ETH_IPV6, protocol, packet);
}

/*
 * The same of what an ICMP error quotes. If that is TCP, it goes back to the quoted header for the addresses,
 * which until then were those of the error itself.
 */
static __always_inline void parse_quoted_extension(struct sw_cursor *cursor,
						   struct sw_packet *packet)
{
	__u32 before = packet->ip_payload, back = packet->payload;
	int protocol = sw_skip_extension(cursor, packet) ? packet->next_header : SW_L3_BROKEN;

	back += before - packet->ip_payload;
	packet->payload = back;
	if (protocol != SW_L3_BROKEN && sw_has_extension(packet))
		return;
	packet->rest = SW_REST_NONE;
	packet->payload = 0;
	back += sizeof(struct wire_tcp_start);
	if (back > SW_MAX_OFFSET || !parse_quoted_tcp(cursor, protocol, packet))
		return;
	cursor->pos -= back;
	packet->rest = SW_REST_QUOTED_ADDRESSES;
}

static __always_inline void parse_quoted_addresses(struct sw_cursor *cursor,
						   struct sw_packet *packet)
{
	const struct wire_ipv6 *ip = sw_pull(cursor, sizeof(*ip));

	if (ip)
		take_ipv6_addresses(ip, packet);
}

/*
 * What sw_parse() leaves is read in at most SW_MAX_PARSE_STEPS further steps, while packet->rest is
 * not SW_REST_NONE, each from where the cursor stopped. Few packets need them, and the verifier
 * would multiply their paths by all those that lead here.
 */
static __always_inline void sw_parse_step(struct sw_cursor *cursor, struct sw_packet *packet)
{
	__u8 rest = packet->rest;

	if (rest == SW_REST_EXTENSIONS) {
		parse_extension(cursor, packet);
		return;
	}
	if (rest == SW_REST_QUOTED_EXTENSIONS) {
		parse_quoted_extension(cursor, packet);
		return;
	}
	packet->rest = SW_REST_NONE;
	if (rest == SW_REST_PPPOE)
		parse_pppoe(cursor, packet);
	else if (rest == SW_REST_OPTIONS)
		sw_parse_options(cursor, packet->doff * 4U - (__u32)sizeof(struct wire_tcp),
				 packet);
	else if (rest == SW_REST_ICMP)
		parse_icmp(cursor, WIRE_ETH_IPV4, packet);
	else if (rest == SW_REST_ICMPV6)
		parse_icmp(cursor, WIRE_ETH_IPV6, packet);
	else if (rest == SW_REST_QUOTED_ADDRESSES)
		parse_quoted_addresses(cursor, packet);
}

/* All steps at once, for whoever has no verifier to please. */
static __always_inline void sw_parse_all(struct sw_cursor *cursor, __u32 frame_length,
					 struct sw_packet *packet)
{
	sw_parse(cursor, frame_length, packet);
	for (int i = 0; i < SW_MAX_PARSE_STEPS && packet->rest != SW_REST_NONE; i++)
		sw_parse_step(cursor, packet);
}

#endif
