// SPDX-License-Identifier: GPL-2.0-or-later
/* The last quarter of an hour, as columns: a field of each is an array with an element for each sample. */
#include "history_report.h"
#include "json.h"
#include "report.h"

#include "../base/time.h"
#include "../model/names.h"

#include <stddef.h>

#define NS_PER_MS 1000000ULL

/* The samples from a number on. */
struct part {
	const struct sw_history *history;
	uint64_t from;
};

/* A column of the numbers that are so many bytes into each sample; null where nothing is known. */
static json_t *column(const struct part *part, size_t offset)
{
	json_t *array = json_array();

	for (uint64_t i = part->from; i < part->history->next; i++) {
		const struct sw_history_sample *sample = sw_history_sample(part->history, i);
		const char *at = (const char *)sample + offset;

		json_array_append_new(array,
				      sample->duration_ms ?
					      json_integer((json_int_t) * (const uint64_t *)at) :
					      json_null());
	}
	return array;
}

static json_t *short_column(const struct part *part, size_t offset, bool always)
{
	json_t *array = json_array();

	for (uint64_t i = part->from; i < part->history->next; i++) {
		const struct sw_history_sample *sample = sw_history_sample(part->history, i);
		const char *at = (const char *)sample + offset;

		json_array_append_new(array, sample->duration_ms || always ?
						     json_integer(*(const uint32_t *)at) :
						     json_null());
	}
	return array;
}

static json_t *times(const struct part *part)
{
	json_t *array = json_array();

	for (uint64_t i = part->from; i < part->history->next; i++) {
		uint64_t taken_ns = sw_history_sample(part->history, i)->taken_ns;

		json_array_append_new(array,
				      json_integer((json_int_t)(sw_wall_ns(taken_ns) / NS_PER_MS)));
	}
	return array;
}

/* An object of columns, of an array in each sample. */
static json_t *named(const struct part *part, const struct sw_word *words, unsigned int count,
		     size_t offset)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < count; i++)
		sw_json_put(object, words[i].name, column(part, offset + i * sizeof(uint64_t)));
	return object;
}

#define OF(field)	  offsetof(struct sw_history_sample, field)
#define OF_LATENCY(field) offsetof(struct sw_history_latency, field)

static json_t *latencies(const struct part *part)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++) {
		size_t at = OF(latencies) + i * sizeof(struct sw_history_latency);
		json_t *one = sw_json_put(object, sw_latency_words[i].name, json_object());

		sw_json_put(one, "count", column(part, at + OF_LATENCY(count)));
		sw_json_put(one, "p50_us", column(part, at + OF_LATENCY(p50_us)));
		sw_json_put(one, "p90_us", column(part, at + OF_LATENCY(p90_us)));
		sw_json_put(one, "p99_us", column(part, at + OF_LATENCY(p99_us)));
	}
	return object;
}

void sw_json_history(FILE *out, const struct sw_history *history, uint64_t from)
{
	struct part part = { history, sw_history_first(history) };
	json_t *root = sw_json_root(), *packets;

	if (from > part.from)
		part.from = from < history->next ? from : history->next;
	sw_json_put_number(root, "interval_ms", SW_HISTORY_INTERVAL_MS);
	sw_json_put_number(root, "kept", SW_HISTORY_SAMPLES);
	sw_json_put_number(root, "first", part.from);
	sw_json_put_number(root, "next", history->next);
	sw_json_put(root, "time_ms", times(&part));
	sw_json_put(root, "duration_ms", short_column(&part, OF(duration_ms), true));
	sw_json_put(root, "floods", short_column(&part, OF(floods), false));
	sw_json_put(root, "stands_aside", short_column(&part, OF(aside), false));
	sw_json_put(root, "half_open", column(&part, OF(half_open)));
	sw_json_put(root, "connections", column(&part, OF(connections)));
	sw_json_put(root, "handshakes",
		    named(&part, sw_outcome_words, SW_OUTCOME_COUNT, OF(outcomes)));
	sw_json_put(root, "latency", latencies(&part));
	packets = named(&part, sw_verdict_words, SW_VERDICT_COUNT, OF(verdicts));
	sw_json_put(packets, "seen", column(&part, OF(seen)));
	sw_json_put(root, "packets", packets);
	sw_json_put(root, "would_drop", column(&part, OF(would_drop)));
	sw_json_put(root, "tallies", named(&part, sw_tally_words, SW_TALLY_COUNT, OF(tallies)));
	sw_json_print(out, root, false);
}
