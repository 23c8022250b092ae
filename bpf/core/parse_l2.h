/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PARSE_L2_H
#define SYNWARD_CORE_PARSE_L2_H

#include "cursor.h"
#include "packet.h"
#include "wire.h"

static __always_inline bool is_vlan(__u16 ether_type)
{
	return ether_type == WIRE_ETH_VLAN || ether_type == WIRE_ETH_QINQ ||
	       ether_type == WIRE_ETH_QINQ_OLD;
}

/* Reads Ethernet and up to two VLAN tags. Returns the ether type behind them, 0 if cut off. */
static __always_inline __u16 sw_parse_l2(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_ethernet *eth = sw_pull(cursor, sizeof(*eth));
	const struct wire_vlan *tag;
	__u16 ether_type;

	if (!eth)
		return 0;
	/* only frames of a loopback device have no addresses at all; two bytes tell most others */
	if (!(eth->destination[0] | eth->source[0]) &&
	    !(eth->destination[1] | eth->destination[2] | eth->destination[3] |
	      eth->destination[4] | eth->destination[5] | eth->source[1] | eth->source[2] |
	      eth->source[3] | eth->source[4] | eth->source[5]))
		packet->facts |= SW_PKT_LOOPBACK;

	ether_type = sw_ntohs(eth->ether_type);
#pragma unroll
	for (int i = 0; i < SW_MAX_VLAN_TAGS; i++) {
		if (!is_vlan(ether_type))
			break;
		tag = sw_pull(cursor, sizeof(*tag));
		if (!tag)
			return 0;
		packet->vlans[i] = sw_vlan(sw_ntohs(tag->tci));
		ether_type = sw_ntohs(tag->ether_type);
	}
	return ether_type;
}

/*
 * Reads what follows the ether type of a PPPoE session. Returns the ether type that the packet in it would have by
 * itself; that of PPPoE, if it is no IP packet, 0 if cut off. A protocol field of one byte, which RFC 2516 section 7
 * advises against, is not read: all behind it would be at odd addresses.
 */
static __always_inline __u16 sw_parse_pppoe(struct sw_cursor *cursor)
{
	const struct wire_pppoe *pppoe = sw_pull(cursor, sizeof(*pppoe));
	__u16 protocol;

	if (!pppoe)
		return 0;
	if (pppoe->version_type != WIRE_PPPOE_VERSION_TYPE || pppoe->code)
		return WIRE_ETH_PPPOE;
	protocol = sw_ntohs(pppoe->protocol);
	return protocol == WIRE_PPP_IPV4 ? WIRE_ETH_IPV4 :
	       protocol == WIRE_PPP_IPV6 ? WIRE_ETH_IPV6 :
					   WIRE_ETH_PPPOE;
}

#endif
