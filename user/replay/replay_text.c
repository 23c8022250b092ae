// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.h"

#include "../base/address.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../model/names.h"
#include "../report/report.h"
#include "../text/table.h"

#include <inttypes.h>

#define NS_PER_MS 1000000ULL

static void print_summary(FILE *out, const struct sw_replay_result *result)
{
	const struct sw_traffic *seen = &result->stats.interfaces[0].traffic.directions[SW_INGRESS];
	char packets[SW_NUMBER_SIZE], tcp[SW_NUMBER_SIZE], length[SW_NUMBER_SIZE];
	char moment[SW_TIMESTAMP_SIZE];

	fprintf(out, "%s%s%s: %s %s, %s of them TCP", sw_style(out, SW_STYLE_BOLD), result->path,
		sw_style(out, SW_STYLE_NONE), sw_format_count(packets, result->packets),
		sw_noun(result->packets, "packet", "packets"),
		sw_format_count(tcp, seen->kinds[SW_KIND_TCP]));
	if (result->packets)
		fprintf(out, ", in %s from %s on",
			sw_format_duration(length,
					   (result->last_ns - result->first_ns) / NS_PER_MS),
			sw_format_moment(moment, result->first_ns));
	fputs("\nWhen it ends: ", out);
}

static void latency_cell(struct sw_table *table, const struct sw_event *event,
			 enum sw_latency which)
{
	char text[SW_NUMBER_SIZE];

	if (event->latency_us[which] == SW_LATENCY_UNKNOWN)
		sw_table_cell(table, "-");
	else
		sw_table_cell(table, "%s", sw_format_latency(text, event->latency_us[which]));
}

static void attempt_row(struct sw_table *table, const struct sw_replay_attempt *attempt,
			uint64_t first_ms)
{
	const struct sw_event *event = &attempt->event;
	char text[SW_ENDPOINT_SIZE], age[SW_NUMBER_SIZE];
	uint64_t at_ms = attempt->started_ms - first_ms;

	sw_table_cell(table, "%" PRIu64 ".%03u", at_ms / 1000, (unsigned int)(at_ms % 1000));
	sw_table_cell(table, "%s", sw_name(sw_outcome_words, event->outcome));
	sw_table_cell(table, "%s",
		      sw_format_endpoint(text, &event->flow.orig, event->flow.orig_port));
	sw_table_cell(table, "%s",
		      sw_format_endpoint(text, &event->flow.resp, event->flow.resp_port));
	latency_cell(table, event, SW_LATENCY_SYN_TO_SYNACK);
	latency_cell(table, event, SW_LATENCY_SYNACK_TO_ACK);
	sw_table_cell(table, "%s", sw_format_duration(age, event->age_ms));
	sw_table_cell(table, "%s",
		      event->reason == SW_REASON_NONE ? "" :
							sw_name(sw_reason_words, event->reason));
}

/*
 * Those that began with a SYN, or the others: at most limit, under a heading that says which. Returns how many
 * there were room for.
 */
static size_t print_attempts(FILE *out, const struct sw_replay_result *result, bool with_syn,
			     uint64_t limit)
{
	const char *const headings[] = { "AT",	    with_syn ? "OUTCOME" : "OTHER FLOWS",
					 "OPENER",  "RESPONDER",
					 "SYN-ACK", "ACK",
					 "AGE",	    "REASON" };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("rlllrrrl");
	size_t shown = 0;

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	for (size_t i = 0; i < result->count && shown < limit; i++) {
		if (sw_is_of_attempt(result->attempts[i].event.outcome) != with_syn)
			continue;
		attempt_row(table, &result->attempts[i], result->first_ns / NS_PER_MS);
		shown++;
	}
	sw_table_print(table, out);
	return shown;
}

void sw_text_replay(FILE *out, const struct sw_replay_result *result, uint64_t limit)
{
	struct sw_snapshot stats = result->stats;
	char text[SW_NUMBER_SIZE];
	size_t shown;

	print_summary(out, result);
	stats.interface_count = 0; /* there was no interface whose traffic could be told */
	sw_text_stats(out, &stats, false);
	shown = print_attempts(out, result, true, limit);
	shown += print_attempts(out, result, false, limit - shown);
	if (shown < result->count)
		fprintf(out, "  and %s more: --all shows them\n",
			sw_format_count(text, result->count - shown));
}
