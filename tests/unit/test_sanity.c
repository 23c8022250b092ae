// SPDX-License-Identifier: GPL-2.0-or-later
/* Every anomaly of one packet by itself, beside its nearest innocent, through the host's core. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

/* What no sequence can show yet: these are decided on from more than one flow. */
#define NOT_YET (SW_BIT(SYN_FLOOD) | SW_BIT(HALF_OPEN_PRESSURE) | SW_BIT(SCAN))

static void note(const struct sequence_set set, __u64 *outcomes, __u64 *anomalies)
{
	for (size_t i = 0; i < set.count; i++) {
		for (__u32 outcome = 0; outcome < SW_OUTCOME_COUNT; outcome++)
			if (set.sequences[i].ended[outcome])
				*outcomes |= 1ULL << outcome;
		for (__u32 anomaly = 0; anomaly < SW_ANOMALY_COUNT; anomaly++)
			if (set.sequences[i].seen[anomaly])
				*anomalies |= 1ULL << anomaly;
	}
}

/* An outcome or anomaly that is added to the vocabulary asks for its sequence here. */
static void every_name_has_a_sequence(void **state __unused)
{
	__u64 outcomes = 0, anomalies = NOT_YET;

	note(SEQUENCE_SET(outcome_sequences), &outcomes, &anomalies);
	note(SEQUENCE_SET(stateful_sequences), &outcomes, &anomalies);
	note(SEQUENCE_SET(stateless_sequences), &outcomes, &anomalies);
	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		if (!(outcomes >> i & 1))
			fail_msg("no sequence ends in %s", outcome_name(i));
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		if (!(anomalies >> i & 1))
			fail_msg("no sequence shows %s", anomaly_name(i));
}

int main(void)
{
	const struct CMUnitTest vocabulary[] = { cmocka_unit_test(every_name_has_a_sequence) };
	struct case_list list = new_cases(2 * COUNT(stateless_sequences));
	int failed;

	add_cases(&list, SEQUENCE_SET(stateless_sequences), "", sequence_on_host);
	failed = run_cases("sanity", &list);
	return failed + cmocka_run_group_tests(vocabulary, NULL, NULL);
}
