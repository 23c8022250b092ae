// SPDX-License-Identifier: GPL-2.0-or-later
#include "check.h"

#include "../base/error.h"
#include "../base/number.h"

#include <string.h>

#define MAX_PATH 128

/* As many keys can be listed in a message. */
#define MANY_KEYS 16

/* A value that is to be checked. */
struct place {
	struct sw_file_text *source;
	const char *path; /* "" for the file as a whole */
	yaml_node_t *node;
	unsigned int line;
};

static int check(const struct place *place, const cyaml_schema_value_t *schema);

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* Where, for a message: "in default.limits", or "here" at the top. */
static const char *within(const char *path)
{
	return *path ? path : "the file";
}

static const char *join(char joined[MAX_PATH], const char *path, const char *key)
{
	sw_format(joined, MAX_PATH, "%s%s%s", path, *path ? "." : "", key);
	return joined;
}

/* ---- values of the wrong kind */

static const char *kind_wanted(const cyaml_schema_value_t *schema)
{
	return schema->type == CYAML_MAPPING  ? "keys with values, indented below it" :
	       schema->type == CYAML_SEQUENCE ? "a list, such as [a, b]" :
						"one value";
}

static int wrong_kind(const struct place *place, const cyaml_schema_value_t *schema)
{
	char shown[SW_SHOWN_SIZE];
	const char *got;

	if (place->node->type == YAML_MAPPING_NODE)
		got = "keys";
	else if (place->node->type == YAML_SEQUENCE_NODE)
		got = "a list";
	else
		got = sw_source_shown(shown, text_of(place->node));
	return sw_source_error(place->source, place->line, "%s: expected %s, got %s",
			       within(place->path), kind_wanted(schema), got);
}

static int check_scalar(const struct place *place, const cyaml_schema_value_t *schema)
{
	size_t length = place->node->data.scalar.length;
	char shown[SW_SHOWN_SIZE];

	if (strlen(text_of(place->node)) != length)
		return sw_source_error(place->source, place->line,
				       "%s: a NUL character in the value; write it without",
				       place->path);
	if (length > schema->string.max)
		return sw_source_error(place->source, place->line,
				       "%s: %s: expected at most %u characters, got %zu",
				       place->path, sw_source_shown(shown, text_of(place->node)),
				       schema->string.max, length);
	return 0;
}

/* ---- lists */

static int check_list(const struct place *place, const cyaml_schema_value_t *schema)
{
	yaml_node_t *list = place->node;
	unsigned int count = list->data.sequence.items.top - list->data.sequence.items.start;
	unsigned int most = schema->sequence.max;
	char path[MAX_PATH];
	int error;

	if (count < schema->sequence.min)
		return sw_source_error(place->source, place->line,
				       "%s: the list is empty; name at least one, or leave the key "
				       "out, which means all",
				       place->path);
	for (unsigned int i = 0; i < count; i++) {
		yaml_node_t *node = sw_source_node(place->source,
						   list->data.sequence.items.start[i]);
		struct place item = { place->source, path, node,
				      sw_source_line_of(place->source, node) };

		sw_format(path, sizeof(path), "%s[%u]", place->path, i);
		if (i == most)
			return sw_source_error(place->source, item.line,
					       "%s: there are %u of them; expected at most %u",
					       place->path, count, most);
		error = check(&item, schema->sequence.entry);
		if (error)
			return error;
	}
	return 0;
}

/* ---- keys */

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key; fields++)
		if (!strcmp(fields->key, key))
			return fields;
	return NULL;
}

static int unknown_key(const struct place *place, unsigned int line, const char *key,
		       const cyaml_schema_field_t *fields)
{
	const char *best = NULL, *in = within(place->path);
	char shown[SW_SHOWN_SIZE], all[256] = "";
	unsigned int count = 0;

	sw_source_shown(shown, key);
	for (const cyaml_schema_field_t *field = fields; field->key; field++)
		sw_word_nearest(&best, key, field->key);
	if (best)
		return sw_source_error(place->source, line,
				       "unknown key %s in %s: did you mean %s?", shown, in, best);
	for (; fields[count].key; count++)
		sw_format(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			  !count		? "" :
			  fields[count + 1].key ? ", " :
						  " or ",
			  fields[count].key);
	if (count > MANY_KEYS)
		return sw_source_error(place->source, line,
				       "unknown key %s in %s: expected the name of an anomaly; "
				       "'synward explain' lists them",
				       shown, in);
	return sw_source_error(place->source, line, "unknown key %s in %s: expected %s", shown, in,
			       all);
}

static int check_key(const struct place *place, const yaml_node_pair_t *pair,
		     const cyaml_schema_field_t *fields)
{
	yaml_node_t *key = sw_source_node(place->source, pair->key);
	unsigned int line = sw_source_line_of(place->source, key);
	const cyaml_schema_field_t *field;
	struct place value = { .source = place->source };
	char path[MAX_PATH];

	if (key->type != YAML_SCALAR_NODE)
		return sw_source_error(place->source, line,
				       "%s: a key is a list or has keys itself; expected a word",
				       within(place->path));
	field = find_field(fields, text_of(key));
	if (!field || strlen(text_of(key)) != key->data.scalar.length)
		return unknown_key(place, line, text_of(key), fields);
	for (yaml_node_pair_t *other = place->node->data.mapping.pairs.start; other < pair;
	     other++) {
		yaml_node_t *before = sw_source_node(place->source, other->key);

		if (before->type == YAML_SCALAR_NODE && !strcmp(text_of(before), text_of(key)))
			return sw_source_error(place->source, line,
					       "%s: given a second time, after line %u; take one "
					       "of them away",
					       join(path, place->path, field->key),
					       sw_source_line_of(place->source, before));
	}
	value.path = join(path, place->path, field->key);
	value.node = sw_source_node(place->source, pair->value);
	value.line = sw_source_line_of_pair(place->source, pair);
	return check(&value, &field->value);
}

static int check_keys(const struct place *place, const cyaml_schema_field_t *fields)
{
	yaml_node_pair_t *first = place->node->data.mapping.pairs.start;
	yaml_node_pair_t *end = place->node->data.mapping.pairs.top;
	int error;

	for (yaml_node_pair_t *pair = first; pair < end; pair++) {
		error = check_key(place, pair, fields);
		if (error)
			return error;
	}
	for (const cyaml_schema_field_t *field = fields; field->key; field++) {
		yaml_node_pair_t *pair = first;

		if (field->value.flags & CYAML_FLAG_OPTIONAL)
			continue;
		while (pair < end &&
		       strcmp(text_of(sw_source_node(place->source, pair->key)), field->key) != 0)
			pair++;
		if (pair == end)
			return sw_source_error(place->source, place->line,
					       "%s: has no key %s; add it", within(place->path),
					       field->key);
	}
	return 0;
}

static int check(const struct place *place, const cyaml_schema_value_t *schema)
{
	if (schema->type == CYAML_MAPPING && place->node->type == YAML_MAPPING_NODE)
		return check_keys(place, schema->mapping.fields);
	if (schema->type == CYAML_SEQUENCE && place->node->type == YAML_SEQUENCE_NODE)
		return check_list(place, schema);
	if (schema->type == CYAML_STRING && place->node->type == YAML_SCALAR_NODE)
		return check_scalar(place, schema);
	return wrong_kind(place, schema);
}

int sw_source_check(struct sw_file_text *source, const cyaml_schema_value_t *schema)
{
	yaml_node_t *root = sw_source_root(source);
	struct place place = { source, "", root, sw_source_line_of(source, root) };

	return check(&place, schema);
}
