// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <string.h>

#define ETHERNET_HEADER 14U
#define ETHER_TYPE_IPV4 0x0800
#define ETHER_TYPE_IPV6 0x86dd

#define PPP_IPV4 0x21
#define PPP_IPV6 0x57

#define ARPHRD_OF_LOOPBACK 772

/* The packet inside a record. */
struct inner {
	const uint8_t *data;
	uint32_t left;
	uint16_t ether_type; /* 0: of no protocol that is looked at */
	bool loopback;
	bool is_ethernet; /* data starts with the header that all others lack */
};

static uint16_t big16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint16_t little16(const uint8_t *at)
{
	return (uint16_t)(at[1] << 8 | at[0]);
}

static bool skip(struct inner *inner, uint32_t bytes)
{
	if (inner->left < bytes)
		return false;
	inner->data += bytes;
	inner->left -= bytes;
	return true;
}

/* A header of so many bytes with the ether type at an offset. */
static void after_header(struct inner *inner, uint32_t bytes, uint32_t type_at)
{
	const uint8_t *header = inner->data;

	if (skip(inner, bytes))
		inner->ether_type = big16(header + type_at);
}

static void open_ethernet(struct inner *inner)
{
	inner->is_ethernet = true;
}

static void open_raw(struct inner *inner)
{
	uint8_t version = inner->left ? inner->data[0] >> 4 : 0;

	inner->ether_type = version == 4 ? ETHER_TYPE_IPV4 : version == 6 ? ETHER_TYPE_IPV6 : 0;
}

static void open_ipv4(struct inner *inner)
{
	inner->ether_type = ETHER_TYPE_IPV4;
}

static void open_ipv6(struct inner *inner)
{
	inner->ether_type = ETHER_TYPE_IPV6;
}

/* AF_INET6 is another number on each system. */
static uint16_t of_family(uint32_t family)
{
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

/*
 * A header that starts with an address family of 32 bits, in the byte order of the machine that
 * captured. No family needs more than 16.
 */
static void after_family(struct inner *inner, uint32_t bytes)
{
	const uint8_t *header = inner->data;
	uint16_t low, high;

	if (!skip(inner, bytes))
		return;
	low = little16(header);
	high = big16(header + 2);
	inner->ether_type = of_family(high ? high : low);
}

static void open_null(struct inner *inner)
{
	inner->loopback = true;
	after_family(inner, 4);
}

/* Of OpenBSD's IPsec: the family, the SPI and flags. */
static void open_enc(struct inner *inner)
{
	after_family(inner, 12);
}

/* Of OpenBSD's packet filter: its own length, that is then rounded up, and the family. */
static void open_pflog(struct inner *inner)
{
	uint8_t family = inner->left > 1 ? inner->data[1] : 0;

	if (family && skip(inner, (inner->data[0] + 3U) & ~3U))
		inner->ether_type = of_family(family);
}

static void open_sll(struct inner *inner)
{
	inner->loopback = inner->left >= 4 && big16(inner->data + 2) == ARPHRD_OF_LOOPBACK;
	after_header(inner, 16, 14); /* a VLAN tag, if any, follows as it does on Ethernet */
}

static void open_sll2(struct inner *inner)
{
	inner->loopback = inner->left >= 10 && big16(inner->data + 8) == ARPHRD_OF_LOOPBACK;
	after_header(inner, 20, 0);
}

/* PPP's protocol is of one byte if that is odd (RFC 1661 section 6.5). */
static void after_protocol(struct inner *inner)
{
	uint16_t protocol = 0;

	if (inner->left >= 1 && inner->data[0] & 1) {
		protocol = inner->data[0];
		skip(inner, 1);
	} else if (inner->left >= 2) {
		protocol = big16(inner->data);
		skip(inner, 2);
	}
	inner->ether_type = protocol == PPP_IPV4 ? ETHER_TYPE_IPV4 :
			    protocol == PPP_IPV6 ? ETHER_TYPE_IPV6 :
						   0;
}

static void open_chdlc(struct inner *inner)
{
	after_header(inner, 4, 2);
}

/* With HDLC's address and control (RFC 1662), with Cisco's, or with neither. */
static void open_ppp(struct inner *inner)
{
	const uint8_t *data = inner->data;

	if (inner->left >= 4 && (data[0] == 0x0f || data[0] == 0x8f) && !data[1]) {
		open_chdlc(inner);
		return;
	}
	if (inner->left >= 2 && data[0] == 0xff && data[1] == 0x03)
		skip(inner, 2);
	after_protocol(inner);
}

/* PPPoE (RFC 2516): only what has the code of a session is PPP. */
static void open_pppoe(struct inner *inner)
{
	const uint8_t *header = inner->data;

	if (skip(inner, 6) && !header[1])
		after_protocol(inner);
}

/* Only what a SNAP header says is an ether type: RFC 1042, and 802.1H's tunnel. */
static void after_snap(struct inner *inner)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0 };
	const uint8_t *header = inner->data;

	if (skip(inner, 8) && !memcmp(header, snap, sizeof(snap)) &&
	    (!header[5] || header[5] == 0xf8))
		inner->ether_type = big16(header + 6);
}

