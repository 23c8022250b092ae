/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_DOCTOR_REPORT_H
#define SYNWARD_REPORT_DOCTOR_REPORT_H

#include "../model/findings.h"

#include <stdbool.h>
#include <stdio.h>

/* A line for each finding: its state, its check, what, why and what to do; then how many are not well. */
void sw_text_findings(FILE *out, const struct sw_findings *findings);
void sw_json_findings(FILE *out, const struct sw_findings *findings, bool pretty);

#endif
