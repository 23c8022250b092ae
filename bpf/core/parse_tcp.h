/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_PARSE_TCP_H
#define SYNWARD_CORE_PARSE_TCP_H

#include "cursor.h"
#include "packet.h"
#include "repeat.h"
#include "wire.h"

#define SW_MAX_TCP_OPTIONS 40

/* The options of nearly every data segment: two NOPs and a timestamp. */
#define OPTIONS_ONLY_TIMESTAMP 0x0101080aU

/* Those of nearly every SYN and SYN-ACK: MSS, SACK permitted, timestamp, a NOP, window scale. */
#define OPTIONS_MSS	       0x0204U
#define OPTIONS_SACK_TIMESTAMP 0x0402080aU
#define OPTIONS_NOP_WSCALE     0x010303U

/* An option may lie anywhere. */
static __always_inline __u32 read_u32(const __u8 *at)
{
	return (__u32)at[0] << 24 | (__u32)at[1] << 16 | (__u32)at[2] << 8 | at[3];
}

/* What option at[0..length-1] means for the packet; room is what of the header is left for it. */
static __always_inline void read_option(const __u8 *at, const __u8 *end, __u32 length,
					struct sw_packet *packet)
{
	__u8 options = packet->options;

	switch (at[0]) {
	case WIRE_OPT_MSS:
		if (length != 4) {
			options |= SW_OPT_BAD;
		} else if (at + 4 <= end) {
			options |= SW_OPT_MSS;
			packet->mss = at[2] << 8 | at[3];
		}
		break;
	case WIRE_OPT_WSCALE:
		if (length != 3) {
			options |= SW_OPT_BAD;
		} else if (at + 3 <= end) {
			options |= SW_OPT_WSCALE;
			packet->wscale = at[2];
		}
		break;
	case WIRE_OPT_SACK_OK:
		options |= length == 2 ? SW_OPT_SACK_OK : SW_OPT_BAD;
		break;
	case WIRE_OPT_TIMESTAMP:
		options |= length == 10 ? SW_OPT_TIMESTAMP : SW_OPT_BAD;
		if (length == 10 && at + 10 <= end) {
			packet->tsval = read_u32(at + 2);
			packet->tsecr = read_u32(at + 6);
		}
		break;
	case WIRE_OPT_MD5:
		options |= length == WIRE_OPT_MD5_LENGTH ? SW_OPT_SIGNED : 0;
		break;
	case WIRE_OPT_AO:
		options |= length >= WIRE_OPT_AO_MIN ? SW_OPT_SIGNED : 0;
		break;
	case WIRE_OPT_FASTOPEN:
		options |= SW_OPT_FASTOPEN;
		break;
	case WIRE_OPT_EXPERIMENT:
		if (length >= 4 && at + 4 <= end && (at[2] << 8 | at[3]) == WIRE_OPT_EXPERIMENT_TFO)
			options |= SW_OPT_FASTOPEN;
		break;
	}
	packet->options = options;
}

/* The option at packet->option_at, which is stepped over. Returns false if the walk ends here. */
static __always_inline bool parse_option(const struct sw_cursor *cursor, __u32 length,
					 struct sw_packet *packet)
{
	__u32 offset = packet->option_at & 63;
	const __u8 *at = cursor->pos + offset;
	__u32 size;

	if (offset >= length || at + 1 > cursor->end || at[0] == WIRE_OPT_END)
		return false;
	if (at[0] == WIRE_OPT_NOP) {
		packet->option_at = offset + 1;
		return true;
	}
	if (offset + 1 >= length) {
		packet->options |= SW_OPT_BAD;
		return false;
	}
	if (at + 2 > cursor->end)
		return false;
	size = at[1];
	if (size < 2 || offset + size > length) {
		packet->options |= SW_OPT_BAD;
		return false;
	}
	read_option(at, cursor->end, size, packet);
	packet->option_at = offset + size;
	return true;
}

struct option_walk {
	const struct sw_cursor *cursor;
	struct sw_packet *packet;
	__u32 length;
};

static long next_option(__u32 i __unused, void *context)
{
	const struct option_walk *walk = context;

	return !parse_option(walk->cursor, walk->length, walk->packet);
}

/*
 * Walks the options, length bytes by the header's word. What the frame does not hold (a capture cut
 * it off, or a fragment ends) is not judged. The position lives in the packet: of a local variable
 * the verifier would follow every value.
 */
static __always_inline void sw_parse_options(const struct sw_cursor *cursor, __u32 length,
					     struct sw_packet *packet)
{
	struct option_walk walk = { .cursor = cursor, .packet = packet, .length = length };

