// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../base/time.h"
#include "../readers/event_reader.h"
#include "../report/report.h"
#include "../sinks/cursor_file.h"
#include "../sinks/journald.h"
#include "../sinks/line_file.h"
#include "../sinks/same_file.h"

#include <synward/event.h>

#include <errno.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS	  250 /* how late the end of the attachment may be noticed */
#define WAIT_S	  1   /* and how late the next begin */
#define FOREVER	  UINT64_MAX
#define NS_PER_MS 1000000ULL

static struct {
	bool only_new;
	bool journal;
	bool wait;
	const char *output; /* NULL: standard output */
	const char *cursor_file;
	uint64_t count;
	uint64_t timeout_ms;
} given = { .timeout_ms = FOREVER };

static const struct sw_option options[] = {
	{ "count", 'n', SW_OPTION_NUMBER, &given.count, "N", .help = "end after N events",
	  .minimum = 1, .maximum = UINT32_MAX },
	{ "timeout", 't', SW_OPTION_DURATION, &given.timeout_ms, "DURATION",
	  .help = "end after that time; 0: print the events that are there, and end",
	  .maximum = 31536000000ULL },
	{ "output", 'o', SW_OPTION_STRING, &given.output, "FILE",
	  .help = "append to FILE, and open it again on SIGHUP" },
	{ "journal", 0, SW_OPTION_FLAG, &given.journal, NULL,
	  .help = "send them to systemd's journal" },
	{ "new", 0, SW_OPTION_FLAG, &given.only_new, NULL,
	  .help = "leave out earlier events; a used FILE of --cursor-file says where to go on "
		  "instead" },
	{ "cursor-file", 0, SW_OPTION_STRING, &given.cursor_file, "FILE",
	  .help = "begin after the last event that FILE names, and keep FILE up to date" },
	{ "wait", 0, SW_OPTION_FLAG, &given.wait, NULL,
	  .help = "wait until something is attached, and again after a detach" },
	{},
};

static volatile sig_atomic_t is_over, was_moved;

static void on_signal(int signal)
{
	(void)signal;
	is_over = 1;
}

static void on_hangup(int signal)
{
	(void)signal;
	was_moved = 1;
}

struct following {
	struct sw_event_reader *reader;
	struct sw_line_file file; /* if there is an output */
	struct sw_journald journald;
	struct sw_cursor_file cursor; /* if there is one */
	bool is_open;		      /* all of these that are asked for */
	bool only_new;		      /* the next reader */
	uint64_t end_ns;	      /* FOREVER: there is none */
	uint64_t taken;
	uint64_t missed; /* so many have been told to be */
	int written;	 /* 0, or why the last could not be */
};

static int reopen(struct following *following)
{
	if (!given.output || (!was_moved && sw_line_file_is_open(&following->file)))
		return 0;
	was_moved = 0; /* before it is done: a signal that comes meanwhile counts again */
	return sw_line_file_reopen(&following->file);
}

static int put(struct following *following, const char *text, size_t length)
{
	int error;

	if (given.journal)
		return sw_journald_put(&following->journald, text, length);
	error = reopen(following);
	return error ? error : sw_line_file_put(&following->file, text, length);
}

static void print_event(FILE *out, const struct following *following, const struct sw_event *event)
{
	const struct sw_event_names names = {
		.interface = sw_event_reader_interface(following->reader, event),
		.service = sw_event_reader_service(following->reader, event),
	};
	uint64_t wall_ns = sw_wall_ns(event->time_ns);

	if (given.journal)
		sw_journal_event(out, event, &names, wall_ns);
	else if (sw_global.json)
		sw_json_event(out, event, &names, wall_ns);
	else
		sw_text_event(out, event, &names, wall_ns);
}

