/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_FRAMES_H
#define SYNWARD_TESTS_FRAMES_H

/* The bytes of a segment that segment.h describes. */

#include "segment.h"

#include <assert.h>
#include <stdlib.h>

#define FRAME_MAX	     2048
#define FRAME_MAX_EXTENSIONS 16
#define FRAME_MAX_TCP	     (60 + 1024)

struct frame {
	__u32 length;	/* on the wire */
	__u32 captured; /* of it in bytes */
	/* at an aligned address + 2, as drivers have them: then all headers are aligned */
	__u8 pad[2] __attribute__((aligned(16)));
	__u8 bytes[FRAME_MAX];
};

/* Appends to a frame; all that is put there goes through here. */
static inline void *frame_put(struct frame *frame, const void *bytes, __u32 length)
{
	void *at = frame->bytes + frame->length;

	assert(frame->length + length <= FRAME_MAX);
	if (bytes)
		memcpy(at, bytes, length);
	else
		memset(at, 0, length);
	frame->length += length;
	return at;
}

static inline void frame_put16(struct frame *frame, __u16 value)
{
	__u16 wire = sw_htons(value);

	frame_put(frame, &wire, sizeof(wire));
}

/* RFC 1071, continued from sum. */
static inline __u32 sum16(const void *bytes, __u32 length, __u32 sum)
{
	const __u8 *at = bytes;

	for (__u32 i = 0; i < length; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	return sum;
}

static inline __u16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* ---- the link */

static inline void frame_put_link(struct frame *frame, const struct segment *segment,
				  __u16 ether_type)
{
	static const struct wire_ethernet with_macs = { .destination = { 2, 0, 0, 0, 0, 1 },
							.source = { 2, 0, 0, 0, 0, 2 } };

	frame_put(frame, segment->no_macs ? NULL : &with_macs, 12);
	for (int i = 0; i < segment->tags; i++) {
		bool outer = i + 1 < segment->tags;

		frame_put16(frame, outer ? WIRE_ETH_QINQ : WIRE_ETH_VLAN);
		frame_put16(frame, 100 + i);
	}
	frame_put16(frame,
		    or_auto(segment->ether_type, segment->pppoe ? WIRE_ETH_PPPOE : ether_type));
}

/* Around a packet of so many bytes. */
static inline void frame_put_pppoe(struct frame *frame, bool v6, __u32 length)
{
	struct wire_pppoe pppoe = { .version_type = WIRE_PPPOE_VERSION_TYPE,
				    .session = sw_htons(0x2a),
				    .length = sw_htons(sizeof(pppoe.protocol) + length),
				    .protocol = sw_htons(v6 ? WIRE_PPP_IPV6 : WIRE_PPP_IPV4) };

	frame_put(frame, &pppoe, sizeof(pppoe));
}

/* ---- IP, around length bytes of payload */

static inline void frame_put_ipv4(struct frame *frame, const struct segment *segment, enum end from,
				  enum end to, __u8 protocol, const void *payload, __u32 length)
{
	__u32 header = sizeof(struct wire_ipv4) + segment->ip_options * 4;
	struct sw_addr src = end_address(from, false), dst = end_address(to, false);
	struct wire_ipv4 ip = {
		.version_ihl = or_auto(segment->ip_version, 4) << 4 |
			       or_auto(segment->ip_words, header / 4),
		.total_length = sw_htons(or_auto(segment->ip_length, header + length)),
		.fragment =
			sw_htons((segment->fragment_offset > 0 ? segment->fragment_offset / 8 : 0) |
				 (segment->more_fragments ? WIRE_IPV4_MORE_FRAGMENTS : 0)),
		.ttl = 64,
		.protocol = or_auto(segment->protocol, protocol),
		.source = src.words[3],
		.destination = dst.words[3],
	};
	__u8 options[40];

	memset(options, WIRE_OPT_NOP, sizeof(options));
	ip.checksum = sw_htons(
		sum_fold(sum16(options, segment->ip_options * 4, sum16(&ip, sizeof(ip), 0))) +
		segment->bad_ip_sum);
	frame_put(frame, &ip, sizeof(ip));
	frame_put(frame, options, segment->ip_options * 4);
	frame_put(frame, payload, length);
}

/* One extension header of the kind that a letter stands for. Returns its protocol number. */
static inline __u8 frame_extension(char letter, const struct segment *segment, __u8 *bytes,
				   __u32 *length)
{
	struct wire_ipv6_fragment fragment = {};

	memset(bytes, 0, 64);
	*length = 8;
	switch (letter) {
	case 'h':
		return WIRE_IP_HOP_BY_HOP;
	case 'r':
		return WIRE_IP_ROUTING;
	case 'd':
		return WIRE_IP_DEST_OPTIONS;
	case 'D': /* a long one */
		bytes[1] = 2;
		*length = 24;
		return WIRE_IP_DEST_OPTIONS;
	case 'a': /* counts in units of its own */
		bytes[1] = 4;
		*length = 24;
		return WIRE_IP_AUTH;
	case 'f': /* this fragment; without one, the only (RFC 6946) */
		if (segment->fragment_offset > 0)
			fragment.offset |= sw_htons(segment->fragment_offset);
		if (segment->more_fragments)
			fragment.offset |= sw_htons(1);
		memcpy(bytes, &fragment, sizeof(fragment));
		return WIRE_IP_FRAGMENT;
	}
	abort();
}

static inline bool is_fragment(const struct segment *segment)
{
	return segment->fragment_offset != AUTO || segment->more_fragments;
}

/* Extension headers in the order of their letters; of a fragment, its own comes last. */
static inline void frame_put_ipv6(struct frame *frame, const struct segment *segment, enum end from,
				  enum end to, __u8 protocol, const void *payload, __u32 length)
{
	const char *letters = segment->extensions ? segment->extensions : "";
	bool add = is_fragment(segment) && !strchr(letters, 'f');
	__u8 bytes[FRAME_MAX_EXTENSIONS][64], kinds[FRAME_MAX_EXTENSIONS + 1];
	__u32 count = strlen(letters) + add, lengths[FRAME_MAX_EXTENSIONS], total = length;
	struct sw_addr src = end_address(from, true), dst = end_address(to, true);
	struct wire_ipv6 ip = { .hop_limit = 64 };

	assert(count <= FRAME_MAX_EXTENSIONS);
	for (__u32 i = 0; i < count; i++) {
		kinds[i] = frame_extension(add && i + 1 == count ? 'f' : letters[i], segment,
					   bytes[i], &lengths[i]);
		total += lengths[i];
	}
	kinds[count] = or_auto(segment->protocol, protocol);
	ip.version_class_flow = sw_htonl((__u32)or_auto(segment->ip_version, 6) << 28);
	ip.payload_length = sw_htons(or_auto(segment->ip_length, total));
	ip.next_header = kinds[0];
	memcpy(ip.source, src.words, sizeof(ip.source));
	memcpy(ip.destination, dst.words, sizeof(ip.destination));
	frame_put(frame, &ip, sizeof(ip));
	for (__u32 i = 0; i < count; i++) {
		bytes[i][0] = kinds[i + 1];
		frame_put(frame, bytes[i], lengths[i]);
	}
	frame_put(frame, payload, length);
}

static inline void frame_put_ip(struct frame *frame, const struct segment *segment, bool v6,
				enum end from, enum end to, __u8 protocol, const void *payload,
				__u32 length)
{
	if (v6)
		frame_put_ipv6(frame, segment, from, to, protocol, payload, length);
	else
		frame_put_ipv4(frame, segment, from, to, protocol, payload, length);
}

/* ---- TCP */

static inline __u32 put_option(__u8 *at, const void *bytes, __u32 length)
{
	memcpy(at, bytes, length);
	return length;
}

/* At most 40 bytes of options, filled up to a word with zeros. Returns how many. */
static inline __u32 put_options(const struct segment *segment, __u8 *at)
{
	__u8 cookie[2 + 16] = { WIRE_OPT_FASTOPEN, 2 + segment->fastopen };
	__u32 times[2] = { sw_htonl(segment->tsval), sw_htonl(segment->tsecr) };
	__u32 length = 0;

	if (segment->mss != AUTO)
		length += put_option(at + length,
				     (__u8[]){ WIRE_OPT_MSS, 4, segment->mss >> 8, segment->mss },
				     4);
	if (segment->sack_ok)
		length += put_option(at + length, (__u8[]){ WIRE_OPT_SACK_OK, 2 }, 2);
	if (segment->timestamp) {
		length += put_option(at + length, (__u8[]){ 1, 1, WIRE_OPT_TIMESTAMP, 10 }, 4);
		length += put_option(at + length, times, sizeof(times));
	}
	if (segment->wscale != AUTO)
		length += put_option(at + length,
				     (__u8[]){ WIRE_OPT_NOP, WIRE_OPT_WSCALE, 3, segment->wscale },
				     4);
	if (segment->fastopen != AUTO)
		length += put_option(at + length, cookie, 2 + segment->fastopen);
	if (segment->experiment_tfo)
		length += put_option(at + length, (__u8[]){ WIRE_OPT_EXPERIMENT, 4, 0xf9, 0x89 },
				     4);
	if (segment->raw)
		length += put_option(at + length, segment->raw, segment->raw_length);
	assert(length <= 40);
	return (length + 3) / 4 * 4;
}

static inline __u32 put_tcp(const struct segment *segment, bool v6, __u8 *at)
{
	__u32 options = put_options(segment, at + sizeof(struct wire_tcp));
	__u32 header = sizeof(struct wire_tcp) + options, length = header + segment->payload;
	struct sw_addr src = end_address(segment->from, v6);
	struct sw_addr dst = end_address(segment_to(segment), v6);
	struct wire_tcp tcp = {
		.source = sw_htons(segment_sport(segment)),
		.destination = sw_htons(segment_dport(segment)),
		.seq = sw_htonl(segment->seq),
		.ack = sw_htonl(segment->ack),
		.offset_flags = sw_htons(or_auto(segment->doff, header / 4) << 12 | segment->flags),
		.window = sw_htons(segment->window),
		.urgent = sw_htons(segment->urgent),
	};
	__u32 sum = WIRE_IP_TCP + length;

	assert(length <= FRAME_MAX_TCP);
	memset(at + header, 'x', segment->payload);
	memcpy(at, &tcp, sizeof(tcp));
	/* the words that tell a mapped address are no part of the pseudo header */
	sum = sum16(v6 ? src.bytes : src.bytes + 12, v6 ? 16 : 4, sum);
	sum = sum16(v6 ? dst.bytes : dst.bytes + 12, v6 ? 16 : 4, sum);
	tcp.checksum = sw_htons(sum_fold(sum16(at, length, sum)) + segment->bad_tcp_sum);
	memcpy(at, &tcp, sizeof(tcp));
	return or_auto(segment->l4_length, length);
}

/* ---- the whole */

/* An error that a router sends to whoever sent the segment, quoting the start of it. */
static inline void frame_put_error(struct frame *frame, const struct segment *segment, bool v6,
				   const __u8 *tcp)
{
	static const struct segment plain = tcp();
	struct wire_icmp icmp = {
		.type = or_auto(segment->type,
				v6 ? WIRE_ICMPV6_UNREACHABLE : WIRE_ICMP_UNREACHABLE),
		.code = or_auto(segment->code, v6 ? 4 : 3), /* no such port */
	};
	struct frame quoted = {};
	struct frame error = {};

	frame_put_ip(&quoted, segment, v6, segment->from, segment_to(segment), WIRE_IP_TCP, tcp,
		     or_auto(segment->l4_length, 8));
	frame_put(&error, &icmp, sizeof(icmp));
	frame_put(&error, quoted.bytes, quoted.length);
	frame_put_ip(frame, &plain, v6, ROUTER, segment->from, v6 ? WIRE_IP_ICMPV6 : WIRE_IP_ICMP,
		     error.bytes, error.length);
}

static inline void frame_build(struct frame *frame, const struct segment *segment, bool v6)
{
	__u8 tcp[FRAME_MAX_TCP] = {};
	__u32 length = put_tcp(segment, v6, tcp);
	struct frame packet = {};

	if (segment->kind == SEGMENT_ICMP_ERROR)
		frame_put_error(&packet, segment, v6, tcp);
	else
		frame_put_ip(&packet, segment, v6, segment->from, segment_to(segment), WIRE_IP_TCP,
			     tcp, length);
	frame->length = 0;
	frame_put_link(frame, segment, v6 ? WIRE_ETH_IPV6 : WIRE_ETH_IPV4);
	if (segment->pppoe)
		frame_put_pppoe(frame, v6, packet.length);
	frame_put(frame, packet.bytes, packet.length);
	frame_put(frame, NULL, segment->padding);
	frame->captured = or_auto(segment->captured, frame->length);
}

#endif