	sw_repeat(SW_MAX_TCP_OPTIONS, next_option, &walk);
	if (!sw_peek(cursor, length))
		packet->options &= ~SW_OPT_BAD;
}

/* Reads the options of a SYN in one go if they are the usual ones; else returns false. */
static __always_inline bool read_usual_options(const struct sw_cursor *cursor,
					       struct sw_packet *packet)
{
	const __u32 *words = sw_peek(cursor, 20);
	__u32 mss, scale;

	if (!words)
		return false;
	mss = sw_ntohl(words[0]);
	scale = sw_ntohl(words[4]);
	if (mss >> 16 != OPTIONS_MSS || sw_ntohl(words[1]) != OPTIONS_SACK_TIMESTAMP ||
	    scale >> 8 != OPTIONS_NOP_WSCALE)
		return false;
	packet->mss = mss & 0xffff;
	packet->wscale = scale & 0xff;
	packet->tsval = sw_ntohl(words[2]);
	packet->tsecr = sw_ntohl(words[3]);
	packet->options = SW_OPT_MSS | SW_OPT_SACK_OK | SW_OPT_TIMESTAMP | SW_OPT_WSCALE;
	return true;
}

/*
 * Reads the timestamp of a segment that has no other option, which nobody else does: nearly all
 * segments are like that, and hardly any is asked for it. The cursor is behind the fixed header.
 */
static __always_inline void sw_parse_timestamp(const struct sw_cursor *cursor,
					       struct sw_packet *packet)
{
	const __u32 *words = sw_peek(cursor, 12);

	if (packet->doff != 8 || !words || sw_ntohl(words[0]) != OPTIONS_ONLY_TIMESTAMP)
		return;
	packet->tsval = sw_ntohl(words[1]);
	packet->tsecr = sw_ntohl(words[2]);
}

/*
 * Ports alone, for a segment whose header cannot be used: it still belongs to some flow. None are
 * read from what lies behind the IP payload, which is padding.
 */
static __always_inline void parse_ports(const struct sw_cursor *cursor, struct sw_packet *packet)
{
	const __u16 *ports = sw_peek(cursor, 4);

	if (packet->ip_payload < 4 || !ports)
		return;
	packet->sport = sw_ntohs(ports[0]);
	packet->dport = sw_ntohs(ports[1]);
}

/*
 * Reads a TCP header, of which kind says afterwards whether it can be used, and of its options the
 * one that data segments have.
 */
static __always_inline void sw_parse_tcp(struct sw_cursor *cursor, struct sw_packet *packet)
{
	const struct wire_tcp *tcp;
	__u32 header;
	__u16 word;

	if (packet->ip_payload < sizeof(*tcp)) {
		packet->kind = SW_KIND_UNDECODABLE;
		parse_ports(cursor, packet);
		return;
	}
	tcp = sw_pull(cursor, sizeof(*tcp));
	if (!tcp) {
		packet->kind = SW_KIND_MALFORMED;
		return;
	}
	word = sw_ntohs(tcp->offset_flags);
	packet->sport = sw_ntohs(tcp->source);
	packet->dport = sw_ntohs(tcp->destination);
	packet->seq = sw_ntohl(tcp->seq);
	packet->ack = sw_ntohl(tcp->ack);
	packet->flags = word & 0xfff;
	packet->window = sw_ntohs(tcp->window);
	packet->urgent = sw_ntohs(tcp->urgent);
	packet->doff = word >> 12;
	header = packet->doff * 4;

	packet->kind = SW_KIND_TCP;
	if (header < sizeof(*tcp)) {
		packet->kind = SW_KIND_UNDECODABLE;
		return;
	}
	if (header > packet->ip_payload) {
		if (packet->facts & SW_PKT_MORE_FRAGMENTS)
			packet->facts |= SW_PKT_HEADER_SPLIT;
		else
			packet->kind = SW_KIND_UNDECODABLE;
		return;
	}
	packet->payload = packet->ip_payload - header;

	if (header == 32) {
		const __u32 *first = sw_peek(cursor, 12);

		if (first && sw_ntohl(*first) == OPTIONS_ONLY_TIMESTAMP) {
			packet->options = SW_OPT_TIMESTAMP;
			return;
		}
	}
	if (header == 40 && read_usual_options(cursor, packet))
		return;
	if (header > sizeof(*tcp))
		packet->rest = SW_REST_OPTIONS;
}

#endif
