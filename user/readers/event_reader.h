/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_EVENT_READER_H
#define SYNWARD_READERS_EVENT_READER_H

/* Follows the events. Errors are as in readers.h. */

#include <stdint.h>

struct sw_event;
struct sw_event_reader;

/* A follower of the events; only one at a time can be, for each pin directory. */
int sw_event_reader_open(const char *pin_dir, struct sw_event_reader **reader);
void sw_event_reader_close(struct sw_event_reader *reader);

/*
 * Waits up to timeout_ms and hands events to take until it returns non-zero; with 0 all that are there.
 * Returns that value, 0 when the time is over, -EINTR on a signal, -ENODEV when everything was detached.
 */
int sw_event_reader_poll(struct sw_event_reader *reader, int timeout_ms,
			 int (*take)(const struct sw_event *event, void *context), void *context);

/* The name of the interface in a slot, or "" if it has none (any more). */
const char *sw_event_reader_interface(struct sw_event_reader *reader, uint32_t slot);

/* The name of a service by its number in the policy that is active now, or "" if it has none. */
const char *sw_event_reader_service(struct sw_event_reader *reader, uint32_t number);

#endif
