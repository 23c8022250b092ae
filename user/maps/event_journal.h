/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_EVENT_JOURNAL_H
#define SYNWARD_MAPS_EVENT_JOURNAL_H

/*
 * Reads the journal of events, which <synward/event.h> describes. Each reader has a place of its own, and none is in
 * the way of another, or of a writer.
 */

#include <synward/event.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_event_journal {
	int head_fd;
	int records_fd;
	uint32_t count;	 /* of records */
	uint64_t next;	 /* the number of the event that is read next */
	uint64_t missed; /* so many numbers were passed over: their events were overwritten */
	uint64_t overtaken_until; /* where it went on when it was overtaken last */
	uint64_t
		missing_since_ns; /* since when the next is not there although later ones are; 0: it is not so */
};

#define SW_EVENT_JOURNAL_NONE                                                                      \
	{                                                                                          \
		.head_fd = -1, .records_fd = -1                                                    \
	}

/*
 * Takes the descriptors of the two maps, which may be open to read only. The reader is at the oldest event that is
 * there. 0, or -errno without a line. sw_event_journal_close() also ends what is none.
 */
int sw_event_journal_open(int head_fd, int records_fd, struct sw_event_journal *journal);
void sw_event_journal_close(struct sw_event_journal *journal);

/* The number that the next event gets: so many there have been. */
uint64_t sw_event_journal_head(const struct sw_event_journal *journal);

/*
 * Copies the next event out, if it is there, and goes on to the one behind it. Events that were overwritten before are
 * passed over and counted as missed; and so is one whose writer does not come back in SW_EVENT_PATIENCE_MS. A reader that
 * was overtaken once gets all that is left. One that is again before it has read a quarter of that is slower than the
 * writers: it leaves out another quarter, so that it has many events for each gap.
 */
bool sw_event_journal_next(struct sw_event_journal *journal, struct sw_event_record *copy);

/* A writer needs a microsecond, but its virtual processor may be kept from running for long. */
#define SW_EVENT_PATIENCE_MS 1000U

#endif
