// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_report.h"
#include "json.h"
#include "self_check.h"

#include "../base/number.h"
#include "../model/flood_view.h"
#include "../model/names.h"
#include "../text/table.h"

/*
 * What is said to be done while a flood is on follows from what was counted: not every SYN of one is answered. In JSON,
 * and in a headline before and behind since when it is on.
 */
static const struct deed {
	const char *name, *begin, *end;
} deeds[] = {
	[SW_FLOOD_DEED_ANSWERED] = { "answered", "SYNs have been answered here", "" },
	[SW_FLOOD_DEED_WATCHED] = { "watched", "the defence has been on",
				    ", but only watches: SYNs pass" },
	[SW_FLOOD_DEED_ASIDE] = { "aside", "the defence has been on",
				  ", but stepped aside: SYNs pass" },
	[SW_FLOOD_DEED_UNHEARD] = { "unheard", "the defence has been on",
				    ", but no server was heard answering, so SYNs pass" },
	[SW_FLOOD_DEED_NONE] = { "none", "the defence has been on",
				 ", and has answered no SYN yet" },
};

static const struct deed *deed_of(const struct sw_policy_view *view, const struct sw_row_view *row)
{
	return &deeds[sw_flood_deed(&row->flood, sw_row_only_watches(view, row),
				    sw_row_stands_aside(row))];
}

/* ---- JSON */

static json_t *evidence(const struct sw_flood_evidence *of, enum sw_flood_verdict verdict)
{
	json_t *object = json_object();

	sw_json_put_text(object, "verdict", sw_name(sw_flood_verdict_words, verdict));
	sw_json_put_text(object, "words", sw_flood_verdict_words[verdict].meaning);
	sw_json_put_number(object, "period_ms", of->ms);
	for (unsigned int i = 0; i < SW_EVIDENCE_COUNT; i++)
		sw_json_put_number(object, sw_evidence_words[i].name, of->counts[i]);
	sw_json_put_number(object, "half_open", of->half_open);
	sw_json_put_number(object, "sources", sw_flood_sources(of));
	sw_json_put_number(object, "queue", of->queue);
	sw_json_put_number(object, "queue_room", of->queue_room);
	return object;
}

json_t *sw_json_flood(const struct sw_policy_view *view, const struct sw_row_view *row)
{
	const struct sw_flood_state *state = &row->flood;
	json_t *object = json_object(), *last;

	sw_json_put_text(object, "defence", sw_name(sw_flood_mode_words, row->rules.flood.mode));
	sw_json_put_bool(object, "on", state->on);
	if (state->on)
		sw_json_put_text(object, "deed", deed_of(view, row)->name);
	sw_json_put_number(object, "floods", state->floods);
	sw_json_put_text(object, "reason", sw_name(sw_flood_reason_words, state->reason));
	sw_json_put_number(object, "changed_ms", state->floods ? row->flood_changed_ms : 0);
	sw_json_put_text(object, "verdict",
			 sw_name(sw_flood_verdict_words, sw_flood_judge_now(state)));
	sw_json_put_number(object, "syns_per_second", state->syn_rate);
	sw_json_put_number(object, "completed_per_second", state->completed_rate);
	sw_json_put_number(object, "half_open", state->half_open);
	sw_json_put_number(object, "sources", sw_flood_sources(&state->period));
	sw_json_put(object, "now", evidence(&state->period, sw_flood_judge_now(state)));
	sw_json_put(object, "self_check", sw_json_self_check(row));
	if (!state->floods)
		return object;
	last = sw_json_put(object, "last", json_object());
	sw_json_put_number(last, "lasted_ms", sw_flood_lasted_ms(state));
	sw_json_put(last, "began", evidence(&state->began, sw_flood_judge(&state->began)));
	sw_json_put(last, "whole", evidence(&state->whole, sw_flood_judge(&state->whole)));
	return object;
}

/* Is it about what the defence has found out about itself? */
static bool is_of_check(const struct sw_flood_event *event)
{
	return event->head.type == SW_EVENT_FLOOD_STEPS_ASIDE ||
	       event->head.type == SW_EVENT_FLOOD_RESUMES;
}

void sw_json_flood_event(json_t *object, const struct sw_flood_event *event, const char *service)
{
	if (*service)
		sw_json_put_text(object, "service", service);
	if (is_of_check(event))
		sw_json_self_check_event(object, event);
	else
		sw_json_put_text(object, "reason",
				 sw_name(sw_flood_reason_words, event->head.flood_reason));
	if (event->head.type == SW_EVENT_FLOOD_ENDS)
		sw_json_put_number(object, "lasted_ms", event->on_ms);
	sw_json_put(object, "evidence",
		    evidence(&event->evidence, sw_flood_judge(&event->evidence)));
}

/* ---- text */

static const char *words_of(enum sw_flood_verdict verdict)
{
	return sw_flood_verdict_words[verdict].meaning;
}

static const char *reason_of(uint32_t reason)
{
	return sw_flood_reason_words[reason % SW_FLOOD_REASON_COUNT].meaning;
}

/* Of one period: a second's worth. */
static void print_rates(FILE *out, const struct sw_flood_evidence *of)
{
	char syns[SW_NUMBER_SIZE], completed[SW_NUMBER_SIZE], open[SW_NUMBER_SIZE],
		sources[SW_NUMBER_SIZE];

	fprintf(out, "%s SYNs/s, %s completed/s, %s half-open, about %s %s",
		sw_format_count(syns, sw_flood_rate(of, SW_EVIDENCE_SYNS)),
		sw_format_count(completed, sw_flood_rate(of, SW_EVIDENCE_COMPLETED)),
		sw_format_count(open, of->half_open),
		sw_format_count(sources, sw_flood_sources(of)),
		sw_noun(sw_flood_sources(of), "source", "sources"));
}

