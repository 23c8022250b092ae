// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "top_report.h"

#include "../base/time.h"
#include "../model/names.h"

static const char *const kind_names[] = {
#define X(id, name, meaning) #name,
	SW_TOP_KINDS(X)
#undef X
};

static json_t *root_of(const char *what, uint64_t taken_ns)
{
	json_t *root = sw_json_root();

	sw_json_put_time(root, "timestamp", sw_wall_ns(taken_ns));
	sw_json_put_text(root, "top", what);
	return root;
}

static json_t *put_rows(json_t *root, const char *name, size_t total, size_t shown)
{
	sw_json_put_number(root, "total", total);
	sw_json_put_number(root, "shown", shown);
	return sw_json_put(root, name, json_array());
}

static json_t *measure(const struct sw_top_measure *of)
{
	json_t *object = json_object();

	sw_json_put_number(object, "count", of->count);
	sw_json_put_number(object, "error", sw_top_error(of));
	sw_json_put_number(object, "replacement_error", of->inherited);
	sw_json_put_number(object, "sampling_error", of->sampling);
	return object;
}

static json_t *total_of(const struct sw_top *top, enum sw_top_kind kind)
{
	json_t *object = json_object();

	sw_json_put_number(object, "count", top->totals[kind].count);
	sw_json_put_number(object, "sampling_error", top->totals[kind].sampling);
	sw_json_put_number(object, "followed", top->followed[kind]);
	return object;
}

static json_t *source_of(const struct sw_top_source *source)
{
	json_t *object = json_object();
	struct sw_top_measure weight = sw_top_measure(source->kinds, SW_TOP_BY_WEIGHT);
	char text[SW_SOURCE_SIZE];

	sw_json_put_text(object, "source", sw_format_source(text, &source->addr));
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		sw_json_put(object, kind_names[kind], measure(&source->kinds[kind]));
	sw_json_put(object, "weight", measure(&weight));
	return object;
}

void sw_json_top_sources(FILE *out, const struct sw_top *top, enum sw_top_by by, size_t limit,
			 bool pretty)
{
	size_t shown = top->count < limit ? top->count : limit;
	json_t *root = root_of("sources", top->taken_ns), *rows, *totals = json_object();

	sw_json_put_text(root, "by", sw_top_by_name(by));
	sw_json_put_number(root, "span_ms", top->span_ms);
	sw_json_put_number(root, "sample", SW_TOP_SAMPLE);
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		sw_json_put(totals, kind_names[kind], total_of(top, kind));
	sw_json_put(root, "totals", totals);
	rows = put_rows(root, "sources", top->count, shown);
	for (size_t i = 0; i < shown; i++)
		json_array_append_new(rows, source_of(&top->sources[i]));
	sw_json_print(out, root, pretty);
}

static json_t *service_of(const struct sw_snapshot *snapshot, unsigned int row)
{
	json_t *object = json_object(), *limits = json_object();
	const struct sw_service_counters *of = &snapshot->services[row];

	sw_json_put_text(object, "name", snapshot->policy.rows[row].name);
	sw_json_put_number(object, "syns", of->evidence[SW_EVIDENCE_SYNS]);
	sw_json_put_number(object, "completed", of->completed);
	sw_json_put_number(object, "anomalies", of->anomalies);
	sw_json_put_number(object, "dropped", of->dropped);
	for (int i = 0; i < SW_LIMIT_COUNT; i++)
		sw_json_put_number(limits, sw_limit_words[i].name, of->limits[i]);
	sw_json_put(object, "limits", limits);
	return object;
}

void sw_json_top_services(FILE *out, const struct sw_snapshot *snapshot, enum sw_top_by by,
			  size_t limit, bool pretty)
{
	json_t *root = root_of("services", snapshot->taken_ns), *rows;
	unsigned int order[SW_SERVICE_SLOTS];
	size_t count = sw_rank_services(snapshot, by, order);
	size_t shown = count < limit ? count : limit;

	sw_json_put_text(root, "by", sw_top_by_name(by));
	rows = put_rows(root, "services", count, shown);
	for (size_t i = 0; i < shown; i++)
		json_array_append_new(rows, service_of(snapshot, order[i]));
	sw_json_print(out, root, pretty);
}

void sw_json_top_anomalies(FILE *out, const struct sw_snapshot *snapshot, size_t limit, bool pretty)
{
	json_t *root = root_of("anomalies", snapshot->taken_ns), *rows;
	const struct sw_counters *total = &snapshot->total;
	unsigned int order[SW_ANOMALY_COUNT];
	size_t count = sw_rank_anomalies(total, order);
	size_t shown = count < limit ? count : limit;

	rows = put_rows(root, "anomalies", count, shown);
	for (size_t i = 0; i < shown; i++) {
		json_t *object = json_object();

		sw_json_put_text(object, "anomaly", sw_anomaly_words[order[i]].name);
		sw_json_put_number(object, "seen", total->anomalies_seen[order[i]]);
		sw_json_put_number(object, "would_drop", total->anomalies_would_drop[order[i]]);
		sw_json_put_number(object, "dropped", total->anomalies_dropped[order[i]]);
		json_array_append_new(rows, object);
	}
	sw_json_print(out, root, pretty);
}
