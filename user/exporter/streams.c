// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../report/report.h"
#include "event_feed.h"

#include <synward/event.h>

#include <event2/buffer.h>
#include <event2/event_struct.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define MS 1000000ULL

/* Nothing rings when an event comes: soon again after there were some, at leisure if not. */
#define SHORTEST_PAUSE_MS 50U
#define LONGEST_PAUSE_MS  250U

/* For how long what was read is kept when nobody follows: a page that is loaded anew comes back at once. */
#define LINGER_MS 60000U

#define MAX_WAITING	(128U << 10) /* bytes that wait for one reader */
#define MAX_SENDING	(64U << 10)  /* bytes that are on their way */
#define HEARTBEAT_MS	15000U
#define USER_TIMEOUT_MS 30000U /* what no peer acknowledges for so long, nobody is there to read */

#define COME_AGAIN_MS 2000U

struct stream {
	struct evhttp_request *request; /* NULL: free */
	struct bufferevent *out;
	uint64_t instance; /* of which next is a number; 0: none yet */
	uint64_t next;
	uint64_t last;	  /* how many events that there were it is to begin with */
	uint64_t state;	  /* the version of what was said last */
	uint64_t beat_ns; /* when something was sent last */
	size_t waiting;	  /* bytes, when it was looked at last */
};

struct sw_streams {
	struct event timer;
	struct sw_event_feed *feed;
	struct sw_connections *connections;
	uint32_t pause_ms;
	unsigned int count;
	struct stream each[SW_STREAMS];
};

static void look_again(struct sw_streams *all, uint32_t ms)
{
	const struct timeval after = { ms / 1000, (suseconds_t)(ms % 1000 * 1000) };

	event_add(&all->timer, &after);
}

/* ---- what one is told */

static void say_missed(struct stream *stream, uint64_t count, const struct sw_event_line *next,
		       struct evbuffer *to)
{
	const struct sw_notice notice = { .head.type = SW_EVENT_MISSED,
					  .head.time_ns = next ? next->time_ns : sw_monotonic_ns(),
					  .count = count };
	const struct sw_event_names names = { .interface = "", .service = "" };
	SW_AUTO_FREE char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return;
	fprintf(out, "id: %" PRIu64 "-%" PRIu64 "\ndata: ", stream->instance, stream->next);
	sw_json_event(out, &notice.head, &names, sw_wall_ns(notice.head.time_ns));
	putc('\n', out);
	if (!fclose(out))
		evbuffer_add(to, text, length);
}

static void say_state(const struct sw_streams *all, struct stream *stream, struct evbuffer *to)
{
	uint64_t version;
	const char *state = sw_event_feed_state(all->feed, &version);

	if (!state || version == stream->state)
		return;
	evbuffer_add(to, state, strlen(state));
	stream->state = version;
}

/* The numbers of another instance begin anew. What was not read of the one before is never read. */
static void find_place(const struct sw_streams *all, struct stream *stream)
{
	uint64_t instance = sw_event_feed_instance(all->feed);
	uint64_t began = sw_event_feed_began(all->feed);

	if (stream->instance == instance &&
	    (stream->next <= began || stream->next <= sw_event_feed_next(all->feed)))
		return;
	stream->next = stream->last < began ? began - stream->last : 0;
	stream->last = SW_EVENT_RECORDS;
	stream->instance = instance;
}

static void say_events(const struct sw_streams *all, struct stream *stream, size_t room,
		       struct evbuffer *to)
{
	while (stream->next < sw_event_feed_next(all->feed) && evbuffer_get_length(to) < room) {
		uint64_t there = sw_event_feed_skip(all->feed, stream->next);
		const struct sw_event_line *line = sw_event_feed_line(all->feed, there);
		uint64_t missed = there - stream->next;

		stream->next = there;
		if (missed)
			say_missed(stream, missed, line, to);
		if (!line)
			continue;
		evbuffer_add(to, line->text, line->length);
		stream->next++;
	}
}

