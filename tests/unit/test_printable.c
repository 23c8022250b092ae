// SPDX-License-Identifier: GPL-2.0-or-later
/* Text that somebody else has chosen: what a terminal, JSON and Prometheus get of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../include/synward/base.h"

static unsigned int allocations = UINT32_MAX; /* for which there is memory */
#define malloc(size) (allocations && allocations-- ? malloc(size) : NULL)

#include "../../user/base/error.c"
#include "../../user/base/address.c"
#include "../../user/base/number.c"
#include "../../user/base/printable.c"
#include "../../user/base/time.c"
#include "../../user/model/policy_view.c"
#include "../../user/model/snapshot.c"
#include "../../user/report/json.c"
#include "../../user/report/metric.c"

static const struct {
	const char *text;
	const char *shown;
	const char *json;
	const char *label;
} cases[] = {
	{ "eth0.7", "eth0.7", "\"eth0.7\"", "eth0.7" },
	{ "", "", "\"\"", "" },
	{ "gr\xc3\xbcn", "gr\xc3\xbcn", "\"gr\xc3\xbcn\"", "gr\xc3\xbcn" },
	{ "\xf0\x9f\x90\x9f", "\xf0\x9f\x90\x9f", "\"\xf0\x9f\x90\x9f\"", "\xf0\x9f\x90\x9f" },
	{ "a\"b\\c", "a\"b\\c", "\"a\\\"b\\\\c\"", "a\\\"b\\\\c" },
	/* not UTF-8: alone, cut, too long, a surrogate, beyond Unicode */
	{ "\xff\xfe", "\\xff\\xfe", "\"\\\\xff\\\\xfe\"", "\\\\xff\\\\xfe" },
	{ "a\xc3", "a\\xc3", "\"a\\\\xc3\"", "a\\\\xc3" },
	{ "\xc0\xaf", "\\xc0\\xaf", "\"\\\\xc0\\\\xaf\"", "\\\\xc0\\\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\\\xed\\\\xa0\\\\x80\"", "\\\\xed\\\\xa0\\\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"",
	  "\\\\xf4\\\\x90\\\\x80\\\\x80" },
	/* what a terminal obeys: C0, DEL, and CSI of C1 */
	{ "e\x1b[31m", "e\\x1b[31m", "\"e\\u001B[31m\"", "e\\\\x1b[31m" },
	{ "\n\x7f", "\\x0a\\x7f", "\"\\n\x7f\"", "\\\\x0a\\\\x7f" },
	{ "\xc2\x9b"
	  "2J",
	  "\\xc2\\x9b2J",
	  "\"\xc2\x9b"
	  "2J\"",
	  "\\\\xc2\\\\x9b2J" },
	/* what turns the text behind it around, or begins a line: U+202E, U+2066, U+2028, U+200F; not U+202F and U+206A */
	{ "a\xe2\x80\xae", "a\\xe2\\x80\\xae", "\"a\xe2\x80\xae\"", "a\\\\xe2\\\\x80\\\\xae" },
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\"\xe2\x81\xa6\"", "\\\\xe2\\\\x81\\\\xa6" },
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\"\xe2\x80\xa8\"", "\\\\xe2\\\\x80\\\\xa8" },
	{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f", "\"\xe2\x80\x8f\"", "\\\\xe2\\\\x80\\\\x8f" },
	{ "\xe2\x80\xaf\xe2\x81\xaa", "\xe2\x80\xaf\xe2\x81\xaa", "\"\xe2\x80\xaf\xe2\x81\xaa\"",
	  "\xe2\x80\xaf\xe2\x81\xaa" },
	{ "\xc2\xa0", "\xc2\xa0", "\"\xc2\xa0\"", "\xc2\xa0" },
	{ "\x1b\xff", "\\x1b\\xff", "\"\\\\x1b\\\\xff\"", "\\\\x1b\\\\xff" },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static void test_a_terminal_gets_nothing_to_obey(void **state __unused)
{
	for (size_t i = 0; i < CASES; i++)
		assert_string_equal(SW_PRINTABLE_NAME(cases[i].text), cases[i].shown);
}

/* Not within what one character has become. */
static void test_what_has_no_room_is_cut(void **state __unused)
{
	char shown[6];

	assert_string_equal(sw_printable(shown, sizeof(shown), "abcdefgh"), "abcde");
	assert_string_equal(sw_printable(shown, sizeof(shown), "a\xff\xff"), "a\\xff");
	assert_string_equal(sw_printable(shown, sizeof(shown), "abcd\xc3\xbc"), "abcd");
	assert_string_equal(sw_printable(shown, 1, "a"), "");
}

static void test_json_is_valid(void **state __unused)
{
	for (size_t i = 0; i < CASES; i++) {
		json_t *object = json_object();
		char *text;

		sw_json_put_text(object, "name", cases[i].text);
		text = json_dumps(json_object_get(object, "name"), JSON_ENCODE_ANY);
		assert_non_null(text);
		assert_string_equal(text, cases[i].json);
		free(text);
		json_decref(object);
	}
}

/* A list that must not seem to end where the memory did. */
static void test_json_without_memory_is_told(void **state __unused)
{
	char *printed;
	size_t length;
	unsigned int enough = 0;

	for (bool lacked = true; lacked; enough++) {
		FILE *out = open_memstream(&printed, &length);
		json_t *root;

		allocations = enough;
		root = sw_json_root();
		sw_json_put_text(root, "name", "\xff eth0");
		sw_json_put_bool(root, "on", true);
		sw_json_print(out, root, false);
		allocations = UINT32_MAX;
		lacked = sw_output_lacked();
		fclose(out);
		assert_int_equal(lacked,
				 strcmp(printed, "{\"schema\":1,\"name\":\"\\\\xff eth0\",\"on\":"
						 "true}\n") != 0);
		free(printed);
	}
	assert_true(enough > 5);
}

