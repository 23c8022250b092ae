// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach_file.h"

#include "../base/error.h"
#include "../model/names.h"
#include "../model/policy_keys.h"
#include "fill.h"
#include "source.h"

#include <net/if.h>
#include <string.h>

#define MAX_KEYS 24
#define MAX_TEXT 128

/* What libcyaml fills in; a value that the file does not name is NULL. */
struct contents {
	char *version;
	char **interfaces;
	unsigned int interface_count;
	char *values[MAX_KEYS]; /* of the options that are keys, in their order */
	char *timeouts[SW_TIMEOUT_COUNT];
};

/* The schema, which is made of the table of options. */
static struct {
	const struct sw_option *options[MAX_KEYS];
	char names[MAX_KEYS][32];
	cyaml_schema_field_t fields[MAX_KEYS + 4]; /* the last is nothing, which ends them */
	unsigned int count;
} keys;

static const cyaml_schema_field_t timeouts[] = {
#define X(id, name, ...)                                                                           \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_OPTIONAL, struct contents,                        \
			       timeouts[SW_TIMEOUT_##id], 0, MAX_TEXT),
	SW_TIMEOUTS(X)
#undef X
		CYAML_FIELD_END
};

static const cyaml_schema_value_t interface = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, IFNAMSIZ - 1),
};

static const cyaml_schema_field_t common_fields[] = {
	CYAML_FIELD_STRING_PTR("version", CYAML_FLAG_DEFAULT, struct contents, version, 0,
			       MAX_TEXT),
	CYAML_FIELD_SEQUENCE_COUNT("interfaces", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
				   struct contents, interfaces, interface_count, &interface, 0,
				   SW_MAX_INTERFACES),
	{
		.key = "timeouts",
		/* a level of keys is no structure: its values lie beside the others */
		.value = { CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct contents, timeouts) },
	},
};

/* That of the first option. */
static const cyaml_schema_field_t option_field =
	CYAML_FIELD_STRING_PTR("", CYAML_FLAG_OPTIONAL, struct contents, values[0], 0, MAX_TEXT);

#define COMMON_COUNT (sizeof(common_fields) / sizeof(common_fields[0]))
_Static_assert(COMMON_COUNT < 4, "the schema has room for them, and for its end");

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct contents, keys.fields),
};

static bool is_key(const struct sw_option *option)
{
	return option->kind != SW_OPTION_STRING && option->kind != SW_OPTION_CALLBACK;
}

static const char *key_name(char name[32], const struct sw_option *option)
{
	sw_format(name, 32, "%s", option->long_name);
	for (char *letter = name; *letter; letter++)
		if (*letter == '-')
			*letter = '_';
	return name;
}

static void make_schema(const struct sw_option *options)
{
	cyaml_schema_field_t *field = keys.fields;

	memcpy(field, common_fields, sizeof(common_fields));
	field += COMMON_COUNT;
	keys.count = 0;
	for (; options->long_name && keys.count < MAX_KEYS; options++) {
		if (!is_key(options))
			continue;
		*field = option_field;
		field->key = key_name(keys.names[keys.count], options);
		field->data_offset += keys.count * sizeof(char *);
		keys.options[keys.count++] = options;
		field++;
	}
}

/* A flag of the command line is yes or no here. */
static bool set(const struct sw_option *option, const char *text)
{
	uint64_t on;

	if (option->kind != SW_OPTION_FLAG)
		return sw_option_set(option, text);
	if (!sw_parse_switch(text, &on))
		return false;
	*(bool *)option->value = on;
	return true;
}

static int take_options(struct sw_file_text *source, const struct contents *contents)
{
	char shown[SW_SHOWN_SIZE], expected[SW_OPTION_EXPECTED_SIZE];

	for (unsigned int i = 0; i < keys.count; i++) {
		const struct sw_option *option = keys.options[i];
		const char *text = contents->values[i];

		if (!text || set(option, text))
			continue;
		sw_option_expected(expected, option);
		return sw_source_error(source, sw_source_line(source, "%s", keys.names[i]),
				       "%s: %s: expected %s", keys.names[i],
				       sw_source_shown(shown, text),
				       option->kind == SW_OPTION_FLAG ? "no or yes" : expected);
	}
	return 0;
}

/* By the ranges that they have in a policy file. */
static int take_timeouts(struct sw_file_text *source, const struct contents *contents,
			 uint32_t timeout_ms[SW_TIMEOUT_COUNT])
{
	char shown[SW_SHOWN_SIZE], expected[SW_KEY_EXPECTED_SIZE];
	struct sw_rules rules = {};

	for (unsigned int i = 0; i < SW_TIMEOUT_COUNT; i++) {
		const struct sw_key *key = &sw_rule_keys[SW_RULE_TIMEOUTS + i];
		const char *text = contents->timeouts[i];

		if (!text)
			continue;
		if (!sw_key_parse(key, text, &rules))
			return sw_source_error(source, sw_source_line(source, "%s", key->path),
					       "%s: %s: expected %s", key->path,
					       sw_source_shown(shown, text),
					       sw_key_expected(expected, key));
		timeout_ms[i] = sw_key_get(key, &rules);
	}
	return 0;
}

int sw_attach_file_open(const char *path, const struct sw_option *options,
			uint32_t timeout_ms[SW_TIMEOUT_COUNT], struct sw_attach_file *file)
{
	SW_AUTO_SOURCE struct sw_file_text source;
	SW_AUTO_ATTACH_FILE struct sw_attach_file opened = {};
	const struct contents *contents;
	int error = sw_source_open(path, "attach file", &source);

	if (error)
		return error;
	make_schema(options);
	error = sw_source_fill(&source, &schema, &opened.data);
	contents = opened.data;
	if (!error)
		error = sw_source_check_version(&source, contents->version);
	if (!error)
		error = take_options(&source, contents);
	if (!error)
		error = take_timeouts(&source, contents, timeout_ms);
	if (error)
		return error;
	opened.interfaces = contents->interfaces;
	opened.interface_count = contents->interface_count;
	*file = opened;
	opened.data = NULL;
	return 0;
}

void sw_attach_file_close(struct sw_attach_file *file)
{
	sw_source_free_data(&schema, file->data);
	file->data = NULL;
}
