// SPDX-License-Identifier: GPL-2.0-or-later
#include "metric.h"

#include "../base/printable.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_SIZE 64 /* names of interfaces and services are shorter */

/* Histogram bounds: powers of two in microseconds, 16 us to 67 s. */
#define FIRST_BOUND 4
#define LAST_BOUND  26

void sw_metric_head(const struct sw_metrics *to, const char *name, const char *type,
		    const char *help)
{
	int length = (int)strlen(name);

	/* OpenMetrics calls a counter without its suffix, which its samples alone have */
	if (to->format == SW_METRICS_OPENMETRICS && !strcmp(type, "counter"))
		length -= (int)strlen("_total");
	fprintf(to->out, "# HELP synward_%.*s %s\n# TYPE synward_%.*s %s\n", length, name, help,
		length, name, type);
}

static void end_line(const struct sw_metrics *to)
{
	fwrite_unlocked(to->line->text, 1, to->line->length, to->out);
	to->line->length = 0;
}

/*
 * A page has thousands of samples, each of a few pieces. To put these together here and give the page the whole line takes
 * half as long as to give it each piece, and printf() takes twice as long as that.
 */
static void put_bytes(const struct sw_metrics *to, const char *text, size_t length)
{
	struct sw_metric_line *line = to->line;

	while (length) {
		size_t room = sizeof(line->text) - line->length,
		       part = length < room ? length : room;

		memcpy(line->text + line->length, text, part);
		line->length += part;
		text += part;
		length -= part;
		if (part == room)
			end_line(to);
	}
}

static void put(const struct sw_metrics *to, const char *text)
{
	put_bytes(to, text, strlen(text));
}

static void put_number(const struct sw_metrics *to, uint64_t number)
{
	char digits[21], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	put(to, first);
}

/* Text that somebody else has chosen, escaped. */
static void put_escaped(const struct sw_metrics *to, const char *value)
{
	size_t plain;

	for (value = SW_PRINTABLE(value, LABEL_SIZE); *value; value += plain) {
		plain = strcspn(value, "\"\\");
		put_bytes(to, value, plain);
		if (value[plain]) {
			put(to, "\\");
			put_bytes(to, &value[plain++], 1);
		}
	}
}

static void begin(const struct sw_metrics *to, const char *name, const char *label)
{
	put(to, "synward_");
	put(to, name);
	put(to, "{");
	put(to, label);
	put(to, "=\"");
}

void sw_metric_number(const struct sw_metrics *to, uint64_t number)
{
	put(to, "} ");
	put_number(to, number);
	put(to, "\n");
	end_line(to);
}

void sw_metric_fraction(const struct sw_metrics *to, double number, int digits)
{
	end_line(to);
	fprintf(to->out, "} %.*f\n", digits, number);
}

/* The vocabulary's texts hold neither quotes nor backslashes: nothing needs an escape. */
void sw_metric_labelled(const struct sw_metrics *to, const char *name, const char *label,
			const char *value, uint64_t number)
{
	begin(to, name, label);
	put(to, value);
	put(to, "\"");
	sw_metric_number(to, number);
}

void sw_metric_more(const struct sw_metrics *to, const char *label, const char *value)
{
	put(to, ",");
	put(to, label);
	put(to, "=\"");
	put(to, value);
	put(to, "\"");
}

void sw_metric_interface(const struct sw_metrics *to, const char *name,
			 const struct sw_interface *record)
{
	begin(to, name, "interface");
	put_escaped(to, record->name);
	put(to, "\",netns=\"");
	put_number(to, record->netns);
	put(to, "\"");
}

void sw_metric_service(const struct sw_metrics *to, const char *name, const char *service)
{
	begin(to, name, "service");
	put_escaped(to, service);
	put(to, "\"");
}

void sw_metric_single(const struct sw_metrics *to, const char *name, const char *type,
		      const char *help, uint64_t number)
{
	sw_metric_head(to, name, type, help);
	fprintf(to->out, "synward_%s %" PRIu64 "\n", name, number);
}

static bool is_later(const struct sw_interface *record, const struct sw_interface *than)
{
	return record->netns == than->netns && record->attached_ns >= than->attached_ns;
}

void sw_metric_choose(const struct sw_interface *records[], uint32_t count)
{
	char shown[SW_MAX_INTERFACES][SW_PRINTABLE_GROWTH * SW_IFNAME_SIZE];

	for (uint32_t i = 0; i < count; i++)
		sw_printable(shown[i], sizeof(shown[i]), records[i]->name);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < count && records[i]; j++)
			if (i != j && records[j] && !strcmp(shown[i], shown[j]) &&
			    is_later(records[j], records[i]))
				records[i] = NULL;
}

void sw_metric_duration(const struct sw_metrics *to, const char *name, const char *stage,
			const struct sw_histogram *histogram)
{
	uint64_t below = 0, count = sw_histogram_count(histogram);
	unsigned int bucket = 0;

	for (unsigned int power = FIRST_BOUND; power <= LAST_BOUND; power++) {
		/* latencies are whole microseconds, cut off: below the bound is what le means */
		while (bucket < SW_HIST_BUCKETS - 1 && sw_hist_bound(bucket) <= 1ULL << power)
			below += histogram->buckets[bucket++];
		fprintf(to->out, "synward_%s_bucket{stage=\"%s\",le=\"%.9g\"} %" PRIu64 "\n", name,
			stage, (double)(1ULL << power) / 1e6, below);
	}
	fprintf(to->out,
		"synward_%s_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		"synward_%s_sum{stage=\"%s\"} %.6f\n"
		"synward_%s_count{stage=\"%s\"} %" PRIu64 "\n",
		name, stage, count, name, stage, (double)histogram->sum_us / 1e6, name, stage,
		count);
}
