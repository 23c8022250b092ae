// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include "../base/printable.h"
#include "../base/number.h"
#include "../model/names.h"
#include "../text/prose.h"
#include "../text/table.h"

static void title(FILE *out, const char *text)
{
	fprintf(out, "%s%s%s\n", sw_style(out, SW_STYLE_BOLD), text, sw_style(out, SW_STYLE_NONE));
}

static uint64_t attempts(const struct sw_counters *total)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		if (sw_is_of_attempt(i))
			sum += total->outcomes[i];
	return sum;
}

/*
 * How attempts ended, and which share of them did. Of a flood of which not all were followed, also how many of the
 * others ended so, as far as can be told from those that were.
 */
static void outcomes(FILE *out, const struct sw_counters *total, bool all)
{
	uint64_t sum = attempts(total), untold = sw_untold_attempts(total);
	SW_AUTO_TABLE struct sw_table *table = sw_table_new(untold ? "lrrr" : "lrr");
	char text[SW_NUMBER_SIZE];

	if (!all && !sum && !untold) {
		fputs("  no handshake has ended yet\n", out);
		return;
	}
	sw_table_cell(table, "OUTCOME");
	sw_table_cell(table, "HANDSHAKES");
	sw_table_cell(table, "SHARE");
	if (untold)
		sw_table_cell(table, "ESTIMATED");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++) {
		uint64_t estimated = untold ? sw_estimated_outcome(total, i) : 0;

		if (!sw_is_of_attempt(i) || (!all && !total->outcomes[i] && !estimated))
			continue;
		sw_table_cell(table, "%s", sw_outcome_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, total->outcomes[i]));
		sw_table_cell(table, "%.1f%%",
			      sum ? 100.0 * (double)total->outcomes[i] / (double)sum : 0.0);
		if (untold)
			sw_table_cell(table, "%s%s", estimated ? "~" : "",
				      sw_format_count(text, estimated));
	}
	sw_table_print(table, out);
	if (untold)
		fprintf(out,
			"  %s attempts of a flood were counted and not followed. ESTIMATED tells "
			"how they ended, to judge by those that were followed at the same time.\n",
			sw_format_count(text, untold));
}

/* What did not begin with a SYN, which is no handshake's end. */
static void other_flows(FILE *out, const struct sw_counters *total, bool all)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "OTHER FLOWS");
	sw_table_cell(table, "COUNT");
	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++) {
		if (sw_is_of_attempt(i) || (!all && !total->outcomes[i]))
			continue;
		sw_table_cell(table, "%s", sw_outcome_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, total->outcomes[i]));
	}
	sw_table_print(table, out);
}

static void latencies(FILE *out, const struct sw_counters *total, bool all)
{
	static const double fractions[] = { 0.5, 0.9, 0.99 };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrrr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "LATENCY");
	sw_table_cell(table, "MEASURED");
	sw_table_cell(table, "P50");
	sw_table_cell(table, "P90");
	sw_table_cell(table, "P99");
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++) {
		const struct sw_histogram *histogram = &total->latencies[i];
		uint64_t count = sw_histogram_count(histogram);

		if (!all && !count)
			continue;
		sw_table_cell(table, "%s", sw_latency_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, count));
		for (unsigned int f = 0; f < sizeof(fractions) / sizeof(fractions[0]); f++)
			sw_table_cell(table, "%s",
				      sw_format_latency(text, sw_histogram_percentile(
								      histogram, fractions[f])));
	}
	sw_table_print(table, out);
}

static void anomalies(FILE *out, const struct sw_counters *total, bool all)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "ANOMALY");
	sw_table_cell(table, "SEEN");
	sw_table_cell(table, "WOULD DROP");
	sw_table_cell(table, "DROPPED");
	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++) {
		if (!all && !total->anomalies_seen[i])
			continue;
		sw_table_cell(table, "%s", sw_anomaly_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, total->anomalies_seen[i]));
		sw_table_cell(table, "%s", sw_format_count(text, total->anomalies_would_drop[i]));
		sw_table_cell(table, "%s", sw_format_count(text, total->anomalies_dropped[i]));
	}
	sw_table_print(table, out);
}

static void limits(FILE *out, const struct sw_counters *total, bool all)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "LIMIT");
	sw_table_cell(table, "SEEN");
	sw_table_cell(table, "WOULD DROP");
	sw_table_cell(table, "DROPPED");
	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++) {
		if (!all && !total->limits_seen[i])
			continue;
		sw_table_cell(table, "%s", sw_limit_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, total->limits_seen[i]));
		sw_table_cell(table, "%s", sw_format_count(text, total->limits_would_drop[i]));
		sw_table_cell(table, "%s", sw_format_count(text, total->limits_dropped[i]));
	}
	sw_table_print(table, out);
}

static uint64_t over_limits(const struct sw_service_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++)
		sum += counters->limits[i];
	return sum;
}

static void services(FILE *out, const struct sw_snapshot *snapshot)
{
	static const char *const headings[] = { "SERVICE",   "SYNS",   "COMPLETED",
						"ANOMALIES", "LIMITS", "DROPPED" };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrrrr");
	char text[SW_NUMBER_SIZE];

	if (snapshot->policy.row_count < 2)
		return; /* nothing is counted for services where there are none */
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	for (uint32_t i = 0; i < snapshot->policy.row_count; i++) {
		const struct sw_service_counters *counters = &snapshot->services[i];

		sw_table_cell(table, "%s", snapshot->policy.rows[i].name);
		sw_table_cell(table, "%s",
			      sw_format_count(text, counters->evidence[SW_EVIDENCE_SYNS]));
		sw_table_cell(table, "%s", sw_format_count(text, counters->completed));
		sw_table_cell(table, "%s", sw_format_count(text, counters->anomalies));
		sw_table_cell(table, "%s", sw_format_count(text, over_limits(counters)));
		sw_table_cell(table, "%s", sw_format_count(text, counters->dropped));
	}
	sw_table_print(table, out);
}

