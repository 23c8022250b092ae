// SPDX-License-Identifier: GPL-2.0-or-later
/* From requests, as evhttp reads them, to answers; and the loop. */
#include "serve.h"

#include "../base/error.h"
#include "answers.h"
#include "connections.h"
#include "http_head.h"
#include "paths.h"
#include "sampler.h"
#include "streams.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* More than any client of ours has to say. */
#define MAX_TARGET 2048U
#define MAX_HEAD   8192U

#define EVERY_METHOD                                                                               \
	(EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

struct server {
	const struct sw_serving *serving;
	struct event_base *base;
	struct evhttp *http;
	struct sw_connections *connections;
	struct sw_streams *streams;
	struct event *signals[2];
	bool ended;
};

/* What is looked at of a request's fields. */
struct fields {
	const char *host; /* the first */
	const char *accept;
	const char *last_id;
	unsigned int hosts;
	size_t bytes;
};

static struct fields look_at_fields(struct evhttp_request *request)
{
	struct evkeyvalq *all = evhttp_request_get_input_headers(request);
	struct fields fields = {};
	struct evkeyval *field;

	for (field = all->tqh_first; field; field = field->next.tqe_next) {
		fields.bytes += strlen(field->key) + strlen(field->value);
		if (!strcasecmp(field->key, "Host") && !fields.hosts++)
			fields.host = field->value;
		if (!strcasecmp(field->key, "Accept") && !fields.accept)
			fields.accept = field->value;
		if (!strcasecmp(field->key, "Last-Event-ID"))
			fields.last_id = field->value;
	}
	return fields;
}

static bool is_for_us(const struct server *server, const struct sw_http_target *target,
		      const struct fields *fields)
{
	struct sw_slice host = target->authority; /* goes before the field: RFC 9112, 3.2.2 */

	if (!host.length && fields->hosts)
		host = (struct sw_slice){ fields->host, strlen(fields->host) };
	/* HTTP/1.0 had no such field, and browsers are no longer that old */
	return (!host.length && !fields->hosts) ||
	       sw_http_host_is_ours(&host, server->serving->names);
}

static struct sw_reply answer(const struct server *server, struct evhttp_request *request)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const char *text = evhttp_request_get_uri(request);
	struct fields fields = look_at_fields(request);
	struct sw_http_target target;
	struct sw_reply reply;

	if (fields.bytes > MAX_HEAD)
		return sw_reply_error(SW_HTTP_HEAD_TOO_LARGE, 0,
				      "the fields of a request may have 8 KiB");
	if (strlen(text) > MAX_TARGET)
		return sw_reply_error(SW_HTTP_TARGET_TOO_LONG, 0,
				      "a target may have 2 KiB, and all that there are have less");
	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
		return sw_reply_error(SW_HTTP_WRONG_METHOD, 0,
				      "everything is read only: GET and HEAD");
	if (!sw_http_target(text, &target))
		return sw_reply_error(SW_HTTP_BAD_REQUEST, 0, "expected a path");
	if (fields.hosts > 1 || (!fields.hosts && request->minor))
		return sw_reply_error(SW_HTTP_BAD_REQUEST, 0, "expected one Host");
	if (!is_for_us(server, &target, &fields))
		return sw_reply_error(SW_HTTP_WRONG_HOST, 0,
				      "the request is for another host: ask for an address, "
				      "for localhost, or for a name given by --allow-host");
	reply = sw_paths_answer(server->serving->pin_dir, &target, fields.accept);
	if (reply.follows && !sw_streams_have_room(server->streams))
		return sw_reply_error(SW_HTTP_NOT_NOW, 0, "16 follow the events, and no more may");
	return reply;
}

static const char *phrase(enum sw_http_code code)
{
	switch (code) {
	case SW_HTTP_OK:
		return "OK";
	case SW_HTTP_BAD_REQUEST:
		return "Bad Request";
	case SW_HTTP_NOT_FOUND:
		return "Not Found";
	case SW_HTTP_WRONG_METHOD:
		return "Method Not Allowed";
	case SW_HTTP_BODY_TOO_LARGE:
		return "Content Too Large";
	case SW_HTTP_TARGET_TOO_LONG:
		return "URI Too Long";
	case SW_HTTP_NOT_EXPECTED:
		return "Expectation Failed";
	case SW_HTTP_NO_SUCH_METHOD:
		return "Not Implemented";
	case SW_HTTP_WRONG_HOST:
		return "Misdirected Request";
	case SW_HTTP_HEAD_TOO_LARGE:
		return "Request Header Fields Too Large";
	case SW_HTTP_NOT_NOW:
		return "Service Unavailable";
	}
	return "";
}

static void release(const void *text, size_t length, void *body)
{
	(void)text;
	(void)length;
	sw_body_release(body);
}

static void set_fields(struct evhttp_request *request, const struct sw_reply *reply)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);

	evhttp_add_header(fields, "Content-Type", reply->type);
	evhttp_add_header(fields, "Cache-Control", "no-store");
	evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(fields, "Referrer-Policy", "no-referrer");
	evhttp_add_header(fields, "Content-Security-Policy",
			  "default-src 'self'; base-uri 'none'; form-action 'none'; "
			  "frame-ancestors 'none'");
	if (reply->code == SW_HTTP_WRONG_METHOD)
		evhttp_add_header(fields, "Allow", "GET, HEAD");
	if (reply->code == SW_HTTP_NOT_NOW)
		evhttp_add_header(fields, "Retry-After", "1");
	/* one request each: so its deadlines are the connection's; what was asked for would be promised, too */
	evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection");
	evhttp_add_header(fields, "Connection", "close");
}

