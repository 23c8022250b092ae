// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries of a list as people give them: sorted, merged, found again; reasons; files of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/errors.h"

#include "../../user/base/address.c"
#include "../../user/base/printable.c"
#include "../../user/model/entries.c"
#include "../../user/base/number.c"
#include "../../user/config/prefix_file.c"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* In place of source.c, which is about YAML. */
const char *sw_source_shown(char shown[SW_SHOWN_SIZE], const char *text)
{
	sw_format(shown, SW_SHOWN_SIZE, "%s", text);
	return shown;
}

static struct sw_entries entries;

static int reset(void **state __unused)
{
	sw_entries_free(&entries);
	recorded[0] = '\0';
	return 0;
}

static struct sw_prefix prefix(const char *text)
{
	struct sw_prefix parsed;

	assert_int_equal(sw_parse_prefix(text, &parsed), SW_PREFIX_FINE);
	return parsed;
}

static void add(const char *text, uint64_t hits, bool dead)
{
	struct sw_entry entry = {
		.prefix = prefix(text), .hits = hits, .dead = dead, .reason = ""
	};

	assert_int_equal(sw_entries_add(&entries, &entry), 0);
}

static void expect_prefixes(const char *const *texts, size_t count)
{
	assert_int_equal(entries.count, count);
	for (size_t i = 0; i < count; i++) {
		struct sw_prefix expected = prefix(texts[i]);

		assert_int_equal(sw_prefix_compare(&entries.rows[i].prefix, &expected), 0);
	}
}

/* ---- sorting and finding */

static void they_are_sorted_and_the_last_counts(void **state __unused)
{
	static const char *const expected[] = { "10.0.0.0/8",	"10.0.0.0/9",	 "10.0.0.1",
						"192.0.2.0/24", "2001:db8::/32", "2001:db8::/48" };

	add("2001:db8::/48", 1, false);
	add("192.0.2.0/24", 2, false);
	add("10.0.0.0/9", 3, false);
	add("10.0.0.0/8", 4, false);
	add("2001:db8::/32", 5, false);
	add("192.0.2.0/24", 6, false);
	add("10.0.0.1", 7, false);
	add("192.0.2.0/24", 8, false);
	assert_int_equal(sw_entries_settle(&entries), 2);
	expect_prefixes(expected, COUNT(expected));
	assert_int_equal(entries.rows[3].hits, 8);
	assert_int_equal(sw_entries_settle(&entries), 0);
	expect_prefixes(expected, COUNT(expected));
}

static void what_was_taken_out_is_gone_unless_it_came_back(void **state __unused)
{
	static const char *const expected[] = { "10.0.0.2" };

	add("10.0.0.1", 1, false);
	add("10.0.0.2", 2, true);
	add("10.0.0.1", 0, true);
	add("10.0.0.2", 3, false);
	add("10.0.0.3", 0, true);
	sw_entries_settle(&entries);
	expect_prefixes(expected, COUNT(expected));
}

static void each_is_found_and_nothing_else(void **state __unused)
{
	for (uint32_t i = 0; i < 1000; i++) {
		struct sw_entry entry = { .prefix = prefix("10.0.0.0"), .hits = i, .reason = "" };

		entry.prefix.addr.bytes[14] = (__u8)(i * 7 % 1000 / 250);
		entry.prefix.addr.bytes[15] = (__u8)(i * 7 % 1000 % 250);
		assert_int_equal(sw_entries_add(&entries, &entry), 0);
	}
	assert_int_equal(sw_entries_settle(&entries), 0);
	for (size_t i = 0; i < entries.count; i++) {
		struct sw_prefix shorter = sw_prefix_around(&entries.rows[i].prefix.addr, 127);

		assert_ptr_equal(sw_entries_find(&entries, &entries.rows[i].prefix),
				 &entries.rows[i]);
		assert_null(sw_entries_find(&entries, &shorter));
	}
	assert_int_equal(sw_entries_lower_bound(&entries, &(struct sw_prefix){}), 0);
	assert_int_equal(
		sw_entries_lower_bound(&entries, &(struct sw_prefix){ .addr.bytes = { 0xff } }),
		1000);
}

