// SPDX-License-Identifier: GPL-2.0-or-later
#include "service_text.h"

#include "../base/address.h"
#include "../base/error.h"

const char *sw_family_name(unsigned int family)
{
	static const char *const names[] = {
		[SW_FAMILY_ANY] = "any",
		[SW_FAMILY_IPV4] = "ipv4",
		[SW_FAMILY_IPV6] = "ipv6",
	};

	return family < sizeof(names) / sizeof(names[0]) ? names[family] : "unknown";
}

void sw_print_addresses(FILE *out, const struct sw_service *service, const char *quote)
{
	char text[SW_PREFIX_SIZE];

	for (__u32 i = 0; i < service->prefix_count; i++)
		fprintf(out, "%s%s%s%s", i ? ", " : "", quote,
			sw_format_prefix(text, &service->prefixes[i]), quote);
}

const char *sw_format_ports(char text[SW_PORTS_SIZE], const struct sw_port_range *range)
{
	if (range->first == range->last)
		sw_format(text, SW_PORTS_SIZE, "%u", range->first);
	else
		sw_format(text, SW_PORTS_SIZE, "%u-%u", range->first, range->last);
	return text;
}

void sw_print_ports(FILE *out, const struct sw_service *service)
{
	char text[SW_PORTS_SIZE];

	for (__u32 i = 0; i < service->port_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", sw_format_ports(text, &service->ports[i]));
}