/* Frame control, two addresses; 0x5n is an LLC frame. */
static void open_fddi(struct inner *inner)
{
	const uint8_t *header = inner->data;

	if (skip(inner, 13) && (header[0] & 0xf0) == 0x50)
		after_snap(inner);
}

/* A data frame (IEEE 802.11-2020 section 9.3.2) that is neither encrypted nor a later fragment. */
static void after_wireless(struct inner *inner, bool padded)
{
	const uint8_t *header = inner->data;
	uint32_t bytes = 24;

	if (inner->left < bytes)
		return;
	if ((header[0] & 0x4f) != 0x08 || header[1] & 0x40 || header[22] & 0x0f)
		return;
	if ((header[1] & 0x03) == 0x03)
		bytes += 6; /* between access points: a fourth address */
	if (header[0] & 0x80) {
		if (inner->left < bytes + 2 || header[bytes] & 0x80)
			return; /* several frames in one */
		bytes += header[1] & 0x80 ? 6 : 2;
	}
	if (skip(inner, padded ? (bytes + 3) & ~3U : bytes))
		after_snap(inner);
}

static void open_wireless(struct inner *inner)
{
	after_wireless(inner, false);
}

/* Its flags, behind the words of what is present and maybe a time, tell of padding. */
static void open_radiotap(struct inner *inner)
{
	const uint8_t *header = inner->data;
	uint32_t length, at = 4;
	bool padded = false;

	if (inner->left < 8 || header[0])
		return;
	length = little16(header + 2);
	if (length < 8 || !skip(inner, length))
		return;
	while (at + 8 <= length && header[at + 3] & 0x80)
		at += 4;
	at += 4;
	if (header[4] & 0x01)
		at = ((at + 7) & ~7U) + 8;
	if (header[4] & 0x02 && at < length)
		padded = header[at] & 0x20;
	after_wireless(inner, padded);
}

/* The payload is one attribute of many, which are in the byte order of the machine that captured. */
static bool find_payload(struct inner *inner, bool big)
{
	const uint8_t *at = inner->data + 4;
	uint32_t left = inner->left - 4;

	while (left >= 4) {
		uint16_t size = big ? big16(at) : little16(at);
		uint16_t type = (big ? big16(at + 2) : little16(at + 2)) & 0x7fff;
		uint32_t whole = (size + 3U) & ~3U;

		if (size < 4)
			return false;
		if (type == 9) {
			inner->data = at + 4;
			inner->left = (size < left ? size : left) - 4;
			return true;
		}
		if (whole > left)
			return false;
		at += whole;
		left -= whole;
	}
	return false;
}

static void open_nflog(struct inner *inner)
{
	uint8_t family = inner->left >= 4 ? inner->data[0] : 0;

	if (family && (find_payload(inner, false) || find_payload(inner, true)))
		inner->ether_type = of_family(family);
}

static void open_ppi(struct inner *inner);

/*
 * By what stands for a link type in files (LINKTYPE_*), and where libpcap has another number of its
 * own (DLT_*), by that, too.
 */
static const struct {
	uint16_t link;
	void (*open)(struct inner *inner);
} links[] = {
	{ 0, open_null },   { 1, open_ethernet }, { 9, open_ppp },     { 10, open_fddi },
	{ 12, open_raw },   { 14, open_raw },	  { 50, open_ppp },    { 51, open_pppoe },
	{ 101, open_raw },  { 104, open_chdlc },  { 108, open_null },  { 105, open_wireless },
	{ 109, open_enc },  { 113, open_sll },	  { 117, open_pflog }, { 127, open_radiotap },
	{ 192, open_ppi },  { 228, open_ipv4 },	  { 229, open_ipv6 },  { 239, open_nflog },
	{ 276, open_sll2 },
};

static bool open_link(int link, struct inner *inner)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].link != link)
			continue;
		if (inner)
			links[i].open(inner);
		return true;
	}
	return false;
}

/* A header of per-packet information that names what it is in front of. */
static void open_ppi(struct inner *inner)
{
	const uint8_t *header = inner->data;
	uint32_t length;

	if (inner->left < 8)
		return;
	length = little16(header + 2);
	if (length < 8 || header[4] == 192 || header[6] || header[7] || !skip(inner, length))
		return;
	open_link(little16(header + 4), inner);
}

bool sw_link_is_known(int link)
{
	return open_link(link, NULL);
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
	struct inner inner = { .data = data, .left = captured };
	uint32_t made = 0, skipped;

	if (length < captured)
		length = captured;
	open_link(link, &inner);
	skipped = inner.data - data;
	if (!inner.is_ethernet) {
		made = ETHERNET_HEADER;
		make_header(frame->bytes, inner.ether_type, inner.loopback);
	}
	captured = inner.left;
	if (captured > SW_REPLAY_MAX_FRAME - made)
		captured = SW_REPLAY_MAX_FRAME - made;
	if (captured)
		memcpy(frame->bytes + made, inner.data, captured);
	frame->length = (length > skipped ? length - skipped : 0) + made;
	frame->captured = captured + made;
	if (frame->captured < SW_REPLAY_MIN_FRAME) {
		memset(frame->bytes + frame->captured, 0, SW_REPLAY_MIN_FRAME - frame->captured);
		frame->captured = SW_REPLAY_MIN_FRAME;
	}
}