static void hits_sort_the_most_first(void **state __unused)
{
	static const char *const expected[] = { "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.4" };

	add("10.0.0.1", 5, false);
	add("10.0.0.4", 0, false);
	add("10.0.0.3", UINT64_MAX, false);
	add("10.0.0.2", 5, false);
	sw_entries_sort_by_hits(&entries);
	expect_prefixes(expected, COUNT(expected));
}

/* ---- texts */

static void texts_are_kept_and_the_same_only_once(void **state __unused)
{
	const char *first = sw_entries_text(&entries, "feed 1", 6), *last = NULL;
	char text[SW_REASON_SIZE];

	assert_string_equal(first, "feed 1");
	assert_ptr_equal(sw_entries_text(&entries, "feed 1 and more", 6), first);
	assert_string_equal(sw_entries_text(&entries, "", 0), "");
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "reason number %d", i);
		last = sw_entries_text(&entries, text, strlen(text));
		assert_string_equal(last, text);
	}
	assert_string_equal(first, "feed 1");
	assert_ptr_not_equal(sw_entries_text(&entries, "feed 1", 6), first);
}

static void reasons_are_made_fit(void **state __unused)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "\xc2\x85 a\xc2\x9b", "a" },
		{ "\xc2\x85\xc2\x85", "" },
		{ "", "" },
		{ "  plain text\n", "plain text" },
		{ "a\tb\x7f\x01z", "a b  z" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9b\x91",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9b\x91" },
		{ "gpj.\xe2\x80\xaez\xe2\x81\xa9", "gpj. z" }, /* a text turned around */
		{ "latin1 \xfc", "latin1 ?" },
		{ "\xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xc3", "?? ??? ??? ???? ?" },
	};
	char reason[SW_REASON_SIZE], text[2 * SW_REASON_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(sw_clean_reason(reason, cases[i].text, strlen(cases[i].text)));
		assert_string_equal(reason, cases[i].clean);
		strcpy(text, reason);
		assert_true(sw_clean_reason(reason, text, strlen(text)));
		assert_string_equal(reason, cases[i].clean);
	}
	memset(text, 'x', sizeof(text));
	assert_true(sw_clean_reason(reason, text, SW_REASON_SIZE - 1));
	assert_int_equal(strlen(reason), SW_REASON_SIZE - 1);
	assert_false(sw_clean_reason(reason, text, SW_REASON_SIZE));
	assert_int_equal(strlen(reason), SW_REASON_SIZE - 1);
	memcpy(text + SW_REASON_SIZE - 2, "\xe2\x82\xac", 3); /* not within a character */
	assert_false(sw_clean_reason(reason, text, SW_REASON_SIZE + 1));
	assert_int_equal(strlen(reason), SW_REASON_SIZE - 2);
}

/* ---- files */

static int read_text(const char *text, size_t length)
{
	char path[] = "/tmp/synward-test-XXXXXX";
	int fd = mkstemp(path), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	result = sw_prefix_file_read(path, &entries, NULL, NULL);
	close(fd);
	unlink(path);
	return result;
}

static void a_file_has_prefixes_reasons_and_comments(void **state __unused)
{
	static const char text[] = "\xef\xbb\xbf"
				   "192.0.2.0/24\n"
				   "# nothing\n"
				   "\n"
				   "  198.51.100.7   seen in  the logs  \r\n"
				   "; nothing either\n"
				   "2001:db8::/32 ; SBL1234\n"
				   "2001:db8:1::/48,csv,like\n"
				   "203.0.113.0/25# no space\n"
				   "203.0.113.128/25";
	static const struct {
		const char *prefix, *reason;
		uint32_t line;
	} expected[] = {
		{ "192.0.2.0/24", "", 1 },	     { "198.51.100.7", "seen in  the logs", 4 },
		{ "2001:db8::/32", "SBL1234", 6 },   { "2001:db8:1::/48", "csv,like", 7 },
		{ "203.0.113.0/25", "no space", 8 }, { "203.0.113.128/25", "", 9 },
	};

	assert_int_equal(read_text(text, strlen(text)), 0);
	assert_int_equal(entries.count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct sw_prefix wanted = prefix(expected[i].prefix);

		assert_int_equal(sw_prefix_compare(&entries.rows[i].prefix, &wanted), 0);
		assert_string_equal(entries.rows[i].reason, expected[i].reason);
		assert_int_equal(entries.rows[i].line, expected[i].line);
	}
}

