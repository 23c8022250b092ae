/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_EXPLAIN_H
#define SYNWARD_REPORT_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

/* All that there is to know of one outcome's, anomaly's or limit's name. */
struct sw_explanation {
	const char *kind; /* outcome, anomaly or limit */
	const char *name;
	const char *meaning;
	const char *condition;
	const char *caveat;    /* of an anomaly or a limit: its false positives */
	const char *reference; /* "" of a limit */
	unsigned int action;   /* enum sw_default_action */
	bool has_action;       /* anomalies have one */
	bool is_limit;
};

/* By position, outcomes first, limits last; NULL behind the last. */
const struct sw_explanation *sw_explanation(unsigned int index);

/*
 * By name, which may be both an outcome's and an anomaly's. Fills found and returns how many there
 * are, 0 to 2.
 */
unsigned int sw_explanations_of(const char *name, const struct sw_explanation *found[2]);

void sw_text_explanation(FILE *out, const struct sw_explanation *of);
void sw_json_explanations(FILE *out, const struct sw_explanation *const *list, unsigned int count,
			  bool pretty);

#endif
