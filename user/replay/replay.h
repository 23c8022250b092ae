/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_REPLAY_H
#define SYNWARD_REPLAY_REPLAY_H

/* A whole capture through the program, and what came of it. */

#include "../model/snapshot.h"

#include <synward/event.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How one attempt ended. */
struct sw_replay_attempt {
	struct sw_event event;
	uint64_t started_ms; /* on the capture's clock */
};

struct sw_replay_request {
	const char *path; /* "-": standard input */
	uint32_t timeout_ms[SW_TIMEOUT_COUNT];
	bool checksums; /* verify those of segments that a frame of the replay holds whole */
};

struct sw_replay_result {
	const char *path;  /* the caller's */
	uint64_t packets;  /* records in the file, of whatever protocol */
	uint64_t first_ns; /* the capture's clock at its first record and its last */
	uint64_t last_ns;
	uint64_t evicted; /* attempts and connections for which there was no room */
	uint64_t skipped; /* of the records, those of a link type that is not supported */
	int skipped_link; /* one such type */
	char skipped_name[32];
	char damage[320];	  /* why the file was not read to its end; "" if it was */
	bool is_repeatable;	  /* the file can be read again: it is no pipe */
	struct sw_snapshot stats; /* what `stats` would have said when the last record was in */
	size_t count;
	struct sw_replay_attempt *attempts; /* in order of their start */
};

/*
 * Replays a file in a process of its own, which gives up all privileges before it reads the first byte of
 * the file; so this returns twice, as fork() does. In that process: 0, with the result, which is to be
 * printed and freed with sw_replay_free(), or a -errno with its line. In the caller: 1 with the exit code of
 * that process in *code, when it has ended, or a -errno with its line.
 */
int sw_replay(const struct sw_replay_request *request, struct sw_replay_result **result, int *code);
void sw_replay_free(struct sw_replay_result *result);

/* Less was learnt than the capture holds. */
static inline bool sw_replay_is_degraded(const struct sw_replay_result *result)
{
	return result->damage[0] || result->evicted;
}

/* The report with its first limit attempts. */
void sw_text_replay(FILE *out, const struct sw_replay_result *result, uint64_t limit);

/* The report of `stats -j`, with "packets", "complete" and "attempts". */
void sw_json_replay(FILE *out, const struct sw_replay_result *result, bool pretty);

/* Metrics of the capture, in Prometheus' text format. */
void sw_prometheus_replay(FILE *out, const struct sw_replay_result *result);

static inline void sw_replay_cleanup(struct sw_replay_result **result)
{
	sw_replay_free(*result);
}
#define SW_AUTO_REPLAY __attribute__((cleanup(sw_replay_cleanup)))

#endif