/* Takes the reply's body. */
static void send_reply(struct evhttp_request *request, const struct sw_reply *reply)
{
	struct evbuffer *content = evbuffer_new();
	struct sw_body *body = reply->body;
	char length[24];

	sw_format(length, sizeof(length), "%zu", body ? body->length : 0);
	set_fields(request, reply);
	if (!reply->follows)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length",
				  length);
	if (!body || !content || evhttp_request_get_command(request) == EVHTTP_REQ_HEAD ||
	    evbuffer_add_reference(content, body->text, body->length, release, body))
		sw_body_release(body);
	evhttp_send_reply(request, (int)reply->code, phrase(reply->code), content);
	if (content)
		evbuffer_free(content);
}

/* evhttp closes nothing on which a CONNECT was asked for: so its end would be a request away, for ever. */
static void on_sent(struct evhttp_request *request, void *stream)
{
	(void)request;
	shutdown(bufferevent_getfd(stream), SHUT_RDWR);
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct server *server = context;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);
	struct sw_reply reply = answer(server, request);

	sw_connections_answer(server->connections, stream);
	if (reply.follows && evhttp_request_get_command(request) == EVHTTP_REQ_GET) {
		set_fields(request, &reply);
		sw_streams_add(server->streams, request, reply.last,
			       look_at_fields(request).last_id);
		return;
	}
	if (evhttp_request_get_command(request) == EVHTTP_REQ_CONNECT)
		evhttp_request_set_on_complete_cb(request, on_sent, stream);
	send_reply(request, &reply);
	/*
	 * Sending, evhttp would go on reading, and keep all that it gets: so who takes no answer could fill
	 * the memory. And it would take the end of what somebody sends for his being gone. That he is gone
	 * shows in writing to him.
	 */
	bufferevent_disable(stream, EV_READ);
}

static const char *why(enum sw_http_code code)
{
	switch (code) {
	case SW_HTTP_BODY_TOO_LARGE:
		return "everything is read only: a request has no body";
	case SW_HTTP_TARGET_TOO_LONG:
	case SW_HTTP_HEAD_TOO_LARGE:
		return "the head of a request may have 16 KiB";
	case SW_HTTP_NOT_EXPECTED:
		return "nothing of what the request expects is known here";
	case SW_HTTP_NO_SUCH_METHOD:
		return "there is no such method: GET and HEAD";
	default:
		return "expected a request of HTTP/1.0 or HTTP/1.1";
	}
}

/* What evhttp never sees. It is so short that a socket which has sent nothing yet takes it. */
static void refuse(int fd, enum sw_http_code code, bool without_body)
{
	struct sw_reply reply = sw_reply_error(code, 0, why(code));
	char text[1024];

	if (reply.body && sw_format(text, sizeof(text),
				    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
				    "Connection: close\r\n\r\n%.*s",
				    code, phrase(code), reply.type, reply.body->length,
				    without_body ? 0 : (int)reply.body->length, reply.body->text))
		(void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	sw_body_release(reply.body);
}

/* ---- the loop */

static void on_signal(evutil_socket_t signal, short what, void *context)
{
	struct server *server = context;

	(void)signal;
	(void)what;
	server->ended = true;
	event_base_loopbreak(server->base);
}

static void on_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		sw_note("libevent says: %s", text);
}

static int listen_on(struct server *server, int fd)
{
	struct evconnlistener *listener = evconnlistener_new(
		server->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (!listener || !evhttp_bind_listener(server->http, listener))
		return -ENOMEM;
	sw_connections_add_listener(server->connections, listener);
	return 0;
}

static int set_up(struct server *server)
{
	static const int ends[] = { SIGTERM, SIGINT };
	int error = 0;

	event_set_log_callback(on_log);
	server->base = event_base_new();
	server->http = server->base ? evhttp_new(server->base) : NULL;
	server->connections = server->base ? sw_connections_new(server->base, refuse) : NULL;
	if (server->connections)
		server->streams = sw_streams_new(server->base, server->connections,
						 server->serving->pin_dir);
	if (!server->http || !server->streams)
		return -ENOMEM;
	evhttp_set_allowed_methods(server->http, EVERY_METHOD);
	evhttp_set_max_headers_size(server->http, SW_HTTP_MAX_HEAD);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_bevcb(server->http, sw_connections_open, server->connections);
	evhttp_set_gencb(server->http, on_request, server);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		server->signals[i] = evsignal_new(server->base, ends[i], on_signal, server);
		if (!server->signals[i] || event_add(server->signals[i], NULL))
			return -ENOMEM;
	}
	for (size_t i = 0; i < server->serving->socket_count && !error; i++)
		error = listen_on(server, server->serving->sockets[i]);
	return error;
}

static void take_down(struct server *server)
{
	for (size_t i = 0; i < sizeof(server->signals) / sizeof(server->signals[0]); i++)
		if (server->signals[i])
			event_free(server->signals[i]);
	if (server->http)
		evhttp_free(server->http);
	sw_sampler_stop();
	sw_streams_free(server->streams);
	sw_connections_free(server->connections);
	sw_paths_forget();
	if (server->base)
		event_base_free(server->base);
	libevent_global_shutdown();
}

int sw_serve(const struct sw_serving *serving)
{
	struct server server = { .serving = serving };
	int error = set_up(&server);

	signal(SIGPIPE, SIG_IGN);
	if (!error) {
		sw_answer_try(serving->pin_dir);
		sw_sampler_start(server.base, serving->pin_dir);
	}
	/* Each round waits until something has come, and answers all that has come by then. */
	while (!error && !server.ended) {
		if (event_base_loop(server.base, EVLOOP_ONCE) < 0)
			error = sw_error(EIO, "cannot wait for requests");
		sw_paths_forget();
		sw_connections_settle(server.connections);
	}
	take_down(&server);
	return error;
}
