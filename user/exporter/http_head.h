/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_HTTP_HEAD_H
#define SYNWARD_EXPORTER_HTTP_HEAD_H

/*
 * The head of a request, as its bytes come, before anybody else reads them: whoever sends what is no HTTP, or what
 * cannot be answered, is told at once, whatever else he still has to send. RFC 9112, 2 to 6.
 */

#include "reply.h"

#include <stddef.h>

/* First line, fields, and the empty line behind them. */
#define SW_HTTP_MAX_HEAD 16384U

/* Begins as zeroes, one for each request. */
struct sw_http_head {
	size_t line; /* where the line begins that has not ended yet */
	size_t seen; /* so many bytes were looked at for its end */
};

/*
 * Looks at all that has come of a request, from its first byte on. Returns 0 if there has to be more of the head;
 * SW_HTTP_OK when it is whole, and has neither a body nor anything that we do not understand; or the code to refuse it by.
 */
int sw_http_head_take(struct sw_http_head *head, const char *text, size_t length);

#endif
