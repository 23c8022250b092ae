// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <pcap/dlt.h>
#include <string.h>

#define ETHERNET_HEADER 14U
#define ETHER_TYPE_IPV4 0x0800
#define ETHER_TYPE_IPV6 0x86dd

/* LINKTYPE_RAW has three numbers in files, of which this platform's DLT_RAW is one */
#define LINK_RAW_BSD  12
#define LINK_RAW_OBSD 14
#define LINK_RAW_FILE 101

#define NULL_HEADER 4U
#define SLL_HEADER  16U
#define SLL_TYPE_AT 14U /* a VLAN tag, if any, follows as it does on Ethernet */
#define SLL2_HEADER 20U

bool sw_link_is_known(int link)
{
	switch (link) {
	case DLT_EN10MB:
	case DLT_NULL:
	case DLT_LOOP:
	case LINK_RAW_BSD:
	case LINK_RAW_OBSD:
	case LINK_RAW_FILE:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
		return true;
	}
	return false;
}

static uint16_t of_version(const uint8_t *data, uint32_t captured)
{
	uint8_t version = captured ? data[0] >> 4 : 0;

	return version == 4 ? ETHER_TYPE_IPV4 : version == 6 ? ETHER_TYPE_IPV6 : 0;
}

/*
 * The address family of DLT_NULL is in the byte order of the machine that captured, and its IPv6 is
 * another number on each system. No family needs more than 16 bits.
 */
static uint16_t of_family(const uint8_t *data)
{
	uint32_t family = data[0] | data[1] << 8;

	if (data[2] || data[3])
		family = data[3] | data[2] << 8;
	switch (family) {
	case 2:
		return ETHER_TYPE_IPV4;
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return ETHER_TYPE_IPV6;
	}
	return 0;
}

/* How much of the record its own link header takes, and the ether type that it stands for. */
static uint32_t link_header(int link, const uint8_t *data, uint32_t captured, uint16_t *ether_type)
{
	switch (link) {
	case DLT_NULL:
	case DLT_LOOP:
		*ether_type = captured >= NULL_HEADER ? of_family(data) : 0;
		return NULL_HEADER;
	case DLT_LINUX_SLL:
		*ether_type = captured >= SLL_HEADER ?
				      data[SLL_TYPE_AT] << 8 | data[SLL_TYPE_AT + 1] :
				      0;
		return SLL_HEADER;
	case DLT_LINUX_SLL2:
		*ether_type = captured >= SLL2_HEADER ? data[0] << 8 | data[1] : 0;
		return SLL2_HEADER;
	case DLT_IPV4:
		*ether_type = ETHER_TYPE_IPV4;
		return 0;
	case DLT_IPV6:
		*ether_type = ETHER_TYPE_IPV6;
		return 0;
	default:
		*ether_type = of_version(data, captured);
		return 0;
	}
}

/* Writes the header that the packet would have had on Ethernet. */
static void make_header(uint8_t *header, uint16_t ether_type, bool loopback)
{
	/* of the range for local use (IEEE 802-2014 section 8.4) */
	static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	if (loopback)
		memset(header, 0, sizeof(addresses));
	else
		memcpy(header, addresses, sizeof(addresses));
	header[12] = ether_type >> 8;
	header[13] = ether_type & 0xff;
}

void sw_link_to_frame(int link, const uint8_t *data, uint32_t captured, uint32_t length,
		      struct sw_replay_frame *frame)
{
	uint32_t made = 0, skip = 0;
	uint16_t ether_type;

	if (length < captured)
		length = captured;
	if (link != DLT_EN10MB) {
		made = ETHERNET_HEADER;
		skip = link_header(link, data, captured, &ether_type);
		make_header(frame->bytes, ether_type, link == DLT_NULL || link == DLT_LOOP);
	}
	captured = captured > skip ? captured - skip : 0;
	if (captured > SW_REPLAY_MAX_FRAME - made)
		captured = SW_REPLAY_MAX_FRAME - made;
	if (captured)
		memcpy(frame->bytes + made, data + skip, captured);
	frame->length = (length > skip ? length - skip : 0) + made;
	frame->captured = captured + made;
	if (frame->captured < SW_REPLAY_MIN_FRAME) {
		memset(frame->bytes + frame->captured, 0, SW_REPLAY_MIN_FRAME - frame->captured);
		frame->captured = SW_REPLAY_MIN_FRAME;
	}
}
