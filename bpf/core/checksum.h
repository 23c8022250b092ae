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

/* Adds length bytes, most at the most, at the cursor; a last odd byte counts as if a zero followed (RFC 1071). */
static __always_inline __u64 sum_bytes(const struct sw_cursor *cursor, __u32 length, __u32 most,
				       __u64 sum)
{
	const __u8 *pos = cursor->pos;

	for (__u32 i = 0; i < most / 2; i++) {
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

/* The one's complement sum in 16 bits. */
static __always_inline __u16 sw_sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Is the one's complement sum that of intact data: all ones? */
static __always_inline bool is_intact(__u64 sum)
{
	return sw_sum_fold(sum) == 0xffff;
}

static __always_inline __u64 sw_sum_address(const struct sw_addr *addr, __u64 sum)
{
	if (sw_addr_is_v4(addr))
		return sum + addr->words[3];
	return sum + addr->words[0] + addr->words[1] + addr->words[2] + addr->words[3];
}

/* The IPv4 header of the frame that the cursor is at the start of; of others, nothing. */
static __always_inline void sw_check_ip_sum(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_ipv4 *ip;
	struct sw_packet scratch = {};
	__u16 ether_type;
	__u32 length;

	ether_type = sw_parse_l2(cursor, &scratch);
	if (ether_type == WIRE_ETH_PPPOE)
		ether_type = sw_parse_pppoe(cursor);
	if (ether_type != WIRE_ETH_IPV4)
		return;
	ip = sw_peek(cursor, sizeof(*ip));
	if (!ip)
		return;
	length = (ip->version_ihl & 0xf) * 4;
	if (sw_peek(cursor, length) && !is_intact(sum_bytes(cursor, length, 60, 0)))
		packet->facts |= SW_PKT_BAD_IP_SUM;
}

/*
 * The segment whose TCP header the cursor is at, with its pseudo header (RFC 9293 section 3.1).
 * Segments in fragments, and those not wholly there, are not judged.
 */
static __always_inline void sw_check_tcp_sum(struct sw_cursor *cursor, struct sw_packet *packet)
{
	__u32 length = packet->ip_payload;
	__u64 sum = sw_htons(WIRE_IP_TCP);

	if (packet->kind != SW_KIND_TCP || packet->facts & SW_PKT_MORE_FRAGMENTS ||
	    length > SW_MAX_SUMMED || cursor->pos + length > cursor->end)
		return;
	sum += sw_htonl(length);
	sum = sw_sum_address(&packet->src, sum);
	sum = sw_sum_address(&packet->dst, sum);
	if (!is_intact(sum_bytes(cursor, length, SW_MAX_SUMMED, sum)))
		packet->facts |= SW_PKT_BAD_TCP_SUM;
}

#endif
