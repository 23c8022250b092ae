// SPDX-License-Identifier: GPL-2.0-or-later
/* A manual page for a command, with its verbs if it is an object, from its help. */
#include "describe.h"

#include <ctype.h>
#include <string.h>

#define EXAMPLES "Examples:\n"

/* A text as scdoc is to show it; newlines are those of the source and mean nothing. */
static void print_text(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			fputc(' ', out);
		else
			fprintf(out, "%s%c", strchr("\\_*<>-#|`", text[i]) ? "\\" : "", text[i]);
	}
}

static void print_words(FILE *out, const char *text)
{
	print_text(out, text, strlen(text));
}

/* Words in capitals stand for something, the others are typed as they are. */
static void print_usage(FILE *out, const struct sw_command *command)
{
	fprintf(out, "*synward %s* [_OPTION_...]", command->name);
	for (const char *at = command->usage; *at;) {
		size_t length = strcspn(at, "[]| .=");
		char mark = isupper((unsigned char)*at) ? '_' : '*';

		if (at == command->usage)
			fputc(' ', out);
		if (length)
			fprintf(out, "%c%.*s%c", mark, (int)length, at, mark);
		else
			fputc(*at, out);
		at += length ? length : 1;
	}
	fputs("\n\n", out);
}

/* The end of the paragraph that begins there. */
static const char *paragraph_end(const char *text)
{
	const char *end = strstr(text, "\n\n");

	return end ? end : text + strlen(text);
}

static bool is_examples(const char *text)
{
	return !strncmp(text, EXAMPLES, strlen(EXAMPLES));
}

static const char *next_paragraph(const char *end)
{
	return end + strspn(end, "\n");
}

/* Lines as they stand. */
static void print_literally(FILE *out, const char *text, const char *end)
{
	fprintf(out, "```\n%.*s\n```\n\n", (int)(end - text), text);
}

static const char *without_newlines(const char *text, const char *end)
{
	while (end > text && end[-1] == '\n')
		end--;
	return end;
}

static void print_prose(FILE *out, const struct sw_command *command)
{
	const char *text = command->text, *end;

	for (; *text; text = next_paragraph(end)) {
		end = paragraph_end(text);
		if (is_examples(text))
			continue;
		if (*text == ' ') {
			print_literally(out, text, without_newlines(text, end));
			continue;
		}
		print_text(out, text, without_newlines(text, end) - text);
		fputs("\n\n", out);
	}
}

static void print_examples(FILE *out, const struct sw_command *command, const char *heading)
{
	const char *text = command->text;

	while (*text && !is_examples(text))
		text = next_paragraph(paragraph_end(text));
	if (!*text)
		return;
	fprintf(out, "%s\n\n", heading);
	text += strlen(EXAMPLES);
	print_literally(out, text, without_newlines(text, paragraph_end(text)));
}

/* What is typed behind an option: one of some words, or what its name stands for. */
static void print_argument(FILE *out, const struct sw_option *option)
{
	if (option->kind != SW_OPTION_CHOICE) {
		fputs(" _", out);
		print_words(out, option->argument);
		fputc('_', out);
		return;
	}
	for (int i = 0; option->choices[i]; i++)
		fprintf(out, "%s_%s_", i ? "|" : " ", option->choices[i]);
}

static void print_options(FILE *out, const struct sw_option *options)
{
	char expected[SW_OPTION_EXPECTED_SIZE];

	for (; options && options->long_name; options++) {
		if (options->short_name)
			fprintf(out, "*-%c*, ", options->short_name);
		fprintf(out, "*--%s*", options->long_name);
		if (options->argument)
			print_argument(out, options);
		fputs("\n\t", out);
		print_words(out, options->help);
		sw_option_expected(expected, options);
		if (expected[0] && options->kind != SW_OPTION_CHOICE) {
			fputs("; ", out);
			print_words(out, expected);
		}
		fputs("\n\n", out);
	}
}

static void print_verb(FILE *out, const struct sw_command *verb)
{
	const char *name = last_word(verb);

	fputs("# ", out);
	for (; *name; name++)
		fputc(toupper((unsigned char)*name), out);
	fputs("\n\n", out);
	print_usage(out, verb);
	fputc(toupper((unsigned char)verb->summary[0]), out);
	print_words(out, verb->summary + 1);
	fputs(".\n\n", out);
	print_prose(out, verb);
	print_options(out, verb->options);
	print_examples(out, verb, "For example:");
}

void print_page(FILE *out, const struct sw_command *command)
{
	fprintf(out, "synward-%s(8)\n\n# NAME\n\nsynward-%s - ", command->name, command->name);
	print_words(out, command->summary);
	fputs("\n\n# SYNOPSIS\n\n", out);
	if (!command->verbs)
		print_usage(out, command);
	for (int i = 0; command->verbs && command->verbs[i]; i++)
		print_usage(out, command->verbs[i]);
	fputs("# DESCRIPTION\n\n", out);
	print_prose(out, command);
	for (int i = 0; command->verbs && command->verbs[i]; i++)
		print_verb(out, command->verbs[i]);
	fputs("# OPTIONS\n\n", out);
	print_options(out, command->options);
	fputs("Those of every command, the exit codes and the environment are told by "
	      "*synward*(8).\n\n",
	      out);
	print_examples(out, command, "# EXAMPLES");
	fputs("# SEE ALSO\n\n*synward*(8), *synward.yaml*(5), *synward-semantics*(7)\n", out);
}
