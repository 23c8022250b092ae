// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <string.h>

#define WORD(id, name, meaning, ...)		{ #name, meaning },
#define ANOMALY(id, name, action, meaning, ...) { #name, meaning },
#define TIMEOUT(id, name, ms, meaning)		{ #name, meaning },
#define TIMEOUT_MS(id, name, ms, meaning)	ms,
#define REASON(id, name)			{ #name, "" },
#define PHASE(id, name, orig, resp)		{ #name, "" },
#define STATE(id, name)				name,
#define PHASE_ORIG(id, name, orig, resp)	SW_STATE_##orig,
#define PHASE_RESP(id, name, orig, resp)	SW_STATE_##resp,

const struct sw_word sw_outcome_words[] = { SW_OUTCOMES(WORD) };
const struct sw_word sw_anomaly_words[] = { SW_ANOMALIES(ANOMALY) };
const struct sw_word sw_limit_words[] = { SW_LIMITS(WORD) };
const struct sw_word sw_tally_words[] = { SW_TALLIES(WORD) };
const struct sw_word sw_latency_words[] = { SW_LATENCIES(WORD) };
const struct sw_word sw_verdict_words[] = { SW_VERDICTS(WORD) };
const struct sw_word sw_kind_words[] = { SW_KINDS(WORD) };
const struct sw_word sw_timeout_words[] = { SW_TIMEOUTS(TIMEOUT) };
const struct sw_word sw_event_words[] = { SW_EVENTS(WORD) };
const struct sw_word sw_reason_words[] = { SW_REASONS(REASON) };
const struct sw_word sw_deed_words[] = { SW_DEEDS(REASON) };
const struct sw_word sw_flood_mode_words[] = { SW_FLOOD_MODES(WORD) };
const struct sw_word sw_flood_reason_words[] = { SW_FLOOD_REASONS(WORD) };
const struct sw_word sw_flood_way_words[] = { SW_FLOOD_WAYS(WORD) };
const struct sw_word sw_flood_verdict_words[] = { SW_FLOOD_VERDICTS(WORD) };
const struct sw_word sw_check_words[] = { SW_CHECKS(WORD) };
const struct sw_word sw_check_reason_words[] = { SW_CHECK_REASONS(WORD) };
const struct sw_word sw_evidence_words[] = { SW_EVIDENCE(WORD) };
const struct sw_word sw_way_reason_words[] = { SW_WAY_REASONS(WORD) };
const struct sw_word sw_degraded_words[] = { SW_DEGRADED(WORD) };
const struct sw_word sw_drift_words[] = { SW_DRIFTS(WORD) };
const struct sw_word sw_phase_words[] = { SW_PHASES(PHASE) };
const struct sw_word sw_list_words[] = { SW_LISTS(WORD) };
const struct sw_word sw_protected_words[] = { SW_PROTECTED(WORD) };
const struct sw_word sw_direction_words[] = {
	[SW_INGRESS] = { "ingress", "arriving" },
	[SW_EGRESS] = { "egress", "leaving" },
};

const __u32 sw_timeout_defaults[] = { SW_TIMEOUTS(TIMEOUT_MS) };

static const char *const states[] = { SW_STATES(STATE) };
static const __u8 phase_orig[] = { SW_PHASES(PHASE_ORIG) };
static const __u8 phase_resp[] = { SW_PHASES(PHASE_RESP) };

const char *sw_word_name(const struct sw_word *words, unsigned int count, unsigned int index)
{
	return index < count ? words[index].name : "unknown";
}

int sw_word_index(const struct sw_word *words, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(words[i].name, name))
			return (int)i;
	return -1;
}

const char *sw_orig_state(unsigned int phase)
{
	return phase < SW_PHASE_COUNT ? states[phase_orig[phase]] : "unknown";
}

const char *sw_resp_state(unsigned int phase)
{
	return phase < SW_PHASE_COUNT ? states[phase_resp[phase]] : "unknown";
}

bool sw_is_of_attempt(enum sw_outcome outcome)
{
	switch (outcome) {
	case SW_OUTCOME_UNSOLICITED_SYNACK:
	case SW_OUTCOME_SYNACK_PICKUP:
	case SW_OUTCOME_MIDSTREAM:
	case SW_OUTCOME_ILLEGAL_FIRST:
	case SW_OUTCOME_UNDECODABLE:
		return false;
	default:
		return true;
	}
}

unsigned int sw_phase_shown(const struct sw_attempt *attempt)
{
	return attempt->seen & SW_SAW_END ? SW_PHASE_NONE : attempt->phase;
}

const char *sw_attach_mode_name(enum sw_mode mode)
{
	static const char *const names[] = {
		[SW_MODE_NATIVE] = "native",
		[SW_MODE_GENERIC] = "generic",
		[SW_MODE_TC] = "tc",
	};

	return mode < SW_MODE_AUTO ? names[mode] : "unknown";
}
