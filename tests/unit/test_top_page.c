// SPDX-License-Identifier: GPL-2.0-or-later
/* The pages of `top` from made-up readings: what they say, in which order, and that they fit. */
#define _GNU_SOURCE
#include "../../user/base/address.c"
#include "../../user/base/error.c"
#include "../../user/base/printable.c"
#include "../../user/text/grid.c"
#include "../../user/model/names.c"
#include "../../user/base/number.c"
#include "../../user/text/table.c"
#include "../../user/text/prose.c"
#include "../../user/text/width.c"
#include "../../user/model/top.c"
#include "../../user/report/text_page.c"
#include "../../user/report/top_page.c"
#include "../../user/report/top_rank.c"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S     1000000000ULL
#define WIDTH 80

static char *text;

static struct sw_addr v4(__u8 last)
{
	return (struct sw_addr){ .bytes = { [10] = 0xff, 0xff, 255, 255, 255, last } };
}

/* As long as one can be. */
static struct sw_addr v6(__u8 last)
{
	return (struct sw_addr){ .bytes = { 0x20, 0x01, 0x1d, 0xb8, 0xff, 0xff, 0xff, last } };
}

static const char *printed(struct sw_page *page)
{
	size_t size;
	FILE *out;

	free(text);
	out = open_memstream(&text, &size);
	sw_text_page(out, page);
	fclose(out);
	sw_page_free(page);
	return text;
}

static void assert_fits(const char *all)
{
	SW_AUTO_FREE char *copy = strdup(all);

	for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
		if (sw_text_width(line) > WIDTH)
			fail_msg("%d characters: %s", sw_text_width(line), line);
}

/* The line of the text that holds a word. */
static const char *line_with(const char *all, const char *word)
{
	static char line[512];
	const char *at = strstr(all, word);

	if (!at)
		fail_msg("%s is not in:\n%s", word, all);
	while (at > all && at[-1] != '\n')
		at--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static struct sw_top two_sources(struct sw_top_source sources[2], __u64 large)
{
	struct sw_top top = {
		.taken_ns = 100 * S, .span_ms = 32767, .sources = sources, .count = 2
	};

	sources[0] = (struct sw_top_source){ .addr = v6(0xff) };
	sources[1] = (struct sw_top_source){ .addr = v4(7) };
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++) {
		sources[0].kinds[kind] = (struct sw_top_measure){ large, large, large, 0 };
		sources[1].kinds[kind] = (struct sw_top_measure){ .count = 5 };
		top.totals[kind] = (struct sw_top_measure){ 10 * large, 0, large, 0 };
		top.followed[kind] = large + 5;
	}
	return top;
}

static void the_largest_sources_fit(void **state)
{
	static const __u64 larges[] = { 0, 9999999, 99999999999, ~0ULL / 20 };
	struct sw_top_source sources[2];
	struct sw_page page;

	(void)state;
	for (size_t i = 0; i < sizeof(larges) / sizeof(*larges); i++) {
		struct sw_top top = two_sources(sources, larges[i]);

		sw_page_sources(&page, &top, NULL, SW_TOP_BY_ANOMALIES, 20);
		assert_fits(printed(&page));
		line_with(text, "2001:1db8:ffff:ffff::/64");
		line_with(text, "255.255.255.7");
	}
}

static void sources_with_their_errors(void **state)
{
	struct sw_top_source sources[2];
	struct sw_top top = two_sources(sources, 1000);
	struct sw_page page;

	(void)state;
	sw_page_sources(&page, &top, NULL, SW_TOP_BY_SYNS, 20);
	printed(&page);
	line_with(text, "10,000 ±1,000 SYNs and 10,000 ±1,000 anomalies in 32s, by syns");
	line_with(text, "90% of the SYNs came from sources too many to list one by one");
	line_with(text, "1 in 64 is counted");
	assert_string_equal(line_with(text, "::/64"),
			    "  2001:1db8:ffff:ffff::/64  1,000  ±2,000      1,000  ±2,000  10.0%");
	assert_string_equal(line_with(text, "255."),
			    "  255.255.255.7                 5                  5           0.1%");
}

/* No word of what is not so. */
static void exact_counts_have_no_error(void **state)
{
	struct sw_top_source sources[2];
	struct sw_top top = two_sources(sources, 0);
	struct sw_page page;

	(void)state;
	top.totals[SW_TOP_SYNS].count = 5;
	top.followed[SW_TOP_ANOMALIES] = 0;
	sw_page_sources(&page, &top, NULL, SW_TOP_BY_WEIGHT, 1);
	printed(&page);
	assert_null(strstr(text, "is counted"));
	assert_null(strstr(text, "told apart"));
	assert_string_equal(line_with(text, "by weight"),
			    "5 SYNs and 0 anomalies in 32s, by weight");
	assert_null(strstr(text, "255."));
	line_with(text, "the first 1 of 2");
	top.totals[SW_TOP_SYNS].count = top.totals[SW_TOP_ANOMALIES].count = 1;
	sw_page_sources(&page, &top, NULL, SW_TOP_BY_WEIGHT, 1);
	printed(&page);
	assert_string_equal(line_with(text, "by weight"), "1 SYN and 1 anomaly in 32s, by weight");
}

