/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_OPENMETRICS_H
#define SYNWARD_REPORT_OPENMETRICS_H

#include <stdio.h>

/* Prints a page of metrics that was printed in the text format 0.0.4 as one of OpenMetrics 1.0.0. */
void sw_openmetrics(FILE *out, const char *page);

#endif
