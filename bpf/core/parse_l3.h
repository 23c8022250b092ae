/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PARSE_L3_H
#define SYNWARD_CORE_PARSE_L3_H

#include "cursor.h"
#include "packet.h"
#include "wire.h"

/* More than that in one packet is no traffic that RFC 8200 section 4.1 would have sent. */
#define SW_MAX_IPV6_EXTENSIONS 8

/* What sw_parse_ipv4() and sw_parse_ipv6() say instead of a protocol number. */
enum {
	SW_L3_BROKEN = -1,
};

static __always_inline void map_ipv4(struct sw_addr *addr, __u32 wire)
{
	addr->halves[0] = 0;
	addr->words[2] = SW_V4_MAPPED_WORD;
	addr->words[3] = wire;
}

static __always_inline void take_ipv4_addresses(const struct wire_ipv4 *ip,
						struct sw_packet *packet)
{
	map_ipv4(&packet->src, ip->source);
	map_ipv4(&packet->dst, ip->destination);
}

static __always_inline void take_ipv6_addresses(const struct wire_ipv6 *ip,
						struct sw_packet *packet)
{
	for (int i = 0; i < 4; i++) {
		packet->src.words[i] = ip->source[i];
		packet->dst.words[i] = ip->destination[i];
	}
}

/*
 * Reads an IPv4 header with its options, but for its addresses; rest is how many bytes the frame has from
 * here on. Returns it, or NULL if it is none.
 */
static __always_inline const struct wire_ipv4 *read_ipv4(struct sw_cursor *cursor, __u32 rest,
							 struct sw_packet *packet)
{
	const struct wire_ipv4 *ip = sw_pull(cursor, sizeof(*ip));
	__u32 header, options, total;
	__u16 fragment;

	if (!ip || ip->version_ihl >> 4 != 4)
		return NULL;
	header = (ip->version_ihl & 0xf) * 4;
	if (header < sizeof(*ip))
		return NULL;
	options = header - sizeof(*ip);
	sw_keep(options); /* masked here, though it is known to be small: Linux 6.1 has forgotten it by now */
	if (options && !sw_pull(cursor, options & 0x3c))
		return NULL;
	total = sw_ntohs(ip->total_length);
	if (!total)
		total = rest; /* TSO and BIG TCP, on the way out of this host */
	if (total < header)
		return NULL;

	packet->ip_payload = total - header;
	fragment = sw_ntohs(ip->fragment);
	packet->fragment_offset = (fragment & WIRE_IPV4_OFFSET) * 8;
	if (fragment & WIRE_IPV4_MORE_FRAGMENTS)
		packet->facts |= SW_PKT_MORE_FRAGMENTS;
	return ip;
}

/* The whole header. Returns the protocol number of what follows, or SW_L3_BROKEN. */
static __always_inline int sw_parse_ipv4(struct sw_cursor *cursor, __u32 rest,
					 struct sw_packet *packet)
{
	const struct wire_ipv4 *ip = read_ipv4(cursor, rest, packet);

	if (!ip)
		return SW_L3_BROKEN;
	take_ipv4_addresses(ip, packet);
	return ip->protocol;
}

/*
 * Steps over one extension header, of the kind packet->next_header, which then is of what follows it.
 * Returns its length in bytes, 0 if that is no extension header, or SW_L3_BROKEN.
 */
static __always_inline int step_over_extension(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_ipv6_extension *extension;
	const struct wire_ipv6_fragment *fragment;
	__u32 length;
	__u16 offset;

	switch (packet->next_header) {
	case WIRE_IP_HOP_BY_HOP:
	case WIRE_IP_ROUTING:
	case WIRE_IP_DEST_OPTIONS:
		extension = sw_peek(cursor, sizeof(*extension));
		if (!extension)
			return SW_L3_BROKEN;
		length = (extension->length + 1) * 8;
		break;
	case WIRE_IP_AUTH:
		extension = sw_peek(cursor, sizeof(*extension));
		if (!extension)
			return SW_L3_BROKEN;
		length = (extension->length + 2) * 4; /* RFC 4302 section 2.2: another unit */
		packet->facts |= SW_PKT_AUTH;
		break;
	case WIRE_IP_FRAGMENT:
		fragment = sw_pull(cursor, sizeof(*fragment));
		if (!fragment)
			return SW_L3_BROKEN;
		offset = sw_ntohs(fragment->offset);
		packet->fragment_offset = offset & ~7;
		if (offset & 1)
			packet->facts |= SW_PKT_MORE_FRAGMENTS;
		packet->next_header = fragment->next_header;
		return sizeof(*fragment);
	default:
		return 0;
	}
	packet->next_header = extension->next_header;
	return sw_pull(cursor, length) ? (int)length : SW_L3_BROKEN;
}

/* Reads the fixed IPv6 header, but for its addresses; rest and what is returned as for IPv4. */
static __always_inline const struct wire_ipv6 *read_ipv6(struct sw_cursor *cursor, __u32 rest,
							 struct sw_packet *packet)
{
	const struct wire_ipv6 *ip = sw_pull(cursor, sizeof(*ip));

	if (!ip || (sw_ntohl(ip->version_class_flow) >> 28) != 6)
		return NULL;
	packet->ip_payload = sw_ntohs(ip->payload_length);
	if (!packet->ip_payload && rest > sizeof(*ip))
		packet->ip_payload = rest - sizeof(*ip); /* jumbograms, BIG TCP */
	return ip;
}

static __always_inline int sw_parse_ipv6(struct sw_cursor *cursor, __u32 rest,
					 struct sw_packet *packet)
{
	const struct wire_ipv6 *ip = read_ipv6(cursor, rest, packet);

	if (!ip)
		return SW_L3_BROKEN;
	take_ipv6_addresses(ip, packet);
	return ip->next_header;
}

static __always_inline bool sw_is_ipv6_extension(int protocol)
{
	return protocol == WIRE_IP_HOP_BY_HOP || protocol == WIRE_IP_ROUTING ||
	       protocol == WIRE_IP_DEST_OPTIONS || protocol == WIRE_IP_AUTH ||
	       protocol == WIRE_IP_FRAGMENT;
}

/* Is another extension header to be read? A later fragment has none behind its own. */
static __always_inline bool sw_has_extension(const struct sw_packet *packet)
{
	return sw_is_ipv6_extension(packet->next_header) && !packet->fragment_offset &&
	       packet->extensions < SW_MAX_IPV6_EXTENSIONS;
}

/* Steps over the one that packet->next_header names. Returns false if it cannot be one. */
static __always_inline bool sw_skip_extension(struct sw_cursor *cursor, struct sw_packet *packet)
{
	int length = step_over_extension(cursor, packet);

	if (length < 0 || (__u32)length > packet->ip_payload)
		return false;
	packet->ip_payload -= length;
	packet->extensions++;
	return true;
}

#endif
