// SPDX-License-Identifier: GPL-2.0-or-later
#include "event_reader.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../maps/event_journal.h"
#include "../platform/instance.h"
#include "../policy/policy_view_reader.h"

#include <synward/event.h>

#include <bpf/bpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/*
 * No program can wake a reader who may only read: a ring buffer's bell rings for whoever takes things out of it, and that
 * can be only one. So readers look. Who has just read something looks again soon, and one who finds nothing
 * takes his time: four looks a second, each of which is one lookup in a map and one stat(). A poll that has waited until
 * its end does not look once more: the next one begins with that.
 */
#define SHORTEST_PAUSE_MS 50U
#define LONGEST_PAUSE_MS  250U
#define NS_PER_MS	  1000000ULL

_Static_assert(SW_MAX_INTERFACES <= 64, "a bit for each slot");

struct sw_event_reader {
	struct sw_instance instance;
	struct sw_event_journal journal;
	struct stat identity; /* of its pin, when this was opened */
	uint32_t pause_ms;
	int interfaces_fd;
	struct sw_interface known[SW_MAX_INTERFACES]; /* of each slot, who had it last */
	uint64_t looked_up;			      /* in this poll, by slot */
	struct sw_policy_view policy;		      /* of this poll; without rows: not read yet */
	uint32_t policy_of;			      /* the generation that it was read for */
};

static int open_journal(struct sw_event_reader *reader)
{
	SW_AUTO_FD int head = -1;
	SW_AUTO_FD int records = -1;
	int error = sw_instance_map(&reader->instance, "event_head", sizeof(struct sw_event_head),
				    &head);

	if (!error)
		error = sw_instance_map(&reader->instance, "events", sizeof(struct sw_event_record),
					&records);
	if (error)
		return error;
	error = sw_event_journal_open(sw_take_fd(&head), sw_take_fd(&records), &reader->journal);
	return error ? sw_error(error, "cannot open the events: %s", sw_errno_text(error)) : 0;
}

static bool stat_identity(const struct sw_event_reader *reader, struct stat *about)
{
	char path[SW_PIN_PATH];

	sw_pins_path(&reader->instance.pins, path, "maps/identity");
	return !stat(path, about);
}

/* While its pin is the very same, so is what it says, which takes three calls to read. */
static bool is_detached(const struct sw_event_reader *reader)
{
	struct stat now;
	bool detached;

	if (stat_identity(reader, &now) && now.st_dev == reader->identity.st_dev &&
	    now.st_ino == reader->identity.st_ino)
		return false;
	detached = sw_instance_check(&reader->instance);
	sw_error_clear();
	return detached;
}

int sw_event_reader_open(const char *pin_dir, struct sw_event_reader **reader)
{
	struct sw_event_reader *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->instance = (struct sw_instance)SW_INSTANCE_NONE;
	made->journal = (struct sw_event_journal)SW_EVENT_JOURNAL_NONE;
	made->interfaces_fd = -1;
	made->pause_ms = SHORTEST_PAUSE_MS;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &made->instance);
	if (!error)
		error = sw_instance_map(&made->instance, "interfaces", sizeof(struct sw_interface),
					&made->interfaces_fd);
	if (!error)
		error = open_journal(made);
	if (!error && !stat_identity(made, &made->identity))
		error = sw_instance_failed(&made->instance, "maps/identity", errno);
	if (!error) /* the pin may have become another's before it was looked at */
		error = sw_instance_check(&made->instance);
	if (error) {
		sw_event_reader_close(made);
		return error;
	}
	*reader = made;
	return 0;
}

void sw_event_reader_close(struct sw_event_reader *reader)
{
	if (!reader)
		return;
	sw_event_journal_close(&reader->journal);
	sw_close_fd(&reader->interfaces_fd);
	sw_instance_close(&reader->instance);
	free(reader);
}

/*
 * Hands on what is there, and not what comes meanwhile: a reader that is slower than that would never be done. Returns
 * what take had against one.
 */
static int hand_on(struct sw_event_reader *reader,
		   int (*take)(const struct sw_event *event, void *context), void *context)
{
	uint64_t end = sw_event_journal_head(&reader->journal);
	struct sw_event_record copy;
	int answer = 0;

	reader->looked_up = 0;
	reader->policy.row_count = 0;
	while (!answer && reader->journal.next < end &&
	       sw_event_journal_next(&reader->journal, &copy))
		answer = take(&copy.event, context);
	if (answer == -EAGAIN)
		reader->journal.next--;
	return answer;
}

