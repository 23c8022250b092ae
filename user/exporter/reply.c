// SPDX-License-Identifier: GPL-2.0-or-later
#include "reply.h"

#include "../base/error.h"

#include <stdlib.h>

static size_t held_bytes;

struct sw_body *sw_body_new(char *text, size_t length)
{
	struct sw_body *body = malloc(sizeof(*body));

	if (!body) {
		free(text);
		return NULL;
	}
	*body = (struct sw_body){ 1, length, text };
	held_bytes += length;
	return body;
}

struct sw_body *sw_body_hold(struct sw_body *body)
{
	body->holders++;
	return body;
}

void sw_body_release(struct sw_body *body)
{
	if (!body || --body->holders)
		return;
	held_bytes -= body->length;
	free(body->text);
	free(body);
}

size_t sw_body_bytes(void)
{
	return held_bytes;
}

struct sw_reply sw_reply_error(enum sw_http_code code, int error, const char *text)
{
	struct sw_reply reply = { .code = code, .type = "application/json" };
	char *made = NULL;
	size_t length;
	FILE *out = open_memstream(&made, &length);

	if (!out)
		return reply;
	sw_error_json(out, error, text);
	if (fclose(out))
		free(made);
	else
		reply.body = sw_body_new(made, length);
	return reply;
}