static void test_rows_are_printed_one_by_one(void **state __unused)
{
	static const char *const expected[] = {
		"{\"schema\":1,\"n\":2,\"rows\":[{\"i\":0},{\"i\":1}]}\n",
		"{\n  \"schema\": 1,\n  \"n\": 2,\n  \"rows\": [\n    {\"i\":0},\n    {\"i\":1}\n  "
		"]\n}\n",
	};
	char *printed;
	size_t length;

	for (int pretty = 0; pretty < 2; pretty++) {
		FILE *out = open_memstream(&printed, &length);
		json_t *root = sw_json_root(), *row;
		struct sw_json_rows rows;

		sw_json_put_number(root, "n", 2);
		sw_json_rows_begin(&rows, out, root, "rows", pretty);
		for (uint64_t i = 0; i < 2; i++) {
			row = json_object();
			sw_json_put_number(row, "i", i);
			sw_json_rows_add(&rows, row);
			fflush(out);
			assert_ptr_equal(strstr(printed, i ? "1}" : "0}") + 2, printed + length);
		}
		sw_json_rows_end(&rows);
		fclose(out);
		assert_string_equal(printed, expected[pretty]);
		free(printed);
	}
}

static void test_samples_are_valid(void **state __unused)
{
	const uint64_t numbers[] = { 0, 10, 18446744073709551615U };
	char *printed, expected[256];
	size_t length;

	for (size_t i = 0; i < CASES; i++) {
		const struct sw_metrics to = { .out = open_memstream(&printed, &length),
					       .line = &(struct sw_metric_line){} };
		uint64_t number = numbers[i % 3];

		sw_metric_service(&to, "x", cases[i].text);
		sw_metric_more(&to, "limit", "syn_rate");
		sw_metric_number(&to, number);
		fclose(to.out);
		snprintf(expected, sizeof(expected),
			 "synward_x{service=\"%s\",limit=\"syn_rate\"} %ju\n", cases[i].label,
			 (uintmax_t)number);
		assert_string_equal(printed, expected);
		free(printed);
	}
}

/* Longer than what is put together at once, and with a fraction. */
static void test_a_sample_may_be_long(void **state __unused)
{
	char *printed, expected[4096] = "synward_x{service=\"a\"";
	size_t length;
	const struct sw_metrics to = { .out = open_memstream(&printed, &length),
				       .line = &(struct sw_metric_line){} };

	sw_metric_service(&to, "x", "a");
	for (unsigned int i = 0; i < 100; i++) {
		sw_metric_more(&to, "limit", "syn_rate");
		strcat(expected, ",limit=\"syn_rate\"");
	}
	sw_metric_fraction(&to, 0.5, 3);
	strcat(expected, "} 0.500\n");
	fclose(to.out);
	assert_true(length > 2 * sizeof(to.line->text));
	assert_string_equal(printed, expected);
	free(printed);
}

/* Names that look the same are equal labels, and two equal series make a page invalid. */
static void test_of_one_name_the_last_is_chosen(void **state __unused)
{
	const struct sw_interface all[] = {
		{ .netns = 1, .name = "eth0", .attached_ns = 10 },
		{ .netns = 1, .name = "eth0", .attached_ns = 20 },
		{ .netns = 2, .name = "eth0", .attached_ns = 5 },
		{ .netns = 1, .name = "\xff", .attached_ns = 30 },
		{ .netns = 1, .name = "\\xff", .attached_ns = 30 },
	};
	const struct sw_interface *records[] = { &all[0], &all[1], &all[2], &all[3], &all[4] };

	sw_metric_choose(records, 5);
	assert_null(records[0]);
	assert_ptr_equal(records[1], &all[1]);
	assert_ptr_equal(records[2], &all[2]);
	assert_true(!records[3] != !records[4]);
}

static void test_openmetrics_has_the_suffix_on_samples_only(void **state __unused)
{
	static const char *const heads[] = {
		[SW_METRICS_TEXT] = "# HELP synward_x_total y\n# TYPE synward_x_total counter\n",
		[SW_METRICS_OPENMETRICS] = "# HELP synward_x y\n# TYPE synward_x counter\n",
	};
	char *printed;
	size_t length;

	for (int format = SW_METRICS_TEXT; format <= SW_METRICS_OPENMETRICS; format++) {
		const struct sw_metrics to = { open_memstream(&printed, &length),
					       (enum sw_metrics_format)format,
					       &(struct sw_metric_line){} };

		sw_metric_head(&to, "x_total", "counter", "y");
		fclose(to.out);
		assert_string_equal(printed, heads[format]);
		free(printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_terminal_gets_nothing_to_obey),
		cmocka_unit_test(test_what_has_no_room_is_cut),
		cmocka_unit_test(test_json_is_valid),
		cmocka_unit_test(test_json_without_memory_is_told),
		cmocka_unit_test(test_rows_are_printed_one_by_one),
		cmocka_unit_test(test_samples_are_valid),
		cmocka_unit_test(test_a_sample_may_be_long),
		cmocka_unit_test(test_of_one_name_the_last_is_chosen),
		cmocka_unit_test(test_openmetrics_has_the_suffix_on_samples_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
