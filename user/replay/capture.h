/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_CAPTURE_H
#define SYNWARD_REPLAY_CAPTURE_H

/* Reads pcap and pcapng files, plain or gzipped, as frames with a clock that never runs backwards. */

#include <synward/replay.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_capture;

/*
 * Opens a file ("-": standard input), and reads nothing that would have to be understood. Returns 0, or a
 * -errno whose line is recorded.
 */
int sw_capture_open(const char *path, struct sw_capture **capture);

/* Finds out what it is, before the first record is read. Returns 0, or a -errno whose line is recorded. */
int sw_capture_begin(struct sw_capture *capture);

void sw_capture_close(struct sw_capture *capture);

/*
 * Reads the next record. Returns 1, 0 when there are no more, or -EIO when the file breaks off or is
 * damaged; then sw_capture_damage() says how. Another -errno ends everything, its line recorded.
 */
int sw_capture_next(struct sw_capture *capture, struct sw_replay_frame *frame);

/*
 * How many records so far were passed over, since their interface is of a link type that is not
 * supported, and the last such type with its name.
 */
uint64_t sw_capture_skipped(const struct sw_capture *capture, int *link, const char **name);

/* What was wrong with the file, for people; "" if nothing was. */
const char *sw_capture_damage(const struct sw_capture *capture);

/* Is what was wrong only that the rest is missing? */
bool sw_capture_breaks_off(const struct sw_capture *capture);

/* Its size in bytes as stored; 0: unknown, since it is a pipe. */
uint64_t sw_capture_size(const struct sw_capture *capture);

/* How many of them have been read, give or take a buffer. */
uint64_t sw_capture_position(const struct sw_capture *capture);

/* Does it begin as a gzipped file does? Not known of a pipe. */
bool sw_capture_is_gzip(const struct sw_capture *capture);

static inline void sw_capture_cleanup(struct sw_capture **capture)
{
	sw_capture_close(*capture);
}
#define SW_AUTO_CAPTURE __attribute__((cleanup(sw_capture_cleanup)))

#endif
