// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include "error.h"
#include "number.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *sw_format_address(char text[SW_ADDRESS_SIZE], const struct sw_addr *addr)
{
	if (sw_addr_is_v4(addr))
		inet_ntop(AF_INET, addr->bytes + 12, text, SW_ADDRESS_SIZE);
	else
		inet_ntop(AF_INET6, addr->bytes, text, SW_ADDRESS_SIZE);
	return text;
}

const char *sw_format_endpoint(char text[SW_ENDPOINT_SIZE], const struct sw_addr *addr, __u16 port)
{
	char address[SW_ADDRESS_SIZE];
	bool v4 = sw_addr_is_v4(addr);

	sw_format_address(address, addr);
	snprintf(text, SW_ENDPOINT_SIZE, "%s%s%s:%u", v4 ? "" : "[", address, v4 ? "" : "]", port);
	return text;
}

struct sw_prefix sw_prefix_around(const struct sw_addr *addr, unsigned int length)
{
	struct sw_prefix prefix = { .addr = *addr, .length = length };

	for (unsigned int i = 0; i < sizeof(addr->bytes); i++) {
		unsigned int kept = length < 8 * i ? 0 : length - 8 * i;

		if (kept < 8)
			prefix.addr.bytes[i] &= (__u8)(0xff00 >> kept);
	}
	return prefix;
}

static bool parse_address(const char *text, struct sw_addr *addr, bool *v4)
{
	*addr = (struct sw_addr){ .words[2] = SW_V4_MAPPED_WORD };
	*v4 = inet_pton(AF_INET, text, addr->bytes + 12) == 1;
	return *v4 || inet_pton(AF_INET6, text, addr->bytes) == 1;
}

bool sw_parse_address(const char *text, struct sw_addr *addr)
{
	struct sw_addr parsed;
	bool v4;

	if (!parse_address(text, &parsed, &v4))
		return false;
	*addr = parsed;
	return true;
}

enum sw_prefix_flaw sw_parse_prefix(const char *text, struct sw_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char address[SW_ADDRESS_SIZE];
	struct sw_prefix parsed;
	struct sw_addr whole;
	uint64_t length;
	bool v4;

	if (!sw_format(address, sizeof(address), "%.*s",
		       slash ? (int)(slash - text) : SW_ADDRESS_SIZE, text) ||
	    !parse_address(address, &whole, &v4))
		return SW_PREFIX_NO_ADDRESS;
	length = v4 ? 32 : 128;
	if (slash && (!sw_parse_number(slash + 1, &length) || length > (v4 ? 32 : 128)))
		return SW_PREFIX_NO_LENGTH;
	parsed = sw_prefix_around(&whole, (unsigned int)length + (v4 ? SW_V4_BITS : 0));
	if (!v4 && sw_prefix_is_v4(&parsed))
		return SW_PREFIX_MAPPED;
	*prefix = parsed;
	return sw_addr_equal(&parsed.addr, &whole) ? SW_PREFIX_FINE : SW_PREFIX_HOST_BITS;
}

const char *sw_format_prefix(char text[SW_PREFIX_SIZE], const struct sw_prefix *prefix)
{
	char address[SW_ADDRESS_SIZE];

	sw_format_address(address, &prefix->addr);
	if (prefix->length >= 128)
		snprintf(text, SW_PREFIX_SIZE, "%s", address);
	else
		snprintf(text, SW_PREFIX_SIZE, "%s/%u", address,
			 prefix->length - (sw_prefix_is_v4(prefix) ? SW_V4_BITS : 0));
	return text;
}

bool sw_prefix_is_v4(const struct sw_prefix *prefix)
{
	return prefix->length >= SW_V4_BITS && sw_addr_is_v4(&prefix->addr);
}

bool sw_prefix_is_everything(const struct sw_prefix *prefix)
{
	return prefix->length == (sw_prefix_is_v4(prefix) ? SW_V4_BITS : 0);
}

bool sw_prefix_is_wide(const struct sw_prefix *prefix)
{
	static const struct sw_prefix hosts = { .addr = { .bytes = { 0x20 } }, .length = 3 };

	if (sw_prefix_is_v4(prefix))
		return prefix->length < SW_V4_BITS + 3;
	return prefix->length < hosts.length + 3 &&
	       (sw_prefix_covers(&hosts, prefix) || sw_prefix_covers(prefix, &hosts));
}

bool sw_prefix_covers(const struct sw_prefix *outer, const struct sw_prefix *inner)
{
	struct sw_prefix around = sw_prefix_around(&inner->addr, outer->length);

	return sw_prefix_is_v4(outer) == sw_prefix_is_v4(inner) && outer->length <= inner->length &&
	       sw_addr_equal(&around.addr, &outer->addr);
}
