// SPDX-License-Identifier: GPL-2.0-or-later
#include "event_feed.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/printable.h"
#include "../base/time.h"
#include "../readers/event_reader.h"
#include "../report/report.h"

#include <synward/event.h>

#include <inttypes.h>
#include <string.h>

#define MS 1000000ULL

/* How long it waits before it looks again for an instance. */
#define AGAIN_MS 500U

/* So many events are read at once, or who asks for something else would wait for a flood of them. */
#define MOST_AT_ONCE 512U

#define LINE_SIZE 1024

struct sw_event_feed {
	const char *pin_dir;
	struct sw_event_reader *reader; /* NULL: there is no instance that can be read */
	uint64_t again_ns;		/* when it is looked for next */
	uint64_t instance;
	uint64_t began;
	uint64_t next;
	unsigned int taken; /* in this look */
	int error;	    /* why it cannot be read; 0: it can */
	char *state;
	uint64_t version; /* of the state; 0: there is none yet */
	struct sw_event_line lines[SW_EVENT_RECORDS];
};

struct sw_event_feed *sw_event_feed_new(const char *pin_dir)
{
	struct sw_event_feed *feed = calloc(1, sizeof(*feed));

	if (feed)
		feed->pin_dir = pin_dir;
	return feed;
}

void sw_event_feed_free(struct sw_event_feed *feed)
{
	if (!feed)
		return;
	sw_event_feed_close(feed);
	free(feed->state);
	free(feed);
}

static void forget_lines(struct sw_event_feed *feed)
{
	for (size_t i = 0; i < SW_EVENT_RECORDS; i++) {
		free(feed->lines[i].text);
		feed->lines[i].text = NULL;
	}
}

void sw_event_feed_pause(struct sw_event_feed *feed)
{
	sw_event_reader_close(feed->reader);
	feed->reader = NULL;
	feed->again_ns = 0;
}

void sw_event_feed_close(struct sw_event_feed *feed)
{
	sw_event_feed_pause(feed);
	feed->instance = 0;
	feed->next = 0;
	forget_lines(feed);
}

/* ---- the state */

static void write_state(const struct sw_event_feed *feed, FILE *out)
{
	char line[LINE_SIZE];

	if (!feed->error) {
		fprintf(out, "event: up\ndata: {\"schema\":%d}\n\n", SW_SCHEMA);
		return;
	}
	sw_printable(line, sizeof(line),
		     sw_error_text() ? sw_error_text() : sw_errno_text(feed->error));
	fputs("event: down\ndata: ", out);
	sw_error_json(out, feed->error, line);
	putc('\n', out);
}

/* With the recorded line, which is cleared. */
static void set_state(struct sw_event_feed *feed, int error)
{
	bool same = feed->version && error == feed->error;
	char *text = NULL;
	size_t length;
	FILE *out = same ? NULL : open_memstream(&text, &length);

	if (out) {
		feed->error = error;
		write_state(feed, out);
		if (!fclose(out)) {
			free(feed->state);
			feed->state = text;
			feed->version++;
		} else {
			free(text);
		}
	}
	sw_error_clear();
}

/* ---- the events */

static void write_line(const struct sw_event_feed *feed, const struct sw_event *event, FILE *out)
{
	const struct sw_event_names names = {
		.interface = sw_event_reader_interface(feed->reader, event),
		.service = sw_event_reader_service(feed->reader, event),
	};

	fprintf(out, "id: %" PRIu64 "-%" PRIu64 "\ndata: ", feed->instance, feed->next);
	sw_json_event(out, event, &names, sw_wall_ns(event->time_ns));
	putc('\n', out);
}

/* Without memory it is as one that was overwritten. */
static int take(const struct sw_event *event, void *context)
{
	struct sw_event_feed *feed = context;
	struct sw_event_line *line;
	FILE *out;

	feed->next = sw_event_reader_next(feed->reader);
	line = &feed->lines[(feed->next - 1) % SW_EVENT_RECORDS];
	free(line->text);
	*line = (struct sw_event_line){ .number = feed->next - 1, .time_ns = event->time_ns };
	out = open_memstream(&line->text, &line->length);
	if (out) {
		write_line(feed, event, out);
		if (fclose(out)) {
			free(line->text);
			line->text = NULL;
		}
	}
	return ++feed->taken == MOST_AT_ONCE;
}

static void find_instance(struct sw_event_feed *feed)
{
	uint64_t now_ns = sw_monotonic_ns();
	int error;

	if (now_ns < feed->again_ns)
		return;
	feed->again_ns = now_ns + AGAIN_MS * MS;
	error = sw_event_reader_open(feed->pin_dir, &feed->reader);
	set_state(feed, error);
	if (error)
		return;
	if (sw_event_reader_instance(feed->reader) == feed->instance) {
		sw_event_reader_go_to(feed->reader, feed->next);
		return;
	}
	forget_lines(feed);
	feed->instance = sw_event_reader_instance(feed->reader);
	feed->began = sw_event_reader_head(feed->reader);
	feed->next = sw_event_reader_next(feed->reader);
}

bool sw_event_feed_look(struct sw_event_feed *feed)
{
	int answer;

	if (!feed->reader)
		find_instance(feed);
	if (!feed->reader)
		return false;
	feed->taken = 0;
	answer = sw_event_reader_poll(feed->reader, 0, take, feed);
	sw_error_clear();
	if (answer == -ENODEV) {
		sw_event_feed_pause(feed);
		find_instance(feed);
	}
	return feed->taken;
}

uint64_t sw_event_feed_instance(const struct sw_event_feed *feed)
{
	return feed->instance;
}

uint64_t sw_event_feed_began(const struct sw_event_feed *feed)
{
	return feed->began;
}

uint64_t sw_event_feed_next(const struct sw_event_feed *feed)
{
	return feed->next;
}

const struct sw_event_line *sw_event_feed_line(const struct sw_event_feed *feed, uint64_t number)
{
	const struct sw_event_line *line = &feed->lines[number % SW_EVENT_RECORDS];

	return number < feed->next && line->text && line->number == number ? line : NULL;
}

uint64_t sw_event_feed_skip(const struct sw_event_feed *feed, uint64_t number)
{
	if (feed->next - number > SW_EVENT_RECORDS && number < feed->next)
		number = feed->next - SW_EVENT_RECORDS;
	while (number < feed->next && !sw_event_feed_line(feed, number))
		number++;
	return number;
}

const char *sw_event_feed_state(const struct sw_event_feed *feed, uint64_t *version)
{
	*version = feed->version;
	return feed->state;
}
