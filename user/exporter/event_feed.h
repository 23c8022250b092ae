/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_EVENT_FEED_H
#define SYNWARD_EXPORTER_EVENT_FEED_H

/*
 * The events, read and put into words once for all who follow them: a copy of the journal, each event at its number,
 * as Server-Sent Events say it. It outlives what it reads: when that is detached, it waits for the next instance.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sw_event_feed;

/* One event, "id:" and "data:" and the blank line behind it. */
struct sw_event_line {
	uint64_t number;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	size_t length;
	char *text; /* NULL: there is none */
};

/* Of the instance in a pin directory, which is the caller's. Nothing is read yet. NULL: there is no memory. */
struct sw_event_feed *sw_event_feed_new(const char *pin_dir);
void sw_event_feed_free(struct sw_event_feed *feed);

/* Reads what is there, a bounded part of it at a time. True if that was something. Never waits, never fails. */
bool sw_event_feed_look(struct sw_event_feed *feed);

/* Lets go of what it reads: it holds no map meanwhile, and goes on there with the next look. */
void sw_event_feed_pause(struct sw_event_feed *feed);

/* The same, and forgets all. */
void sw_event_feed_close(struct sw_event_feed *feed);

/* Of the instance that it has events of, also when that is gone; 0: of none yet. */
uint64_t sw_event_feed_instance(const struct sw_event_feed *feed);

/* How many events that instance had when it was found. */
uint64_t sw_event_feed_began(const struct sw_event_feed *feed);

/* The number behind the last one that was read. */
uint64_t sw_event_feed_next(const struct sw_event_feed *feed);

/* The event of a number below that; NULL if it was overwritten, here or in the journal. */
const struct sw_event_line *sw_event_feed_line(const struct sw_event_feed *feed, uint64_t number);

/* The lowest number from there on that sw_event_feed_line() finds, or sw_event_feed_next(). */
uint64_t sw_event_feed_skip(const struct sw_event_feed *feed, uint64_t number);

/*
 * Whether what it reads is there, as an event of its own, "up" or "down"; *version grows with each change. It is the
 * feed's, until the next look.
 */
const char *sw_event_feed_state(const struct sw_event_feed *feed, uint64_t *version);

#endif
