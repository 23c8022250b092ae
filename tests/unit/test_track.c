// SPDX-License-Identifier: GPL-2.0-or-later
/* Every outcome and anomaly that depends on what came before, through the core on the host. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

int main(void)
{
	struct case_list list =
		new_cases(2 * (COUNT(outcome_sequences) + COUNT(stateful_sequences)));

	add_cases(&list, SEQUENCE_SET(outcome_sequences), "", sequence_on_host);
	add_cases(&list, SEQUENCE_SET(stateful_sequences), "", sequence_on_host);
	return run_cases("track", &list);
}
