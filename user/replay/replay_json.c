// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.h"

#include "../base/address.h"
#include "../base/time.h"
#include "../model/names.h"
#include "../report/json.h"
#include "../report/report.h"

#define NS_PER_MS 1000000ULL

static json_t *header(const struct sw_replay_result *result)
{
	json_t *root = sw_json_stats_root(&result->stats); /* what reads those can read these */

	sw_json_put_text(root, "file", result->path);
	sw_json_put_number(root, "packets", result->packets);
	sw_json_put_number(root, "unsupported", result->skipped);
	sw_json_put_bool(root, "complete", !result->damage[0]);
	sw_json_put_time(root, "timestamp", result->last_ns);
	json_object_del(root, "map_bytes");
	return root;
}

static json_t *latencies(const struct sw_event *event)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		if (event->latency_us[i] != SW_LATENCY_UNKNOWN)
			sw_json_put_number(object, sw_latency_words[i].name, event->latency_us[i]);
	return object;
}

static json_t *attempt(const struct sw_replay_attempt *from)
{
	const struct sw_event *event = &from->event;
	char text[SW_ADDRESS_SIZE];
	json_t *object = json_object();

	sw_json_put_time(object, "time", from->started_ms * NS_PER_MS);
	sw_json_put_ends(object, &event->flow.orig, event->flow.orig_port, &event->flow.resp,
			 event->flow.resp_port);
	sw_json_put_text(object, "src", sw_format_address(text, &event->flow.orig));
	sw_json_put_number(object, "sport", event->flow.orig_port);
	sw_json_put_text(object, "dst", sw_format_address(text, &event->flow.resp));
	sw_json_put_number(object, "dport", event->flow.resp_port);
	sw_json_put_text(object, "outcome", sw_name(sw_outcome_words, event->outcome));
	if (event->reason != SW_REASON_NONE)
		sw_json_put_text(object, "reason", sw_name(sw_reason_words, event->reason));
	sw_json_put_text(object, "phase", sw_name(sw_phase_words, event->phase));
	/* a flow that began without a SYN has shown none */
	if (event->phase != SW_PHASE_STRAY)
		sw_json_put_number(object, "isn_orig", event->isn_orig);
	if (event->phase != SW_PHASE_STRAY && event->phase != SW_PHASE_SYN_SENT)
		sw_json_put_number(object, "isn_resp", event->isn_resp);
	sw_json_put(object, "latency_us", latencies(event));
	sw_json_put_number(object, "age_ms", event->age_ms);
	return object;
}

void sw_json_replay(FILE *out, const struct sw_replay_result *result, bool pretty)
{
	struct sw_json_rows rows;

	sw_json_rows_begin(&rows, out, header(result), "attempts", pretty);
	for (size_t i = 0; i < result->count; i++)
		sw_json_rows_add(&rows, attempt(&result->attempts[i]));
	sw_json_rows_end(&rows);
}
