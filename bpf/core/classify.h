/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_CLASSIFY_H
#define SYNWARD_CORE_CLASSIFY_H

#include "../../include/synward/anomaly.h"
#include "packet.h"
#include "wire.h"

/* What a packet is in the life of a handshake. */
enum sw_segment {
	SW_SEGMENT_NONE, /* nothing that can belong to a handshake */
	SW_SEGMENT_SYN,
	SW_SEGMENT_SYNACK,
	SW_SEGMENT_RST,
	SW_SEGMENT_ACK,		/* ACK, data, FIN+ACK: what synchronised ends send */
	SW_SEGMENT_ILLEGAL,	/* a set of flags that no honest stack sends */
	SW_SEGMENT_UNDECODABLE, /* the ports at best are known */
	SW_SEGMENT_ICMP_ERROR,
};

/* Given a packet and its stateless anomalies. */
static __always_inline enum sw_segment sw_classify(const struct sw_packet *packet, __u64 anomalies)
{
	if (packet->kind == SW_KIND_ICMP_ERROR)
		return SW_SEGMENT_ICMP_ERROR;
	if (packet->kind == SW_KIND_UNDECODABLE)
		return SW_SEGMENT_UNDECODABLE;
	if (packet->kind != SW_KIND_TCP)
		return SW_SEGMENT_NONE;
	/* from or to an end that cannot be one: such a flow is not worth an entry */
	if (anomalies & (SW_BIT(LAND) | SW_BIT(MULTICAST) | SW_BIT(PORT_ZERO)))
		return SW_SEGMENT_NONE;
	if (anomalies & SW_ILLEGAL_FLAGS)
		return SW_SEGMENT_ILLEGAL;
	if (packet->flags & WIRE_TCP_RST)
		return SW_SEGMENT_RST;
	if (packet->flags & WIRE_TCP_SYN)
		return packet->flags & WIRE_TCP_ACK ? SW_SEGMENT_SYNACK : SW_SEGMENT_SYN;
	return SW_SEGMENT_ACK;
}

#endif
