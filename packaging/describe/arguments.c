// SPDX-License-Identifier: GPL-2.0-or-later
#include "describe.h"

#include "../../user/model/names.h"
#include "../../user/report/explain.h"

#include <ctype.h>
#include <string.h>

static void add(char words[MAX_WORDS], const char *word, const char *end)
{
	size_t length = strlen(words);

	sw_format(words + length, MAX_WORDS - length, "%s%s%s", length ? " " : "", word, end);
}

static void add_timeouts(char words[MAX_WORDS])
{
	for (unsigned int i = 0; i < SW_TIMEOUT_COUNT; i++)
		add(words, sw_timeout_words[i].name, "=");
}

/* An outcome and an anomaly may have one name. */
static void add_explained(char words[MAX_WORDS])
{
	const struct sw_explanation *of, *found[2];

	for (unsigned int i = 0; (of = sw_explanation(i)); i++)
		if (sw_explanations_of(of->name, found) && found[0] == of)
			add(words, of->name, "");
}

/* By the word that the help has for it. */
static enum argument named(const char *name, char words[MAX_WORDS])
{
	if (!strcmp(name, "IFACE"))
		return ARGUMENT_INTERFACE;
	if (!strcmp(name, "FILE"))
		return ARGUMENT_FILE;
	if (!strcmp(name, "DIR"))
		return ARGUMENT_DIRECTORY;
	if (!strcmp(name, "NAME=DURATION")) {
		add_timeouts(words);
		return ARGUMENT_TIMEOUT;
	}
	if (!strcmp(name, "NAME")) {
		add_explained(words);
		return ARGUMENT_WORD;
	}
	return ARGUMENT_ANY;
}

enum argument option_argument(const struct sw_option *option, char words[MAX_WORDS])
{
	words[0] = '\0';
	if (!option->argument)
		return ARGUMENT_NONE;
	if (option->kind != SW_OPTION_CHOICE)
		return named(option->argument, words);
	for (int i = 0; option->choices[i]; i++)
		add(words, option->choices[i], "");
	return ARGUMENT_WORD;
}

enum argument command_argument(const struct sw_command *command, char words[MAX_WORDS])
{
	const char *at = command->usage;
	enum argument found = ARGUMENT_NONE;
	char word[32];

	words[0] = '\0';
	/* "IFACE... | --all", "[FILE]", "[sources | services]": words in capitals stand for others */
	for (; *at; at += strcspn(at, " ")) {
		size_t length;

		at += strspn(at, " [|");
		length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_=");
		sw_format(word, sizeof(word), "%.*s", (int)length, at);
		if (islower((unsigned char)word[0])) {
			add(words, word, "");
			found = ARGUMENT_WORD;
		} else if (word[0] && found == ARGUMENT_NONE) {
			found = named(word, words);
		}
	}
	return found;
}

const char *last_word(const struct sw_command *command)
{
	const char *space = strrchr(command->name, ' ');

	return space ? space + 1 : command->name;
}
