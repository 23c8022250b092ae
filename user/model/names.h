/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_NAMES_H
#define SYNWARD_MODEL_NAMES_H

/*
 * The vocabulary's names and meanings as arrays, indexed by their enum. For a value that may come
 * from outside, sw_name() checks the range.
 */

#include "flood_way.h"
#include "snapshot.h"

#include <synward/config.h>
#include <synward/counters.h>
#include <synward/event.h>
#include <synward/flood.h>
#include <synward/list.h>
#include <synward/state.h>
#include <synward/tables.h>

struct sw_word {
	const char *name;
	const char *meaning;
};

extern const struct sw_word sw_outcome_words[SW_OUTCOME_COUNT];
extern const struct sw_word sw_anomaly_words[SW_ANOMALY_COUNT];
extern const struct sw_word sw_limit_words[SW_LIMIT_COUNT];
extern const struct sw_word sw_tally_words[SW_TALLY_COUNT];
extern const struct sw_word sw_latency_words[SW_LATENCY_COUNT];
extern const struct sw_word sw_verdict_words[SW_VERDICT_COUNT];
extern const struct sw_word sw_kind_words[SW_KIND_COUNT];
extern const struct sw_word sw_timeout_words[SW_TIMEOUT_COUNT];
extern const struct sw_word sw_event_words[SW_EVENT_TYPE_COUNT];
extern const struct sw_word sw_deed_words[SW_DEED_COUNT];
extern const struct sw_word sw_direction_words[SW_DIRECTION_COUNT];
extern const struct sw_word sw_reason_words[SW_REASON_COUNT];
extern const struct sw_word sw_phase_words[SW_PHASE_COUNT];
extern const struct sw_word sw_list_words[SW_LIST_COUNT];
extern const struct sw_word sw_flood_mode_words[SW_FLOOD_MODE_COUNT];
extern const struct sw_word sw_flood_reason_words[SW_FLOOD_REASON_COUNT];
extern const struct sw_word sw_flood_way_words[SW_FLOOD_WAY_COUNT];
extern const struct sw_word sw_flood_verdict_words[SW_FLOOD_VERDICT_COUNT];
extern const struct sw_word sw_check_words[SW_CHECK_COUNT];
extern const struct sw_word sw_check_reason_words[SW_CHECK_REASON_COUNT];
extern const struct sw_word sw_evidence_words[SW_EVIDENCE_COUNT];
extern const struct sw_word sw_way_reason_words[SW_WAY_REASON_COUNT];
extern const struct sw_word sw_degraded_words[SW_DEGRADED_COUNT];
extern const struct sw_word sw_drift_words[SW_DRIFT_COUNT];
extern const struct sw_word sw_protected_words[SW_PROTECTED_COUNT];

/* By what an interface's packets are seen. */
const char *sw_attach_mode_name(enum sw_mode mode);

/* What each timeout is unless the user says otherwise, in milliseconds. */
extern const __u32 sw_timeout_defaults[SW_TIMEOUT_COUNT];

#define sw_name(words, index)                                                                      \
	sw_word_name(words, sizeof(words) / sizeof((words)[0]), (unsigned int)(index))

/* The name, or "unknown" if index is not below count. */
const char *sw_word_name(const struct sw_word *words, unsigned int count, unsigned int index);

/* The index of a name, or -1. */
int sw_word_index(const struct sw_word *words, unsigned int count, const char *name);

/* Is it the outcome of an attempt, which begins with a SYN? Other flows have one, too. */
bool sw_is_of_attempt(enum sw_outcome outcome);

/*
 * The phase of an attempt as its ends' states show it: after a RST or an ICMP error both are closed,
 * though the attempt is remembered in the phase it was in, should that have been forged.
 */
unsigned int sw_phase_shown(const struct sw_attempt *attempt);

/* What RFC 9293 calls the states of the two ends in a phase. */
const char *sw_orig_state(unsigned int phase);
const char *sw_resp_state(unsigned int phase);

#endif
