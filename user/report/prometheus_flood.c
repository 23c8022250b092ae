// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of floods: of cookies all in all, and of each service that a policy defends. */
#include "metric.h"
#include "prometheus_sections.h"

#include "../base/error.h"
#include "../model/flood_view.h"
#include "../model/names.h"

static void cookies(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	const struct sw_counters *total = &snapshot->total;

	sw_metric_single(to, "cookies_sent_total", "counter", "SYNs answered with a cookie.",
			 total->tallies[SW_TALLY_COOKIES_SENT]);
	sw_metric_single(to, "cookies_accepted_total", "counter",
			 "Handshakes completed by a valid cookie.",
			 total->tallies[SW_TALLY_COOKIES_ACCEPTED]);
	sw_metric_single(to, "cookies_unsent_total", "counter",
			 "SYNs under a flood that could not be answered, and were dropped.",
			 total->tallies[SW_TALLY_COOKIES_UNSENT]);
	sw_metric_single(to, "challenges_sent_total", "counter", "SYNs answered with a challenge.",
			 total->tallies[SW_TALLY_CHALLENGES_SENT]);
	sw_metric_single(to, "challenges_answered_total", "counter",
			 "Challenges that were answered rightly.",
			 total->limits_dropped[SW_LIMIT_CHALLENGE_ANSWER]);
	sw_metric_head(to, "handovers_total", "counter",
		       "Handshakes completed by a cookie that were to be handed over to their "
		       "listener; failed: it had no room, or the kernel refused; replayed: their "
		       "connection was over.");
	sw_metric_labelled(to, "handovers_total", "result", "taken",
			   total->tallies[SW_TALLY_HANDOVERS]);
	sw_metric_labelled(to, "handovers_total", "result", "failed",
			   total->tallies[SW_TALLY_HANDOVERS_FAILED]);
	sw_metric_labelled(to, "handovers_total", "result", "replayed",
			   total->tallies[SW_TALLY_HANDOVERS_REPLAYED]);
	sw_metric_single(to, "handovers_held_back_total", "counter",
			 "Segments behind a cookie that had not been taken, dropped: they will be "
			 "sent again.",
			 total->tallies[SW_TALLY_HANDOVERS_HELD_BACK]);
}

/* Calls print for each service that is defended. */
static void for_defended(const struct sw_metrics *to, const struct sw_snapshot *snapshot,
			 const char *name,
			 void (*print)(const struct sw_metrics *to, const char *name,
				       const struct sw_row_view *row))
{
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++)
		if (snapshot->policy.rows[i].rules.flood.mode != SW_FLOOD_OFF)
			print(to, name, &snapshot->policy.rows[i]);
}

static void active(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	sw_metric_service(to, name, row->name);
	sw_metric_number(to, !!row->flood.on);
}

static void half_open(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	sw_metric_service(to, name, row->name);
	sw_metric_number(to, row->flood.half_open);
}

static void sources(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	sw_metric_service(to, name, row->name);
	sw_metric_number(to, sw_flood_sources(&row->flood.period));
}

/* One of a few: 1 for that one, 0 for the others, so that each is a series of its own. */
static void state(const struct sw_metrics *to, const char *name, const struct sw_row_view *row,
		  const char *label, const struct sw_word *words, unsigned int count,
		  unsigned int which)
{
	for (unsigned int i = 0; i < count; i++) {
		sw_metric_service(to, name, row->name);
		sw_metric_more(to, label, words[i].name);
		sw_metric_number(to, i == which);
	}
}

static void reason(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	state(to, name, row, "reason", sw_flood_reason_words, SW_FLOOD_REASON_COUNT,
	      row->flood.reason);
}

static void verdict(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	/* without any flood there is nothing to judge: quiet */
	state(to, name, row, "verdict", sw_flood_verdict_words, SW_FLOOD_VERDICT_COUNT,
	      sw_flood_judge(&row->flood.whole));
}

static void self_check(const struct sw_metrics *to, const char *name, const struct sw_row_view *row)
{
	state(to, name, row, "phase", sw_check_words, SW_CHECK_COUNT, row->flood.check_phase);
}

