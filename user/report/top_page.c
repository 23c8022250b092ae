// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_report.h"

#include "../base/number.h"
#include "../model/names.h"

#include <langinfo.h>
#include <stdarg.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* How many events of each kind a CPU counts one by one in a second. */
#define EXACT_PER_SECOND (SW_TOP_EXACT * 1000U >> SW_TOP_EXACT_SHIFT)

static const char *plus_minus(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? "+-" : "±";
}

static void say(struct sw_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct sw_page *page, const char *format, ...)
{
	va_list args;

	for (int i = 0; i < SW_PAGE_LINES; i++) {
		if (page->lines[i][0])
			continue;
		va_start(args, format);
		vsnprintf(page->lines[i], SW_PAGE_WIDTH, format, args);
		va_end(args);
		return;
	}
}

static void put_count(struct sw_grid *grid, uint64_t count)
{
	char text[SW_NUMBER_SIZE];

	sw_grid_number(grid, (double)count, sw_format_compact(text, count));
}

static void put_error(struct sw_grid *grid, uint64_t error)
{
	char number[SW_NUMBER_SIZE], text[SW_NUMBER_SIZE + 4];

	snprintf(text, sizeof(text), "%s%s", plus_minus(), sw_format_compact(number, error));
	sw_grid_number(grid, (double)error, error ? text : "");
}

/* Below 0: not known. */
static void put_rate(struct sw_grid *grid, double rate)
{
	char text[SW_NUMBER_SIZE] = "";

	if (rate > 0 && rate < 10)
		snprintf(text, sizeof(text), "%.1f", rate);
	else if (rate >= 0)
		sw_format_compact(text, (uint64_t)(rate + 0.5));
	sw_grid_number(grid, rate, text);
}

static void put_share(struct sw_grid *grid, uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;
	char text[SW_NUMBER_SIZE];

	snprintf(text, sizeof(text), "%.1f%%", share);
	sw_grid_number(grid, share, text);
}

/* Of counters that only grow, since an earlier reading; what was reset between counts from 0. */
static double rate_of(uint64_t now, uint64_t before, uint64_t now_ns, uint64_t before_ns)
{
	uint64_t more = now >= before ? now - before : now;

	return now_ns > before_ns ? 1e9 * (double)more / (double)(now_ns - before_ns) : 0;
}

/* ---- sources */

static void put_kind(struct sw_grid *grid, const struct sw_top *now, const struct sw_top *before,
		     const struct sw_top_source *source, enum sw_top_kind kind, enum sw_top_by by)
{
	const struct sw_top_measure *of = &source->kinds[kind];

	put_count(grid, of->count);
	put_error(grid, sw_top_error(of));
	if (before)
		put_rate(grid, sw_top_rate(now, source, before, by));
}

static void put_sources(struct sw_grid *grid, const struct sw_top *now, const struct sw_top *before,
			enum sw_top_by by, size_t limit)
{
	uint64_t whole = sw_top_measure(now->totals, by).count;
	char text[SW_SOURCE_SIZE];

	for (size_t i = 0; i < now->count && i < limit; i++) {
		const struct sw_top_source *source = &now->sources[i];

		sw_grid_text(grid, sw_format_source(text, &source->addr));
		put_kind(grid, now, before, source, SW_TOP_SYNS, SW_TOP_BY_SYNS);
		put_kind(grid, now, before, source, SW_TOP_ANOMALIES, SW_TOP_BY_ANOMALIES);
		put_share(grid, sw_top_measure(source->kinds, by).count, whole);
	}
}

/* 1,234 SYNs, or 1,234 ±56 SYNs */
static const char *with_error(char text[2 * SW_NUMBER_SIZE], const struct sw_top_measure *of)
{
	char count[SW_NUMBER_SIZE], error[SW_NUMBER_SIZE];

	sw_format_compact(count, of->count);
	if (of->sampling)
		snprintf(text, 2 * SW_NUMBER_SIZE, "%s %s%s", count, plus_minus(),
			 sw_format_compact(error, of->sampling));
	else
		snprintf(text, 2 * SW_NUMBER_SIZE, "%s", count);
	return text;
}

static void say_sources(struct sw_page *page, const struct sw_top *now, enum sw_top_by by)
{
	static const char *const words[] = {
		[SW_TOP_SYNS] = "SYNs", [SW_TOP_ANOMALIES] = "anomalies"
	};
	char syns[2 * SW_NUMBER_SIZE], anomalies[2 * SW_NUMBER_SIZE], number[SW_NUMBER_SIZE];
	const struct sw_top_measure *totals = now->totals;

	say(page, "%s %s and %s %s in %s, by %s", with_error(syns, &totals[SW_TOP_SYNS]),
	    sw_noun(totals[SW_TOP_SYNS].count, "SYN", "SYNs"),
	    with_error(anomalies, &totals[SW_TOP_ANOMALIES]),
	    sw_noun(totals[SW_TOP_ANOMALIES].count, "anomaly", "anomalies"),
	    sw_format_duration(number, now->span_ms), sw_top_by_name(by));
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++) {
		uint64_t lost = totals[kind].count - now->followed[kind];

		if (lost > totals[kind].count / 100)
			say(page, "%.0f%% of the %s came from sources too many to list one by one",
			    100.0 * (double)lost / (double)totals[kind].count, words[kind]);
	}
	if (totals[SW_TOP_SYNS].sampling || totals[SW_TOP_ANOMALIES].sampling)
		say(page,
		    "above %s per second on a CPU, 1 in %u is counted; %s holds for 95%% of counts",
		    sw_format_count(number, EXACT_PER_SECOND), SW_TOP_SAMPLE, plus_minus());
}

