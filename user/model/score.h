/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_SCORE_H
#define SYNWARD_MODEL_SCORE_H

/* What speaks for and against arming each rule, out of the counters. */

#include "snapshot.h"

enum sw_score_verdict {
	SW_SCORE_NOT_SEEN,
	SW_SCORE_SAFE,	    /* sources met it, and none of them completed a handshake later */
	SW_SCORE_UNSAFE,    /* some did: they are real, and would have been harmed */
	SW_SCORE_COUNTED,   /* no policy that is usual drops it, nor does the active one */
	SW_SCORE_LISTED,    /* a list decides, not what a packet is like */
	SW_SCORE_DROPPING,  /* it was dropped each time, so nobody could complete anything */
	SW_SCORE_ELSEWHERE, /* seen, but in nothing that arrived and could have been dropped */
	SW_SCORE_EARLY,	    /* as safe, but there is too little yet to call anything safe by */
	SW_SCORE_VERDICT_COUNT
};

struct sw_score_row {
	const char *name;
	bool is_limit;
	uint64_t seen;
	uint64_t would_drop;
	uint64_t dropped;
	uint64_t suspects; /* sources that met it without being dropped */
	uint64_t cleared;  /* of these, how many completed a handshake later */
	enum sw_score_verdict verdict;
};

#define SW_SCORE_ROWS (SW_ANOMALY_COUNT + SW_LIMIT_COUNT)

/*
 * What it takes to call anything safe. A day has all kinds of traffic; and what would harm three clients of
 * a hundred spares a hundred of them only once in twenty times.
 */
#define SW_SCORE_ENOUGH_MS	  (24ULL * 3600 * 1000)
#define SW_SCORE_ENOUGH_COMPLETED 100ULL

/* What there is to judge by. */
struct sw_score_basis {
	uint64_t watched_ms; /* since the first attach */
	uint64_t completed;  /* handshakes, in that time */
	bool too_early;	     /* one of them is too little */
};

struct sw_score_basis sw_score_basis(const struct sw_snapshot *snapshot);

/* The row of that index, anomalies first. */
struct sw_score_row sw_score_row(const struct sw_snapshot *snapshot, unsigned int index);

/* Its name for programs: not_seen, safe, unsafe, counted, listed, dropping, elsewhere or too_early. */
const char *sw_score_name(enum sw_score_verdict verdict);

/* Three words at most, for people. */
const char *sw_score_words(enum sw_score_verdict verdict);

#endif