static void a_mistake_is_told_with_its_line(void **state __unused)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "10.0.0.1\nnonsense\n", ":2: nonsense: expected an address or a prefix" },
		{ "10.0.0.1/33\n", ":1: 10.0.0.1/33: expected a length" },
		{ "10.0.0.1/\n", ":1: 10.0.0.1/: expected a length" },
		{ "\n\n192.0.2.1/24 text\n",
		  ":3: 192.0.2.1/24: bits behind the length are set; the "
		  "prefix would be 192.0.2.0/24" },
		{ "::ffff:192.0.2.0/120\n",
		  ":1: ::ffff:192.0.2.0/120: this is IPv4 in the notation of IPv6" },
		{ "0.0.0.0/0\n", ":1: 0.0.0.0/0 is every address" },
		{ "::/0\n", ":1: ::/0 is every address" },
		{ "10.0.0.1 10.0.0.2/x\n1.2.3\n", ":2: 1.2.3: expected an address" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_text(cases[i].text, strlen(cases[i].text)), -EINVAL);
		assert_non_null(strstr(recorded, cases[i].said));
	}
}

static void a_line_has_an_end(void **state __unused)
{
	SW_AUTO_FREE char *text = calloc(1, 3 * MAX_LINE);

	assert_non_null(text);
	memset(text, 'x', 3 * MAX_LINE - 1);
	memcpy(text, "10.0.0.1 ", 9);
	text[MAX_LINE - 2] = '\n';
	assert_int_equal(read_text(text, MAX_LINE - 1), 0);
	assert_int_equal(entries.count, 1);
	assert_int_equal(strlen(entries.rows[0].reason), SW_REASON_SIZE - 1);
	text[MAX_LINE - 2] = 'x';
	assert_int_equal(read_text(text, 3 * MAX_LINE - 1), -EINVAL);
	assert_non_null(strstr(recorded, ":1: a line of more than"));
}

/* Bytes of any kind end in an error or an entry, never in a crash; and none hides what is behind it. */
static void any_bytes_may_be_in_a_file(void **state __unused)
{
	static const char text[] = "10.0.0.1 a\n10.0.0.2\n\xff\xfe\n";
	static const char hides[] = "10.0.0.3 a\0b\n10.0.0.4\n";

	assert_int_equal(read_text(text, sizeof(text) - 1), -EINVAL);
	assert_int_equal(entries.count, 2);
	assert_string_equal(entries.rows[0].reason, "a");
	assert_int_equal(read_text(hides, sizeof(hides) - 1), -EINVAL);
	assert_non_null(strstr(recorded, ":1: a line with a NUL byte"));
	assert_int_equal(entries.count, 2);
	assert_int_equal(sw_prefix_file_read("/", &entries, NULL, NULL), -EINVAL);
	assert_int_equal(sw_prefix_file_read("/nowhere/x", &entries, NULL, NULL), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_are_sorted_and_the_last_counts),
		TEST(what_was_taken_out_is_gone_unless_it_came_back),
		TEST(each_is_found_and_nothing_else),
		TEST(hits_sort_the_most_first),
		TEST(texts_are_kept_and_the_same_only_once),
		TEST(reasons_are_made_fit),
		TEST(a_file_has_prefixes_reasons_and_comments),
		TEST(a_mistake_is_told_with_its_line),
		TEST(a_line_has_an_end),
		TEST(any_bytes_may_be_in_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
