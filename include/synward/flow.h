/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOW_H
#define SYNWARD_FLOW_H

#include "base.h"

/*
 * An IPv4 or IPv6 address as it is on the wire. IPv4 is kept mapped (::ffff:a.b.c.d), so that one
 * layout, one hash and one comparison serve both families.
 */
struct sw_addr {
	union {
		__u8 bytes[16];
		__u32 words[4];
		__u64 halves[2];
	};
};

/* The two ends of a flow as seen from its opener (who sent the first SYN). Ports in host order. */
struct sw_flow {
	struct sw_addr orig;
	struct sw_addr resp;
	__u16 orig_port;
	__u16 resp_port;
	__u32 pad;
};

/* A VLAN tag: its ID, and that there is one, since 0 is an ID, too (priority). */
#define SW_VLAN_ID    0x0fffU
#define SW_VLAN_THERE 0x1000U

static __always_inline __u16 sw_vlan(__u16 tci)
{
	return (tci & SW_VLAN_ID) | SW_VLAN_THERE;
}

SW_STATIC_ASSERT(sizeof(struct sw_addr) == 16, "an address is 16 bytes");
SW_STATIC_ASSERT(sizeof(struct sw_flow) == 40, "a flow has no hidden padding");

/* bytes 8 to 11 of a mapped IPv4 address: 00 00 ff ff, whatever the host's byte order */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SW_V4_MAPPED_WORD 0xffff0000U
#else
#define SW_V4_MAPPED_WORD 0x0000ffffU
#endif

static __always_inline bool sw_addr_is_v4(const struct sw_addr *addr)
{
	return addr->halves[0] == 0 && addr->words[2] == SW_V4_MAPPED_WORD;
}

static __always_inline bool sw_addr_equal(const struct sw_addr *a, const struct sw_addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

/* Whom a source stands for, where sources are counted: an IPv6 host has all of its /64 to choose addresses from. */
static __always_inline struct sw_addr sw_addr_host(const struct sw_addr *addr)
{
	struct sw_addr host = *addr;

	if (!sw_addr_is_v4(addr))
		host.halves[1] = 0;
	return host;
}

#endif
