// SPDX-License-Identifier: GPL-2.0-or-later
#include "score.h"

#include "names.h"

static const struct sw_word verdicts[] = {
	[SW_SCORE_NOT_SEEN] = { "not_seen", "not seen" },
	[SW_SCORE_SAFE] = { "safe", "safe to arm" },
	[SW_SCORE_UNSAFE] = { "unsafe", "NOT safe" },
	[SW_SCORE_COUNTED] = { "counted", "only counted" },
	[SW_SCORE_LISTED] = { "listed", "by a list" },
	[SW_SCORE_DROPPING] = { "dropping", "dropping" },
	[SW_SCORE_ELSEWHERE] = { "elsewhere", "none arrived" },
	[SW_SCORE_EARLY] = { "too_early", "too early" },
};

const char *sw_score_name(enum sw_score_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *sw_score_words(enum sw_score_verdict verdict)
{
	return verdicts[verdict].meaning;
}

struct sw_score_basis sw_score_basis(const struct sw_snapshot *snapshot)
{
	const __u64 *outcomes = snapshot->total.outcomes;
	struct sw_score_basis basis = {
		.watched_ms = (snapshot->taken_ns - snapshot->created_ns) / 1000000,
		.completed = outcomes[SW_OUTCOME_ACCEPTED] + outcomes[SW_OUTCOME_ACCEPTED_SIMOPEN] +
			     outcomes[SW_OUTCOME_SYNACK_PICKUP],
	};

	basis.too_early = basis.watched_ms < SW_SCORE_ENOUGH_MS ||
			  basis.completed < SW_SCORE_ENOUGH_COMPLETED;
	return basis;
}

/* Would any usual policy, or the active one, drop for this anomaly? */
static bool is_rule(const struct sw_policy_view *policy, unsigned int anomaly)
{
	__u64 rules = SW_MASK_SCORED;

	for (uint32_t i = 0; i < policy->row_count; i++)
		rules |= policy->rows[i].rules.drop | policy->rows[i].rules.strict_drop;
	return rules >> anomaly & 1;
}

static enum sw_score_verdict judge(const struct sw_snapshot *snapshot,
				   const struct sw_score_row *row, bool is_rule, bool is_list)
{
	/* who was harmed is known at once, that nobody will be is not */
	if (row->cleared)
		return SW_SCORE_UNSAFE;
	if (row->suspects)
		return sw_score_basis(snapshot).too_early ? SW_SCORE_EARLY : SW_SCORE_SAFE;
	if (!row->seen)
		return SW_SCORE_NOT_SEEN;
	if (is_list)
		return SW_SCORE_LISTED;
	if (!is_rule)
		return SW_SCORE_COUNTED;
	return row->dropped ? SW_SCORE_DROPPING : SW_SCORE_ELSEWHERE;
}

static struct sw_score_row anomaly_row(const struct sw_snapshot *snapshot, unsigned int i)
{
	const struct sw_counters *total = &snapshot->total;
	struct sw_score_row row = {
		.name = sw_anomaly_words[i].name,
		.seen = total->anomalies_seen[i],
		.would_drop = total->anomalies_would_drop[i],
		.dropped = total->anomalies_dropped[i],
		.suspects = total->score.anomalies_suspects[i],
		.cleared = total->score.anomalies_cleared[i],
	};

	row.verdict = judge(snapshot, &row, is_rule(&snapshot->policy, i), false);
	return row;
}

static struct sw_score_row limit_row(const struct sw_snapshot *snapshot, unsigned int i)
{
	const struct sw_counters *total = &snapshot->total;
	struct sw_score_row row = {
		.name = sw_limit_words[i].name,
		.is_limit = true,
		.seen = total->limits_seen[i],
		.would_drop = total->limits_would_drop[i],
		.dropped = total->limits_dropped[i],
		.suspects = total->score.limits_suspects[i],
		.cleared = total->score.limits_cleared[i],
	};

	row.verdict = judge(snapshot, &row, true,
			    i == SW_LIMIT_BLOCK_LIST || i == SW_LIMIT_AUTO_BLOCK);
	return row;
}

struct sw_score_row sw_score_row(const struct sw_snapshot *snapshot, unsigned int index)
{
	return index < SW_ANOMALY_COUNT ? anomaly_row(snapshot, index) :
					  limit_row(snapshot, index - SW_ANOMALY_COUNT);
}
