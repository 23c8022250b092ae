// SPDX-License-Identifier: GPL-2.0-or-later
#include "connections.h"

#include "../base/error.h"
#include "../base/time.h"
#include "http_head.h"
#include "listen.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MS		1000000ULL
#define ACCEPT_AGAIN_MS 100
#define QUIET_MS	60000 /* it is told anew when it has not happened for so long */

/* Until a head is whole, evhttp is told of nothing that has come. */
#define NEVER (2 * SW_HTTP_MAX_HEAD)

/* REFUSED: what he sends is read and thrown away, or the answer would be, by a reset: RFC 9112, 9.6. */
enum phase { ASKING, ANSWERED, REFUSED, PHASES };

/* How long each may take, in ms: with room for others, and without. */
static const unsigned int patience_ms[PHASES][2] = {
	[ASKING] = { 10000, 1000 },
	[ANSWERED] = { 30000, 5000 },
	[REFUSED] = { 3000, 500 },
};

/*
 * One of evhttp's. Holding its stream, too, we can look at it when evhttp has let go of it; the socket
 * is closed by whoever lets go last, so no other can have its number meanwhile.
 */
struct connection {
	struct bufferevent *stream; /* NULL: free */
	struct event deadline;
	uint64_t since_ns; /* of its phase */
	enum phase phase;
	bool over; /* nothing more of it is read */
	struct sw_http_head head;
	struct event rest; /* what comes after it was refused */
	struct sw_connections *all;
};

struct sw_connections {
	struct event_base *base;
	void (*refuse)(int fd, enum sw_http_code code, bool without_body);
	struct evconnlistener *listeners[SW_MAX_SOCKETS];
	unsigned int listener_count;
	struct event again; /* after accept() has failed */
	bool lacking; /* and until one succeeds: what takes a place is in the way of others, too */
	uint64_t failed_ns; /* when it failed last */
	unsigned int count;
	struct connection each[SW_CONNECTIONS];
};

static bool is_full(const struct sw_connections *all)
{
	return all->count == SW_CONNECTIONS;
}

/* Is somebody waiting for a place? */
static bool is_crowded(const struct sw_connections *all)
{
	return is_full(all) || all->lacking;
}

static void add_timer(struct event *timer, uint64_t ns)
{
	const struct timeval after = { (time_t)(ns / (1000 * MS)),
				       (suseconds_t)(ns / 1000 % (MS)) };

	event_add(timer, &after);
}

static void set_deadline(const struct sw_connections *all, struct connection *one)
{
	uint64_t gone_ns = sw_monotonic_ns() - one->since_ns;
	uint64_t may_ns = patience_ms[one->phase][is_crowded(all)] * MS;

	add_timer(&one->deadline, may_ns > gone_ns ? may_ns - gone_ns : 0);
}

static void set_deadlines(struct sw_connections *all)
{
	for (unsigned int i = 0; i < SW_CONNECTIONS; i++)
		if (all->each[i].stream)
			set_deadline(all, &all->each[i]);
}

/* Who lets go of a stream takes the callbacks off it, and as long as evhttp has it there are some. */
static bool is_closed(struct bufferevent *stream)
{
	bufferevent_event_cb callback;

	bufferevent_getcb(stream, NULL, NULL, &callback, NULL);
	return !callback;
}

/*
 * evhttp sees that as it sees a client that is gone, and frees all that belongs to it. It is told, since one whose input
 * is full is not read, and so would not be seen to end.
 */
static void on_deadline(evutil_socket_t none, short what, void *context)
{
	struct connection *one = context;

	(void)none;
	(void)what;
	one->over = true;
	shutdown(bufferevent_getfd(one->stream), SHUT_RDWR);
	if (!is_closed(one->stream))
		bufferevent_trigger_event(one->stream, BEV_EVENT_READING | BEV_EVENT_EOF,
					  BEV_TRIG_DEFER_CALLBACKS);
}

static void on_rest(evutil_socket_t fd, short what, void *context)
{
	struct connection *one = context;
	char rest[16384];
	ssize_t got = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);

	(void)what;
	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		one->over = true;
		event_del(&one->rest);
	}
}

/* He is told, nothing more is said, and evhttp sees one who is gone. */
static void turn_away(struct connection *one, const char *text, enum sw_http_code code)
{
	int fd = bufferevent_getfd(one->stream);

	one->phase = REFUSED;
	one->since_ns = sw_monotonic_ns();
	set_deadline(one->all, one);
	one->all->refuse(fd, code, !strncmp(text, "HEAD ", 5));
	shutdown(fd, SHUT_WR);
	bufferevent_disable(one->stream, EV_READ);
	event_assign(&one->rest, one->all->base, fd, EV_READ | EV_PERSIST, on_rest, one);
	event_add(&one->rest, NULL);
	bufferevent_trigger_event(one->stream, BEV_EVENT_READING | BEV_EVENT_EOF,
				  BEV_TRIG_DEFER_CALLBACKS);
}

