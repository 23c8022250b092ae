/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_HTTP_ACCEPT_H
#define SYNWARD_EXPORTER_HTTP_ACCEPT_H

/* Which of several forms of an answer is wanted: RFC 9110, 12.5.1. */

#include <stddef.h>

/* A form that there is. */
struct sw_media {
	const char *type; /* "text" */
	const char *subtype;
	const char *version; /* of its parameter of that name; NULL: it has none */
};

/*
 * The position of the form that an Accept field prefers, NULL if there was none. Of two that it likes
 * as well, and if it likes none at all, the first: an answer that was not asked for says what it is,
 * and helps more than none (12.4.1 leaves that to us). A range that names another version is of
 * something else; other parameters do not matter, and what is malformed is left out.
 */
size_t sw_http_accept(const char *accept, const struct sw_media *offers, size_t count);

#endif
