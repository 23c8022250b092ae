// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

/* Longer than anything that can be meant. */
#define MAX_TEXT 128

#define OPTIONAL CYAML_FLAG_OPTIONAL

/* Levels of keys are no structures: the values of all levels lie side by side in the service. */
#define LEVEL(word, fields_of_it)                                                                  \
	{                                                                                          \
		.key = (word),                                                                     \
		.value = {                                                                         \
			CYAML_VALUE_MAPPING(OPTIONAL, struct sw_file_service, (fields_of_it)),     \
		},                                                                                 \
	}
#define TEXT(key, structure, member)                                                               \
	CYAML_FIELD_STRING_PTR((key), OPTIONAL, struct structure, member, 0, MAX_TEXT)
#define RULE(key, id) TEXT((key), sw_file_service, rules[SW_RULE_##id])

static const cyaml_schema_field_t actions[] = {
#define X(id, name, ...) RULE(#name, ACTION_##id),
	SW_ANOMALIES(X)
#undef X
		CYAML_FIELD_END
};

static const cyaml_schema_field_t timeouts[] = {
#define X(id, name, ...) RULE(#name, TIMEOUT_##id),
	SW_TIMEOUTS(X)
#undef X
		CYAML_FIELD_END
};

static const cyaml_schema_field_t source_prefix[] = {
	RULE("ipv4", PREFIX4),
	RULE("ipv6", PREFIX6),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t syn_rate[] = {
	RULE("per_second", SYN_RATE),
	RULE("burst", SYN_BURST),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t half_open[] = {
	RULE("per_source", HALF_OPEN_SOURCE),
	RULE("per_service", HALF_OPEN_SERVICE),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t flood[] = {
	RULE("half_open", FLOOD_HALF_OPEN),
	RULE("syn_rate", FLOOD_SYN_RATE),
	RULE("calm", FLOOD_CALM),
	RULE("self_check", FLOOD_SELF_CHECK),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits[] = {
	LEVEL("source_prefix", source_prefix),
	LEVEL("syn_rate", syn_rate),
	LEVEL("half_open", half_open),
	CYAML_FIELD_END,
};

#define RULES                                                                                      \
	RULE("mode", MODE), RULE("strict", STRICT), RULE("warm_up", WARM_UP),                      \
		RULE("syn_flood", SYN_FLOOD), LEVEL("flood", flood), LEVEL("actions", actions),    \
		LEVEL("limits", limits), LEVEL("timeouts", timeouts)

static const cyaml_schema_field_t others[] = { RULES, CYAML_FIELD_END };

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, MAX_TEXT),
};

static const cyaml_schema_field_t service[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct sw_file_service, name, 0,
			       MAX_TEXT),
	TEXT("family", sw_file_service, family),
	CYAML_FIELD_SEQUENCE_COUNT("addresses", OPTIONAL | CYAML_FLAG_POINTER,
				   struct sw_file_service, addresses, address_count, &text, 1,
				   SW_SERVICE_PREFIXES),
	CYAML_FIELD_SEQUENCE_COUNT("ports", OPTIONAL | CYAML_FLAG_POINTER, struct sw_file_service,
				   ports, port_count, &text, 1, SW_SERVICE_PORTS),
	RULES,
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sw_file_service, service),
};

static const cyaml_schema_field_t auto_block[] = {
#define BLOCK(key, id) TEXT(key, sw_file, auto_block[SW_BLOCK_##id])
	BLOCK("enabled", ENABLED), BLOCK("offences", OFFENCES), BLOCK("window", WINDOW),
	BLOCK("expiry", EXPIRY),   BLOCK("maximum", MAXIMUM),	BLOCK("evidence", EVIDENCE),
	CYAML_FIELD_END,
#undef BLOCK
};

static const cyaml_schema_field_t flood_defence[] = {
	TEXT("way", sw_file, flood_defence[SW_DEFENCE_WAY]),
	TEXT("set_syncookies", sw_file, flood_defence[SW_DEFENCE_SET_SYNCOOKIES]),
	TEXT("unheard", sw_file, flood_defence[SW_DEFENCE_UNHEARD]),
	TEXT("shared_secret", sw_file, flood_defence[SW_DEFENCE_SHARED_SECRET]),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t gateway[] = {
	TEXT("hairpin", sw_file, gateway[SW_GATEWAY_HAIRPIN]),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t file[] = {
	CYAML_FIELD_STRING_PTR("version", CYAML_FLAG_DEFAULT, struct sw_file, version, 0, MAX_TEXT),
	CYAML_FIELD_MAPPING("default", OPTIONAL, struct sw_file, others, others),
	CYAML_FIELD_SEQUENCE_COUNT("services", OPTIONAL | CYAML_FLAG_POINTER, struct sw_file,
				   services, service_count, &service_entry, 0, SW_MAX_SERVICES),
	{
		.key = "auto_block",
		.value = { CYAML_VALUE_MAPPING(OPTIONAL, struct sw_file, auto_block) },
	},
	{
		.key = "flood_defence",
		.value = { CYAML_VALUE_MAPPING(OPTIONAL, struct sw_file, flood_defence) },
	},
	{
		.key = "gateway",
		.value = { CYAML_VALUE_MAPPING(OPTIONAL, struct sw_file, gateway) },
	},
	CYAML_FIELD_END,
};

const cyaml_schema_value_t sw_file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sw_file, file),
};