static int tell(struct following *following, const struct sw_event *event)
{
	SW_AUTO_FREE char *line = NULL;
	size_t length = 0;
	FILE *out;

	if (!given.output && !given.journal) {
		print_event(stdout, following, event);
		following->written = sw_command_flush();
		if (following->written ==
		    -EINTR) { /* or the end would wait for a reader of us that hangs */
			__fpurge(stdout);
			sw_error_clear();
			following->written = -EPIPE;
		}
		return following->written;
	}
	out = open_memstream(&line, &length);
	if (!out)
		return -ENOMEM;
	print_event(out, following, event);
	if (fclose(out))
		return -ENOMEM;
	following->written = put(following, line, length);
	return following->written;
}

/* What is not there is told where it would have been. */
static int tell_missed(struct following *following, const struct sw_event *next)
{
	uint64_t missed = sw_event_reader_missed(following->reader);
	struct sw_notice notice = { .head.type = SW_EVENT_MISSED, .head.time_ns = next->time_ns };

	if (missed == following->missed)
		return 0;
	notice.count = missed - following->missed;
	if (tell(following, &notice.head))
		return following->written;
	following->missed = missed;
	return 0;
}

/* For each event, so that whoever comes next repeats none and leaves out none. */
static int keep_place(struct following *following)
{
	char line[SW_EVENT_CURSOR_SIZE];

	if (!given.cursor_file)
		return 0;
	sw_event_reader_cursor(following->reader, line);
	return following->written = sw_cursor_file_write(&following->cursor, line);
}

/* Returns 1 when it was the last, and -EAGAIN if there was no room for it. */
static int take(const struct sw_event *event, void *context)
{
	struct following *following = context;

	if (tell_missed(following, event) || tell(following, event))
		return following->written == -EAGAIN ? -EAGAIN : 1;
	if (keep_place(following))
		return 1;
	return ++following->taken == given.count || is_over || event->time_ns > following->end_ns;
}

/* Until it is over; -ENODEV without a line when everything was detached. */
static int follow(struct following *following)
{
	bool last = false; /* what waits is told, however late it is asked for */
	int answer = 0;

	while (!is_over && !answer && !last) {
		uint64_t now_ns = sw_monotonic_ns(), left_ms = 0;

		last = now_ns >= following->end_ns;
		if (!last)
			left_ms = (following->end_ns - now_ns) / NS_PER_MS + 1;
		if (left_ms > POLL_MS)
			left_ms = POLL_MS;
		answer = sw_event_reader_poll(following->reader, (uint32_t)left_ms, take,
					      following);
		if (answer == -EINTR)
			answer = 0;
		if (!answer)
			answer = reopen(following);
		if (answer == -EAGAIN) /* there was no room for the new file */
			answer = 0;
	}
	if ((!answer || answer == -ENODEV) && following->written == -EAGAIN)
		return given.journal ? sw_error(EIO, "systemd's journal takes no events") :
				       sw_error(ENOSPC, "cannot write to %s: %s", given.output,
						sw_errno_text(ENOSPC));
	if (answer > 0) /* that whoever read us is gone is an end like any other */
		return following->written == -EPIPE ? 0 : following->written;
	return answer;
}

/* Events would be written over the cursor, and the other way round. */
static int check_files(void)
{
	if (!given.output || !given.cursor_file || !sw_same_file(given.output, given.cursor_file))
		return 0;
	return sw_error(EINVAL,
			"events: --output and --cursor-file name the same file, %s: choose "
			"another one for the cursor",
			given.cursor_file);
}

/* Where events go, and how far they have. */
static int open_sink(struct following *following)
{
	struct sigaction hangup = { .sa_handler = on_hangup };
	int error = 0;

	if (following->is_open)
		return 0;
	following->is_open = true;
	if (given.cursor_file)
		error = sw_cursor_file_open(given.cursor_file, SW_EVENT_NO_CURSOR,
					    &following->cursor);
	if (!error)
		error = check_files(); /* once more: a file system may know it by other names */
	if (error)
		return error;
	following->only_new &= !given.cursor_file || following->cursor.is_new;
	if (given.journal)
		return sw_journald_open(&following->journald);
	if (!given.output)
		return 0;
	sigaction(SIGHUP, &hangup, NULL);
	return sw_line_file_open(given.output, &following->file);
}

