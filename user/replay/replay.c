// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.h"

#include "../base/error.h"
#include "../base/number.h"
#include "../platform/privileges.h"
#include "../text/progress.h"
#include "capture.h"
#include "confine.h"
#include "engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MIN_ROOM 65536U
#define MAX_ROOM 4194304U

/* A record with an empty segment takes this much of a file, plain and compressed. */
#define RECORD_BYTES	  60
#define GZIP_RECORD_BYTES 10

#define NS_PER_MS 1000000ULL

/* One pass over the file. */
struct pass {
	struct sw_capture *capture;
	struct sw_engine *engine;
	struct sw_replay_result *result;
	struct sw_progress progress;
	size_t room;   /* for attempts */
	uint32_t held; /* frames that are in the batch already */
	uint64_t fed;
};

/* Keeps what tells how an attempt ended. */
static int take_event(const struct sw_event *event, void *context)
{
	struct pass *pass = context;
	struct sw_replay_result *result = pass->result;
	struct sw_replay_attempt *attempts;

	if (event->type != SW_EVENT_HANDSHAKE)
		return 0;
	if (result->count == pass->room) {
		pass->room = pass->room ? pass->room * 2 : 1024;
		attempts = realloc(result->attempts, pass->room * sizeof(*attempts));
		if (!attempts)
			return sw_error(ENOMEM, "not enough memory for more than %zu attempts",
					result->count);
		result->attempts = attempts;
	}
	result->attempts[result->count++] = (struct sw_replay_attempt){
		.event = *event,
		.started_ms = event->time_ns / NS_PER_MS - event->age_ms,
	};
	return 0;
}

static void note_progress(struct pass *pass, const struct sw_replay_frame *frames, uint32_t count)
{
	struct sw_replay_result *result = pass->result;

	if (!pass->fed)
		result->first_ns = frames[0].time_ns;
	result->last_ns = frames[count - 1].time_ns;
	pass->fed += count;
	sw_progress_step(&pass->progress, sw_capture_position(pass->capture),
			 sw_capture_size(pass->capture), pass->fed);
}

/* Up to a full batch, or to the frame before which time has passed that ends what is silent. */
static int feed_batch(struct pass *pass, int *more)
{
	struct sw_replay_frame *frames;
	uint32_t room, count = pass->held;
	bool due = false;
	int error;

	frames = sw_engine_batch(pass->engine, &room);
	pass->held = 0;
	while (count < room) {
		*more = sw_capture_next(pass->capture, &frames[count]);
		if (*more <= 0)
			break;
		due = sw_engine_is_due(pass->engine, frames[count].time_ns);
		if (due)
			break;
		count++;
	}
	if (count)
		note_progress(pass, frames, count);
	error = sw_engine_feed(pass->engine, count);
	if (error || !due)
		return error;
	frames[0] = frames[count];
	pass->held = 1;
	return sw_engine_pass_time(pass->engine, frames[0].time_ns);
}

/* Earliest first; further criteria only make the order the same in each replay. */
static int compare(const void *left, const void *right)
{
	const struct sw_replay_attempt *a = left, *b = right;
	int order;

	if (a->started_ms != b->started_ms)
		return a->started_ms < b->started_ms ? -1 : 1;
	if (a->event.time_ns != b->event.time_ns)
		return a->event.time_ns < b->event.time_ns ? -1 : 1;
	order = memcmp(&a->event.flow, &b->event.flow, sizeof(a->event.flow));
	if (order || a->event.isn_orig == b->event.isn_orig)
		return order;
	return a->event.isn_orig < b->event.isn_orig ? -1 : 1;
}

static uint64_t lost_events(const struct sw_counters *total)
{
	return total->tallies[SW_TALLY_EVENTS_LOST] + total->tallies[SW_TALLY_EVENTS_SUPPRESSED];
}

static void fill_stats(struct sw_replay_result *result, const struct sw_counters *before)
{
	struct sw_snapshot *stats = &result->stats;
	const __u64 *tallies = before->tallies;

	stats->created_ns = result->first_ns;
	stats->taken_ns = result->last_ns;
	stats->half_open = tallies[SW_TALLY_ATTEMPTS_OPENED] - tallies[SW_TALLY_ATTEMPTS_CLOSED];
	stats->connections = tallies[SW_TALLY_CONNECTIONS_OPENED] -
			     tallies[SW_TALLY_CONNECTIONS_CLOSED];
	stats->interface_count = 1;
	strcpy(stats->interfaces[0].record.name, "capture");
}

/* The capture is over: what is open is judged, and everything counted. */
static int conclude(struct pass *pass)
{
	struct sw_replay_result *result = pass->result;
	struct sw_counters *total = &result->stats.total;
	struct sw_counters before;
	int error;

	error = sw_engine_counters(pass->engine, &before);
	if (!error)
		error = sw_engine_finish(pass->engine);
	if (!error)
		error = sw_engine_counters(pass->engine, total);
	if (!error)
		error = sw_engine_traffic(pass->engine, &result->stats.interfaces[0].traffic);
	if (error)
		return error;
	if (lost_events(total))
		return sw_error(EIO, "%" PRIu64 " %s of the replay %s lost", lost_events(total),
				sw_noun(lost_events(total), "event", "events"),
				sw_noun(lost_events(total), "was", "were"));
	fill_stats(result, &before);
	result->evicted = total->tallies[SW_TALLY_ATTEMPTS_EVICTED] +
			  total->tallies[SW_TALLY_CONNECTIONS_EVICTED];
	if (result->count)
		qsort(result->attempts, result->count, sizeof(*result->attempts), compare);
	return 0;
}

