/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_SOURCE_H
#define SYNWARD_CONFIG_SOURCE_H

/*
 * A file as it was written: its text, and the tree of its values with the lines that they
 * stand on. libcyaml, which fills in structures, does not tell a value's line; libyaml below it does.
 */

#include <stddef.h>
#include <yaml.h>

struct sw_file_text {
	const char *path; /* the caller's, or what "-" means; it begins every message */
	const char *kind; /* what it is to be, in messages: "policy file" */
	char *text;
	size_t length;
	size_t *lines; /* where each line begins, in characters */
	size_t line_count;
	yaml_document_t document;
};

/*
 * Reads a file ("-": standard input) and parses it; path and kind must stay as long as source does. Returns 0,
 * or -EINVAL with the line recorded if it cannot be read, is empty or is not one document of YAML;
 * *source is then nothing that has to be closed.
 */
int sw_source_open(const char *path, const char *kind, struct sw_file_text *source);
void sw_source_close(struct sw_file_text *source);

#define SW_AUTO_SOURCE __attribute__((cleanup(sw_source_close)))

/* Its first value, which holds all others. */
yaml_node_t *sw_source_root(struct sw_file_text *source);

/* The value of that number: what libyaml's lists and pairs consist of. */
yaml_node_t *sw_source_node(struct sw_file_text *source, int number);

/* The line that a value begins on, counted from 1 as editors do. */
unsigned int sw_source_line_of(const struct sw_file_text *source, const yaml_node_t *node);

/*
 * The line of a value of a mapping, for a message about it: its key's where the value is not one
 * that stands somewhere, but many or none.
 */
unsigned int sw_source_line_of_pair(struct sw_file_text *source, const yaml_node_pair_t *pair);

/* The same of a path such as services[0].limits.syn_rate.burst; what is not there has its parent's. */
unsigned int sw_source_line(struct sw_file_text *source, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Records "FILE:LINE: " and the text. Returns -EINVAL. */
int sw_source_error(const struct sw_file_text *source, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define SW_SHOWN_SIZE 64

/* A value in a form that fits into a message: one line, not too long, "nothing" if it is empty. */
const char *sw_source_shown(char shown[SW_SHOWN_SIZE], const char *text);

#endif
