// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_keys.h"

#include "../base/error.h"
#include "../base/number.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = { "monitor", "enforce", NULL };
static const char *const floods[] = {
#define X(id, name, meaning) #name,
	SW_FLOOD_MODES(X)
#undef X
		NULL,
};
const char *const sw_flood_wishes[] = {
	"auto",
#define X(id, name, meaning) #name,
	SW_FLOOD_WAYS(X)
#undef X
		NULL,
};
static const char *const switches[] = { "no", "yes", NULL };
static const char *const evidences[] = { "source", "flow", NULL };
static const char *const unheards[] = { "pass", "answer", NULL };
static const char *const hairpins[] = { "auto", "yes", "no", NULL }; /* by enum sw_hairpin */
static const char *const actions[] = {
	[SW_ACTS_COUNT] = "count",
	[SW_ACTS_DROP] = "drop",
	[SW_ACTS_STRICT] = "strict",
	NULL,
};

/* Other words of YAML for yes and no. */
static const char *const other_switches[] = { "false", "true", "off", "on", NULL };

#define KEY(of, member, path, kind, low, high, words)                                              \
	{                                                                                          \
		path, SW_KEY_##kind, offsetof(struct of, member),                                  \
			sizeof(((struct of *)0)->member), low, high, words                         \
	}
#define RULE(member, path, kind, low, high, words)                                                 \
	KEY(sw_rules, member, path, kind, low, high, words)
#define BLOCK(member, path, kind, low, high, words)                                                \
	KEY(sw_auto_block, member, path, kind, low, high, words)
#define DEFENCE(member, path, kind, low, high, words)                                              \
	KEY(sw_flood_defence, member, path, kind, low, high, words)
#define GATEWAY(member, path, kind, low, high, words)                                              \
	KEY(sw_gateway, member, path, kind, low, high, words)

