// SPDX-License-Identifier: GPL-2.0-or-later
#include "http_request.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define SCHEME	  "http://"
#define NAME_SIZE 256 /* no name of DNS is longer */

/* The part before the first of some characters; *rest becomes what begins there. */
static struct sw_slice cut(struct sw_slice *rest, const char *at)
{
	struct sw_slice before = { rest->text, 0 };

	while (before.length < rest->length && !strchr(at, rest->text[before.length]))
		before.length++;
	rest->text += before.length;
	rest->length -= before.length;
	return before;
}

static void leave_out(struct sw_slice *slice, size_t length)
{
	slice->text += length;
	slice->length -= length;
}

/* A fragment is for the one who asks, and is never sent. */
static bool is_of_uri(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("#\"<>\\^`{|}", *text))
			return false;
	return true;
}

bool sw_http_target(const char *text, struct sw_http_target *target)
{
	struct sw_slice rest = { text, strlen(text) };
	struct sw_http_target found = { .authority = { text, 0 } };

	if (!is_of_uri(text))
		return false;
	if (!strncasecmp(text, SCHEME, strlen(SCHEME))) {
		leave_out(&rest, strlen(SCHEME));
		found.authority = cut(&rest, "/?");
		if (!found.authority.length)
			return false;
	}
	if (!rest.length || *rest.text != '/')
		return false;
	found.path = cut(&rest, "?");
	if (rest.length)
		leave_out(&rest, 1);
	found.query = rest;
	*target = found;
	return true;
}

bool sw_http_parameter(struct sw_slice *query, struct sw_slice *name, struct sw_slice *value)
{
	if (!query->length)
		return false;
	*value = cut(query, "&");
	if (query->length)
		leave_out(query, 1);
	*name = cut(value, "=");
	if (value->length)
		leave_out(value, 1);
	return true;
}

bool sw_slice_is(const struct sw_slice *slice, const char *text)
{
	return slice->length == strlen(text) && !memcmp(slice->text, text, slice->length);
}

/* Is what follows a host a port, or nothing? */
static bool is_port(const struct sw_slice *rest)
{
	if (!rest->length)
		return true;
	if (*rest->text != ':')
		return false;
	for (size_t i = 1; i < rest->length; i++)
		if (rest->text[i] < '0' || rest->text[i] > '9')
			return false;
	return true;
}

/* [2001:db8::1], and a port or none behind it. */
static bool is_bracketed_address(struct sw_slice rest)
{
	unsigned char address[16];
	char text[INET6_ADDRSTRLEN];
	struct sw_slice inner;

	leave_out(&rest, 1);
	inner = cut(&rest, "]");
	if (!rest.length || inner.length >= sizeof(text))
		return false;
	leave_out(&rest, 1);
	memcpy(text, inner.text, inner.length);
	text[inner.length] = '\0';
	return is_port(&rest) && inet_pton(AF_INET6, text, address) == 1;
}

bool sw_http_host_is_ours(const struct sw_slice *host, const char *const *names)
{
	struct sw_slice rest = *host, inner;
	unsigned char address[4];
	char name[NAME_SIZE];

	if (rest.length && *rest.text == '[')
		return is_bracketed_address(rest);
	inner = cut(&rest, ":");
	if (!inner.length || inner.length >= sizeof(name) || !is_port(&rest))
		return false;
	memcpy(name, inner.text, inner.length);
	name[inner.length] = '\0';
	if (strlen(name) != inner.length)
		return false;
	if (!strcasecmp(name, "localhost") || inet_pton(AF_INET, name, address) == 1)
		return true;
	for (; *names; names++)
		if (!strcasecmp(name, *names))
			return true;
	return false;
}