/* Comes with every byte that has come, and before evhttp hears of any. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *change, void *context)
{
	struct connection *one = context;
	size_t length = evbuffer_get_length(input);
	const char *text;
	int code;

	if (!change->n_added || one->phase != ASKING)
		return;
	text = (const char *)evbuffer_pullup(input, (ev_ssize_t)length);
	code = text ? sw_http_head_take(&one->head, text, length) : SW_HTTP_HEAD_TOO_LARGE;
	if (code == SW_HTTP_OK)
		bufferevent_setwatermark(one->stream, EV_READ, 0, NEVER);
	else if (code)
		turn_away(one, text ? text : "", (enum sw_http_code)code);
}

static void let_in(struct sw_connections *all, bool in)
{
	for (unsigned int i = 0; i < all->listener_count; i++) {
		if (in)
			evconnlistener_enable(all->listeners[i]);
		else
			evconnlistener_disable(all->listeners[i]);
	}
}

static void on_again(evutil_socket_t none, short what, void *context)
{
	struct sw_connections *all = context;

	(void)none;
	(void)what;
	if (!is_full(all))
		let_in(all, true);
}

/* Those of this process: a listener calls back with evhttp's context, since evhttp has it. */
static struct sw_connections *served;

/* What is in the way (descriptors, memory) will be so again at once. */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
	struct sw_connections *all = served;
	int error = EVUTIL_SOCKET_ERROR();

	(void)listener;
	(void)http;
	if (!all->failed_ns || sw_monotonic_ns() - all->failed_ns > QUIET_MS * MS)
		sw_note("cannot accept connections for now: %s", sw_errno_text(error));
	all->failed_ns = sw_monotonic_ns();
	let_in(all, false);
	all->lacking = true;
	set_deadlines(all);
	add_timer(&all->again, ACCEPT_AGAIN_MS * MS);
}

struct sw_connections *sw_connections_new(struct event_base *base,
					  void (*refuse)(int fd, enum sw_http_code code,
							 bool without_body))
{
	struct sw_connections *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->base = base;
	all->refuse = refuse;
	evtimer_assign(&all->again, base, on_again, all);
	for (unsigned int i = 0; i < SW_CONNECTIONS; i++)
		evtimer_assign(&all->each[i].deadline, base, on_deadline, &all->each[i]);
	served = all;
	return all;
}

void sw_connections_add_listener(struct sw_connections *all, struct evconnlistener *listener)
{
	evconnlistener_set_error_cb(listener, on_accept_error);
	all->listeners[all->listener_count++] = listener;
}

struct bufferevent *sw_connections_open(struct event_base *base, void *context)
{
	struct sw_connections *all = context;
	struct connection *one = all->each;

	while (one->stream) /* there is one that is free, or nobody would have been let in */
		one++;
	one->stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!one->stream)
		return NULL;
	bufferevent_incref(one->stream);
	bufferevent_setwatermark(one->stream, EV_READ, NEVER, NEVER);
	evbuffer_add_cb(bufferevent_get_input(one->stream), on_input, one);
	one->all = all;
	one->head = (struct sw_http_head){};
	one->over = false;
	one->phase = ASKING;
	one->since_ns = sw_monotonic_ns();
	all->count++;
	if (is_full(all))
		let_in(all, false);
	if (is_full(all) || all->lacking) {
		all->lacking = false;
		set_deadlines(all);
	}
	set_deadline(all, one);
	return one->stream;
}

void sw_connections_answer(struct sw_connections *all, const struct bufferevent *stream)
{
	for (unsigned int i = 0; i < SW_CONNECTIONS; i++) {
		struct connection *one = &all->each[i];

		if (one->stream != stream)
			continue;
		one->phase = ANSWERED;
		one->since_ns = sw_monotonic_ns();
		set_deadline(all, one);
	}
}

void sw_connections_settle(struct sw_connections *all)
{
	bool was_full = is_full(all);

	for (unsigned int i = 0; i < SW_CONNECTIONS; i++) {
		struct connection *one = &all->each[i];

		if (!one->stream || !is_closed(one->stream) ||
		    (one->phase == REFUSED && !one->over))
			continue;
		if (one->phase == REFUSED)
			event_del(&one->rest);
		event_del(&one->deadline);
		bufferevent_decref(one->stream);
		one->stream = NULL;
		all->count--;
	}
	if (was_full && !is_full(all)) {
		set_deadlines(all);
		let_in(all, true);
	}
}

void sw_connections_free(struct sw_connections *all)
{
	if (!all)
		return;
	event_del(&all->again);
	sw_connections_settle(all);
	free(all);
}