const struct sw_key sw_rule_keys[] = {
	[SW_RULE_MODE] = RULE(enforce, "mode", CHOICE, 0, 1, modes),
	[SW_RULE_STRICT] = RULE(strict, "strict", SWITCH, 0, 1, switches),
	[SW_RULE_WARM_UP] = RULE(warm_up_ms, "warm_up", MS, 0, SW_MAX_WARM_UP_MS, NULL),
	[SW_RULE_SYN_FLOOD] = RULE(flood.mode, "syn_flood", CHOICE, 0, SW_FLOOD_MODE_COUNT - 1,
				   floods),
	[SW_RULE_FLOOD_HALF_OPEN] = RULE(flood.half_open, "flood.half_open", NUMBER, 1,
					 SW_MAX_FLOOD_HALF_OPEN, NULL),
	[SW_RULE_FLOOD_SYN_RATE] = RULE(flood.syn_rate, "flood.syn_rate", NUMBER, 1,
					SW_MAX_FLOOD_SYN_RATE, NULL),
	[SW_RULE_FLOOD_CALM] = RULE(flood.calm_ms, "flood.calm", MS, SW_MIN_FLOOD_CALM_MS,
				    SW_MAX_FLOOD_CALM_MS, NULL),
	[SW_RULE_FLOOD_SELF_CHECK] = RULE(flood.self_check, "flood.self_check", SWITCH, 0, 1,
					  switches),
#define X(id, name, ...)                                                                           \
	[SW_RULE_ACTION_##                                                                         \
		id] = { "actions." #name, SW_KEY_ACTION, 0, 0, 0, SW_ACTS_STRICT, actions },
	SW_ANOMALIES(X)
#undef X
		[SW_RULE_PREFIX4] = RULE(prefix4, "limits.source_prefix.ipv4", NUMBER, 8, 32, NULL),
	[SW_RULE_PREFIX6] = RULE(prefix6, "limits.source_prefix.ipv6", NUMBER, 16, 128, NULL),
	[SW_RULE_SYN_RATE] = RULE(syn_rate, "limits.syn_rate.per_second", NUMBER, 0,
				  SW_MAX_SYN_RATE, NULL),
	[SW_RULE_SYN_BURST] = RULE(syn_burst, "limits.syn_rate.burst", NUMBER, 1, SW_MAX_SYN_BURST,
				   NULL),
	[SW_RULE_HALF_OPEN_SOURCE] = RULE(half_open_source, "limits.half_open.per_source", NUMBER,
					  0, SW_MAX_HALF_OPEN, NULL),
	[SW_RULE_HALF_OPEN_SERVICE] = RULE(half_open_service, "limits.half_open.per_service",
					   NUMBER, 0, SW_MAX_HALF_OPEN, NULL),
#define X(id, name, ms, meaning)                                                                   \
	[SW_RULE_TIMEOUT_##id] = RULE(timeout_ms[SW_TIMEOUT_##id], "timeouts." #name, MS,          \
				      SW_MIN_TIMEOUT_MS, SW_MAX_TIMEOUT_MS, NULL),
	SW_TIMEOUTS(X)
#undef X
};

const struct sw_key sw_auto_block_keys[] = {
	[SW_BLOCK_ENABLED] = BLOCK(enabled, "enabled", SWITCH, 0, 1, switches),
	[SW_BLOCK_OFFENCES] = BLOCK(offences, "offences", NUMBER, 1, SW_MAX_OFFENCES, NULL),
	[SW_BLOCK_WINDOW] = BLOCK(window_s, "window", SECONDS, 1, SW_MAX_BLOCK_WINDOW_S, NULL),
	[SW_BLOCK_EXPIRY] = BLOCK(expiry_s, "expiry", SECONDS, 1, SW_MAX_BLOCK_EXPIRY_S, NULL),
	[SW_BLOCK_MAXIMUM] = BLOCK(maximum, "maximum", NUMBER, 1, SW_MAX_AUTO_BLOCKS, NULL),
	[SW_BLOCK_EVIDENCE] = BLOCK(own_flows, "evidence", CHOICE, 0, 1, evidences),
};

const struct sw_key sw_flood_defence_keys[] = {
	[SW_DEFENCE_WAY] = DEFENCE(way, "way", CHOICE, 0, SW_FLOOD_WISH_COUNT - 1, sw_flood_wishes),
	[SW_DEFENCE_SET_SYNCOOKIES] = DEFENCE(set_syncookies, "set_syncookies", SWITCH, 0, 1,
					      switches),
	[SW_DEFENCE_UNHEARD] = DEFENCE(unheard, "unheard", CHOICE, 0, 1, unheards),
	[SW_DEFENCE_SHARED_SECRET] = DEFENCE(shared_secret, "shared_secret", SWITCH, 0, 1,
					     switches),
};

const struct sw_key sw_gateway_keys[] = {
	[SW_GATEWAY_HAIRPIN] = GATEWAY(hairpin, "hairpin", CHOICE, 0, SW_HAIRPIN_COUNT - 1,
				       hairpins),
};

static __u64 bit(const struct sw_key *key)
{
	return 1ULL << (key - &sw_rule_keys[SW_RULE_ACTIONS]);
}

uint32_t sw_key_get(const struct sw_key *key, const void *of)
{
	const struct sw_rules *rules = of;
	const char *at = (const char *)of + key->offset;
	uint32_t value;

	if (key->kind == SW_KEY_ACTION)
		return rules->drop & bit(key)	     ? SW_ACTS_DROP :
		       rules->strict_drop & bit(key) ? SW_ACTS_STRICT :
						       SW_ACTS_COUNT;
	if (key->size == 1)
		return *(const uint8_t *)at;
	memcpy(&value, at, sizeof(value));
	return value;
}

void sw_key_set(const struct sw_key *key, void *of, uint32_t value)
{
	struct sw_rules *rules = of;
	char *at = (char *)of + key->offset;

	if (key->kind == SW_KEY_ACTION) {
		rules->drop &= ~bit(key);
		rules->strict_drop &= ~bit(key);
		if (value == SW_ACTS_DROP)
			rules->drop |= bit(key);
		if (value == SW_ACTS_STRICT)
			rules->strict_drop |= bit(key);
	} else if (key->size == 1) {
		*(uint8_t *)at = (uint8_t)value;
	} else {
		memcpy(at, &value, sizeof(value));
	}
}

bool sw_key_is_set(const struct sw_key *key, const void *of)
{
	return sw_key_get(key, of) >= key->minimum;
}

const char *sw_key_format(char text[SW_KEY_TEXT_SIZE], const struct sw_key *key, const void *of)
{
	uint32_t value = sw_key_get(key, of);

	switch (key->kind) {
	case SW_KEY_NUMBER:
		sw_format(text, SW_KEY_TEXT_SIZE, "%u", value);
		break;
	case SW_KEY_MS:
		sw_format_exact_duration(text, value);
		break;
	case SW_KEY_SECONDS:
		sw_format_exact_duration(text, value * 1000ULL);
		break;
	case SW_KEY_SWITCH:
	case SW_KEY_CHOICE:
	case SW_KEY_ACTION:
		/* what the kernel calls true need not be 1 */
		sw_format(text, SW_KEY_TEXT_SIZE, "%s",
			  key->choices[value > key->maximum ? key->maximum : value]);
		break;
	}
	return text;
}

static bool parse_choice(const char *const *choices, const char *text, uint64_t *value)
{
	for (unsigned int i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], text)) {
			*value = i;
			return true;
		}
	}
	return false;
}