static int find_place(struct following *following)
{
	char line[SW_EVENT_CURSOR_SIZE + 1]; /* or what is longer would look like one */
	int error;

	if (!given.cursor_file)
		return 0;
	error = sw_cursor_file_read(&following->cursor, line, sizeof(line));
	if (!error && sw_event_reader_go_on(following->reader, line))
		error = sw_error(EPROTO,
				 "%s is not a cursor file of 'synward events': choose another file",
				 given.cursor_file);
	return error ? error : keep_place(following);
}

/* One attachment; -ENODEV without a line when it is over. */
static int follow_one(struct following *following)
{
	int error = sw_event_reader_open(sw_global.pin_dir, &following->reader);

	if (!error)
		error = open_sink(following);
	if (!error && following->only_new)
		sw_event_reader_go_to(following->reader, sw_event_reader_head(following->reader));
	following->only_new = false; /* what is attached later on has nothing but new ones */
	following->missed = 0;
	if (!error)
		error = find_place(following);
	if (!error)
		error = follow(following);
	sw_event_reader_close(following->reader);
	following->reader = NULL;
	return error;
}

static bool is_detached(int error)
{
	return error == -ENODEV && !sw_error_text();
}

static bool is_unattached(int error)
{
	return is_detached(error) || error == -SW_NOT_ATTACHED || error == -SW_DETACHED;
}

static int follow_all(struct following *following)
{
	const struct timespec pause = { .tv_sec = WAIT_S };
	bool told = false;
	int error = given.wait ? open_sink(following) : 0; /* before there is anything to tell */

	if (error)
		return error;
	while (true) {
		error = follow_one(following);
		if (is_detached(error))
			sw_note("events end here: everything was detached");
		if (!given.wait || !is_unattached(error))
			return is_detached(error) ? 0 : error;
		sw_error_clear();
		if (is_over || sw_monotonic_ns() >= following->end_ns)
			return 0;
		if (!told)
			sw_note("waiting for events: nothing is attached yet");
		told = true;
		nanosleep(&pause, NULL);
	}
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_events, argc, argv), error;
	struct following following = { .end_ns = FOREVER,
				       .file = SW_LINE_FILE_NONE,
				       .journald = SW_JOURNALD_NONE,
				       .cursor = SW_CURSOR_FILE_NONE };
	struct sigaction action = { .sa_handler = on_signal };

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "events: expected no arguments, got %s", argv[first]);
	if (given.journal && given.output)
		return sw_error(EINVAL, "events: --output and --journal exclude each other");
	if (check_files())
		return -EINVAL;
	if (given.timeout_ms != FOREVER)
		following.end_ns = sw_monotonic_ns() + given.timeout_ms * NS_PER_MS;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	following.only_new = given.only_new;
	error = follow_all(&following);
	sw_line_file_close(&following.file);
	sw_journald_close(&following.journald);
	sw_cursor_file_close(&following.cursor);
	return error == -EINVAL ? -EIO : error;
}

const struct sw_command sw_cmd_events = {
	.name = "events",
	.summary = "show each handshake as it ends",
	.usage = "",
	.text = "Prints one line for each handshake that ends, and for each segment with a grave\n"
		"anomaly. It begins with the last 3,072 events. With -j the lines are JSON in the\n"
		"shape of Suricata's EVE. Any number of readers can follow the events; a reader\n"
		"that is too slow is told how many it missed. During a flood only as many events\n"
		"are written as --events-per-second of attach allows; stats counts the others.\n"
		"\n"
		"Examples:\n"
		"  synward events\n"
		"  synward events -j --new | jq 'select(.handshake.outcome == \"rejected\")'\n"
		"  synward events --count 10 --timeout 30s\n"
		"  synward events --timeout 0\n"
		"  synward events -j --output /var/log/synward/events.json\n"
		"  synward events --journal --wait --cursor-file /run/synward-events/cursor\n",
	.options = options,
	.run = run,
};
