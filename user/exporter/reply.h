/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_REPLY_H
#define SYNWARD_EXPORTER_REPLY_H

/* What is answered: a status code, and a text that several connections may be sending at once. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Codes of RFC 9110, 15; all that are answered here. */
enum sw_http_code {
	SW_HTTP_OK = 200,
	SW_HTTP_BAD_REQUEST = 400,
	SW_HTTP_NOT_FOUND = 404,
	SW_HTTP_WRONG_METHOD = 405,
	SW_HTTP_BODY_TOO_LARGE = 413,
	SW_HTTP_TARGET_TOO_LONG = 414,
	SW_HTTP_NOT_EXPECTED = 417,
	SW_HTTP_WRONG_HOST = 421,
	SW_HTTP_HEAD_TOO_LARGE = 431,
	SW_HTTP_NO_SUCH_METHOD = 501,
	SW_HTTP_NOT_NOW = 503,
};

/* Counted by whoever holds it. */
struct sw_body {
	size_t holders;
	size_t length;
	char *text;
};

struct sw_reply {
	enum sw_http_code code;
	const char *type; /* of its content */
	struct sw_body *body;
	bool follows; /* it has no body, but goes on as long as somebody reads: see streams.h ... */
	uint64_t last; /* ... and begins with the last so many events */
};

/* Takes the text, which is malloc()ed, and makes the caller its holder. NULL: there is no memory, and the text is freed. */
struct sw_body *sw_body_new(char *text, size_t length);

struct sw_body *sw_body_hold(struct sw_body *body);

/* The last holder's frees it. NULL is fine. */
void sw_body_release(struct sw_body *body);

/* Bytes of all that are held by anybody. */
size_t sw_body_bytes(void);

/* An error as the commands' JSON has it: error is an enum sw_failure, an errno, or 0. A body of NULL: no memory. */
struct sw_reply sw_reply_error(enum sw_http_code code, int error, const char *text);

#endif