static void rates_have_a_column(void **state)
{
	struct sw_top_source sources[2], old[2];
	struct sw_top now = two_sources(sources, 1000), before = two_sources(old, 400);
	struct sw_page page;

	(void)state;
	for (int i = 0; i < 2; i++) {
		old[i].kinds[SW_TOP_SYNS].current = old[i].kinds[SW_TOP_SYNS].count;
		sources[i].kinds[SW_TOP_SYNS].current = sources[i].kinds[SW_TOP_SYNS].count;
	}
	before.taken_ns = 98 * S;
	sw_top_sort_by_address(&before);
	sw_page_sources(&page, &now, &before, SW_TOP_BY_SYNS, 20);
	printed(&page);
	line_with(text, "SYNS/S");
	line_with(text, "  1,000  ±2,000     300 ");
}

static void services(struct sw_snapshot *of, __u64 large)
{
	memset(of, 0, sizeof(*of));
	of->taken_ns = 100 * S;
	of->policy.row_count = 3;
	for (unsigned int i = 0; i < 3; i++) {
		struct sw_service_counters *counters = &of->services[i];

		snprintf(of->policy.rows[i].name, SW_SERVICE_NAME, "%s",
			 i == 0 ? "a-name-as-long-as-it-ever-can-b" :
			 i == 1 ? "ssh" :
				  "default");
		counters->evidence[SW_EVIDENCE_SYNS] = i == 1 ? large : i;
		counters->anomalies = i == 2 ? large : i;
		counters->completed = counters->dropped = large;
		counters->limits[SW_LIMIT_SYN_RATE] = counters->limits[SW_LIMIT_BLOCK_LIST] = i;
	}
}

static void services_by_what_is_asked(void **state)
{
	SW_AUTO_FREE struct sw_snapshot *now = calloc(1, sizeof(*now));
	SW_AUTO_FREE struct sw_snapshot *before = calloc(1, sizeof(*before));
	struct sw_page page;

	(void)state;
	services(now, 99999999999);
	services(before, 0);
	before->taken_ns = 90 * S;
	sw_page_services(&page, now, NULL, SW_TOP_BY_SYNS, false, 20);
	assert_fits(printed(&page));
	assert_true(strstr(text, "ssh") < strstr(text, "default"));
	assert_true(strstr(text, "default") < strstr(text, "a-name"));
	line_with(text, " 2     100G"); /* both limits of ssh, and what it dropped */
	sw_page_services(&page, now, NULL, SW_TOP_BY_ANOMALIES, false, 20);
	printed(&page);
	assert_true(strstr(text, "default") < strstr(text, "ssh"));
	sw_page_services(&page, now, before, SW_TOP_BY_SYNS, true, 20);
	line_with(printed(&page), "  ssh                              100G   10.0G ");
	/* of another policy the rows are others */
	before->policy.generation = 1;
	sw_page_services(&page, now, before, SW_TOP_BY_SYNS, true, 20);
	assert_null(strstr(printed(&page), "10.0G"));
	now->policy.row_count = 1;
	sw_page_services(&page, now, NULL, SW_TOP_BY_SYNS, false, 20);
	assert_string_equal(printed(&page), "the policy has no services\n");
}

static void anomalies_that_were_seen(void **state)
{
	SW_AUTO_FREE struct sw_snapshot *now = calloc(1, sizeof(*now));
	struct sw_page page;

	(void)state;
	now->taken_ns = 100 * S;
	now->total.anomalies_seen[SW_ANOMALY_RESP_DATA_BEFORE_FINAL_ACK] = 99999999999;
	now->total.anomalies_dropped[SW_ANOMALY_RESP_DATA_BEFORE_FINAL_ACK] = 99999999999;
	now->total.anomalies_would_drop[SW_ANOMALY_LAND] = 99999999999;
	now->total.anomalies_seen[SW_ANOMALY_LAND] = ~0ULL;
	now->total.anomalies_seen[SW_ANOMALY_PORT_ZERO] = 3;
	sw_page_anomalies(&page, now, NULL, false, 20);
	assert_fits(printed(&page));
	assert_true(strstr(text, "land") < strstr(text, "resp_data_before_final_ack"));
	assert_true(strstr(text, "resp_data") < strstr(text, "port_zero"));
	assert_null(strstr(text, "flags_null"));
	assert_string_equal(line_with(text, "port_zero"),
			    "  port_zero                       3           0        0");
}

static void compact_numbers(void **state)
{
	static const struct {
		uint64_t count;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 9999999, "9,999,999" },
		{ 10000000, "10.0M" },
		{ 99940000, "99.9M" },
		{ 99960000, "100M" },
		{ 999400000, "999M" },
		{ 999600000, "1.00G" },
		{ 9994000000, "9.99G" },
		{ ~0ULL, "18.4E" },
	};
	char out[SW_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(sw_format_compact(out, cases[i].count), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_sources_fit),
		cmocka_unit_test(sources_with_their_errors),
		cmocka_unit_test(exact_counts_have_no_error),
		cmocka_unit_test(rates_have_a_column),
		cmocka_unit_test(services_by_what_is_asked),
		cmocka_unit_test(anomalies_that_were_seen),
		cmocka_unit_test(compact_numbers),
	};
	int failed;

	setlocale(LC_CTYPE, "C.UTF-8");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(text);
	return failed;
}
