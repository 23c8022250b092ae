/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PACKET_H
#define SYNWARD_CORE_PACKET_H

#include "../../include/synward/flow.h"
#include "../../include/synward/verdict.h"

/* What was seen among the TCP options. */
enum {
	SW_OPT_MSS = 1 << 0,
	SW_OPT_WSCALE = 1 << 1,
	SW_OPT_SACK_OK = 1 << 2,
	SW_OPT_TIMESTAMP = 1 << 3,
	SW_OPT_FASTOPEN = 1 << 4,
	SW_OPT_BAD = 1 << 5,	/* a length below 2, past the header, or wrong for its kind */
	SW_OPT_SIGNED = 1 << 6, /* MD5 or AO, as long as a kernel takes for a signature */
};

/* Further facts about a packet. */
enum {
	SW_PKT_MORE_FRAGMENTS = 1 << 0,
	SW_PKT_LOOPBACK = 1 << 1,     /* of a loopback device: neither end has a MAC address */
	SW_PKT_HARD_ERROR = 1 << 2,   /* ICMP: not one that RFC 1122 calls transient */
	SW_PKT_HEADER_SPLIT = 1 << 3, /* the TCP header goes on in the next fragment */
	SW_PKT_BAD_IP_SUM = 1 << 4,   /* only if somebody asked for it */
	SW_PKT_BAD_TCP_SUM = 1 << 5,
	SW_PKT_AUTH = 1 << 6,		 /* an IPv6 authentication header */
	SW_PKT_MORE_EXTENSIONS = 1 << 7, /* more IPv6 extension headers than anybody has */
};

/* 802.1Q inside 802.1ad is two tags; a third is somebody's tunnel */
#define SW_MAX_VLAN_TAGS 2

/* What of a packet is still to be read, by sw_parse_step(). */
enum sw_parse_rest {
	SW_REST_NONE,
	SW_REST_PPPOE,
	SW_REST_OPTIONS, /* TCP options other than the lone timestamp of data segments */
	SW_REST_ICMP,
	SW_REST_ICMPV6,
	SW_REST_EXTENSIONS,	   /* IPv6 extension headers and all that follows */
	SW_REST_QUOTED_EXTENSIONS, /* those of what an ICMP error quotes */
	SW_REST_QUOTED_ADDRESSES,  /* of that, once it is known to be TCP */
};

/*
 * One frame, layer by layer, in host order: facts only, nobody's opinion of them. Which fields
 * count depends on kind; of an ICMP error the addresses, ports and seq are the quoted segment's, and its own
 * sender is in the place of what such a quote does not have.
 */
struct sw_packet {
	struct sw_addr src;
	struct sw_addr dst;
	union {
		struct {
			__u32 ack;
			/* once sw_parse_timestamp() has been asked for them, too */
			__u32 tsval;
			__u32 tsecr;
			__u16 mss;
			__u8 wscale;
			__u8 options; /* SW_OPT_* */
		};
		struct sw_addr told_by;
	};
	__u32 seq;
	__u16 sport;
	__u16 dport;
	__u16 flags; /* WIRE_TCP_*: the nine flags and the three reserved bits */
	__u16 window;
	__u16 urgent;
	__u16 fragment_offset; /* in bytes */
	__u32 ip_payload; /* bytes behind the IP headers, by their own word; 0-length: the frame's */
	__u32 payload; /* bytes of TCP data; while quoted extensions are the rest, of the quote so far */
	__u8 facts;	  /* SW_PKT_* */
	__u8 kind;	  /* enum sw_kind */
	__u8 doff;	  /* length of the TCP header in 32-bit words, as it says */
	__u8 rest;	  /* enum sw_parse_rest */
	__u8 option_at;	  /* where sw_parse_options() is among them */
	__u8 next_header; /* of IPv6, while its extensions are the rest */
	__u8 link_length; /* bytes before the IP header; 0: in PPPoE, where nothing is answered */
	__u8 extensions;  /* how many of them were read */
	__u16 vlans[SW_MAX_VLAN_TAGS]; /* sw_vlan() of its tags, the outer one first; 0: none */
	__u32 pad;
};

SW_STATIC_ASSERT(sizeof(struct sw_packet) == 88, "a packet has no hidden padding");

#endif
