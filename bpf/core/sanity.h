/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SANITY_H
#define SYNWARD_CORE_SANITY_H

/* The stateless anomalies: what is wrong with one packet by itself, as bits of SW_BIT(). */

#include "../../include/synward/anomaly.h"
#include "packet.h"
#include "wire.h"

#define SW_TINY_MSS   64  /* CVE-2019-11479: below it the options leave no room for data */
#define SW_MAX_WSCALE 14  /* RFC 7323 section 2.3 */
#define SW_TCP_HEADER 20U /* without options */

static __always_inline __u64 undecodable_anomalies(const struct sw_packet *packet)
{
	if (packet->ip_payload < SW_TCP_HEADER)
		return packet->facts & SW_PKT_MORE_FRAGMENTS ? SW_BIT(FRAG_TINY_FIRST) :
							       SW_BIT(TCP_SHORT);
	return packet->doff * 4U < SW_TCP_HEADER ? SW_BIT(TCP_BAD_DOFF) : SW_BIT(TCP_DOFF_PAST_END);
}

/* Sets without SYN, ACK and RST: one name for each segment. */
static __always_inline __u64 scan_flags(__u16 flags)
{
	flags &= WIRE_TCP_BASIC;
	if (!flags)
		return SW_BIT(FLAGS_NULL);
	if (flags == (WIRE_TCP_FIN | WIRE_TCP_PSH | WIRE_TCP_URG))
		return SW_BIT(FLAGS_XMAS);
	return flags & WIRE_TCP_FIN ? SW_BIT(FLAGS_FIN_NOACK) : SW_BIT(FLAGS_NO_SYN_ACK_RST);
}

/*
 * SYN+FIN+ACK without RST is left to the tracker: RFC 7413 section 4.2.2 lets the SYN-ACK that answers a fast
 * open carry data and FIN.
 */
static __always_inline __u64 flag_anomalies(__u16 flags)
{
	__u64 found = 0;

	if (!(flags & (WIRE_TCP_SYN | WIRE_TCP_ACK | WIRE_TCP_RST)))
		return scan_flags(flags);
	if (flags & WIRE_TCP_SYN) {
		if (flags & WIRE_TCP_FIN && (flags & (WIRE_TCP_ACK | WIRE_TCP_RST)) != WIRE_TCP_ACK)
			found |= SW_BIT(FLAGS_SYN_FIN);
		if (flags & WIRE_TCP_RST)
			found |= SW_BIT(FLAGS_SYN_RST);
		if (flags & WIRE_TCP_URG)
			found |= SW_BIT(FLAGS_SYN_URG);
	}
	if ((flags & (WIRE_TCP_FIN | WIRE_TCP_RST)) == (WIRE_TCP_FIN | WIRE_TCP_RST))
		found |= SW_BIT(FLAGS_FIN_RST);
	return found;
}

static __always_inline bool is_loopback(const struct sw_addr *addr)
{
	if (sw_addr_is_v4(addr))
		return addr->bytes[12] == 127;
	return addr->halves[0] == 0 && addr->words[2] == 0 && addr->words[3] == sw_htonl(1);
}

/* Does every kernel throw away what has this source and came in from outside? */
static __always_inline bool sw_is_martian(const struct sw_addr *addr)
{
	if (is_loopback(addr))
		return true;
	return sw_addr_is_v4(addr) ? !addr->bytes[12] : !addr->halves[0] && !addr->halves[1];
}

static __always_inline bool is_multicast(const struct sw_addr *addr)
{
	if (sw_addr_is_v4(addr))
		return (addr->bytes[12] & 0xf0) == 0xe0 || addr->words[3] == 0xffffffff;
	return addr->bytes[0] == 0xff;
}

static __always_inline __u64 address_anomalies(const struct sw_packet *packet)
{
	__u64 found = 0;

	if (packet->src.words[3] == packet->dst.words[3] &&
	    sw_addr_equal(&packet->src, &packet->dst) && !is_loopback(&packet->src) &&
	    !(packet->facts & SW_PKT_LOOPBACK))
		found |= packet->sport == packet->dport ? SW_BIT(LAND) : SW_BIT(LAND_ADDR_ONLY);
	if (is_multicast(&packet->src) || is_multicast(&packet->dst))
		found |= SW_BIT(MULTICAST);
	if (!packet->sport || !packet->dport)
		found |= SW_BIT(PORT_ZERO);
	return found;
}

