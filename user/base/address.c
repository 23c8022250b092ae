// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>

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
