// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file: what was written comes back, and what is damaged harms nothing but itself. */
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
#include "../../user/model/names.c"
#include "../../user/base/number.c"
#include "../../user/base/state_dir.c"
#include "../../user/base/time.c"
#include "../../user/lists/list_journal.c"
#include "../../user/lists/journal_line.c"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static char dir[] = "/tmp/synward-state-XXXXXX", path[64];
static struct sw_entries lists[SW_LIST_COUNT], some;

static int open_dir_once(void **state __unused)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/" SW_JOURNAL_FILE, dir);
	return 0;
}

static int reset(void **state __unused)
{
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&lists[i]);
	sw_entries_free(&some);
	unlink(path);
	notes = 0;
	return 0;
}

static int remove_dir(void **state)
{
	reset(state);
	return rmdir(dir);
}

static void add(const char *text, uint32_t expires_s, const char *reason)
{
	struct sw_entry entry = { .expires_s = expires_s, .added_s = 1000000, .reason = reason };

	assert_int_equal(sw_parse_prefix(text, &entry.prefix), SW_PREFIX_FINE);
	assert_int_equal(sw_entries_add(&some, &entry), 0);
}

static void append_some(enum sw_list list, bool deleted)
{
	assert_int_equal(sw_journal_append(dir, list, &some, deleted), 0);
	sw_entries_free(&some);
}

static void write_text(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void read_back(void)
{
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&lists[i]);
	assert_int_equal(sw_journal_read(dir, lists), 0);
}

static void expect(enum sw_list list, size_t at, const char *text, const char *reason)
{
	char shown[SW_PREFIX_SIZE];

	assert_in_range(at, 0, lists[list].count - 1);
	assert_string_equal(sw_format_prefix(shown, &lists[list].rows[at].prefix), text);
	assert_string_equal(lists[list].rows[at].reason, reason);
}

static void without_a_file_there_is_nothing(void **state __unused)
{
	read_back();
	assert_int_equal(lists[SW_LIST_ALLOW].count + lists[SW_LIST_BLOCK].count, 0);
	assert_int_equal(sw_journal_lines(dir), 0);
	assert_int_equal(sw_journal_read("/nowhere/at/all", lists), 0);
	write_text("", 0);
	read_back();
	add("10.0.0.1", 0, "");
	append_some(SW_LIST_ALLOW, false);
	read_back();
	expect(SW_LIST_ALLOW, 0, "10.0.0.1", "");
}

static void what_was_appended_comes_back(void **state __unused)
{
	uint32_t later = (uint32_t)sw_boot_s() + 5000;

	add("192.0.2.0/24", later, "said \"no\" to C:\\ and \xc3\xbc");
	add("2001:db8::/32", 0, "");
	append_some(SW_LIST_BLOCK, false);
	add("192.0.2.0/24", 0, "the same elsewhere");
	append_some(SW_LIST_ALLOW, false);
	read_back();
	assert_int_equal(lists[SW_LIST_BLOCK].count, 2);
	assert_int_equal(lists[SW_LIST_ALLOW].count, 1);
	expect(SW_LIST_BLOCK, 0, "192.0.2.0/24", "said \"no\" to C:\\ and \xc3\xbc");
	expect(SW_LIST_BLOCK, 1, "2001:db8::/32", "");
	expect(SW_LIST_ALLOW, 0, "192.0.2.0/24", "the same elsewhere");
	/* between two readings of two clocks a second may begin */
	assert_in_range(lists[SW_LIST_BLOCK].rows[0].expires_s, later - 1, later + 1);
	assert_int_equal(lists[SW_LIST_BLOCK].rows[1].expires_s, 0);
	assert_int_equal(lists[SW_LIST_BLOCK].rows[0].added_s, 1000000);
	assert_int_equal(sw_journal_lines(dir), 4);
	assert_int_equal(notes, 0);
}

static void the_last_line_counts(void **state __unused)
{
	add("10.0.0.1", 0, "first");
	add("10.0.0.2", 0, "first");
	append_some(SW_LIST_BLOCK, false);
	add("10.0.0.1", 0, "");
	append_some(SW_LIST_BLOCK, true);
	add("10.0.0.2", 0, "second");
	append_some(SW_LIST_BLOCK, false);
	read_back();
	assert_int_equal(lists[SW_LIST_BLOCK].count, 1);
	expect(SW_LIST_BLOCK, 0, "10.0.0.2", "second");
	add("10.0.0.1", 0, "again");
	append_some(SW_LIST_BLOCK, false);
	read_back();
	expect(SW_LIST_BLOCK, 0, "10.0.0.1", "again");
}

