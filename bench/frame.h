/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_FRAME_H
#define SYNWARD_BENCH_FRAME_H

/*
 * The frames that are measured: those of a Linux host, byte for byte but for the checksums, which
 * nobody on the way looks at.
 */

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	FRAME_ORIG_PORT = 40000,
	FRAME_RESP_PORT = 443,
	FRAME_ORIG_ISN = 0x10000000,
	FRAME_RESP_ISN = 0x20000000,
	FRAME_DATA_SIZE = 64,
};

struct frame {
	uint8_t bytes[256];
	uint32_t length;
};

enum frame_kind {
	FRAME_SYN,
	FRAME_SYNACK,
	FRAME_ACK,
	FRAME_DATA,
	FRAME_NULL, /* without any flag */
	FRAME_UDP,
};

/* of a SYN: MSS 1460, SACK permitted, timestamp, window scale 7 */
static const uint8_t frame_syn_options[20] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0,
					       0, 1, 0, 0,   0, 0, 1, 3,  3, 7 };
/* of what follows it: a timestamp */
static const uint8_t frame_ack_options[12] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1 };

static inline void *frame_append(struct frame *frame, const void *bytes, uint32_t length)
{
	void *at = frame->bytes + frame->length;

	if (bytes)
		memcpy(at, bytes, length);
	frame->length += length;
	return at;
}

/* Ethernet and IP of a packet of the opener, or else of the responder. */
static inline void frame_ip(struct frame *frame, bool v6, bool from_orig, uint8_t protocol,
			    uint32_t payload)
{
	static const struct ether_header ethernet = { .ether_dhost = { 2, 0, 0, 0, 0, 1 },
						      .ether_shost = { 2, 0, 0, 0, 0, 2 } };
	struct ether_header *link = frame_append(frame, &ethernet, sizeof(ethernet));

	link->ether_type = htons(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (v6) {
		struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28),
				      .ip6_plen = htons((uint16_t)payload),
				      .ip6_nxt = protocol,
				      .ip6_hlim = 64 };

		inet_pton(AF_INET6, from_orig ? "2001:db8::1" : "2001:db8:1::2", &ip.ip6_src);
		inet_pton(AF_INET6, from_orig ? "2001:db8:1::2" : "2001:db8::1", &ip.ip6_dst);
		frame_append(frame, &ip, sizeof(ip));
	} else {
		struct iphdr ip = { .version = 4,
				    .ihl = 5,
				    .tot_len = htons((uint16_t)(sizeof(ip) + payload)),
				    .frag_off = htons(IP_DF),
				    .ttl = 64,
				    .protocol = protocol };

		inet_pton(AF_INET, from_orig ? "198.51.100.1" : "192.0.2.2", &ip.saddr);
		inet_pton(AF_INET, from_orig ? "192.0.2.2" : "198.51.100.1", &ip.daddr);
		frame_append(frame, &ip, sizeof(ip));
	}
}

static inline void frame_tcp(struct frame *frame, bool v6, enum frame_kind kind)
{
	bool syn = kind == FRAME_SYN || kind == FRAME_SYNACK, from_orig = kind != FRAME_SYNACK;
	uint32_t options = syn ? sizeof(frame_syn_options) : sizeof(frame_ack_options);
	uint32_t data = kind == FRAME_DATA ? FRAME_DATA_SIZE : 0;
	struct tcphdr tcp = {
		.source = htons(from_orig ? FRAME_ORIG_PORT : FRAME_RESP_PORT),
		.dest = htons(from_orig ? FRAME_RESP_PORT : FRAME_ORIG_PORT),
		.seq = htonl((from_orig ? FRAME_ORIG_ISN : FRAME_RESP_ISN) + !syn),
		.ack_seq = kind == FRAME_SYN ?
				   0 :
				   htonl((from_orig ? FRAME_RESP_ISN : FRAME_ORIG_ISN) + 1),
		.doff = (sizeof(tcp) + options) / 4,
		.syn = syn,
		.ack = kind != FRAME_SYN && kind != FRAME_NULL,
		.psh = kind == FRAME_DATA,
		.window = htons(64240),
	};

	frame_ip(frame, v6, from_orig, IPPROTO_TCP, sizeof(tcp) + options + data);
	frame_append(frame, &tcp, sizeof(tcp));
	frame_append(frame, syn ? frame_syn_options : frame_ack_options, options);
	frame_append(frame, NULL, data);
}

/* Makes a frame of one flow, always the same: its handshake, its data, and a datagram beside it. */
static inline struct frame frame_make(enum frame_kind kind, bool v6)
{
	struct udphdr udp = { .source = htons(FRAME_ORIG_PORT),
			      .dest = htons(FRAME_RESP_PORT),
			      .len = htons(sizeof(udp) + FRAME_DATA_SIZE) };
	struct frame frame = { .length = 0 };

	if (kind != FRAME_UDP) {
		frame_tcp(&frame, v6, kind);
		return frame;
	}
	frame_ip(&frame, v6, true, IPPROTO_UDP, sizeof(udp) + FRAME_DATA_SIZE);
	frame_append(&frame, &udp, sizeof(udp));
	frame_append(&frame, NULL, FRAME_DATA_SIZE);
	return frame;
}

#endif