static int pause_for(struct sw_event_reader *reader, uint64_t left_ns)
{
	uint64_t ns = reader->pause_ms * NS_PER_MS;
	struct timespec pause;

	reader->pause_ms *= 2;
	if (reader->pause_ms > LONGEST_PAUSE_MS)
		reader->pause_ms = LONGEST_PAUSE_MS;
	if (ns > left_ns)
		ns = left_ns;
	pause = (struct timespec){ .tv_nsec = (long)ns };
	return nanosleep(&pause, NULL) ? -errno : 0;
}

int sw_event_reader_poll(struct sw_event_reader *reader, uint32_t timeout_ms,
			 int (*take)(const struct sw_event *event, void *context), void *context)
{
	uint64_t end_ns = sw_monotonic_ns() + timeout_ms * NS_PER_MS, now_ns;
	int answer;

	while (true) {
		/* before the events: with the last detach come the last of them */
		bool detached = is_detached(reader);
		uint64_t first = reader->journal.next;

		answer = hand_on(reader, take, context);
		if (answer && answer != -EAGAIN)
			return answer;
		if (reader->journal.next != first)
			reader->pause_ms = SHORTEST_PAUSE_MS;
		else if (detached)
			return -ENODEV;
		now_ns = sw_monotonic_ns();
		if (now_ns >= end_ns)
			return 0;
		answer = pause_for(reader, end_ns - now_ns);
		if (answer || sw_monotonic_ns() >= end_ns)
			return answer;
	}
}

/* Numbers begin anew with the maps, so a place is one in those that were made at that moment. */
void sw_event_reader_cursor(const struct sw_event_reader *reader, char line[SW_EVENT_CURSOR_SIZE])
{
	snprintf(line, SW_EVENT_CURSOR_SIZE, "%020" PRIu64 " %020" PRIu64 "\n",
		 (uint64_t)reader->instance.identity.created_ns, reader->journal.next);
}

int sw_event_reader_go_on(struct sw_event_reader *reader, const char *line)
{
	uint64_t created_ns, next;
	int end = 0;

	if (sscanf(line, "%20" SCNu64 " %20" SCNu64 "%n", &created_ns, &next, &end) != 2 ||
	    strcmp(line + end, "\n"))
		return -EINVAL;
	if (created_ns == reader->instance.identity.created_ns &&
	    next <= sw_event_journal_head(&reader->journal))
		reader->journal.next = next;
	return 0;
}

uint64_t sw_event_reader_instance(const struct sw_event_reader *reader)
{
	return reader->instance.identity.created_ns;
}

uint64_t sw_event_reader_next(const struct sw_event_reader *reader)
{
	return reader->journal.next;
}

void sw_event_reader_go_to(struct sw_event_reader *reader, uint64_t number)
{
	reader->journal.next = number;
}

uint64_t sw_event_reader_head(const struct sw_event_reader *reader)
{
	return sw_event_journal_head(&reader->journal);
}

uint64_t sw_event_reader_missed(const struct sw_event_reader *reader)
{
	return reader->journal.missed;
}

/* The last events before a detach are read behind it: who had the slot is kept until another one has it. */
static void look_up(struct sw_event_reader *reader, uint32_t slot)
{
	struct sw_interface now;

	if (reader->looked_up >> slot & 1)
		return;
	reader->looked_up |= 1ULL << slot;
	if (bpf_map_lookup_elem(reader->interfaces_fd, &slot, &now) || !now.ifindex)
		return;
	now.name[SW_IFNAME_SIZE - 1] = '\0';
	reader->known[slot] = now;
}

const char *sw_event_reader_interface(struct sw_event_reader *reader, const struct sw_event *event)
{
	const struct sw_interface *known;

	if (event->interface >= SW_MAX_INTERFACES)
		return "";
	look_up(reader, event->interface);
	known = &reader->known[event->interface];
	return event->time_ns >= known->attached_ns ? known->name : "";
}

/* Anew for each poll, and in it for a policy that may have become active since. */
static bool read_policy(struct sw_event_reader *reader, uint32_t generation)
{
	if (reader->policy.row_count && generation <= reader->policy_of)
		return true;
	reader->policy_of = generation;
	if (!sw_policy_view_read(&reader->instance, &reader->policy))
		return true;
	sw_error_clear();
	return false;
}

const char *sw_event_reader_service(struct sw_event_reader *reader, const struct sw_event *event)
{
	const struct sw_row_view *row;

	if ((event->type != SW_EVENT_LIMIT && !sw_is_flood_event(event)) ||
	    !read_policy(reader, event->generation) ||
	    reader->policy.generation != event->generation)
		return "";
	row = sw_policy_row(&reader->policy, event->service);
	return row ? row->name : "";
}
