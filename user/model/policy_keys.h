/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_POLICY_KEYS_H
#define SYNWARD_MODEL_POLICY_KEYS_H

/*
 * The single values that a policy consists of, apart from which packets a service is about: their
 * names in the policy file, their ranges and their texts. Reading, printing and comparing policies
 * go through these tables.
 */

#include <synward/policy.h>

#include <stdbool.h>
#include <stdint.h>

enum sw_key_kind {
	SW_KEY_NUMBER,
	SW_KEY_MS,	/* a duration, kept in milliseconds */
	SW_KEY_SECONDS, /* a duration, kept in seconds */
	SW_KEY_SWITCH,	/* yes or no */
	SW_KEY_CHOICE,	/* one of choices */
	SW_KEY_ACTION,	/* of an anomaly; kept as bits of the two sets of struct sw_rules */
};

struct sw_key {
	const char *path; /* levels are separated by dots: limits.syn_rate.burst */
	enum sw_key_kind kind;
	uint16_t offset; /* of the value in its structure; not of an action */
	uint16_t size;
	uint32_t minimum; /* of what can be said; a value below it is one that is not set */
	uint32_t maximum;
	const char *const *choices; /* ends with NULL */
};

/* Of struct sw_rules: single ones, then the actions, the limits and the timeouts. */
enum sw_rule_key {
	SW_RULE_MODE,
	SW_RULE_STRICT,
	SW_RULE_WARM_UP,
	SW_RULE_SYN_FLOOD,
	SW_RULE_FLOOD_HALF_OPEN,
	SW_RULE_FLOOD_SYN_RATE,
	SW_RULE_FLOOD_CALM,
	SW_RULE_FLOOD_SELF_CHECK,
#define X(id, ...) SW_RULE_ACTION_##id,
	SW_ANOMALIES(X)
#undef X
		SW_RULE_PREFIX4,
	SW_RULE_PREFIX6,
	SW_RULE_SYN_RATE,
	SW_RULE_SYN_BURST,
	SW_RULE_HALF_OPEN_SOURCE,
	SW_RULE_HALF_OPEN_SERVICE,
#define X(id, ...) SW_RULE_TIMEOUT_##id,
	SW_TIMEOUTS(X)
#undef X
		SW_RULE_KEY_COUNT
};

/* The first of each kind, in the order of enum sw_anomaly and enum sw_timeout. */
#define SW_RULE_ACTIONS	 (SW_RULE_FLOOD_SELF_CHECK + 1)
#define SW_RULE_TIMEOUTS (SW_RULE_HALF_OPEN_SERVICE + 1)

enum sw_auto_block_key {
	SW_BLOCK_ENABLED,
	SW_BLOCK_OFFENCES,
	SW_BLOCK_WINDOW,
	SW_BLOCK_EXPIRY,
	SW_BLOCK_MAXIMUM,
	SW_BLOCK_EVIDENCE,
	SW_BLOCK_KEY_COUNT
};

enum sw_flood_defence_key {
	SW_DEFENCE_WAY,
	SW_DEFENCE_SET_SYNCOOKIES,
	SW_DEFENCE_UNHEARD,
	SW_DEFENCE_SHARED_SECRET,
	SW_DEFENCE_KEY_COUNT
};

enum sw_gateway_key { SW_GATEWAY_HAIRPIN, SW_GATEWAY_KEY_COUNT };

extern const struct sw_key sw_rule_keys[SW_RULE_KEY_COUNT];
extern const struct sw_key sw_auto_block_keys[SW_BLOCK_KEY_COUNT];
extern const struct sw_key sw_flood_defence_keys[SW_DEFENCE_KEY_COUNT];
extern const struct sw_key sw_gateway_keys[SW_GATEWAY_KEY_COUNT];

/* What may be said of the way, by enum sw_flood_wish; ends with NULL. */
extern const char *const sw_flood_wishes[SW_FLOOD_WISH_COUNT + 1];

/* The values of an SW_KEY_ACTION. */
enum sw_action { SW_ACTS_COUNT, SW_ACTS_DROP, SW_ACTS_STRICT };

/* The value of a key; of is the struct sw_rules, sw_auto_block, sw_flood_defence or sw_gateway of its table. */
uint32_t sw_key_get(const struct sw_key *key, const void *of);
void sw_key_set(const struct sw_key *key, void *of, uint32_t value);

#define SW_KEY_TEXT_SIZE 32

/* The value as it stands in a policy file. Returns text. */
const char *sw_key_format(char text[SW_KEY_TEXT_SIZE], const struct sw_key *key, const void *of);

/* Sets the value from its text; false, and nothing is changed, if that is none or out of range. */
bool sw_key_parse(const struct sw_key *key, const char *text, void *of);

#define SW_KEY_EXPECTED_SIZE 96

/* What could have been said, to follow "expected ": "a whole number from 8 to 32". Returns text. */
const char *sw_key_expected(char text[SW_KEY_EXPECTED_SIZE], const struct sw_key *key);

/* Yes or no, in one of YAML's words: 1 or 0. False, and nothing is changed, if it is none. */
bool sw_parse_switch(const char *text, uint64_t *value);

/* Can it be said, or is the value one that means that nothing was? */
bool sw_key_is_set(const struct sw_key *key, const void *of);

#endif
