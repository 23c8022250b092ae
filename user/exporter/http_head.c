// SPDX-License-Identifier: GPL-2.0-or-later
#include "http_head.h"

#include "http_request.h"

#include <string.h>
#include <strings.h>

static struct sw_slice take_until(struct sw_slice *rest, char letter)
{
	const char *at = memchr(rest->text, letter, rest->length);
	size_t length = at ? (size_t)(at - rest->text) : rest->length;
	struct sw_slice before = { rest->text, length };

	rest->text += at ? length + 1 : length;
	rest->length -= at ? length + 1 : length;
	return before;
}

static bool is_named(const struct sw_slice *name, const char *text)
{
	return name->length == strlen(text) && !strncasecmp(name->text, text, name->length);
}

/* Those that are answered, if only by 405; every other one is not known here: RFC 9110, 9.1. */
static bool is_method(const struct sw_slice *method)
{
	static const char *const methods[] = { "GET",	  "HEAD",    "POST",  "PUT",  "DELETE",
					       "OPTIONS", "CONNECT", "TRACE", "PATCH" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (sw_slice_is(method, methods[i]))
			return true;
	return false;
}

static bool is_token(const struct sw_slice *name)
{
	for (size_t i = 0; i < name->length; i++)
		if (name->text[i] <= ' ' || name->text[i] > '~' ||
		    strchr("\"(),/:;<=>?@[\\]{}", name->text[i]))
			return false;
	return name->length;
}

static bool has_controls(const struct sw_slice *value)
{
	for (size_t i = 0; i < value->length; i++)
		if (((unsigned char)value->text[i] < ' ' && value->text[i] != '\t') ||
		    value->text[i] == '\x7f')
			return true;
	return false;
}

static bool is_version(const struct sw_slice *text)
{
	return text->length == strlen("HTTP/1.x") && !memcmp(text->text, "HTTP/1.", 7) &&
	       (text->text[7] == '0' || text->text[7] == '1');
}

/* A target that is none is told by whoever looks at it; here it is only one that has an end. */
static int take_first(struct sw_slice line)
{
	struct sw_slice method = take_until(&line, ' '), target = take_until(&line, ' ');

	if (!is_token(&method) || !target.length || has_controls(&target) || !is_version(&line))
		return SW_HTTP_BAD_REQUEST;
	return is_method(&method) ? 0 : SW_HTTP_NO_SUCH_METHOD;
}

/* Zero, however many digits it is written by. */
static int take_length(const struct sw_slice *value)
{
	bool zero = true;

	for (size_t i = 0; i < value->length; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return SW_HTTP_BAD_REQUEST;
		zero &= value->text[i] == '0';
	}
	if (!value->length)
		return SW_HTTP_BAD_REQUEST;
	return zero ? 0 : SW_HTTP_BODY_TOO_LARGE;
}

static void strip(struct sw_slice *value)
{
	while (value->length && strchr(" \t", *value->text)) {
		value->text++;
		value->length--;
	}
	while (value->length && strchr(" \t", value->text[value->length - 1]))
		value->length--;
}

static int take_field(struct sw_slice line)
{
	bool colon = memchr(line.text, ':', line.length);
	struct sw_slice name = take_until(&line, ':');

	if (!colon || !is_token(&name) || has_controls(&line))
		return SW_HTTP_BAD_REQUEST;
	strip(&line);
	if (is_named(&name, "Content-Length"))
		return take_length(&line);
	if (is_named(&name, "Transfer-Encoding"))
		return SW_HTTP_BODY_TOO_LARGE;
	/* who has no body to send may expect that: RFC 9110, 10.1.1 */
	if (is_named(&name, "Expect") && !is_named(&line, "100-continue"))
		return SW_HTTP_NOT_EXPECTED;
	return 0;
}

int sw_http_head_take(struct sw_http_head *head, const char *text, size_t length)
{
	while (head->seen < length) {
		const char *end = memchr(text + head->seen, '\n', length - head->seen);
		struct sw_slice line = { text + head->line, 0 };
		int code;

		if (!end) {
			head->seen = length;
			break;
		}
		line.length = (size_t)(end - line.text);
		if (line.length && line.text[line.length - 1] == '\r')
			line.length--;
		if (!line.length && head->line)
			return SW_HTTP_OK;
		code = head->line ? take_field(line) : take_first(line);
		head->line = head->seen = (size_t)(end - text) + 1;
		if (code)
			return code;
	}
	if (length < SW_HTTP_MAX_HEAD)
		return 0;
	return head->line ? SW_HTTP_HEAD_TOO_LARGE : SW_HTTP_TARGET_TOO_LONG;
}