/* What SYNs were answered with in a server's stead. */
struct answers {
	uint64_t cookies, challenges, answered, unsent;
};

static void answers_row(struct sw_table *table, const char *name, const struct answers *of,
			bool all)
{
	char text[SW_NUMBER_SIZE];

	if (!all && !of->cookies && !of->challenges && !of->answered && !of->unsent)
		return;
	sw_table_cell(table, "%s", name);
	sw_table_cell(table, "%s", sw_format_count(text, of->cookies));
	sw_table_cell(table, "%s", sw_format_count(text, of->challenges));
	sw_table_cell(table, "%s", sw_format_count(text, of->answered));
	sw_table_cell(table, "%s", sw_format_count(text, of->unsent));
}

/* Of each service where any was; where there are none nothing is counted for them, and the default has all. */
static void answers(FILE *out, const struct sw_snapshot *snapshot, bool all)
{
	static const char *const headings[] = { "SERVICE", "COOKIES", "CHALLENGES", "ANSWERED",
						"UNSENT" };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lrrrr");
	const struct sw_counters *total = &snapshot->total;
	const struct answers of_all = { total->tallies[SW_TALLY_COOKIES_SENT],
					total->tallies[SW_TALLY_CHALLENGES_SENT],
					total->limits_seen[SW_LIMIT_CHALLENGE_ANSWER],
					total->tallies[SW_TALLY_COOKIES_UNSENT] };

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	if (snapshot->policy.row_count < 2)
		answers_row(table, "default", &of_all, false);
	for (uint32_t i = 0; snapshot->policy.row_count > 1 && i < snapshot->policy.row_count;
	     i++) {
		const struct sw_service_counters *from = &snapshot->services[i];
		const struct answers of = { from->cookies_sent, from->challenges_sent,
					    from->limits[SW_LIMIT_CHALLENGE_ANSWER],
					    from->cookies_unsent };

		answers_row(table, snapshot->policy.rows[i].name, &of, all);
	}
	sw_table_print(table, out);
}

static void traffic(FILE *out, const struct sw_snapshot *snapshot)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("llrrrr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "INTERFACE");
	sw_table_cell(table, "DIRECTION");
	sw_table_cell(table, "PACKETS");
	sw_table_cell(table, "BYTES");
	sw_table_cell(table, "TCP");
	sw_table_cell(table, "DROPPED");
	for (uint32_t i = 0; i < snapshot->interface_count; i++) {
		for (unsigned int d = 0; d < SW_DIRECTION_COUNT; d++) {
			const struct sw_traffic *one =
				&snapshot->interfaces[i].traffic.directions[d];

			sw_table_cell(table, "%s",
				      SW_PRINTABLE_NAME(snapshot->interfaces[i].record.name));
			sw_table_cell(table, "%s", sw_direction_words[d].name);
			sw_table_cell(table, "%s", sw_format_count(text, one->seen));
			sw_table_cell(table, "%s", sw_format_bytes(text, one->bytes));
			sw_table_cell(table, "%s", sw_format_count(text, one->kinds[SW_KIND_TCP]));
			sw_table_cell(table, "%s",
				      sw_format_count(text, one->verdicts[SW_VERDICT_DROPPED]));
		}
	}
	sw_table_print(table, out);
}

/* What should not happen, and is told when it does. */
static void warnings(FILE *out, const struct sw_counters *total)
{
	static const enum sw_tally bad[] = { SW_TALLY_ATTEMPTS_EVICTED,
					     SW_TALLY_CONNECTIONS_EVICTED,
					     SW_TALLY_EVENTS_SUPPRESSED, SW_TALLY_EVENTS_LOST };
	char text[SW_NUMBER_SIZE];

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (total->tallies[bad[i]])
			fprintf(out, "%s%s: %s%s (%s)\n", sw_style(out, SW_STYLE_WARN),
				sw_tally_words[bad[i]].name,
				sw_format_count(text, total->tallies[bad[i]]),
				sw_style(out, SW_STYLE_NONE), sw_tally_words[bad[i]].meaning);
}

static void tallies(FILE *out, const struct sw_counters *total)
{
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lr");
	char text[SW_NUMBER_SIZE];

	sw_table_cell(table, "TALLY");
	sw_table_cell(table, "COUNT");
	for (unsigned int i = 0; i < SW_TALLY_COUNT; i++) {
		sw_table_cell(table, "%s", sw_tally_words[i].name);
		sw_table_cell(table, "%s", sw_format_count(text, total->tallies[i]));
	}
	sw_table_print(table, out);
}

void sw_text_stats(FILE *to, const struct sw_snapshot *snapshot, bool all)
{
	char half_open[SW_NUMBER_SIZE], connections[SW_NUMBER_SIZE];
	const struct sw_counters *total = &snapshot->total;
	FILE *out = sw_prose_begin(to);
	char line[128];

	snprintf(line, sizeof(line), "%s half-open, %s %s",
		 sw_format_count(half_open, snapshot->half_open),
		 sw_format_count(connections, snapshot->connections),
		 sw_noun(snapshot->connections, "connection", "connections"));
	title(out, line);
	outcomes(out, total, all);
	other_flows(out, total, all);
	latencies(out, total, all);
	anomalies(out, total, all);
	limits(out, total, all);
	services(out, snapshot);
	answers(out, snapshot, all);
	traffic(out, snapshot);
	if (all)
		tallies(out, total);
	warnings(out, total);
	sw_prose_end(out);
}