/* A file that breaks off before its first packet's end is still a capture; another is not. */
static int check_damage(struct pass *pass)
{
	const char *damage = sw_capture_damage(pass->capture);
	struct sw_replay_result *result = pass->result;

	if (damage[0] && !result->packets && !sw_capture_breaks_off(pass->capture))
		return sw_error(EIO, "cannot read %s: %s", result->path, damage);
	sw_format(result->damage, sizeof(result->damage), "%s", damage);
	return 0;
}

static void count_skipped(struct pass *pass)
{
	struct sw_replay_result *result = pass->result;
	const char *name;

	result->skipped = sw_capture_skipped(pass->capture, &result->skipped_link, &name);
	sw_format(result->skipped_name, sizeof(result->skipped_name), "%s", name);
	result->packets = pass->fed + result->skipped;
}

static int run_pass(struct pass *pass)
{
	int error, more = 1;

	sw_progress_start(&pass->progress, "packets");
	do {
		error = feed_batch(pass, &more);
	} while (!error && more > 0);
	sw_progress_end(&pass->progress);
	if (!error && more < 0 && more != -EIO)
		error = more;
	if (!error)
		count_skipped(pass);
	if (!error)
		error = check_damage(pass);
	return error ? error : conclude(pass);
}

/* As many as the file can hold, within reason. */
static uint32_t room_for(const struct sw_capture *capture)
{
	uint64_t size = sw_capture_size(capture), room;

	if (!size)
		return MAX_ROOM / 4;
	room = size / (sw_capture_is_gzip(capture) ? GZIP_RECORD_BYTES : RECORD_BYTES);
	return room < MIN_ROOM ? MIN_ROOM : room > MAX_ROOM ? MAX_ROOM : (uint32_t)room;
}

/* Replays the file, with as much room as the try has (0: as its size suggests, then told). */
static int replay_once(const struct sw_replay_request *request, struct sw_replay_room *room,
		       struct sw_replay_result **result)
{
	SW_AUTO_REPLAY struct sw_replay_result *made = calloc(1, sizeof(*made));
	SW_AUTO_CAPTURE struct sw_capture *capture = NULL;
	SW_AUTO_ENGINE struct sw_engine *engine = NULL;
	struct sw_engine_setup setup = { .take = take_event };
	struct pass pass = { .result = made };
	int error;

	if (!made)
		return -ENOMEM;
	made->path = request->path;
	error = sw_capture_open(request->path, &capture);
	if (error)
		return error;
	if (!room->handshakes)
		room->handshakes = room->connections = room_for(capture);
	setup.handshakes = room->handshakes;
	setup.connections = room->connections;
	setup.context = &pass;
	setup.checksums = request->checksums;
	memcpy(setup.timeout_ms, request->timeout_ms, sizeof(setup.timeout_ms));
	error = sw_engine_load(&setup, &engine);
	if (!error)
		error = sw_drop_privileges();
	if (!error)
		error = sw_capture_begin(capture);
	if (error)
		return error;
	pass.capture = capture;
	pass.engine = engine;
	error = run_pass(&pass);
	if (error)
		return error;
	made->is_repeatable = sw_capture_size(capture) > 0;
	*result = made;
	made = NULL;
	return 0;
}

/* Makes a table larger if it had to let go of something. Returns whether it could. */
static bool enlarge(uint32_t *room, uint64_t evicted)
{
	if (!evicted || *room == MAX_ROOM)
		return false;
	*room = *room < MAX_ROOM / 4 ? *room * 4 : MAX_ROOM;
	return true;
}

/*
 * A capture that is nothing but SYNs overfills tables that are ample for any other: larger ones are
 * tried, as far as there is memory. What comes through a pipe cannot be read again.
 */
static void ask_for_room(const struct sw_replay_try *self, struct sw_replay_room room,
			 const struct sw_replay_result *result)
{
	const __u64 *tallies = result->stats.total.tallies;

	if (result->is_repeatable &&
	    (enlarge(&room.handshakes, tallies[SW_TALLY_ATTEMPTS_EVICTED]) |
	     enlarge(&room.connections, tallies[SW_TALLY_CONNECTIONS_EVICTED])))
		sw_replay_ask_for(self, room);
}

int sw_replay(const struct sw_replay_request *request, struct sw_replay_result **result, int *code)
{
	struct sw_replay_try self = {};
	int error = sw_replay_confine(&self, code);
	bool another = self.room.handshakes;

	if (error)
		return error;
	error = replay_once(request, &self.room, result);
	if (error && another)
		sw_replay_give_up();
	if (!error)
		ask_for_room(&self, self.room, *result);
	return error;
}

void sw_replay_free(struct sw_replay_result *result)
{
	if (!result)
		return;
	free(result->attempts);
	free(result);
}
