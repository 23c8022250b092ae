/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_PARSE_SKB_H
#define SYNWARD_PARSE_SKB_H

/* How TC's socket buffers are read. */

#include "core/parse.h"

#include <bpf/bpf_helpers.h>

/* Headers that are parsed must be linear in memory; a frame shorter than this is so as a whole. */
#define PULL_BYTES 256U

static __always_inline struct sw_cursor cursor_at(__u64 data, __u64 data_end, __u32 offset)
{
	return (struct sw_cursor){ (const __u8 *)data + (offset & SW_MAX_OFFSET),
				   (const __u8 *)data_end };
}

/* A further step of parsing. Returns the offset at which the next goes on. */
__noinline int parse_step_tc(struct __sk_buff *skb, __u32 offset, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(skb->data, skb->data_end, offset);

	if (packet)
		sw_parse_step(&cursor, packet);
	return cursor.pos - (const __u8 *)(__u64)skb->data;
}

/* The beginning of what TC gets, as far as its headers are of the common kind. Returns the offset of the rest. */
__noinline int parse_tc(struct __sk_buff *skb, struct sw_packet *packet)
{
	struct sw_cursor cursor = cursor_at(skb->data, skb->data_end, 0);

	if (packet)
		sw_parse(&cursor, skb->len, packet);
	return cursor.pos - (const __u8 *)(__u64)skb->data;
}

/* Was all there that parse_tc() wanted, and is all there that is still to be read? Not known of all: then no. */
static __always_inline bool are_headers_there(const struct __sk_buff *skb,
					      const struct sw_packet *packet, __u32 offset)
{
	__u32 there = skb->data_end - skb->data;

	if (packet->rest == SW_REST_OPTIONS)
		return offset + packet->doff * 4U - sizeof(struct wire_tcp) <= there;
	return packet->rest == SW_REST_NONE && packet->kind != SW_KIND_MALFORMED &&
	       packet->kind != SW_KIND_UNDECODABLE;
}

/*
 * Reads what is sent or goes up. Returns where what is behind the headers begins. They lie together in what the
 * kernel sends. To make that so of what it does not know how far it goes would copy the beginning of each
 * segment whose data it keeps elsewhere: that is of nearly all.
 */
static __always_inline __u32 parse_skb(struct __sk_buff *skb, struct sw_packet *packet)
{
	__u32 offset = parse_tc(skb, packet), there = skb->data_end - skb->data;

	if (!are_headers_there(skb, packet, offset) && there < PULL_BYTES && there < skb->len) {
		bpf_skb_pull_data(skb, skb->len < PULL_BYTES ? skb->len : PULL_BYTES);
		*packet = (struct sw_packet){};
		offset = parse_tc(skb, packet);
	}
	for (int i = 0; i < SW_MAX_PARSE_STEPS && packet->rest; i++)
		offset = parse_step_tc(skb, offset, packet);
	return offset;
}

#endif
