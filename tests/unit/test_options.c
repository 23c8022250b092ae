// SPDX-License-Identifier: GPL-2.0-or-later
/* Options that are typed wrongly, and the words that were meant. */
#define _GNU_SOURCE
#include "../../user/base/error.c"
#include "../../user/base/number.c"
#include "../../user/base/printable.c"
#include "../../user/text/options.c"
#include "../../user/text/prose.c"
#include "../../user/text/table.c"
#include "../../user/text/width.c"
#include "../../user/text/wrap.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool all, version;
static uint64_t limit;

static const struct sw_option own[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &limit, "N", .help = "the N oldest", .minimum = 1,
	  .maximum = 10 },
	{ "all", 'a', SW_OPTION_FLAG, &all, NULL, .help = "all of them" },
	{},
};

static const struct sw_option common[] = {
	{ "version", 'V', SW_OPTION_FLAG, &version, NULL, .help = "the version" },
	{},
};

/* What is said of one word behind the name of a command; "" if it is right. */
static const char *said(char *word)
{
	char *argv[] = { (char[]){ "list" }, word, NULL };

	sw_error_clear();
	return sw_options_parse(2, argv, own, common, false) < 0 ? sw_error_text() : "";
}

static void a_misspelt_option_is_told_with_the_nearest(void **state)
{
	static const struct {
		const char *typed, *said;
	} tries[] = {
		{ "--limt=3", "unknown option --limt: did you mean --limit; see --help" },
		{ "--Limit", "unknown option --Limit: did you mean --limit; see --help" },
		{ "--vresion", "unknown option --vresion: did you mean --version; see --help" },
		{ "--versoin=x", "unknown option --versoin: did you mean --version; see --help" },
		{ "--al", "" },
		{ "--xyz", "unknown or ambiguous option --xyz: see --help" },
		{ "--nothing-like-it",
		  "unknown or ambiguous option --nothing-like-it: see --help" },
		{ "--limit=11", "--limit 11: expected a whole number from 1 to 10" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		char word[32];

		snprintf(word, sizeof(word), "%s", tries[i].typed);
		assert_string_equal(said(word), tries[i].said);
	}
}

static void a_word_far_from_all_is_none_of_them(void **state)
{
	static const char *const words[] = { "status", "stats", "list", NULL };
	static const struct {
		const char *typed, *meant;
	} tries[] = {
		{ "stauts", "status" }, { "stat", "stats" },	{ "lst", "list" },
		{ "ab", NULL },		{ "replay", NULL },	{ "", NULL },
		{ "lot", NULL },	{ "stetus", "status" }, { "lit", "list" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		const char *best = NULL;

		for (const char *const *word = words; *word; word++)
			sw_word_nearest(&best, tries[i].typed, *word);
		if (tries[i].meant)
			assert_string_equal(best, tries[i].meant);
		else
			assert_null(best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misspelt_option_is_told_with_the_nearest),
		cmocka_unit_test(a_word_far_from_all_is_none_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