static void a_list_can_be_emptied(void **state __unused)
{
	add("10.0.0.1", 0, "");
	assert_int_equal(sw_journal_append(dir, SW_LIST_ALLOW, &some, false), 0);
	append_some(SW_LIST_BLOCK, false);
	assert_int_equal(sw_journal_append_clear(dir, SW_LIST_BLOCK), 0);
	add("10.0.0.2", 0, "");
	append_some(SW_LIST_BLOCK, false);
	read_back();
	assert_int_equal(lists[SW_LIST_ALLOW].count, 1);
	assert_int_equal(lists[SW_LIST_BLOCK].count, 1);
	expect(SW_LIST_BLOCK, 0, "10.0.0.2", "");
}

static void what_has_expired_is_gone(void **state __unused)
{
	char text[256];
	int length;

	length = snprintf(text, sizeof(text),
			  HEADER "block 10.0.0.1 added=1 expires=%llu reason=\"\"\n"
				 "block 10.0.0.2 added=1 expires=%llu reason=\"\"\n"
				 "block 10.0.0.3 added=1 expires=- reason=\"\"\n"
				 "block 10.0.0.3 added=1 expires=2 reason=\"\"\n",
			  (unsigned long long)sw_wall_s() - 1,
			  (unsigned long long)sw_wall_s() + 60);
	write_text(text, (size_t)length);
	read_back();
	assert_int_equal(lists[SW_LIST_BLOCK].count, 1);
	expect(SW_LIST_BLOCK, 0, "10.0.0.2", "");
	assert_in_range(lists[SW_LIST_BLOCK].rows[0].expires_s, sw_boot_s() + 57, sw_boot_s() + 61);
}

/*
 * Cut off after any number of bytes, as by a power cut: of what remains, whole lines count, and the
 * last one if nothing of it but its end is missing.
 */
static void a_torn_file_loses_its_last_line_only(void **state __unused)
{
	char whole[4096];
	FILE *file;
	size_t length;

	add("10.0.0.1", 0, "some \"reason\"");
	add("2001:db8::/32", (uint32_t)sw_boot_s() + 999, "");
	append_some(SW_LIST_BLOCK, false);
	file = fopen(path, "r");
	length = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	for (size_t cut = strlen(HEADER); cut < length; cut++) {
		bool complete = whole[cut] == '\n' || whole[cut - 1] == '\n';
		size_t lines = 0;

		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		lines += whole[cut] == '\n';
		notes = 0;
		write_text(whole, cut);
		read_back();
		assert_int_equal(lists[SW_LIST_BLOCK].count, lines - 1);
		assert_int_equal(notes, !complete);
		/* what is appended to it counts, and the rest is as before */
		add("10.9.9.9", 0, "after");
		append_some(SW_LIST_BLOCK, false);
		read_back();
		assert_int_equal(lists[SW_LIST_BLOCK].count, lines);
		expect(SW_LIST_BLOCK, lines > 1, "10.9.9.9", "after");
	}
}

static void damaged_lines_are_left_out_and_named(void **state __unused)
{
	static const char *const damaged[] = {
		"nonsense\n",
		"block\n",
		"block \n",
		"blok 10.0.0.9 added=1 expires=- reason=\"\"\n",
		"block 10.0.0.9\n",
		"block 10.0.0.9 added=1\n",
		"block 10.0.0.9 added=x expires=- reason=\"\"\n",
		"block 10.0.0.9 added=1 expires=- reason=\"\n",
		"block 10.0.0.9 added=1 expires=- reason=\"x\" \n",
		"block 10.0.0.9 added=1 expires=-1 reason=\"\"\n",
		"block 10.0.0.9 added=1 expires=- reason=none\n",
		"block 10.0.0.9 deleted=\n",
		"block 10.0.0.9 deleted=1 more\n",
		"block 10.0.0.9/8 added=1 expires=- reason=\"\"\n",
		"block 0.0.0.0/0 added=1 expires=- reason=\"\"\n",
		"block ::/0 added=1 expires=- reason=\"\"\n",
		"block all added=1 expires=- reason=\"\"\n",
		"block 10.0.0.9 expires=- added=1 reason=\"\"\n",
	};
	static const char good[] = "block 10.0.0.1 added=1 expires=- reason=\"\"\n";
	char text[512];

	for (size_t i = 0; i < COUNT(damaged); i++) {
		int length = snprintf(text, sizeof(text), HEADER "# a comment\n%s%s", damaged[i],
				      good);

		notes = 0;
		write_text(text, (size_t)length);
		read_back();
		assert_int_equal(lists[SW_LIST_BLOCK].count, 1);
		expect(SW_LIST_BLOCK, 0, "10.0.0.1", "");
		assert_int_equal(notes, 1);
		assert_non_null(strstr(recorded, ".state:3: a damaged line"));
	}
}

