// SPDX-License-Identifier: GPL-2.0-or-later
#include "service.h"

#include "../base/address.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../model/service_text.h"

#include <string.h>

#define LAST_PORT (SW_PORTS - 1)

/* One service of the file on its way into the policy. */
struct entry {
	struct sw_file_text *source;
	unsigned int number; /* in the file */
	const struct sw_file_service *said;
	struct sw_service *service;
};

/* ---- names */

static bool is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t length = strspn(text, letters);

	return length && !text[length] && length < SW_SERVICE_NAME && *text != '-';
}

static int take_name(const struct entry *entry, const struct sw_policy *policy)
{
	struct sw_file_text *source = entry->source;
	const char *name = entry->said->name;
	unsigned int line = sw_source_line(source, "services[%u].name", entry->number);
	char shown[SW_SHOWN_SIZE];

	if (!is_name(name))
		return sw_source_error(source, line,
				       "services[%u].name: %s: expected 1 to %u letters, digits, "
				       "_ and -, of which - not first",
				       entry->number, sw_source_shown(shown, name),
				       SW_SERVICE_NAME - 1);
	if (!strcmp(name, "default"))
		return sw_source_error(
			source, line,
			"services[%u].name: default is the name of all traffic that belongs to no "
			"service; "
			"choose another name",
			entry->number);
	for (unsigned int i = 0; i < entry->number; i++)
		if (!strcmp(policy->services[i].name, name))
			return sw_source_error(
				source, line,
				"services[%u].name: %s is the name of the service on "
				"line %u; choose another name",
				entry->number, name,
				sw_source_line(source, "services[%u].name", i));
	strcpy(entry->service->name, name);
	return 0;
}

static int take_family(const struct entry *entry)
{
	struct sw_file_text *source = entry->source;
	unsigned int line = sw_source_line(source, "services[%u].family", entry->number);
	const char *said = entry->said->family;
	char shown[SW_SHOWN_SIZE];
	unsigned int family = 0;

	if (!said)
		return 0;
	while (family <= SW_FAMILY_IPV6 && strcmp(sw_family_name(family), said) != 0)
		family++;
	if (family > SW_FAMILY_IPV6)
		return sw_source_error(source, line,
				       "services[%u].family: %s: expected any, ipv4 or ipv6",
				       entry->number, sw_source_shown(shown, said));
	if (entry->said->address_count)
		return sw_source_error(source, line,
				       "services[%u].family: %s stands beside addresses, which say "
				       "it already; take one of the two away",
				       entry->number, said);
	entry->service->family = family;
	return 0;
}

/* ---- addresses */

static unsigned int line_of_item(const struct entry *entry, const char *list, unsigned int item)
{
	return sw_source_line(entry->source, "services[%u].%s[%u]", entry->number, list, item);
}

static int listed_twice(const struct entry *entry, unsigned int line, const char *text)
{
	return sw_source_error(entry->source, line,
			       "%s: the list has it already; take one of them away", text);
}

static int bad_prefix(const struct entry *entry, unsigned int line, const char *text,
		      enum sw_prefix_flaw flaw, const struct sw_prefix *meant)
{
	struct sw_file_text *source = entry->source;
	char shown[SW_SHOWN_SIZE], prefix[SW_PREFIX_SIZE];

	sw_source_shown(shown, text);
	switch (flaw) {
	case SW_PREFIX_NO_LENGTH:
		return sw_source_error(source, line,
				       "%s: expected a length from 0 to %s behind the slash", shown,
				       strchr(text, ':') ? "128" : "32");
	case SW_PREFIX_MAPPED:
		return sw_source_error(source, line,
				       "%s: is an IPv4 address in the notation of IPv6; write it "
				       "as 192.0.2.1 or 192.0.2.0/24",
				       shown);
	case SW_PREFIX_HOST_BITS:
		return sw_source_error(source, line,
				       "%s: has bits set behind its length; write %s for the "
				       "prefix, or the address without a length",
				       shown, sw_format_prefix(prefix, meant));
	default:
		return sw_source_error(source, line,
				       "%s: expected an address or a prefix, such as 192.0.2.10, "
				       "192.0.2.0/24 or 2001:db8::/64",
				       shown);
	}
}

static bool same_prefix(const struct sw_prefix *a, const struct sw_prefix *b)
{
	return a->length == b->length && sw_addr_equal(&a->addr, &b->addr);
}

static int take_addresses(const struct entry *entry)
{
	struct sw_service *service = entry->service;

	for (unsigned int i = 0; i < entry->said->address_count; i++) {
		const char *text = entry->said->addresses[i];
		struct sw_prefix *prefix = &service->prefixes[i];
		enum sw_prefix_flaw flaw = sw_parse_prefix(text, prefix);
		unsigned int line = line_of_item(entry, "addresses", i);

		if (flaw != SW_PREFIX_FINE)
			return bad_prefix(entry, line, text, flaw, prefix);
		for (unsigned int before = 0; before < i; before++)
			if (same_prefix(&service->prefixes[before], prefix))
				return listed_twice(entry, line, text);
		service->prefix_count = i + 1;
	}
	return 0;
}