void sw_page_sources(struct sw_page *page, const struct sw_top *now, const struct sw_top *before,
		     enum sw_top_by by, size_t limit)
{
	static struct sw_grid_column once[] = {
		{ "SOURCE", 'l', 0 },	 { "SYNS", 'r', 0 }, { NULL, 'r', 0 },
		{ "ANOMALIES", 'r', 1 }, { NULL, 'r', 2 },   { "SHARE", 'r', 3 },
	};
	static struct sw_grid_column again[] = {
		{ "SOURCE", 'l', 0 }, { "SYNS", 'r', 0 },      { NULL, 'r', 0 },
		{ "SYNS/S", 'r', 3 }, { "ANOMALIES", 'r', 1 }, { NULL, 'r', 2 },
		{ "ANOM/S", 'r', 4 }, { "SHARE", 'r', 5 },
	};

	once[2].heading = once[4].heading = again[2].heading = again[5].heading = plus_minus();
	*page = (struct sw_page){ .total = now->count };
	page->grid = before ? sw_grid_new(again, COUNT(again)) : sw_grid_new(once, COUNT(once));
	say_sources(page, now, by);
	put_sources(page->grid, now, before, by, limit);
}

/* ---- services */

static uint64_t over_limits(const struct sw_service_counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < SW_LIMIT_COUNT; i++)
		sum += counters->limits[i];
	return sum;
}

void sw_page_services(struct sw_page *page, const struct sw_snapshot *now,
		      const struct sw_snapshot *before, enum sw_top_by by, bool rates, size_t limit)
{
	static const struct sw_grid_column once[] = {
		{ "SERVICE", 'l', 0 },	 { "SYNS", 'r', 0 },   { "COMPLETED", 'r', 1 },
		{ "ANOMALIES", 'r', 3 }, { "LIMITS", 'r', 4 }, { "DROPPED", 'r', 2 },
	};
	static const struct sw_grid_column again[] = {
		{ "SERVICE", 'l', 0 },	 { "SYNS", 'r', 0 },	  { "SYNS/S", 'r', 1 },
		{ "COMPLETED", 'r', 3 }, { "ANOMALIES", 'r', 4 }, { "LIMITS", 'r', 5 },
		{ "DROPPED", 'r', 2 },
	};
	unsigned int order[SW_SERVICE_SLOTS];
	size_t count = sw_rank_services(now, by, order);

	if (before && before->policy.generation != now->policy.generation)
		before = NULL; /* its rows may be other services */
	*page = (struct sw_page){ .total = count };
	page->grid = rates ? sw_grid_new(again, COUNT(again)) : sw_grid_new(once, COUNT(once));
	if (count)
		say(page, "what came for each service of the policy, by %s", sw_top_by_name(by));
	else
		say(page, "the policy has no services");
	for (size_t i = 0; i < count && i < limit; i++) {
		const struct sw_service_counters *of = &now->services[order[i]];

		sw_grid_text(page->grid, now->policy.rows[order[i]].name);
		put_count(page->grid, of->evidence[SW_EVIDENCE_SYNS]);
		if (rates)
			put_rate(page->grid, !before ? -1 :
						       rate_of(of->evidence[SW_EVIDENCE_SYNS],
							       before->services[order[i]]
								       .evidence[SW_EVIDENCE_SYNS],
							       now->taken_ns, before->taken_ns));
		put_count(page->grid, of->completed);
		put_count(page->grid, of->anomalies);
		put_count(page->grid, over_limits(of));
		put_count(page->grid, of->dropped);
	}
}

/* ---- anomalies */

void sw_page_anomalies(struct sw_page *page, const struct sw_snapshot *now,
		       const struct sw_snapshot *before, bool rates, size_t limit)
{
	static const struct sw_grid_column once[] = {
		{ "ANOMALY", 'l', 0 },
		{ "SEEN", 'r', 0 },
		{ "WOULD DROP", 'r', 2 },
		{ "DROPPED", 'r', 1 },
	};
	static const struct sw_grid_column again[] = {
		{ "ANOMALY", 'l', 0 },	  { "SEEN", 'r', 0 },	 { "SEEN/S", 'r', 1 },
		{ "WOULD DROP", 'r', 3 }, { "DROPPED", 'r', 2 },
	};
	const struct sw_counters *total = &now->total;
	unsigned int order[SW_ANOMALY_COUNT];
	size_t count = sw_rank_anomalies(total, order);
	char age[SW_NUMBER_SIZE];

	*page = (struct sw_page){ .total = count };
	page->grid = rates ? sw_grid_new(again, COUNT(again)) : sw_grid_new(once, COUNT(once));
	say(page, "segments with each anomaly since the first attach, %s ago",
	    sw_format_duration(age, (now->taken_ns - now->created_ns) / 1000000));
	for (size_t i = 0; i < count && i < limit; i++) {
		unsigned int at = order[i];

		sw_grid_text(page->grid, sw_anomaly_words[at].name);
		put_count(page->grid, total->anomalies_seen[at]);
		if (before)
			put_rate(page->grid, rate_of(total->anomalies_seen[at],
						     before->total.anomalies_seen[at],
						     now->taken_ns, before->taken_ns));
		put_count(page->grid, total->anomalies_would_drop[at]);
		put_count(page->grid, total->anomalies_dropped[at]);
	}
}