/* 5,000 s were given, and the clock of the machine stands at 1970. */
static void a_clock_that_is_behind_prolongs_nothing(void **state __unused)
{
	static const struct {
		uint32_t added_s, expires_s;
		int64_t apart_s;
		uint32_t until_s; /* 0: expired */
	} tries[] = {
		{ 1764000000, 1764005000, 1764000000 - 900, 5900 },
		{ 1764000000, 1764005000, 1764004000 - 900, 1900 },
		{ 1764000000, 1764005000, 1764006000 - 900, 0 },
		{ 1764000000, 1764005000, 0, 6000 },
		{ 1764000000, 1764005000, 500000000, 6000 },
		{ 1764000000, 4000, 0, 0 },
		{ 1764000000, 1764000000, 0, 0 },
		{ 0, 4000, 0, 4000 },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct sw_journal_times times = { .apart_s = tries[i].apart_s, .boot_s = 1000 };
		char line[128];
		int length = snprintf(line, sizeof(line),
				      "block 192.0.2.0/24 added=%u expires=%u reason=\"\"",
				      tries[i].added_s, tries[i].expires_s);
		const struct sw_entry *entry;

		sw_entries_free(&lists[SW_LIST_BLOCK]);
		assert_int_equal(sw_journal_parse(line, (size_t)length, &times, lists), 0);
		entry = &lists[SW_LIST_BLOCK].rows[0];
		assert_int_equal(entry->dead, !tries[i].until_s);
		if (!entry->dead)
			assert_int_equal(entry->expires_s, tries[i].until_s);
	}
}

/* A file of nothing but damage is not told line by line. */
static void much_damage_is_told_in_short(void **state __unused)
{
	SW_AUTO_FREE char *text = malloc(20000);

	memset(text, 'x', 20000);
	memcpy(text, HEADER, strlen(HEADER));
	for (size_t i = 100; i < 20000; i += 100)
		text[i] = '\n';
	write_text(text, 20000);
	read_back();
	assert_int_equal(notes, NOTES + 1);
	assert_non_null(strstr(recorded, " more damaged lines"));
}

static void another_file_is_not_touched(void **state __unused)
{
	static const char *const others[] = { "# synward state 2\n", "x", "# synward state 1",
					      "\n# synward state 1\n" };

	for (size_t i = 0; i < COUNT(others); i++) {
		write_text(others[i], strlen(others[i]));
		assert_int_equal(sw_journal_read(dir, lists), -EPROTO);
	}
}

static void writing_anew_keeps_what_counts(void **state __unused)
{
	struct sw_entries all[SW_LIST_COUNT] = {};

	for (uint32_t i = 0; i < 3000; i++) {
		add("10.0.0.1", 0, "again and again");
		if (i % 1000 == 0)
			append_some(SW_LIST_BLOCK, false);
	}
	append_some(SW_LIST_BLOCK, false);
	assert_int_equal(sw_journal_lines(dir), 3001);
	for (uint32_t i = 0; i < 2000; i++) {
		add("10.0.0.0", 0, i % 3 ? "a" : "b");
		some.rows[i].prefix.addr.bytes[14] = (__u8)(i >> 8);
		some.rows[i].prefix.addr.bytes[15] = (__u8)i;
	}
	all[SW_LIST_BLOCK] = some;
	assert_int_equal(sw_journal_write(dir, all), 0);
	assert_int_equal(sw_journal_lines(dir), 2001);
	read_back();
	assert_int_equal(lists[SW_LIST_BLOCK].count, 2000);
	assert_int_equal(lists[SW_LIST_ALLOW].count, 0);
	for (uint32_t i = 0; i < 2000; i++)
		assert_string_equal(lists[SW_LIST_BLOCK].rows[i].reason, i % 3 ? "a" : "b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_file_there_is_nothing),
		TEST(what_was_appended_comes_back),
		TEST(the_last_line_counts),
		TEST(a_list_can_be_emptied),
		TEST(what_has_expired_is_gone),
		TEST(a_torn_file_loses_its_last_line_only),
		TEST(damaged_lines_are_left_out_and_named),
		TEST(a_clock_that_is_behind_prolongs_nothing),
		TEST(much_damage_is_told_in_short),
		TEST(another_file_is_not_touched),
		TEST(writing_anew_keeps_what_counts),
	};

	return cmocka_run_group_tests(tests, open_dir_once, remove_dir);
}