bool sw_parse_switch(const char *text, uint64_t *value)
{
	if (parse_choice(other_switches, text, value)) {
		*value &= 1;
		return true;
	}
	return parse_choice(switches, text, value);
}

static bool parse(const struct sw_key *key, const char *text, uint64_t *value)
{
	switch (key->kind) {
	case SW_KEY_NUMBER:
		/* to some readers of YAML 010 is 8 */
		return !(text[0] == '0' && text[1]) && sw_parse_number(text, value);
	case SW_KEY_MS:
		return sw_parse_duration(text, value);
	case SW_KEY_SECONDS:
		if (!sw_parse_duration(text, value) || *value % 1000)
			return false;
		*value /= 1000;
		return true;
	case SW_KEY_SWITCH:
		return sw_parse_switch(text, value);
	case SW_KEY_CHOICE:
	case SW_KEY_ACTION:
		return parse_choice(key->choices, text, value);
	}
	return false;
}

bool sw_key_parse(const struct sw_key *key, const char *text, void *of)
{
	uint64_t value;

	if (!parse(key, text, &value) || value < key->minimum || value > key->maximum)
		return false;
	sw_key_set(key, of, (uint32_t)value);
	return true;
}

const char *sw_key_expected(char text[SW_KEY_EXPECTED_SIZE], const struct sw_key *key)
{
	char low[SW_NUMBER_SIZE], high[SW_NUMBER_SIZE];

	switch (key->kind) {
	case SW_KEY_NUMBER:
		sw_format(text, SW_KEY_EXPECTED_SIZE, "a whole number from %s to %s",
			  sw_format_count(low, key->minimum), sw_format_count(high, key->maximum));
		break;
	case SW_KEY_MS:
		sw_format(text, SW_KEY_EXPECTED_SIZE,
			  "a duration from %s to %s, such as %s, 30s or 1h",
			  sw_format_exact_duration(low, key->minimum),
			  sw_format_duration(high, key->maximum),
			  key->minimum > 500 ? "1.5s" : "500ms");
		break;
	case SW_KEY_SECONDS:
		sw_format(text, SW_KEY_EXPECTED_SIZE,
			  "a duration of whole seconds from %s to %s, such as 30s or 1h",
			  sw_format_exact_duration(low, key->minimum * 1000ULL),
			  sw_format_duration(high, key->maximum * 1000ULL));
		break;
	case SW_KEY_SWITCH:
	case SW_KEY_CHOICE:
	case SW_KEY_ACTION:
		sw_format_choices(text, SW_KEY_EXPECTED_SIZE, key->choices);
		break;
	}
	return text;
}
