/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PARSE_H
#define SYNWARD_CORE_PARSE_H

#include "parse_l2.h"
#include "parse_l3.h"
#include "parse_tcp.h"

/* How many steps behind sw_parse() there are: extensions, what follows, and what that may quote. */
#define SW_MAX_PARSE_STEPS (SW_MAX_IPV6_EXTENSIONS + 1 + SW_MAX_IPV6_EXTENSIONS)

/* RFC 1122 section 4.2.3.9: the other codes are hints, and the SYN is tried again. */
static __always_inline bool is_hard_error(__u16 ether_type, __u8 code)
{
	if (ether_type == WIRE_ETH_IPV4)
		return code == 2 || code == 3 || code == 9 || code == 10 || code == 13;
	return code == 1 || code == 4 || code == 5 || code == 6;
}

/* The TCP segment that an ICMP error quotes, if what it quotes has reached one. */
static __always_inline void parse_quoted_tcp(struct sw_cursor *cursor, int protocol,
					     struct sw_packet *packet)
{
	const struct wire_tcp_start *tcp;

	if (protocol != WIRE_IP_TCP || packet->fragment_offset)
		return;
	tcp = sw_pull(cursor, sizeof(*tcp));
	if (!tcp)
		return;
	packet->sport = sw_ntohs(tcp->source);
	packet->dport = sw_ntohs(tcp->destination);
	packet->seq = sw_ntohl(tcp->seq);
	packet->kind = SW_KIND_ICMP_ERROR;
}

/*
 * Reads an ICMP error that quotes a TCP segment: the quoted segment's ends and seq become the
 * packet's. Anything else that ICMP says is of no concern here.
 */
static __always_inline void parse_icmp(struct sw_cursor *cursor, __u16 ether_type,
				       struct sw_packet *packet)
{
	const struct wire_icmp *icmp = sw_pull(cursor, sizeof(*icmp));
	int protocol;
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
	if (ether_type == WIRE_ETH_IPV4) {
		protocol = sw_parse_ipv4(cursor, 0xffff, packet);
	} else {
		protocol = sw_parse_ipv6(cursor, 0xffff, packet);
		if (sw_is_ipv6_extension(protocol)) {
			packet->next_header = protocol;
			packet->extensions = 0;
			packet->rest = SW_REST_QUOTED_EXTENSIONS;
			return;
		}
	}
	parse_quoted_tcp(cursor, protocol, packet);
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
	int protocol;

	if (ether_type != WIRE_ETH_IPV4 && ether_type != WIRE_ETH_IPV6) {
		packet->kind = ether_type ? SW_KIND_NOT_IP : SW_KIND_MALFORMED;
		return;
	}
	length = cursor->pos - start;
	packet->link_length = length;
	length = frame_length > length ? frame_length - length : 0;
	protocol = ether_type == WIRE_ETH_IPV4 ? sw_parse_ipv4(cursor, length, packet) :
						 sw_parse_ipv6(cursor, length, packet);
	if (ether_type == WIRE_ETH_IPV6 && sw_is_ipv6_extension(protocol)) {
		packet->next_header = protocol;
		packet->rest = SW_REST_EXTENSIONS;
		return;
	}
	parse_l4(cursor, ether_type, protocol, packet);
}

/* One extension header, and what lies behind the last one. */
static __always_inline void parse_extension(struct sw_cursor *cursor, bool quoted,
					    struct sw_packet *packet)
{
	int protocol = sw_skip_extension(cursor, packet) ? packet->next_header : SW_L3_BROKEN;

	if (protocol != SW_L3_BROKEN && sw_has_extension(packet))
		return;
	packet->rest = SW_REST_NONE;
	if (quoted)
		parse_quoted_tcp(cursor, protocol, packet);
	else
		parse_l4(cursor, WIRE_ETH_IPV6, protocol, packet);
}

/*
 * What sw_parse() leaves is read in at most SW_MAX_PARSE_STEPS further steps, while packet->rest is
 * not SW_REST_NONE, each from where the cursor stopped. Few packets need them, and the verifier
 * would multiply their paths by all those that lead here.
 */
static __always_inline void sw_parse_step(struct sw_cursor *cursor, struct sw_packet *packet)
{
	__u8 rest = packet->rest;

	if (rest == SW_REST_EXTENSIONS || rest == SW_REST_QUOTED_EXTENSIONS) {
		parse_extension(cursor, rest == SW_REST_QUOTED_EXTENSIONS, packet);
		return;
	}
	packet->rest = SW_REST_NONE;
	if (rest == SW_REST_OPTIONS)
		sw_parse_options(cursor, packet->doff * 4U - (__u32)sizeof(struct wire_tcp),
				 packet);
	else if (rest == SW_REST_ICMP)
		parse_icmp(cursor, WIRE_ETH_IPV4, packet);
	else if (rest == SW_REST_ICMPV6)
		parse_icmp(cursor, WIRE_ETH_IPV6, packet);
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