static void attend(struct sw_streams *all, struct stream *stream, uint64_t now_ns)
{
	size_t waiting = evbuffer_get_length(bufferevent_get_output(stream->out));
	struct evbuffer *chunk = evbuffer_new();

	/* its time begins anew with all that it takes */
	if (!waiting || waiting < stream->waiting)
		sw_connections_answer(all->connections, stream->out);
	if (chunk && waiting < MAX_WAITING) {
		say_state(all, stream, chunk);
		if (sw_event_feed_instance(all->feed)) {
			find_place(all, stream);
			say_events(all, stream, MAX_WAITING - waiting, chunk);
		}
		if (!waiting && !evbuffer_get_length(chunk) &&
		    now_ns - stream->beat_ns >= HEARTBEAT_MS * MS)
			evbuffer_add(chunk, ":\n\n", 3);
	}
	if (chunk && evbuffer_get_length(chunk)) {
		stream->beat_ns = now_ns;
		evhttp_send_reply_chunk(stream->request, chunk);
	}
	stream->waiting = evbuffer_get_length(bufferevent_get_output(stream->out));
	if (chunk)
		evbuffer_free(chunk);
}

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct sw_streams *all = context;
	uint64_t now_ns = sw_monotonic_ns();

	(void)none;
	(void)what;
	if (!all->count) {
		sw_event_feed_close(all->feed);
		return;
	}
	all->pause_ms = sw_event_feed_look(all->feed)	     ? SHORTEST_PAUSE_MS :
			2 * all->pause_ms < LONGEST_PAUSE_MS ? 2 * all->pause_ms :
							       LONGEST_PAUSE_MS;
	for (unsigned int i = 0; i < SW_STREAMS; i++)
		if (all->each[i].request)
			attend(all, &all->each[i], now_ns);
	look_again(all, all->pause_ms);
}

/* ---- come and go */

/*
 * evhttp frees the connection. A request whose peer is gone it has let go of before, since it thinks that we would
 * answer it; any other it frees itself.
 */
static void on_gone(struct evhttp_connection *connection, void *context)
{
	struct sw_streams *all = context;

	for (unsigned int i = 0; i < SW_STREAMS; i++) {
		struct stream *one = &all->each[i];

		if (!one->request || one->out != evhttp_connection_get_bufferevent(connection))
			continue;
		if (!evhttp_request_get_connection(one->request))
			evhttp_send_reply_end(one->request);
		one->request = NULL;
		all->count--;
	}
	if (!all->count) {
		sw_event_feed_pause(all->feed);
		look_again(all, LINGER_MS);
	}
}

struct sw_streams *sw_streams_new(struct event_base *base, struct sw_connections *connections,
				  const char *pin_dir)
{
	struct sw_streams *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	evtimer_assign(&all->timer, base, on_timer, all);
	all->connections = connections;
	all->feed = sw_event_feed_new(pin_dir);
	if (!all->feed) {
		free(all);
		return NULL;
	}
	return all;
}

void sw_streams_free(struct sw_streams *all)
{
	if (!all)
		return;
	event_del(&all->timer);
	sw_event_feed_free(all->feed);
	free(all);
}

bool sw_streams_have_room(const struct sw_streams *all)
{
	return all->count < SW_STREAMS;
}

/* An id of ours is INSTANCE-NUMBER; whatever else somebody sends is none. */
static void take_id(struct stream *stream, const char *id)
{
	const char *dash = id ? strchr(id, '-') : NULL;
	char instance[24];

	if (!dash || !sw_format(instance, sizeof(instance), "%.*s", (int)(dash - id), id) ||
	    !sw_parse_number(dash + 1, &stream->next) ||
	    !sw_parse_number(instance, &stream->instance))
		stream->instance = 0;
}

/* How long a browser waits, in ms, before it comes again. */
static void greet(struct stream *stream)
{
	struct evbuffer *greeting = evbuffer_new();

	if (!greeting)
		return;
	evbuffer_add_printf(greeting, "retry: %u\n\n", COME_AGAIN_MS);
	evhttp_send_reply_chunk(stream->request, greeting);
	evbuffer_free(greeting);
}

void sw_streams_add(struct sw_streams *all, struct evhttp_request *request, uint64_t last,
		    const char *last_id)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	unsigned int patience_ms = USER_TIMEOUT_MS, most = MAX_SENDING;
	struct stream *one = all->each;

	while (one->request)
		one++;
	*one = (struct stream){ .request = request, .last = last };
	one->out = evhttp_connection_get_bufferevent(connection);
	take_id(one, last_id);
	all->count++;
	evhttp_connection_set_closecb(connection, on_gone, all);
	/* that nothing is read from who follows is as it should be */
	bufferevent_set_timeouts(one->out, NULL, NULL);
	setsockopt(bufferevent_getfd(one->out), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
		   sizeof(patience_ms));
	/* or the kernel would hold megabytes for him */
	setsockopt(bufferevent_getfd(one->out), SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
	evhttp_send_reply_start(request, HTTP_OK, "OK");
	greet(one);
	all->pause_ms = SHORTEST_PAUSE_MS;
	look_again(all, 0);
}