/* Of all of a flood. */
static void print_counts(FILE *out, const struct sw_flood_evidence *of)
{
	char syns[SW_NUMBER_SIZE], answered[SW_NUMBER_SIZE], completed[SW_NUMBER_SIZE],
		cookies[SW_NUMBER_SIZE];

	fprintf(out, "%s %s, %s of them answered here; %s completed, %s of them by cookie",
		sw_format_count(syns, of->counts[SW_EVIDENCE_SYNS]),
		sw_noun(of->counts[SW_EVIDENCE_SYNS], "SYN", "SYNs"),
		sw_format_count(answered, of->counts[SW_EVIDENCE_ANSWERED]),
		sw_format_count(completed, of->counts[SW_EVIDENCE_COMPLETED]),
		sw_format_count(cookies, of->counts[SW_EVIDENCE_BY_COOKIE]));
}

/* What the server did, as far as it was asked; the rest only if there is any of it. */
static void print_server(FILE *out, const struct sw_flood_evidence *of)
{
	static const struct {
		enum sw_evidence which;
		const char *what, *one, *many;
	} symptoms[] = {
		{ SW_EVIDENCE_REFUSED, "refused", "", "" },
		{ SW_EVIDENCE_LATE, "completed", " late", " late" },
		{ SW_EVIDENCE_UNACCEPTED, "asked", " time for an ACK that it had",
		  " times for an ACK that it had" },
		{ SW_EVIDENCE_UNHEARD, "not heard answering", " SYN, which passed",
		  " SYNs, which passed" },
	};
	char asked[SW_NUMBER_SIZE], answered[SW_NUMBER_SIZE];

	fprintf(out, "asked for %s, answered %s",
		sw_format_count(asked, of->counts[SW_EVIDENCE_ATTEMPTS]),
		sw_format_count(answered, of->counts[SW_EVIDENCE_SYNACKS]));
	for (size_t i = 0; i < sizeof(symptoms) / sizeof(symptoms[0]); i++) {
		uint64_t count = of->counts[symptoms[i].which];

		if (count)
			fprintf(out, ", %s %s%s", symptoms[i].what, sw_format_count(asked, count),
				sw_noun(count, symptoms[i].one, symptoms[i].many));
	}
	if (of->queue_room)
		fprintf(out, ", accept queue %u of %u", of->queue, of->queue_room);
}

static void print_line(FILE *out, const char *label, const struct sw_flood_evidence *of,
		       void (*print)(FILE *out, const struct sw_flood_evidence *of))
{
	fprintf(out, "      %-7s ", label);
	print(out, of);
	putc('\n', out);
}

/* The flood that is on, or the last one. */
static void print_flood(FILE *out, const struct sw_flood_state *flood)
{
	fprintf(out, "    %s\n", words_of(sw_flood_judge(&flood->whole)));
	print_line(out, "began", &flood->began, print_rates);
	print_line(out, flood->on ? "so far" : "in all", &flood->whole, print_counts);
	print_line(out, "server", &flood->whole, print_server);
}

/* While it is on. */
static void print_headline(FILE *out, const struct sw_policy_view *view,
			   const struct sw_row_view *row)
{
	const struct deed *deed = deed_of(view, row);
	char text[SW_NUMBER_SIZE];

	fprintf(out, "  %s%s: %s for %s (reason: %s)%s%s\n", sw_style(out, SW_STYLE_WARN),
		row->name, deed->begin, sw_format_duration(text, row->flood_changed_ms),
		reason_of(row->flood.reason), deed->end, sw_style(out, SW_STYLE_NONE));
}

void sw_text_flood(FILE *out, const struct sw_policy_view *view, const struct sw_row_view *row)
{
	const struct sw_flood_state *flood = &row->flood;
	char text[SW_NUMBER_SIZE];

	if (flood->on) {
		print_headline(out, view, row);
		print_flood(out, flood);
		print_line(out, "now", &flood->period, print_rates);
		return;
	}
	fprintf(out, "  %s: SYNs pass untouched\n    %s\n", row->name,
		words_of(sw_flood_judge_now(flood)));
	print_line(out, "now", &flood->period, print_rates);
	if (!flood->floods)
		return;
	fprintf(out, "    the last flood ended %s ago",
		sw_format_duration(text, row->flood_changed_ms));
	fprintf(out, " and lasted %s: %s\n", sw_format_duration(text, sw_flood_lasted_ms(flood)),
		reason_of(flood->reason));
	print_flood(out, flood);
}

void sw_text_flood_event(FILE *out, const struct sw_flood_event *event, const char *service)
{
	const struct sw_flood_evidence *of = &event->evidence;
	char lasted[SW_NUMBER_SIZE];

	fprintf(out, "%s: ", *service ? service : "a service that is no more");
	if (is_of_check(event)) {
		sw_text_self_check_event(out, event);
		return;
	}
	if (event->head.type == SW_EVENT_FLOOD_ENDS)
		fprintf(out, "after %s; ", sw_format_duration(lasted, event->on_ms));
	else
		fprintf(out, "%s; ", reason_of(event->head.flood_reason));
	fprintf(out, "%s; ", words_of(sw_flood_judge(of)));
	if (event->head.type == SW_EVENT_FLOOD_ENDS)
		print_counts(out, of);
	else
		print_rates(out, of);
	fputs("; server ", out);
	print_server(out, of);
}
