// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include "wrap.h"

#include "../base/error.h"
#include "../base/number.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#define MAX_OPTIONS 32
#define LONG_BASE   256 /* getopt's value of an option is LONG_BASE + its row */

struct parser {
	const struct sw_option *rows[MAX_OPTIONS];
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 3];
	size_t count;
};

static void add_table(struct parser *parser, const struct sw_option *table)
{
	size_t length = strlen(parser->shorts);

	for (; table && table->long_name && parser->count < MAX_OPTIONS; table++) {
		struct option *entry = &parser->longs[parser->count];

		entry->name = table->long_name;
		entry->has_arg = table->argument ? required_argument : no_argument;
		entry->val = LONG_BASE + (int)parser->count;
		if (table->short_name) {
			parser->shorts[length++] = table->short_name;
			if (table->argument)
				parser->shorts[length++] = ':';
		}
		parser->rows[parser->count++] = table;
	}
}

static const struct sw_option *find_row(const struct parser *parser, int got)
{
	if (got >= LONG_BASE)
		return parser->rows[got - LONG_BASE];
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i]->short_name == got)
			return parser->rows[i];
	return NULL;
}

static bool set_choice(const struct sw_option *row, const char *text)
{
	for (int i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text)) {
			*(int *)row->value = i;
			return true;
		}
	}
	return false;
}

bool sw_option_set(const struct sw_option *row, const char *text)
{
	bool is_number = row->kind == SW_OPTION_NUMBER, fits;
	uint64_t value;

	switch (row->kind) {
	case SW_OPTION_FLAG:
		*(bool *)row->value = true;
		return true;
	case SW_OPTION_STRING:
		*(const char **)row->value = text;
		return true;
	case SW_OPTION_NUMBER:
	case SW_OPTION_DURATION:
		fits = is_number ? sw_parse_number(text, &value) : sw_parse_duration(text, &value);
		if (!fits || value < row->minimum || value > row->maximum)
			return false;
		*(uint64_t *)row->value = value;
		return true;
	case SW_OPTION_CHOICE:
		return set_choice(row, text);
	case SW_OPTION_CALLBACK:
		break; /* knows its errors, too */
	}
	return false;
}

const char *sw_option_expected(char text[SW_OPTION_EXPECTED_SIZE], const struct sw_option *row)
{
	char low[SW_NUMBER_SIZE], high[SW_NUMBER_SIZE];

	text[0] = '\0';
	if (row->kind == SW_OPTION_NUMBER)
		sw_format(text, SW_OPTION_EXPECTED_SIZE, "a whole number from %s to %s",
			  sw_format_count(low, row->minimum), sw_format_count(high, row->maximum));
	if (row->kind == SW_OPTION_DURATION)
		sw_format(text, SW_OPTION_EXPECTED_SIZE,
			  "a duration from %s to %s, such as %s, 30s or 1h",
			  sw_format_duration(low, row->minimum),
			  sw_format_duration(high, row->maximum),
			  row->minimum > 500 ? "2s" : "500ms");
	if (row->kind == SW_OPTION_CHOICE)
		sw_format_choices(text, SW_OPTION_EXPECTED_SIZE, row->choices);
	return text;
}

static int take(const struct sw_option *row, const char *argument)
{
	char expected[SW_OPTION_EXPECTED_SIZE];

	if (row->kind == SW_OPTION_CALLBACK)
		return row->parse(argument, row->value);
	if (sw_option_set(row, argument))
		return 0;
	return sw_error(EINVAL, "--%s %s: expected %s", row->long_name, argument,
			sw_option_expected(expected, row));
}

/* An option that there is not, or the beginning of several. */
static int unknown_option(const struct parser *parser, const char *word)
{
	char typed[64];
	const char *best = NULL;

	sw_format(typed, sizeof(typed), "%.*s", (int)strcspn(word, "="), word);
	for (size_t i = 0; i < parser->count; i++)
		sw_word_nearest(&best, typed + strspn(typed, "-"), parser->rows[i]->long_name);
	if (best)
		return sw_error(EINVAL, "unknown option %s: did you mean --%s; see --help", typed,
				best);
	return sw_error(EINVAL, "unknown or ambiguous option %s: see --help", typed);
}

static int complain(const struct parser *parser, int got, const char *word)
{
	if (got == ':' && optopt >= LONG_BASE)
		return sw_error(EINVAL, "--%s needs an argument: %s",
				find_row(parser, optopt)->long_name,
				find_row(parser, optopt)->argument);
	if (got == ':')
		return sw_error(EINVAL, "-%c needs an argument: %s", optopt,
				find_row(parser, optopt)->argument);
	if (optopt >= LONG_BASE)
		return sw_error(EINVAL, "--%s takes no argument",
				find_row(parser, optopt)->long_name);
	if (optopt)
		return sw_error(EINVAL, "unknown option -%c: see --help", optopt);
	return unknown_option(parser, word);
}

int sw_options_parse(int argc, char **argv, const struct sw_option *own,
		     const struct sw_option *common, bool first_only)
{
	struct parser parser = { .shorts = "+:" };
	int got, error;

	if (!first_only)
		strcpy(parser.shorts, ":");
	add_table(&parser, own);
	add_table(&parser, common);
	optind = 0; /* GNU: start over, the table has changed */
	opterr = 0;
	while ((got = getopt_long(argc, argv, parser.shorts, parser.longs, NULL)) != -1) {
		if (got == '?' || got == ':')
			return complain(&parser, got, argv[optind - 1]);
		error = take(find_row(&parser, got), optarg);
		if (error)
			return error;
	}
	return optind;
}

#define LEFT_WIDTH 27
#define NARROW                                                                                     \
	(LEFT_WIDTH + 3 + 24) /* with less beside it, what an option does has lines of its own */
#define NARROW_AT 6

void sw_options_help(FILE *out, const struct sw_option *options)
{
	bool narrow = sw_wrap_width(out) < NARROW;
	int at = narrow ? NARROW_AT : LEFT_WIDTH + 3;

	for (; options && options->long_name; options++) {
		char left[64], initial[8] = "    ";

		if (options->short_name)
			sw_format(initial, sizeof(initial), "-%c, ", options->short_name);
		sw_format(left, sizeof(left), "%s--%s%s%s", initial, options->long_name,
			  options->argument ? " " : "", options->argument ? options->argument : "");
		if (strlen(left) > LEFT_WIDTH || narrow)
			fprintf(out, "  %s\n%*s", left, at, "");
		else
			fprintf(out, "  %-*s ", LEFT_WIDTH, left);
		sw_wrap(out, options->help, at, at);
	}
}
