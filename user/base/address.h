/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_ADDRESS_H
#define SYNWARD_BASE_ADDRESS_H

#include <synward/flow.h>
#include <synward/policy.h>

#define SW_ADDRESS_SIZE	 46
#define SW_ENDPOINT_SIZE (SW_ADDRESS_SIZE + 8)
#define SW_PREFIX_SIZE	 (SW_ADDRESS_SIZE + 4)

/* How many bits of a mapped address come before the IPv4 one's. */
#define SW_V4_BITS 96U

/* 192.0.2.1 or 2001:db8::1. Returns text. */
const char *sw_format_address(char text[SW_ADDRESS_SIZE], const struct sw_addr *addr);

/* 192.0.2.1:80 or [2001:db8::1]:80; port in host order. Returns text. */
const char *sw_format_endpoint(char text[SW_ENDPOINT_SIZE], const struct sw_addr *addr, __u16 port);

/* An address of either family; ::ffff:192.0.2.1 is 192.0.2.1. Returns whether text is one, else addr is untouched. */
bool sw_parse_address(const char *text, struct sw_addr *addr);

/* What is wrong with the text of a prefix. */
enum sw_prefix_flaw {
	SW_PREFIX_FINE,
	SW_PREFIX_NO_ADDRESS, /* neither IPv4 nor IPv6 */
	SW_PREFIX_NO_LENGTH,  /* no number behind the slash, or one that is too large */
	SW_PREFIX_MAPPED,     /* an IPv4 address in the notation of IPv6 */
	SW_PREFIX_HOST_BITS,  /* 192.0.2.1/24: bits behind its length are set */
};

/*
 * An address, or an address/length, of either family. With SW_PREFIX_HOST_BITS *prefix is the one
 * without these bits, for a message; with other flaws it is untouched.
 */
enum sw_prefix_flaw sw_parse_prefix(const char *text, struct sw_prefix *prefix);

/* 192.0.2.0/24 or 2001:db8::/64; a whole address without a length. Returns text. */
const char *sw_format_prefix(char text[SW_PREFIX_SIZE], const struct sw_prefix *prefix);

/* The prefix of that length, of the mapped form, that the address lies in. */
struct sw_prefix sw_prefix_around(const struct sw_addr *addr, unsigned int length);

/* Is it one of IPv4? ::/0 is not: it is all of IPv6, although mapped addresses lie in it. */
bool sw_prefix_is_v4(const struct sw_prefix *prefix);

/* Is it all of its family? */
bool sw_prefix_is_everything(const struct sw_prefix *prefix);

/*
 * Does it hold a quarter of the addresses that hosts of its family have, or more? Those of IPv6 are all in 2000::/3;
 * what is in use by nobody, or for other things, may be as large as it likes, as in lists of bogons.
 */
bool sw_prefix_is_wide(const struct sw_prefix *prefix);

/* Does everything in the inner one lie in the outer one? Never for unlike families. */
bool sw_prefix_covers(const struct sw_prefix *outer, const struct sw_prefix *inner);

#endif
