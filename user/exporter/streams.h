/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_STREAMS_H
#define SYNWARD_EXPORTER_STREAMS_H

/*
 * Answers that go on: the events, as Server-Sent Events (the HTML standard, 9.2). There are so many at once at most,
 * each holds so many bytes for a reader who is slower than they come, and what he misses is told to him; one
 * who takes nothing at all is let go.
 */

#include "connections.h"

#include <event2/http.h>
#include <stdbool.h>
#include <stdint.h>

#define SW_STREAMS 16

struct sw_streams;

/* Of the instance in pin_dir. NULL: there is no memory. */
struct sw_streams *sw_streams_new(struct event_base *base, struct sw_connections *connections,
				  const char *pin_dir);

/* When evhttp is gone. */
void sw_streams_free(struct sw_streams *all);

/* Is there room for another one? */
bool sw_streams_have_room(const struct sw_streams *all);

/*
 * Begins to answer a request, whose fields are set, and takes it. It begins behind the event that last_id names, a
 * Last-Event-ID or NULL; if there is none, or it is of another instance, with the last events that there are.
 */
void sw_streams_add(struct sw_streams *all, struct evhttp_request *request, uint64_t last,
		    const char *last_id);

#endif
