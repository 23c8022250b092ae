// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of floods: of cookies all in all, and of each service that a policy defends. */
#include "metric.h"
#include "prometheus_sections.h"

#include "../model/flood_view.h"
#include "../model/names.h"

#include <inttypes.h>

static void cookies(FILE *out, const struct sw_snapshot *snapshot)
{
	const struct sw_counters *total = &snapshot->total;

	sw_metric_single(out, "cookies_sent_total", "counter", "SYNs answered with a cookie.",
			 total->tallies[SW_TALLY_COOKIES_SENT]);
	sw_metric_single(out, "cookies_accepted_total", "counter",
			 "Handshakes completed by a valid cookie.",
			 total->tallies[SW_TALLY_COOKIES_ACCEPTED]);
	sw_metric_single(out, "cookies_unsent_total", "counter",
			 "SYNs under a flood that could not be answered, and were dropped.",
			 total->tallies[SW_TALLY_COOKIES_UNSENT]);
	sw_metric_single(out, "challenges_sent_total", "counter", "SYNs answered with a challenge.",
			 total->tallies[SW_TALLY_CHALLENGES_SENT]);
	sw_metric_single(out, "challenges_answered_total", "counter",
			 "Challenges that were answered rightly.",
			 total->limits_dropped[SW_LIMIT_CHALLENGE_ANSWER]);
	sw_metric_head(out, "handovers_total", "counter",
		       "Handshakes completed by a cookie that were to be handed over to their "
		       "listener; failed: it had no room, or the kernel refused; replayed: their "
		       "connection was over.");
	sw_metric_labelled(out, "handovers_total", "result", "taken",
			   total->tallies[SW_TALLY_HANDOVERS]);
	sw_metric_labelled(out, "handovers_total", "result", "failed",
			   total->tallies[SW_TALLY_HANDOVERS_FAILED]);
	sw_metric_labelled(out, "handovers_total", "result", "replayed",
			   total->tallies[SW_TALLY_HANDOVERS_REPLAYED]);
	sw_metric_single(out, "handovers_held_back_total", "counter",
			 "Segments behind a cookie that had not been taken, dropped: they will be "
			 "sent again.",
			 total->tallies[SW_TALLY_HANDOVERS_HELD_BACK]);
}

/* Calls print for each service that is defended. */
static void for_defended(FILE *out, const struct sw_snapshot *snapshot, const char *name,
			 void (*print)(FILE *out, const char *name, const struct sw_row_view *row))
{
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++)
		if (snapshot->policy.rows[i].rules.flood.mode != SW_FLOOD_OFF)
			print(out, name, &snapshot->policy.rows[i]);
}

static void sample(FILE *out, const char *name, const struct sw_row_view *row)
{
	fprintf(out, "synward_%s{service=\"", name);
	sw_metric_label(out, row->name);
	fputs("\"} ", out);
}

static void active(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%d\n", !!row->flood.on);
}

static void floods(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%u\n", row->flood.floods);
}

static void seconds(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%.3f\n", (double)row->flood.on_ms / 1000);
}

static void half_open(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%u\n", row->flood.half_open);
}

static void sources(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%" PRIu32 "\n", sw_flood_sources(&row->flood.period));
}

/* One of a few: 1 for that one, 0 for the others, so that each is a series of its own. */
static void state(FILE *out, const char *name, const struct sw_row_view *row, const char *label,
		  const struct sw_word *words, unsigned int count, unsigned int which)
{
	for (unsigned int i = 0; i < count; i++) {
		fprintf(out, "synward_%s{service=\"", name);
		sw_metric_label(out, row->name);
		fprintf(out, "\",%s=\"%s\"} %d\n", label, words[i].name, i == which);
	}
}

static void reason(FILE *out, const char *name, const struct sw_row_view *row)
{
	state(out, name, row, "reason", sw_flood_reason_words, SW_FLOOD_REASON_COUNT,
	      row->flood.reason);
}

static void verdict(FILE *out, const char *name, const struct sw_row_view *row)
{
	/* without any flood there is nothing to judge: quiet */
	state(out, name, row, "verdict", sw_flood_verdict_words, SW_FLOOD_VERDICT_COUNT,
	      sw_flood_judge(&row->flood.whole));
}

static void self_check(FILE *out, const char *name, const struct sw_row_view *row)
{
	state(out, name, row, "phase", sw_check_words, SW_CHECK_COUNT, row->flood.check_phase);
}

static void steps_aside(FILE *out, const char *name, const struct sw_row_view *row)
{
	sample(out, name, row);
	fprintf(out, "%u\n", row->flood.check.times);
}

static void evidence(FILE *out, const struct sw_snapshot *snapshot)
{
	for (unsigned int which = 0; which < SW_EVIDENCE_COUNT; which++) {
		char name[64], help[160];

		snprintf(name, sizeof(name), "flood_%s_total", sw_evidence_words[which].name);
		snprintf(help, sizeof(help), "Evidence, flood or not: %s.",
			 sw_evidence_words[which].meaning);
		sw_metric_head(out, name, "counter", help);
		for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
			if (snapshot->policy.rows[i].rules.flood.mode == SW_FLOOD_OFF)
				continue;
			sample(out, name, &snapshot->policy.rows[i]);
			fprintf(out, "%" PRIu64 "\n",
				(uint64_t)snapshot->services[i].evidence[which]);
		}
	}
}

void sw_prometheus_flood(FILE *out, const struct sw_snapshot *snapshot)
{
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		void (*print)(FILE *out, const char *name, const struct sw_row_view *row);
	} metrics[] = {
		{ "flood_active", "gauge",
		  "1 while SYNs to the service are answered instead of passing.", active },
		{ "floods_total", "counter", "How often that began.", floods },
		{ "flood_seconds_total", "counter", "For how long it was so.", seconds },
		{ "flood_half_open", "gauge", "Unfinished handshakes of the service.", half_open },
		{ "flood_sources", "gauge",
		  "An estimate of how many sources sent it SYNs in the last fifth of a second.",
		  sources },
		{ "flood_reason", "gauge",
		  "1 for why the flood that is on, or the last one, began; else 0.", reason },
		{ "flood_verdict", "gauge",
		  "1 for what the flood that is on, or the last one, looks like; else 0.",
		  verdict },
		{ "flood_self_check", "gauge",
		  "1 for whether the service's defence answers, stands aside since it locks "
		  "clients "
		  "out, or tries again; else 0.",
		  self_check },
		{ "flood_steps_aside_total", "counter", "How often it stepped aside.",
		  steps_aside },
	};

	cookies(out, snapshot);
	if (!(snapshot->policy.features & SW_HAS_FLOOD_DEFENCE))
		return;
	sw_metric_head(out, "flood_way_info", "gauge",
		       "Always 1; way is how floods to this host are kept off.");
	sw_metric_labelled(out, "flood_way_info", "way",
			   sw_name(sw_flood_way_words, snapshot->policy.flood_way), 1);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		sw_metric_head(out, metrics[i].name, metrics[i].type, metrics[i].help);
		for_defended(out, snapshot, metrics[i].name, metrics[i].print);
	}
	evidence(out, snapshot);
}
