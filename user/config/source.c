// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/input.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The largest policy that can be said is far below. */
#define MAX_BYTES (1024U * 1024)
#define MAX_DEPTH 32

/* Some editors put it first. To libyaml, once it is told the encoding, it is a character. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

int sw_source_error(const struct sw_file_text *source, unsigned int line, const char *format, ...)
{
	char text[768];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return sw_error(EINVAL, "%s:%u: %s", source->path, line, text);
}

const char *sw_source_shown(char shown[SW_SHOWN_SIZE], const char *text)
{
	size_t length = strlen(text), end = length;

	if (!length)
		return strcpy(shown, "nothing");
	if (length >= SW_SHOWN_SIZE)
		end = SW_SHOWN_SIZE - 4;
	/* not within a character of UTF-8 */
	while (end < length && end && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	sw_format(shown, SW_SHOWN_SIZE, "%.*s%s", (int)end, text, end < length ? "..." : "");
	for (char *letter = shown; *letter; letter++)
		if (iscntrl((unsigned char)*letter))
			*letter = ' ';
	return shown;
}

/* ---- lines */

/*
 * The line of a byte. libyaml counts lines, too, but by its own idea of what ends one. An end of the
 * file that follows a line's end is no line of its own.
 */
static unsigned int line_of_byte(const struct sw_file_text *source, size_t byte)
{
	unsigned int line = 1;

	if (byte >= source->length && source->length)
		byte = source->length - 1;
	for (size_t i = 0; i < byte; i++)
		line += source->text[i] == '\n';
	return line;
}

/* Counted once: a policy has as many marks as values, and is asked for the line of nearly each. */
static int index_lines(struct sw_file_text *source)
{
	size_t characters = 0;

	source->line_count = line_of_byte(source, source->length);
	source->lines = calloc(source->line_count, sizeof(*source->lines));
	if (!source->lines)
		return sw_error(ENOMEM, "no memory to read %s", source->path);
	for (size_t byte = 0, line = 1; line < source->line_count; byte++) {
		characters += ((unsigned char)source->text[byte] & 0xc0) != 0x80;
		if (source->text[byte] == '\n')
			source->lines[line++] = characters;
	}
	return 0;
}

/* Marks count characters, not bytes. */
static unsigned int line_of_mark(const struct sw_file_text *source, const yaml_mark_t *mark)
{
	size_t first = 0, after = source->line_count;

	while (after - first > 1) {
		size_t middle = first + (after - first) / 2;

		if (source->lines[middle] <= mark->index)
			first = middle;
		else
			after = middle;
	}
	return first + 1;
}

unsigned int sw_source_line_of(const struct sw_file_text *source, const yaml_node_t *node)
{
	return line_of_mark(source, &node->start_mark);
}

unsigned int sw_source_line_of_pair(struct sw_file_text *source, const yaml_node_pair_t *pair)
{
	yaml_node_t *value = sw_source_node(source, pair->value);

	if (value->type == YAML_SCALAR_NODE && value->data.scalar.length)
		return sw_source_line_of(source, value);
	return sw_source_line_of(source, sw_source_node(source, pair->key));
}

/* ---- the tree */

yaml_node_t *sw_source_root(struct sw_file_text *source)
{
	return yaml_document_get_root_node(&source->document);
}

yaml_node_t *sw_source_node(struct sw_file_text *source, int number)
{
	return yaml_document_get_node(&source->document, number);
}

static const yaml_node_pair_t *find_pair(struct sw_file_text *source, const yaml_node_t *node,
					 const char *key, size_t length)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = sw_source_node(source, pair->key);

		if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == length &&
		    !memcmp(name->data.scalar.value, key, length))
			return pair;
	}
	return NULL;
}

unsigned int sw_source_line(struct sw_file_text *source, const char *format, ...)
{
	yaml_node_t *node = sw_source_root(source);
	unsigned int line = sw_source_line_of(source, node);
	char path[128], *at = path;
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	while (*at) {
		size_t length = strcspn(at, ".[");

		if (*at == '[') {
			unsigned long item = strtoul(at + 1, &at, 10);

			if (node->type != YAML_SEQUENCE_NODE ||
			    (long)item >=
				    node->data.sequence.items.top - node->data.sequence.items.start)
				break;
			node = sw_source_node(source, node->data.sequence.items.start[item]);
			line = sw_source_line_of(source, node);
		} else {
			const yaml_node_pair_t *pair = find_pair(source, node, at, length);

			if (!pair)
				break;
			node = sw_source_node(source, pair->value);
			line = sw_source_line_of_pair(source, pair);
			at += length;
		}
		at += *at == ']';
		at += *at == '.';
	}
	return line;
}

/* ---- reading */

