/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_HTTP_REQUEST_H
#define SYNWARD_EXPORTER_HTTP_REQUEST_H

/*
 * What a request is for, out of text that anybody may have sent. Nothing is copied, decoded or
 * normalised: a path is one of those that there are, byte by byte, or it is none.
 */

#include <stdbool.h>
#include <stddef.h>

/* A part of a text, which need not end with it. */
struct sw_slice {
	const char *text;
	size_t length;
};

/* A target, RFC 9112, 3.2: in origin form, or in absolute form with http:// and an authority. */
struct sw_http_target {
	struct sw_slice authority; /* empty in origin form */
	struct sw_slice path;	   /* begins with a slash */
	struct sw_slice query;	   /* behind the question mark; empty: there is none */
};

/* False, and *target untouched, if it is neither, or holds what no URI does. */
bool sw_http_target(const char *text, struct sw_http_target *target);

/*
 * One name=value of a query, or a name alone, whose value is empty then; *query becomes what follows.
 * False if there is none left.
 */
bool sw_http_parameter(struct sw_slice *query, struct sw_slice *name, struct sw_slice *value);

bool sw_slice_is(const struct sw_slice *slice, const char *text);

/*
 * May a request be for this host, the value of a Host field or an authority? A page of somebody else
 * can have its own name resolve to an address of ours, and a browser then lets it read what we answer
 * (DNS rebinding). It cannot do that with an address, nor with localhost, which is never asked of a DNS
 * server (RFC 6761, 6.3). names: others that are ours, in any case; ends with NULL.
 */
bool sw_http_host_is_ours(const struct sw_slice *host, const char *const *names);

#endif
