/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_CHECKSUM_H
#define SYNWARD_CORE_CHECKSUM_H

/*
 * The checksums of IPv4 and TCP, for whoever asks for them: between two ends on one host, and
 * wherever a card computes them, a segment is seen before its checksum is there.
 */

#include "parse.h"

/* as much of one segment is summed up: a jumbo frame; a longer one is not judged */
#define SW_MAX_SUMMED 9216U

/* Adds length bytes at the cursor; a last odd byte counts as if a zero followed (RFC 1071). */
static __always_inline __u64 sum_bytes(struct sw_cursor *cursor, __u32 length, __u64 sum)
{
	const __u8 *pos = cursor->pos;

	for (__u32 i = 0; i < SW_MAX_SUMMED / 2; i++) {
		if (length < 2 || pos + 2 > cursor->end)
			break;
		sum += *(const __u16 *)pos;
		pos += 2;
		length -= 2;
	}
	if (length == 1 && pos + 1 <= cursor->end)
		sum += sw_htons((__u16)(*pos << 8));
	return sum;
}

/* Is the one's complement sum that of intact data: all ones? */
static __always_inline bool is_intact(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static __always_inline __u64 sum_address(const struct sw_addr *addr, __u64 sum)
{
	if (sw_addr_is_v4(addr))
		return sum + addr->words[3];
	return sum + addr->words[0] + addr->words[1] + addr->words[2] + addr->words[3];
}

/* The segment that the cursor is at, with its pseudo header (RFC 9293 section 3.1). */
static __always_inline void check_tcp(struct sw_cursor *cursor, const struct sw_packet *ip,
				      struct sw_packet *packet)
{
	__u64 sum = sw_htons(WIRE_IP_TCP);

	if (ip->ip_payload > SW_MAX_SUMMED || cursor->pos + ip->ip_payload > cursor->end)
		return;
	sum += sw_htonl(ip->ip_payload);
	sum = sum_address(&ip->src, sum);
	sum = sum_address(&ip->dst, sum);
	if (!is_intact(sum_bytes(cursor, ip->ip_payload, sum)))
		packet->facts |= SW_PKT_BAD_TCP_SUM;
}

/*
 * Checks the frame from which packet was read, the cursor being at its start again, and adds what
 * it finds to the packet's facts. Segments in fragments, and those not wholly there, are not judged.
 */
static __always_inline void sw_check_sums(struct sw_cursor *cursor, struct sw_packet *packet)
{
	struct sw_packet ip = {};
	__u16 ether_type = sw_parse_l2(cursor, &ip);
	struct sw_cursor header = *cursor;
	int protocol;

	if (ether_type == WIRE_ETH_IPV4) {
		protocol = sw_parse_ipv4(cursor, 0, &ip);
		if (protocol == SW_L3_BROKEN)
			return;
		if (!is_intact(sum_bytes(&header, cursor->pos - header.pos, 0)))
			packet->facts |= SW_PKT_BAD_IP_SUM;
	} else if (ether_type == WIRE_ETH_IPV6) {
		protocol = sw_parse_ipv6(cursor, 0, &ip);
		if (sw_is_ipv6_extension(protocol))
			protocol = sw_parse_ipv6_extensions(cursor, protocol, &ip);
	} else {
		return;
	}
	if (protocol == WIRE_IP_TCP && !ip.fragment_offset && !(ip.facts & SW_PKT_MORE_FRAGMENTS) &&
	    packet->kind == SW_KIND_TCP)
		check_tcp(cursor, &ip, packet);
}

#endif