static void floods(const struct sw_metrics *to, const struct sw_service_counters *of)
{
	sw_metric_number(to, of->floods);
}

static void seconds(const struct sw_metrics *to, const struct sw_service_counters *of)
{
	sw_metric_fraction(to, (double)of->flood_ms / 1000, 3);
}

static void steps_aside(const struct sw_metrics *to, const struct sw_service_counters *of)
{
	sw_metric_number(to, of->steps_aside);
}

/* Calls print for the counters of each service that is defended, behind its sample's labels. */
static void for_counted(const struct sw_metrics *to, const struct sw_snapshot *snapshot,
			const char *name,
			void (*print)(const struct sw_metrics *to,
				      const struct sw_service_counters *of))
{
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
		if (snapshot->policy.rows[i].rules.flood.mode == SW_FLOOD_OFF)
			continue;
		sw_metric_service(to, name, snapshot->policy.rows[i].name);
		print(to, &snapshot->services[i]);
	}
}

/* What is counted under a service's name, whichever policy it is of: unlike its state, it never falls. */
static void counted(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	sw_metric_head(to, "floods_total", "counter", "How often a flood began.");
	for_counted(to, snapshot, "floods_total", floods);
	sw_metric_head(to, "flood_seconds_total", "counter", "For how long floods were on.");
	for_counted(to, snapshot, "flood_seconds_total", seconds);
	sw_metric_head(to, "flood_steps_aside_total", "counter",
		       "How often the defence stepped aside.");
	for_counted(to, snapshot, "flood_steps_aside_total", steps_aside);
}

static void evidence(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	for (unsigned int which = 0; which < SW_EVIDENCE_COUNT; which++) {
		char name[64], help[160];

		snprintf(name, sizeof(name), "flood_%s_total", sw_evidence_words[which].name);
		snprintf(help, sizeof(help), "Evidence, flood or not: %s.",
			 sw_evidence_words[which].meaning);
		sw_metric_head(to, name, "counter", help);
		for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
			if (snapshot->policy.rows[i].rules.flood.mode == SW_FLOOD_OFF)
				continue;
			sw_metric_service(to, name, snapshot->policy.rows[i].name);
			sw_metric_number(to, snapshot->services[i].evidence[which]);
		}
	}
}

/* Where fewer hosts than are behind one address have one id, their cookies are not each other's. */
static void shared_secret(const struct sw_metrics *to, const struct sw_policy_view *view)
{
	char id[16];

	sw_metric_head(to, "cookie_secret_info", "gauge",
		       "Always 1; id is that of the shared secret that cookies are made with.");
	sw_format(id, sizeof(id), "%08x", view->secret_ids[0]);
	sw_metric_labelled(to, "cookie_secret_info", "id", view->secret_ids[0] ? id : "none", 1);
	sw_metric_single(to, "clock_synchronised", "gauge",
			 "1 if somebody keeps this host's clock, by which a shared secret goes.",
			 view->clock_synchronised);
}

void sw_prometheus_flood(const struct sw_metrics *to, const struct sw_snapshot *snapshot)
{
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		void (*print)(const struct sw_metrics *to, const char *name,
			      const struct sw_row_view *row);
	} metrics[] = {
		{ "flood_active", "gauge",
		  "1 while SYNs to the service are answered instead of passing.", active },
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
		  "clients out, or tries again; else 0.",
		  self_check },
	};

	cookies(to, snapshot);
	if (!(snapshot->policy.features & SW_HAS_FLOOD_DEFENCE))
		return;
	sw_metric_head(to, "flood_way_info", "gauge",
		       "Always 1; way is how floods to this host are kept off.");
	sw_metric_labelled(to, "flood_way_info", "way",
			   sw_name(sw_flood_way_words, snapshot->policy.flood_way), 1);
	if (sw_policy_shares(&snapshot->policy))
		shared_secret(to, &snapshot->policy);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		sw_metric_head(to, metrics[i].name, metrics[i].type, metrics[i].help);
		for_defended(to, snapshot, metrics[i].name, metrics[i].print);
	}
	counted(to, snapshot);
	evidence(to, snapshot);
}
