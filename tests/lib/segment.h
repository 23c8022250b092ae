/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SEGMENT_H
#define SYNWARD_TESTS_SEGMENT_H

/*
 * What is sent in a test, as one expression for each segment: tcp(.from = CLIENT, .seq = 100,
 * .flags = SYN). What is not named has the value that makes an ordinary segment. frames.h makes
 * the bytes of it, of either family.
 */

#include "../../bpf/core/wire.h"
#include "../../include/synward/flow.h"

#include <string.h>

/* a field that is named replaces its default */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A field that is worked out from the others. */
#define AUTO (-1)

/* Who takes part. From FIRST_NUMBERED on, each number is a host of its own. */
enum end {
	CLIENT,
	SERVER,
	OTHER,
	ROUTER,
	LOOPBACK,
	MULTICAST,
	BROADCAST, /* of IPv4; in IPv6 another multicast address */
	FIRST_NUMBERED = 16,
	LAST_NUMBERED = 0xffffff,
};

/* Each number a host, in one of so many IPv6 networks. */
#define NETWORKS 64U

static inline enum end networked(__u32 number)
{
	return FIRST_NUMBERED + number + (number % NETWORKS << 16);
}

enum {
	CLIENT_PORT = 40000,
	SERVER_PORT = 443,
};

enum {
	FIN = WIRE_TCP_FIN,
	SYN = WIRE_TCP_SYN,
	RST = WIRE_TCP_RST,
	PSH = WIRE_TCP_PSH,
	ACK = WIRE_TCP_ACK,
	URG = WIRE_TCP_URG,
	ECE = WIRE_TCP_ECE,
	CWR = WIRE_TCP_CWR,
	AE = WIRE_TCP_AE,
};

enum segment_kind {
	SEGMENT_NONE, /* the end of a list */
	SEGMENT_TCP,
	SEGMENT_ICMP_ERROR, /* about a segment that is described like one of TCP */
};

struct segment {
	enum segment_kind kind;
	__u32 after_ms; /* that passes before it */
	__u32 after_us; /* and that */

	/* the ends; of an ICMP error those of the segment that it quotes */
	enum end from;
	int to; /* AUTO: the server, and of what the server sends, the client */
	int sport;
	int dport;

	/* the link */
	int tags; /* of VLANs; two or more: the outer one is of 802.1ad */
	int ether_type;
	bool pppoe;   /* in a session of PPPoE, behind the tags */
	bool no_macs; /* as on a loopback device */
	int padding;  /* bytes behind the packet */
	int captured; /* how much of the frame is there */

	/* IP */
	int ip_version;
	int ip_words;	/* IPv4: header length as it says, in 32-bit words */
	int ip_length;	/* total or payload length as it says */
	int ip_options; /* IPv4: words of options */
	int protocol;
	int fragment_offset; /* in bytes; AUTO: no fragment */
	bool more_fragments;
	const char *extensions; /* IPv6: see frame_extension() */

	/* TCP */
	__u32 seq;
	__u32 ack;
	int flags;
	int window;
	int urgent;
	int doff; /* in 32-bit words, as it says */
	int mss;  /* options; AUTO: not there */
	int wscale;
	int fastopen; /* bytes of cookie */
	bool experiment_tfo;
	bool sack_ok;
	bool timestamp; /* behind two NOPs, as in data segments */
	__u32 tsval;
	__u32 tsecr;
	const char *raw; /* raw_length bytes of options that follow the others */
	int raw_length;
	int payload;
	int l4_length; /* how much of TCP is in the packet; AUTO: all */

	/* ICMP error */
	int type;
	int code;

	bool bad_tcp_sum;
	bool bad_ip_sum;
};

#define SEGMENT(of_kind, ...)                                                                      \
	((struct segment){ .kind = of_kind,                                                        \
			   .to = AUTO,                                                             \
			   .sport = AUTO,                                                          \
			   .dport = AUTO,                                                          \
			   .ether_type = AUTO,                                                     \
			   .captured = AUTO,                                                       \
			   .ip_version = AUTO,                                                     \
			   .ip_words = AUTO,                                                       \
			   .ip_length = AUTO,                                                      \
			   .protocol = AUTO,                                                       \
			   .fragment_offset = AUTO,                                                \
			   .window = 64240,                                                        \
			   .doff = AUTO,                                                           \
			   .mss = AUTO,                                                            \
			   .wscale = AUTO,                                                         \
			   .fastopen = AUTO,                                                       \
			   .tsval = 1 << 24,                                                       \
			   .l4_length = AUTO,                                                      \
			   .type = AUTO,                                                           \
			   .code = AUTO,                                                           \
			   __VA_ARGS__ })

#define tcp(...)	SEGMENT(SEGMENT_TCP, __VA_ARGS__)
#define icmp_error(...) SEGMENT(SEGMENT_ICMP_ERROR, __VA_ARGS__)

static inline int or_auto(int value, int otherwise)
{
	return value == AUTO ? otherwise : value;
}

static inline enum end segment_to(const struct segment *segment)
{
	return or_auto(segment->to, segment->from == SERVER ? CLIENT : SERVER);
}

static inline __u16 end_port(enum end end)
{
	return end == SERVER ? SERVER_PORT : CLIENT_PORT;
}

static inline __u16 segment_sport(const struct segment *segment)
{
	return or_auto(segment->sport, end_port(segment->from));
}

static inline __u16 segment_dport(const struct segment *segment)
{
	return or_auto(segment->dport, end_port(segment_to(segment)));
}

/* The address of an end, IPv4 mapped, as the core keeps it. */
static inline struct sw_addr end_address(enum end end, bool v6)
{
	static const __u8 named4[][4] = {
		[CLIENT] = { 198, 51, 100, 1 },	      [SERVER] = { 192, 0, 2, 2 },
		[OTHER] = { 203, 0, 113, 3 },	      [ROUTER] = { 198, 51, 100, 254 },
		[LOOPBACK] = { 127, 0, 0, 1 },	      [MULTICAST] = { 224, 0, 0, 1 },
		[BROADCAST] = { 255, 255, 255, 255 },
	};
	struct sw_addr addr = {};

	if (!v6) {
		__u8 numbered[4] = { 10, end >> 16, end >> 8, end };

		addr.words[2] = SW_V4_MAPPED_WORD;
		memcpy(&addr.words[3], end < FIRST_NUMBERED ? named4[end] : numbered, 4);
		return addr;
	}
	addr.bytes[15] = end + 1;
	if (end == LOOPBACK) {
		addr.bytes[15] = 1;
	} else if (end == MULTICAST || end == BROADCAST) {
		addr.bytes[0] = 0xff;
		addr.bytes[1] = end == MULTICAST ? 2 : 0x0e;
	} else {
		memcpy(addr.bytes, (__u8[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
		addr.bytes[5] = end == SERVER;
		addr.bytes[7] = end >> 16; /* a network for so many */
		addr.bytes[13] = end >> 16;
		addr.bytes[14] = end >> 8;
		addr.bytes[15] = end;
	}
	return addr;
}

#endif