/* ---- ports */

static bool parse_port(const char *text, __u16 *port)
{
	uint64_t number;

	if (!sw_parse_number(text, &number) || !number || number > LAST_PORT)
		return false;
	*port = (__u16)number;
	return true;
}

static bool parse_ports(const char *text, struct sw_port_range *range)
{
	const char *dash = strchr(text, '-');
	char first[8];

	if (!dash) {
		if (!parse_port(text, &range->first))
			return false;
		range->last = range->first;
		return true;
	}
	return sw_format(first, sizeof(first), "%.*s", (int)(dash - text), text) &&
	       parse_port(first, &range->first) && parse_port(dash + 1, &range->last);
}

static bool same_ports(const struct sw_port_range *a, const struct sw_port_range *b)
{
	return a->first == b->first && a->last == b->last;
}

static int take_ports(const struct entry *entry)
{
	struct sw_service *service = entry->service;

	for (unsigned int i = 0; i < entry->said->port_count; i++) {
		unsigned int line = line_of_item(entry, "ports", i);
		struct sw_port_range *range = &service->ports[i];
		const char *text = entry->said->ports[i];
		char shown[SW_SHOWN_SIZE];

		if (!parse_ports(text, range))
			return sw_source_error(entry->source, line,
					       "%s: expected a port from 1 to %u, or a range such "
					       "as 8000-8100",
					       sw_source_shown(shown, text), LAST_PORT);
		if (range->first > range->last)
			return sw_source_error(entry->source, line,
					       "%s: the range ends before it begins; write %u-%u",
					       text, range->last, range->first);
		for (unsigned int before = 0; before < i; before++)
			if (same_ports(&service->ports[before], range))
				return listed_twice(entry, line, text);
		service->port_count = i + 1;
	}
	return 0;
}

/* ---- two of the same */

/*
 * What a list without an entry stands for. There is no prefix for both families, so it is one that
 * cannot be written.
 */
static struct sw_prefix prefix_of(const struct sw_service *service, unsigned int item)
{
	if (service->prefix_count)
		return service->prefixes[item];
	switch (service->family) {
	case SW_FAMILY_IPV4:
		return (struct sw_prefix){ .addr.words[2] = SW_V4_MAPPED_WORD,
					   .length = SW_V4_BITS };
	case SW_FAMILY_IPV6:
		return (struct sw_prefix){};
	default:
		return (struct sw_prefix){ .length = 255 };
	}
}

static struct sw_port_range ports_of(const struct sw_service *service, unsigned int item)
{
	return service->port_count ? service->ports[item] : (struct sw_port_range){ 1, LAST_PORT };
}

static unsigned int at_least_one(unsigned int count)
{
	return count ? count : 1;
}

static bool share_prefix(const struct sw_service *a, const struct sw_service *b)
{
	for (unsigned int i = 0; i < at_least_one(a->prefix_count); i++) {
		for (unsigned int j = 0; j < at_least_one(b->prefix_count); j++) {
			struct sw_prefix one = prefix_of(a, i), other = prefix_of(b, j);

			if (same_prefix(&one, &other))
				return true;
		}
	}
	return false;
}

static bool share_ports(const struct sw_service *a, const struct sw_service *b,
			struct sw_port_range *shared)
{
	for (unsigned int i = 0; i < at_least_one(a->port_count); i++) {
		for (unsigned int j = 0; j < at_least_one(b->port_count); j++) {
			struct sw_port_range other = ports_of(b, j);

			*shared = ports_of(a, i);
			if (same_ports(shared, &other))
				return true;
		}
	}
	return false;
}

/* Which of two services is first decides only where they differ in what they are about. */
static int check_unique(const struct entry *entry, const struct sw_policy *policy)
{
	struct sw_file_text *source = entry->source;
	unsigned int line = sw_source_line(source, "services[%u].name", entry->number);
	struct sw_port_range ports;
	char text[SW_PORTS_SIZE];

	for (unsigned int i = 0; i < entry->number; i++) {
		const struct sw_service *before = &policy->services[i];

		if (!share_prefix(before, entry->service) ||
		    !share_ports(before, entry->service, &ports))
			continue;
		return sw_source_error(source, line,
				       "services[%u]: %s claims ports %s of addresses that %s, on "
				       "line %u, claims as well; give them to one of the two",
				       entry->number, entry->service->name,
				       sw_format_ports(text, &ports), before->name,
				       sw_source_line(source, "services[%u].name", i));
	}
	return 0;
}

int sw_file_services(struct sw_file_text *source, const struct sw_file *file,
		     struct sw_policy *policy)
{
	int error = 0;

	for (unsigned int i = 0; i < policy->service_count && !error; i++) {
		struct entry entry = { source, i, &file->services[i], &policy->services[i] };

		*entry.service = (struct sw_service){};
		error = take_name(&entry, policy);
		if (!error)
			error = take_family(&entry);
		if (!error)
			error = take_addresses(&entry);
		if (!error)
			error = take_ports(&entry);
		if (!error)
			error = check_unique(&entry, policy);
	}
	return error;
}