static int read_file(const char *path, struct sw_file_text *source)
{
	SW_AUTO_FILE FILE *file = sw_input_open(path);
	int error = errno;

	if (!file)
		return sw_error(EINVAL, "%s: cannot read this %s: %s", source->path, source->kind,
				sw_errno_text(error));
	source->text = malloc(MAX_BYTES + 1);
	if (!source->text)
		return sw_error(ENOMEM, "no memory to read %s", source->path);
	source->length = fread(source->text, 1, MAX_BYTES + 1, file);
	if (ferror(file))
		return sw_error(EINVAL, "%s: cannot read this %s: %s", source->path, source->kind,
				sw_errno_text(errno));
	if (source->length > MAX_BYTES)
		return sw_error(EINVAL, "%s: larger than 1 MiB, which no %s is", source->path,
				source->kind);
	if (source->length >= strlen(byte_order_mark) &&
	    !memcmp(source->text, byte_order_mark, strlen(byte_order_mark))) {
		source->length -= strlen(byte_order_mark);
		memmove(source->text, source->text + strlen(byte_order_mark), source->length);
	}
	return 0;
}

static int not_yaml(const struct sw_file_text *source, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "unknown";
	unsigned int line;

	if (parser->error == YAML_MEMORY_ERROR)
		return sw_error(ENOMEM, "no memory to read %s", source->path);
	if (parser->error == YAML_READER_ERROR)
		return sw_source_error(source, line_of_byte(source, parser->problem_offset),
				       "not text in UTF-8: %s; expected a %s", problem,
				       source->kind);
	line = line_of_mark(source, &parser->problem_mark);
	if (!parser->context)
		return sw_source_error(source, line,
				       "not YAML: %s; check the indentation (spaces, no tabs), "
				       "quotes and brackets",
				       problem);
	return sw_source_error(source, line,
			       "not YAML: %s (%s, line %u); check the indentation (spaces, no "
			       "tabs), quotes and brackets",
			       problem, parser->context,
			       line_of_mark(source, &parser->context_mark));
}

static void begin(yaml_parser_t *parser, const struct sw_file_text *source)
{
	yaml_parser_set_input_string(parser, (unsigned char *)source->text, source->length);
	/* not to be guessed: lines are counted in the bytes of UTF-8 */
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
}

/*
 * What is nested is scanned by libyaml in a time that grows with the square of the depth, so the
 * depth is looked at while it grows. Other errors are left to who parses the file.
 */
static int check_depth_with(yaml_parser_t *parser, struct sw_file_text *source)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	unsigned int depth = 0;
	yaml_event_t event;
	int error = 0;

	begin(parser, source);
	while (type != YAML_STREAM_END_EVENT && !error && yaml_parser_parse(parser, &event)) {
		type = event.type;
		if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT)
			depth--;
		if ((type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) &&
		    ++depth > MAX_DEPTH)
			error = sw_source_error(source, line_of_mark(source, &event.start_mark),
						"more than %d levels deep, which no %s is",
						MAX_DEPTH, source->kind);
		yaml_event_delete(&event);
	}
	return error;
}

/* There is to be one document and no more. */
static int parse_with(yaml_parser_t *parser, struct sw_file_text *source)
{
	yaml_document_t another;
	yaml_node_t *root;
	int error = 0;

	begin(parser, source);
	if (!yaml_parser_load(parser, &source->document))
		return not_yaml(source, parser);
	root = sw_source_root(source);
	if (!root || (root->type == YAML_SCALAR_NODE && !root->data.scalar.length))
		return sw_source_error(source, 1,
				       "the file is empty; expected at least: version: 1");
	if (!yaml_parser_load(parser, &another))
		return not_yaml(source, parser);
	root = yaml_document_get_root_node(&another);
	if (root)
		error = sw_source_error(source, line_of_mark(source, &another.start_mark),
					"a second document begins here; expected one: take the "
					"--- away");
	yaml_document_delete(&another);
	return error;
}

/* Runs one pass over the text, each with a parser of its own. */
static int pass(struct sw_file_text *source, int (*with)(yaml_parser_t *, struct sw_file_text *))
{
	yaml_parser_t parser;
	int error;

	if (!yaml_parser_initialize(&parser))
		return sw_error(ENOMEM, "no memory to read %s", source->path);
	error = with(&parser, source);
	yaml_parser_delete(&parser);
	return error;
}

int sw_source_open(const char *path, const char *kind, struct sw_file_text *source)
{
	int error;

	*source = (struct sw_file_text){ .path = sw_input_name(path), .kind = kind };
	error = read_file(path, source);
	if (!error)
		error = index_lines(source);
	if (!error)
		error = pass(source, check_depth_with);
	if (!error)
		error = pass(source, parse_with);
	if (error)
		sw_source_close(source);
	return error;
}

void sw_source_close(struct sw_file_text *source)
{
	yaml_document_delete(&source->document);
	free(source->lines);
	free(source->text);
	*source = (struct sw_file_text){};
}
