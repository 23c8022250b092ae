/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_CONNECTIONS_H
#define SYNWARD_EXPORTER_CONNECTIONS_H

/*
 * Bounds what clients can hold: how many connections there are, and for how long each may send its
 * request and take its answer. evhttp by itself knows of neither, and waits for every single byte anew.
 * Who comes when there are as many as there may be waits in the kernel, and those that are there get
 * less time then.
 */

#include "reply.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#define SW_CONNECTIONS 128

struct sw_connections;

/*
 * Heads are looked at before evhttp reads them: see http_head.h. What is refused never gets there; refuse says the code to
 * the socket, which has sent nothing yet. NULL: there is no memory.
 */
struct sw_connections *sw_connections_new(struct event_base *base,
					  void (*refuse)(int fd, enum sw_http_code code,
							 bool without_body));

/* When evhttp is gone. */
void sw_connections_free(struct sw_connections *all);

/* A listener of evhttp's whose connections they are; SW_MAX_SOCKETS at most. */
void sw_connections_add_listener(struct sw_connections *all, struct evconnlistener *listener);

/* For evhttp_set_bevcb(): a connection has come. */
struct bufferevent *sw_connections_open(struct event_base *base, void *all);

/* Its request is whole: from now on it is about the answer. */
void sw_connections_answer(struct sw_connections *all, const struct bufferevent *stream);

/* For the end of each round of the loop: lets go of those that evhttp has closed in it. */
void sw_connections_settle(struct sw_connections *all);

#endif
