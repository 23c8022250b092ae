/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_WIRE_H
#define SYNWARD_CORE_WIRE_H

/*
 * Headers as they lie on the wire, the only place where network byte order lives. Natural structs:
 * packed ones make the compiler read byte by byte.
 */

#include "../../include/synward/base.h"

#ifdef __bpf__
#include <bpf/bpf_endian.h>
#define sw_ntohs(x)  bpf_ntohs(x)
#define sw_ntohl(x)  bpf_ntohl(x)
#define sw_ntohll(x) bpf_be64_to_cpu(x)
#else
#include <endian.h>
#define sw_ntohs(x)  be16toh(x)
#define sw_ntohl(x)  be32toh(x)
#define sw_ntohll(x) be64toh(x)
#endif
#define sw_htons(x)  sw_ntohs(x)
#define sw_htonl(x)  sw_ntohl(x)
#define sw_htonll(x) sw_ntohll(x)

/* A part of a header, whatever structure that is otherwise seen as. */
typedef __u16 __attribute__((may_alias)) wire_u16;
typedef __u32 __attribute__((may_alias)) wire_u32;

enum {
	WIRE_ETH_IPV4 = 0x0800,
	WIRE_ETH_VLAN = 0x8100,
	WIRE_ETH_IPV6 = 0x86dd,
	WIRE_ETH_PPPOE = 0x8864, /* a session's, not those by which it is found */
	WIRE_ETH_QINQ = 0x88a8,
	WIRE_ETH_QINQ_OLD = 0x9100,
};

enum {
	WIRE_IP_HOP_BY_HOP = 0,
	WIRE_IP_ICMP = 1,
	WIRE_IP_TCP = 6,
	WIRE_IP_ROUTING = 43,
	WIRE_IP_FRAGMENT = 44,
	WIRE_IP_AUTH = 51,
	WIRE_IP_ICMPV6 = 58,
	WIRE_IP_DEST_OPTIONS = 60,
};

struct wire_ethernet {
	__u8 destination[6];
	__u8 source[6];
	__u16 ether_type;
};

struct wire_vlan {
	__u16 tci;
	__u16 ether_type;
};

/* RFC 2516 section 4, and the protocol field with which PPP begins. */
struct wire_pppoe {
	__u8 version_type;
	__u8 code;
	__u16 session;
	__u16 length;
	__u16 protocol;
};

enum {
	WIRE_PPPOE_VERSION_TYPE = 0x11,
	WIRE_PPP_IPV4 = 0x0021,
	WIRE_PPP_IPV6 = 0x0057,
};

struct wire_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__u16 total_length;
	__u16 id;
	__u16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u32 source;
	__u32 destination;
};

enum {
	WIRE_IPV4_DONT_FRAGMENT = 0x4000,
	WIRE_IPV4_MORE_FRAGMENTS = 0x2000,
	WIRE_IPV4_OFFSET = 0x1fff,
};

struct wire_ipv6 {
	__u32 version_class_flow;
	__u16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__u32 source[4];
	__u32 destination[4];
};

struct wire_ipv6_extension {
	__u8 next_header;
	__u8 length;
};

struct wire_ipv6_fragment {
	__u8 next_header;
	__u8 reserved;
	__u16 offset; /* in bytes once the low three bits are cleared; bit 0: more fragments */
	__u32 id;
};

struct wire_tcp {
	__u16 source;
	__u16 destination;
	__u32 seq;
	__u32 ack;
	__u16 offset_flags;
	__u16 window;
	__u16 checksum;
	__u16 urgent;
};

struct wire_icmp {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u32 unused;
};

/* of a quoted TCP header an ICMP error need not hold more */
struct wire_tcp_start {
	__u16 source;
	__u16 destination;
	__u32 seq;
};

enum {
	WIRE_ICMP_UNREACHABLE = 3,
	WIRE_ICMP_FRAG_NEEDED = 4,
	WIRE_ICMPV6_UNREACHABLE = 1,
};

enum {
	WIRE_TCP_FIN = 0x001,
	WIRE_TCP_SYN = 0x002,
	WIRE_TCP_RST = 0x004,
	WIRE_TCP_PSH = 0x008,
	WIRE_TCP_ACK = 0x010,
	WIRE_TCP_URG = 0x020,
	WIRE_TCP_ECE = 0x040,
	WIRE_TCP_CWR = 0x080,
	WIRE_TCP_AE = 0x100,
	WIRE_TCP_RESERVED = 0xe00,
	WIRE_TCP_BASIC = 0x03f, /* the six flags of RFC 793 */
};

enum {
	WIRE_OPT_END = 0,
	WIRE_OPT_NOP = 1,
	WIRE_OPT_MSS = 2,
	WIRE_OPT_WSCALE = 3,
	WIRE_OPT_SACK_OK = 4,
	WIRE_OPT_TIMESTAMP = 8,
	WIRE_OPT_MD5 = 19, /* RFC 2385 */
	WIRE_OPT_AO = 29,  /* RFC 5925 */
	WIRE_OPT_FASTOPEN = 34,
	WIRE_OPT_EXPERIMENT = 254,
	WIRE_OPT_EXPERIMENT_TFO =
		0xf989, /* RFC 7413 section 4.1.1, before option 34 was given out */

	WIRE_OPT_MD5_LENGTH = 18,
	WIRE_OPT_AO_MIN = 4, /* both numbers of the key, and no signature yet */
};

#endif
