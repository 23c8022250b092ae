// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as what a client chooses: the first line a target, the second a host, the third an Accept
 * field; and all of it as the head of a request, which comes in parts. What is found lies within what was given, and a host is ours only if it looks like it.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../user/exporter/http_accept.c"
#include "../../user/exporter/http_head.c"
#include "../../user/exporter/http_request.c"

static const struct sw_media offers[] = {
	{ "text", "plain", "0.0.4" },
	{ "application", "openmetrics-text", "1.0.0" },
	{ "application", "json", NULL },
};

/* The next line, in memory of its own, so that whoever reads beyond it is caught. */
static char *take_line(const uint8_t **bytes, size_t *length)
{
	const uint8_t *end = memchr(*bytes, '\n', *length);
	size_t size = end ? (size_t)(end - *bytes) : *length;
	char *line = strndup((const char *)*bytes, size);

	assert(line);
	*bytes += size + !!end;
	*length -= size + !!end;
	return line;
}

static void check_within(const struct sw_slice *slice, const char *text)
{
	assert(slice->text >= text && slice->text + slice->length <= text + strlen(text));
}

static void check_query(struct sw_slice query, const char *text)
{
	size_t left = query.length;
	struct sw_slice name, value;

	while (sw_http_parameter(&query, &name, &value)) {
		check_within(&name, text);
		check_within(&value, text);
		assert(query.length < left);
		left = query.length;
	}
}

static void check_host(const struct sw_slice *host)
{
	static const char *const names[] = { "a.example", NULL };
	size_t letters = 0;

	if (!sw_http_host_is_ours(host, names))
		return;
	for (size_t i = 0; i < host->length; i++)
		letters += !strchr("0123456789abcdefABCDEF.:[]", host->text[i]);
	/* an address, or one of the two names */
	assert(!letters || !strncasecmp(host->text, "localhost", 9) ||
	       !strncasecmp(host->text, "a.example", 9));
}

static void check_target(const char *text)
{
	struct sw_http_target target;

	if (!sw_http_target(text, &target))
		return;
	check_within(&target.path, text);
	assert(target.path.length && *target.path.text == '/');
	assert(!memchr(target.path.text, '?', target.path.length));
	if (target.authority.length)
		check_within(&target.authority, text);
	check_within(&target.query, text);
	check_query(target.query, text);
	check_host(&target.authority);
}

/* In parts as large as the first byte says, and all at once: that makes no difference. */
static void check_head(const uint8_t *bytes, size_t length)
{
	size_t step = length ? bytes[0] % 64 + 1U : 1, had = 0;
	struct sw_http_head parts = {}, whole = {};
	int code = 0, at_once;
	char *copy;

	while (!code && had < length) {
		had = had + step < length ? had + step : length;
		copy = malloc(had); /* its end is where it may not read beyond */
		assert(copy);
		memcpy(copy, bytes, had);
		code = sw_http_head_take(&parts, copy, had);
		assert(parts.line <= had && parts.seen <= had);
		free(copy);
	}
	at_once = sw_http_head_take(&whole, (const char *)bytes, had);
	assert(code == at_once || had >= SW_HTTP_MAX_HEAD);
	assert(!code || code == SW_HTTP_OK || code >= SW_HTTP_BAD_REQUEST);
	if (code == SW_HTTP_OK)
		assert(memchr(bytes, '\n', had) && bytes[whole.line] != ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *all = bytes;
	size_t size = length;
	char *target = take_line(&bytes, &length), *host = take_line(&bytes, &length);
	char *accept = take_line(&bytes, &length);
	struct sw_slice slice = { host, strlen(host) };

	check_head(all, size);
	check_target(target);
	check_host(&slice);
	assert(sw_http_accept(accept, offers, 3) < 3);
	free(target);
	free(host);
	free(accept);
	return 0;
}
