// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One frame of any bytes through the parsers, the checksums, sanity and classify: what comes out must
 * fit together, and the sanitizers watch. The first two bytes say how much longer than what is here
 * the frame was on the wire. With SEED_DIR set, it writes frames to begin with there, and ends.
 */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "seeds.h"

static const struct setup with_checksums = { .checksums = true };

static void check_packet(const struct sw_packet *packet, const struct frame *frame)
{
	__u64 anomalies = sw_sanity(packet);
	enum sw_segment segment = sw_classify(packet, anomalies);

	assert(packet->kind < SW_KIND_COUNT);
	assert(!(anomalies >> SW_ANOMALY_COUNT));
	if (packet->kind == SW_KIND_TCP) {
		assert(frame->captured >= 14 + sizeof(struct wire_ipv4) + SW_TCP_HEADER);
		assert(packet->doff >= 5);
		assert(packet->payload <= packet->ip_payload);
		assert(!packet->fragment_offset);
	}
	if (packet->kind == SW_KIND_FRAGMENT)
		assert(packet->fragment_offset);
	/* each is judged as exactly what its kind says */
	assert((packet->kind == SW_KIND_UNDECODABLE) == !!(anomalies & SW_UNDECODABLE));
	assert((packet->kind == SW_KIND_UNDECODABLE) == (segment == SW_SEGMENT_UNDECODABLE));
	assert((packet->kind == SW_KIND_ICMP_ERROR) == (segment == SW_SEGMENT_ICMP_ERROR));
	if (segment == SW_SEGMENT_ILLEGAL)
		assert(anomalies & SW_ILLEGAL_FLAGS);
	if (packet->kind != SW_KIND_TCP)
		assert(!(anomalies & SW_ILLEGAL_FLAGS));
}

/* But for the segment that an ICMP error quotes, a packet's addresses are those of its own header. */
static void check_addresses(const struct sw_packet *packet, const struct frame *frame)
{
	struct sw_cursor cursor = { frame->bytes, frame->bytes + frame->captured };
	struct sw_packet outer = {};

	sw_parse(&cursor, frame->length, &outer);
	if (outer.rest == SW_REST_PPPOE)
		sw_parse_step(&cursor, &outer);
	if (packet->kind != SW_KIND_ICMP_ERROR)
		assert(!memcmp(&packet->src, &outer.src, sizeof(outer.src)) &&
		       !memcmp(&packet->dst, &outer.dst, sizeof(outer.dst)));
	assert(packet->rest == SW_REST_NONE);
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	write_seeds_if_asked();
	return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	static struct frame frame;
	struct sw_packet packet;

	if (size < 2)
		return 0;
	frame.captured = size - 2 < FRAME_MAX ? size - 2 : FRAME_MAX;
	frame.length = frame.captured + (data[0] << 8 | data[1]);
	memcpy(frame.bytes, data + 2, frame.captured);
	host_parse(&with_checksums, &frame, &packet);
	check_packet(&packet, &frame);
	check_addresses(&packet, &frame);
	return 0;
}
