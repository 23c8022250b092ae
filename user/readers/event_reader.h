/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_EVENT_READER_H
#define SYNWARD_READERS_EVENT_READER_H

/* Follows the events, beside any number of others. Errors are as in readers.h. */

#include <stdbool.h>
#include <stdint.h>

struct sw_event;
struct sw_event_reader;

/* A follower of the events: of those that are still there, and of later ones. */
int sw_event_reader_open(const char *pin_dir, struct sw_event_reader **reader);
void sw_event_reader_close(struct sw_event_reader *reader);

/*
 * Hands the events to take that are there, and those that come in timeout_ms; the last of them may be for the next call.
 * Returns what take
 * returned if that is not zero: the event counts as read if it is positive, and comes again if it is -EAGAIN.
 * Else 0, -EINTR on a signal, -ENODEV when everything was detached.
 */
int sw_event_reader_poll(struct sw_event_reader *reader, uint32_t timeout_ms,
			 int (*take)(const struct sw_event *event, void *context), void *context);

/* How far a reader has come, as a line of always the same length. */
#define SW_EVENT_CURSOR_SIZE 43
#define SW_EVENT_NO_CURSOR                                                                         \
	"00000000000000000000 00000000000000000000\n" /* of one that has read nothing */

void sw_event_reader_cursor(const struct sw_event_reader *reader, char line[SW_EVENT_CURSOR_SIZE]);

/*
 * Goes on from there. What was overwritten since counts as missed; a place in what is not attached any more is none, and the
 * reader stays where it is. 0, or -EINVAL without a line if it says no place.
 */
int sw_event_reader_go_on(struct sw_event_reader *reader, const char *line);

/*
 * Which instance it follows: when that was made, which no two of one boot have in common. The events of each are
 * numbered from 0 on.
 */
uint64_t sw_event_reader_instance(const struct sw_event_reader *reader);

/* The number of the event that is read next; in take, so many there are up to and with the one that it was handed. */
uint64_t sw_event_reader_next(const struct sw_event_reader *reader);

/* Goes to an event by its number; one that was overwritten is missed. */
void sw_event_reader_go_to(struct sw_event_reader *reader, uint64_t number);

/* How many events there have been. */
uint64_t sw_event_reader_head(const struct sw_event_reader *reader);

/* How many events were overwritten before they could be read, of those before the one that was read last. */
uint64_t sw_event_reader_missed(const struct sw_event_reader *reader);

/*
 * The name of the interface by which an event came, as far as this reader knows; "" if that was detached before it looked,
 * also if another one has its slot now.
 */
const char *sw_event_reader_interface(struct sw_event_reader *reader, const struct sw_event *event);

/*
 * The name of the service that a limit or a flood is of; "" of any other event, if it has none, or if its policy is not the
 * active one any more.
 */
const char *sw_event_reader_service(struct sw_event_reader *reader, const struct sw_event *event);

#endif
