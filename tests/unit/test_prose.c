// SPDX-License-Identifier: GPL-2.0-or-later
/* Reports with sentences are as wide as COLUMNS says, and nothing of them is cut. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>

#include "../../user/base/error.c"
#include "../../user/base/number.c"
#include "../../user/base/printable.c"
#include "../../user/text/prose.c"
#include "../../user/text/table.c"
#include "../../user/text/width.c"
#include "../../user/text/wrap.c"

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/columns.h"

/* What a report comes out as, on a terminal of that width; lasts until the next one. */
static const char *printed(const char *columns, const char *report)
{
	static char text[2048];
	FILE *out = fmemopen(text, sizeof(text), "w"), *prose;

	set_columns(columns);
	prose = sw_prose_begin(out);
	fputs(report, prose);
	sw_prose_end(prose);
	fclose(out);
	return text;
}

static void a_long_line_goes_on_below_its_text(void **state)
{
	(void)state;
	assert_string_equal(printed("40", "policy        mixed, 2 services, active for 3h20m\n"),
			    "policy        mixed, 2 services, active\n"
			    "              for 3h20m\n");
	assert_string_equal(
		printed("40", "degraded: eth0: a hook is missing; to restore it: synward attach\n"),
		"degraded: eth0: a hook is missing; to\n"
		"  restore it: synward attach\n");
	assert_string_equal(printed("40", "      began   1,000 SYNs/s, 12 completed/s\n"),
			    "      began   1,000 SYNs/s, 12\n"
			    "              completed/s\n");
}

static void what_fits_and_what_has_no_width_stays(void **state)
{
	static const char line[] = "note: exactly forty characters, it seems\nand  as it was\n";

	(void)state;
	assert_string_equal(printed("40", line), line);
	assert_string_equal(printed("39", line),
			    "note: exactly forty characters, it\n  seems\nand  as it was\n");
	assert_string_equal(printed(NULL, line), line);
}

static void colours_take_no_room_and_a_word_stays_whole(void **state)
{
	(void)state;
	assert_string_equal(printed("20", "\033[31mdegraded:\033[0m it was so\n"),
			    "\033[31mdegraded:\033[0m it was so\n");
	assert_string_equal(printed("20", "see /sys/fs/bpf/synward/maps/armed there\n"),
			    "see\n  /sys/fs/bpf/synward/maps/armed\n  there\n");
}

static const char *wrapped(const char *columns, const char *text)
{
	static char into[256];
	FILE *out = fmemopen(into, sizeof(into), "w");

	set_columns(columns);
	sw_wrap(out, text, 0, 2);
	fclose(out);
	return into;
}

/* Eighty columns at most, also where a line may have any length; of a character each of its cells counts. */
static void a_paragraph_is_as_narrow_as_its_terminal(void **state)
{
	char words[101];

	(void)state;
	for (size_t i = 0; i < sizeof(words) - 1; i++)
		words[i] = i % 10 == 9 ? ' ' : 'a';
	words[sizeof(words) - 1] = '\0';
	assert_int_equal(strcspn(wrapped(NULL, words), "\n"), 79);
	assert_int_equal(strcspn(wrapped("200", words), "\n"), 79);
	assert_int_equal(strcspn(wrapped("30", words), "\n"), 29);
	assert_string_equal(
		wrapped("20", "interface \xe7\xb6\xb2\xe8\xb7\xaf\xe5\x8d\xa1\xe5\x8f\xa3 is up"),
		"interface \xe7\xb6\xb2\xe8\xb7\xaf\xe5\x8d\xa1\xe5\x8f\xa3\n  is up\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_line_goes_on_below_its_text),
		cmocka_unit_test(what_fits_and_what_has_no_width_stays),
		cmocka_unit_test(colours_take_no_room_and_a_word_stays_whole),
		cmocka_unit_test(a_paragraph_is_as_narrow_as_its_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