static __always_inline __u64 syn_anomalies(const struct sw_packet *packet)
{
	__u64 found = 0;

	if (packet->flags & WIRE_TCP_ACK) {
		if (packet->payload)
			found |= SW_BIT(SYNACK_DATA);
	} else {
		if (packet->payload)
			found |= packet->options & SW_OPT_FASTOPEN ? SW_BIT(SYN_DATA_TFO) :
								     SW_BIT(SYN_DATA_NO_TFO);
		if (packet->options & SW_OPT_MSS && packet->mss < SW_TINY_MSS)
			found |= SW_BIT(MSS_TINY);
	}
	if (packet->options & SW_OPT_WSCALE && packet->wscale > SW_MAX_WSCALE)
		found |= SW_BIT(WSCALE_BIG);
	return found;
}

static __always_inline __u64 checksum_anomalies(const struct sw_packet *packet)
{
	__u64 found = 0;

	if (packet->facts & SW_PKT_BAD_IP_SUM)
		found |= SW_BIT(BAD_IP_CSUM);
	if (packet->facts & SW_PKT_BAD_TCP_SUM)
		found |= SW_BIT(BAD_TCP_CSUM);
	return found;
}

/*
 * Is it a segment of a synchronised connection in which nothing is remarkable? If it has a
 * connection, sw_sanity() has nothing to say about it: ends that cannot be ends have none. A quick
 * answer for nearly all packets; for a few that are blameless, too, it is no.
 */
static __always_inline bool sw_is_plain(const struct sw_packet *packet)
{
	const __u16 harmless = WIRE_TCP_PSH | WIRE_TCP_ECE | WIRE_TCP_CWR | WIRE_TCP_AE;

	return packet->kind == SW_KIND_TCP && (packet->flags & ~harmless) == WIRE_TCP_ACK &&
	       !packet->urgent && !packet->facts && !(packet->options & SW_OPT_BAD) &&
	       packet->src.words[3] != packet->dst.words[3];
}

/*
 * Is it a SYN in which nothing is remarkable? Then sw_sanity() finds nothing. As above: yes is quick
 * for nearly all SYNs, of which a flood has many, and no means nothing.
 */
static __always_inline bool sw_is_usual_syn(const struct sw_packet *packet)
{
	const __u16 ecn = WIRE_TCP_ECE | WIRE_TCP_CWR | WIRE_TCP_AE;

	return packet->kind == SW_KIND_TCP && (packet->flags & ~ecn) == WIRE_TCP_SYN &&
	       !packet->payload && !packet->ack && !packet->urgent && !packet->facts &&
	       (packet->options & (SW_OPT_MSS | SW_OPT_BAD)) == SW_OPT_MSS &&
	       packet->mss >= SW_TINY_MSS && packet->wscale <= SW_MAX_WSCALE && packet->sport &&
	       packet->dport && packet->src.words[3] != packet->dst.words[3] &&
	       !is_multicast(&packet->src) && !is_multicast(&packet->dst);
}

/* All stateless anomalies of one packet of any kind. */
static __always_inline __u64 sw_sanity(const struct sw_packet *packet)
{
	__u64 found = checksum_anomalies(packet);

	if (packet->kind == SW_KIND_FRAGMENT && packet->fragment_offset < SW_TCP_HEADER)
		found |= SW_BIT(FRAG_OVERLAPS_HEADER);
	if (packet->facts & SW_PKT_MORE_EXTENSIONS)
		found |= SW_BIT(IPV6_MANY_EXTENSIONS);
	if (packet->kind == SW_KIND_UNDECODABLE)
		found |= undecodable_anomalies(packet);
	if (packet->kind != SW_KIND_TCP)
		return found;

	found |= flag_anomalies(packet->flags) | address_anomalies(packet);
	if (packet->flags & WIRE_TCP_SYN)
		found |= syn_anomalies(packet);
	if (packet->flags & WIRE_TCP_RST && packet->payload)
		found |= SW_BIT(RST_DATA);
	if (packet->flags & WIRE_TCP_RESERVED)
		found |= SW_BIT(RESERVED_BITS);
	if (!(packet->flags & WIRE_TCP_ACK) && packet->ack)
		found |= SW_BIT(ACK_FIELD_WITHOUT_ACK);
	if (!(packet->flags & WIRE_TCP_URG) && packet->urgent)
		found |= SW_BIT(URGPTR_WITHOUT_URG);
	if (packet->options & SW_OPT_BAD)
		found |= SW_BIT(OPT_BAD_LEN);
	if (packet->facts & SW_PKT_HEADER_SPLIT)
		found |= SW_BIT(FRAG_HDR_SPLIT);
	return found;
}

#endif
